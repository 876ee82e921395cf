"""``bayling evaluate report``: all results of a folder as one page, as Markdown or as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bayling_lite.cli.evaluate_options import out_option
from bayling_lite.errors import OutputError, UsageError

if TYPE_CHECKING:
    from bayling_lite.evaluate.report.values import Report
    from bayling_lite.evaluate.values import SetResult

_FORMATS = (".html", ".md", ".json")


@click.command("report")
@out_option
@click.option(
    "-o",
    "--output",
    "outputs",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    metavar="FILE",
    help="Write FILE.html, .md or .json; may be given several times.  [default: report.html in the results folder]",
)
@click.option("--system", "systems", multiple=True, metavar="NAME", help="Only this system; in the order given.")
@click.option("--no-published", is_flag=True, help="Leave the published figures out.")
@click.option("--title", metavar="TEXT", help="What stands above it.  [default: Evaluation]")
@click.option(
    "--examples", type=click.IntRange(0, 100), default=2, show_default=True, metavar="N", help="Examples of each set."
)
@click.option("--force", is_flag=True, help="Overwrite a FILE that is no such report.")
def report(
    out: Path,
    outputs: tuple[Path, ...],
    systems: tuple[str, ...],
    no_published: bool,
    title: str | None,
    examples: int,
    force: bool,
) -> None:
    """Report on all results in the results folder, beside the published figures of the paper's systems.

    The page has the paper's tables, plots, examples on which systems differ most, how each system was run and how
    fast, which outputs have problems, and the signatures of all scores. It needs nothing but itself and no network,
    and can be printed. Markdown has the same without plots, JSON all of it for programs.

    \b
    Examples:
      bayling evaluate report
      bayling evaluate report --out evaluation -o report.html -o report.md
      bayling evaluate report --system mine --system bayling-7b -o two.html
    """  # noqa: D301 - click wants the character \b
    paths = outputs or (out / "report.html",)
    for path in paths:
        _check(path, force=force)
    from bayling_lite.evaluate.published import Published, published_scores
    from bayling_lite.evaluate.ranking.summary import summaries
    from bayling_lite.evaluate.report import build_report
    from bayling_lite.evaluate.results import ResultsFolder
    from bayling_lite.terminal import printable

    made = build_report(
        _chosen(ResultsFolder(out).read(), systems),
        summaries(out),
        Published() if no_published else published_scores(),
        title=title or "Evaluation",
        n_examples=examples,
    )
    for path in paths:
        _write(path, _writer(path)(made))
        click.echo(printable(str(path), keep=""))


def _chosen(results: Sequence[SetResult], systems: Sequence[str]) -> list[SetResult]:
    """The results of some systems, in the order of their names here; of none, all as they are.

    Raises:
        UsageError: there are no results of one of them.
    """
    from bayling_lite.evaluate.results import systems_of

    systems_of(results, systems)
    if not systems:
        return list(results)
    return sorted((one for one in results if one.system in systems), key=lambda one: systems.index(one.system))


def _writer(path: Path) -> Callable[[Report], str]:
    if path.suffix == ".json":
        from bayling_lite.evaluate.report.as_json import to_json

        return to_json
    if path.suffix == ".md":
        from bayling_lite.evaluate.report.markdown import to_markdown

        return to_markdown
    from bayling_lite.evaluate.report.html import to_html

    return to_html


def _check(path: Path, *, force: bool) -> None:
    """See that a report can be written to a file, before anything is computed.

    Raises:
        UsageError: its name says no known format, or it is something else than an older report.
    """
    if path.suffix not in _FORMATS:
        raise UsageError(
            f"A report is a page, Markdown or JSON: give {path} a name that ends with .html, .md or .json."
        )
    if path.exists() and not force and not _is_report(path):
        raise UsageError(f"{path} is there, and no report. Give another name with -o, or overwrite it with --force.")


def _is_report(path: Path) -> bool:
    from bayling_lite.evaluate.report.marks import MARKS
    from bayling_lite.reasons import reason

    try:
        with path.open("rb") as file:
            start = file.read(2000)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {reason(error)}.") from error
    return not start or MARKS[path.suffix].encode() in start


def _write(path: Path, text: str) -> None:
    from bayling_lite.reasons import reason
    from bayling_lite.whole_file import replace_whole

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_whole(path, text.encode("utf-8"))
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {reason(error)}.") from error
