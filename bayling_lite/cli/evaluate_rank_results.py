"""What ``bayling evaluate rank`` prints and writes of a study: tables by aspect, and all rankings as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bayling_lite.cli.saying import say
from bayling_lite.terminal import printable
from bayling_lite.units import counted

if TYPE_CHECKING:
    from bayling_lite.evaluate.ranking.store import StudyStore
    from bayling_lite.evaluate.ranking.summary import RankingSummary


def print_results(store: StudyStore) -> None:
    """Print a table for each aspect, on standard output."""
    from bayling_lite.cli.tables import output_width, table
    from bayling_lite.evaluate.ranking.summary import summarize

    for number, summary in enumerate(summarize(store)):
        click.echo("\n" * bool(number) + _title(summary))
        rows = [
            (
                standing.system,
                f"{standing.first:.1f}",
                "–" if standing.low is None else f"{standing.low:.1f}–{standing.high:.1f}",
                f"{standing.best:.1f}",
                f"{standing.mean_rank:.2f}",
            )
            for standing in summary.standings
        ]
        header = ("SYSTEM", "FIRST %", "95 %", "BEST OR TIED %", "MEAN RANK")
        for line in table(header, rows, output_width()) if rows else ():
            click.echo(line)
        click.echo(_agreement(summary) if rows else "Nobody has ranked an item yet.")


def _title(summary: RankingSummary) -> str:
    people = counted(len(summary.persons), "person", "people")
    return (
        f"{summary.aspect.label}: {counted(summary.n_rankings, 'ranking')} of {counted(summary.n_ranked, 'item')} (of "
        f"{summary.n_items:,}) by {people}"
    )


def _agreement(summary: RankingSummary) -> str:
    """The line below a table: how ties count, how far people agree, what was skipped."""
    parts = ["A first place that several share is split among them."]
    if summary.n_shared:
        alpha, w = ("not defined" if value is None else f"{value:.3f}" for value in (summary.alpha, summary.w))
        parts.append(
            f"Agreement on {summary.n_shared:,} items ranked by several: Krippendorff's alpha (ordinal) {alpha}, "
            f"Kendall's W (mean of items) {w}."
        )
    if summary.reasons:
        parts.append("Skipped: " + ", ".join(f"{reason} ({count:,})" for reason, count in summary.reasons) + ".")
    return printable(" ".join(parts), keep="")


def export_votes(store: StudyStore, path: Path, *, force: bool, quiet: bool) -> None:
    """Write all rankings as CSV.

    Raises:
        OutputError: the file exists, and there is no ``force``, or it cannot be written.
    """
    from bayling_lite.cli.files import check_output, write_whole
    from bayling_lite.evaluate.ranking.votes import votes_csv

    check_output(path, force=force, inputs=[store.path])
    data = votes_csv(store)
    write_whole(path, data)
    if not quiet:
        n_lines = data.count(b"\r\n") - 1
        say(f"{path}: {n_lines:,} lines.")
