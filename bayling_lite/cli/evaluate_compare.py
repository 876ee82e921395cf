"""``bayling evaluate compare``: which differences between systems are more than chance."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bayling_lite.cli.evaluate_options import out_option

if TYPE_CHECKING:
    from bayling_lite.evaluate.translation.significance import Comparison
    from bayling_lite.evaluate.values import SetResult

_HEADER = ("SET", "METRIC", "ITEMS", "SYSTEM", "SCORE", "AGAINST", "SCORE", "DIFFERENCE", "95 % INTERVAL", "P")


@click.command("compare")
@click.argument("systems", nargs=-1, metavar="[SYSTEM]...")
@out_option
@click.option("--baseline", metavar="SYSTEM", help="Compare with this one only.  [default: each with each]")
@click.option("--set", "sets", multiple=True, metavar="NAME", help="Only this set; may be given several times.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Only this metric: BLEU, chrF++, COMET.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each comparison.")
def compare(
    systems: tuple[str, ...],
    out: Path,
    baseline: str | None,
    sets: tuple[str, ...],
    metrics: tuple[str, ...],
    as_json: bool,
) -> None:
    """Compare systems by paired bootstrap resampling, on every set that two of them were measured on.

    With no SYSTEM, all in the results folder are compared. P is the probability that a difference at least this large
    is chance, as sacreBLEU computes it; the interval is that of the difference. * marks differences with P below 0.05
    whose interval is all above or all below zero. Two systems that were measured on different parts of a set (--limit)
    are compared on what both have.

    \b
    Examples:
      bayling evaluate compare
      bayling evaluate compare mine bayling-7b --metric BLEU
    """  # noqa: D301 - click wants the character \b
    from bayling_lite.cli.saying import say
    from bayling_lite.evaluate.results import ResultsFolder
    from bayling_lite.evaluate.translation.significance import SIGNATURE, comparisons

    results = _chosen(ResultsFolder(out).read(), systems, baseline)
    wanted = [result for result in results if not sets or result.set_name in sets]
    found = [one for one in comparisons(wanted, baseline or "") if not metrics or one.metric in metrics]
    if as_json:
        for one in found:
            # In ASCII: names may hold what no encoding takes, or what steers a terminal.
            click.echo(json.dumps({**asdict(one), "difference": one.difference, "significant": one.significant}))
        return
    if not found:
        say("There is no set that two of these systems were measured on by the same metric: nothing can be compared.")
        return
    _show(found)
    say(f"* p < 0.05, and the interval without 0. {SIGNATURE}")


def _chosen(results: Sequence[SetResult], systems: tuple[str, ...], baseline: str | None) -> list[SetResult]:
    from bayling_lite.errors import UsageError

    there = list(dict.fromkeys(result.system for result in results))
    for name in (*systems, *([baseline] if baseline else [])):
        if name not in there:
            raise UsageError(f"There are no results of {name!r}. There are some of: {', '.join(there) or 'none'}.")
    chosen = list(dict.fromkeys((*systems, *([baseline] if baseline and systems else [])))) or there
    if len(chosen) < 2:
        raise UsageError(
            f"A comparison takes two systems, and here is {', '.join(chosen) or 'none'}. Measure another one, or score "
            "outputs of one with bayling evaluate score."
        )
    # Systems in the order in which they were named: who comes first is compared with who comes later.
    return sorted(
        (result for result in results if result.system in chosen),
        key=lambda one: (_place(one), chosen.index(one.system)),
    )


def _place(result: SetResult) -> tuple[int, int, str]:
    """Where a set stands: families and directions in the paper's order."""
    from bayling_lite.evaluate.families import FAMILIES
    from bayling_lite.evaluate.translation.wmt22 import DIRECTIONS

    families, sets = list(FAMILIES), list(DIRECTIONS)
    family = families.index(result.family) if result.family in families else len(families)
    place = sets.index(result.set_name) if result.set_name in sets else len(sets)
    return family, place, result.set_name


def _show(found: Sequence[Comparison]) -> None:
    from bayling_lite.cli.tables import output_width, table

    rows = [
        (
            f"{one.family} {one.set_name}",
            one.metric,
            f"{one.n_items:,}",
            one.system,
            f"{one.value:.2f}",
            one.baseline,
            f"{one.baseline_value:.2f}",
            f"{one.difference:+.2f}{'*' if one.significant else ''}",
            f"{one.low:+.2f} to {one.high:+.2f}",
            f"{one.p:.3f}",
        )
        for one in found
    ]
    for line in table(_HEADER, rows, output_width()):
        click.echo(line)
