"""``bayling evaluate compare``: which differences between systems are more than chance."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bayling_lite.cli.evaluate_options import out_option
from bayling_lite.cli.saying import say
from bayling_lite.terminal import printable

if TYPE_CHECKING:
    from bayling_lite.evaluate.translation.significance import Comparison
    from bayling_lite.evaluate.values import SetResult

_PAIRS = ("SET", "METRIC", "ITEMS", "SYSTEM", "SCORE", "AGAINST", "SCORE", "DIFFERENCE", "95 % INTERVAL", "P")
_STANDINGS = ("SET", "METRIC", "ITEMS", "RANKS", "SYSTEM", "SCORE")
_FEW = 2
_COLUMNS = (
    *("family", "set_name", "against", "metric", "n_items", "system", "value", "baseline", "baseline_value"),
    *("difference", "low", "high", "p", "significant", "score_signature", "signature"),
)
"""Of JSON and TSV."""


@click.command("compare")
@click.argument("systems", nargs=-1, metavar="[SYSTEM]...")
@out_option
@click.option("--baseline", metavar="SYSTEM", help="Compare with this one only.  [default: each with each]")
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="[FAMILY/]SET",
    help="Only this set; may be given several times.",
)
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Only this metric: BLEU, chrF++, COMET.")
@click.option("--pairs", is_flag=True, help="Each comparison, of three and more systems as well, and not their ranks.")
@click.option("--markdown", "form", flag_value="markdown", help="As a table in Markdown.")
@click.option("--tsv", "form", flag_value="tsv", help="Each comparison on a line, between tabs, with all digits.")
@click.option("--json", "form", flag_value="json", help="A line of JSON for each comparison.")
def compare(
    systems: tuple[str, ...],
    out: Path,
    baseline: str | None,
    sets: tuple[str, ...],
    metrics: tuple[str, ...],
    pairs: bool,
    form: str | None,
) -> None:
    """Compare systems by paired bootstrap resampling, on every set that two of them were measured on.

    With no SYSTEM, all in the results folder are compared. P is the probability that a difference at least this large
    is chance, as sacreBLEU computes it; the interval is that of the difference. * marks differences with P below 0.05
    whose interval is all above or all below zero. Two systems that were measured on different parts of a set (--limit)
    are compared on what both have.

    Of three systems and more, ranks are shown: 2-4 says that one system is significantly better, and that four, itself
    among them, are not significantly worse. --pairs shows the comparisons that make them.

    \b
    Examples:
      bayling evaluate compare
      bayling evaluate compare mine bayling-7b --metric BLEU
      bayling evaluate compare --baseline bayling-7b --markdown
    """  # noqa: D301 - click wants the character \b
    from bayling_lite.evaluate.results import ResultsFolder
    from bayling_lite.evaluate.translation.significance import comparisons

    results = _on_sets(_chosen(ResultsFolder(out).read(), systems, baseline), sets)
    wanted = _metrics(results, metrics)
    found = comparisons(results, baseline or "", wanted)
    if form in ("json", "tsv"):
        _write(found, form)
        return
    if not found:
        say("There is no set that two of these systems were measured on by the same metric: nothing can be compared.")
        return
    _show(found, in_ranks=not pairs and not baseline, in_markdown=form == "markdown")


def _chosen(results: Sequence[SetResult], systems: tuple[str, ...], baseline: str | None) -> list[SetResult]:
    from bayling_lite.errors import UsageError
    from bayling_lite.evaluate.results import systems_of

    there = systems_of(results, (*systems, *([baseline] if baseline else [])))
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


def _on_sets(results: Sequence[SetResult], sets: Sequence[str]) -> list[SetResult]:
    """The results on some sets, each named as in the results folder, alone or behind its family: ``wmt22/zh-en``.

    Raises:
        UsageError: none of the systems was measured on one of them.
    """
    from bayling_lite.errors import UsageError

    there = list(dict.fromkeys(f"{result.family}/{result.set_name}" for result in results))
    for name in sets:
        if not any(name in (full, full.partition("/")[2]) for full in there):
            raise UsageError(f"There are no results on a set {name!r}. There are some on: {', '.join(there)}.")
    wanted = {full for full in there if not sets or full in sets or full.partition("/")[2] in sets}
    return [result for result in results if f"{result.family}/{result.set_name}" in wanted]


def _metrics(results: Sequence[SetResult], names: Sequence[str]) -> set[str]:
    """The metrics of some names, in whatever case; without names, all.

    Raises:
        UsageError: there is no result by one of them.
    """
    from bayling_lite.errors import UsageError

    there = list(dict.fromkeys(score.metric for result in results for score in result.scores))
    for name in names:
        if name.casefold() not in map(str.casefold, there):
            raise UsageError(f"There are no results by a metric {name!r}. There are some by: {', '.join(there)}.")
    wanted = {name.casefold() for name in names}
    return {metric for metric in there if not names or metric.casefold() in wanted}


def _place(result: SetResult) -> tuple[int, int, str]:
    """Where a set stands: families and directions in the paper's order."""
    from bayling_lite.evaluate.families import FAMILIES
    from bayling_lite.evaluate.translation.wmt22 import DIRECTIONS

    families, sets = list(FAMILIES), list(DIRECTIONS)
    family = families.index(result.family) if result.family in families else len(families)
    place = sets.index(result.set_name) if result.set_name in sets else len(sets)
    return family, place, result.set_name


def _write(found: Sequence[Comparison], form: str) -> None:
    """For programs: all digits, and each comparison by itself."""
    if form == "tsv":
        click.echo("\t".join(_COLUMNS))
    for one in found:
        values = {name: getattr(one, name) for name in _COLUMNS}
        # JSON in ASCII: names may hold what no encoding takes, or what steers a terminal.
        tsv = "\t".join(" ".join(printable(str(value)).split()) for value in values.values())
        click.echo(tsv if form == "tsv" else json.dumps(values))


def _show(found: Sequence[Comparison], *, in_ranks: bool, in_markdown: bool) -> None:
    """For people: ranks of sets on which three or more systems were compared, and else the comparisons; then notes."""
    from bayling_lite.evaluate.report.layouts import direction
    from bayling_lite.evaluate.translation.standings import by_set, standings

    ranked: list[tuple[str, ...]] = []
    paired: list[Comparison] = []
    for group in by_set(found):
        one = group[0]
        stand = standings(group, direction(one.metric)) if in_ranks and direction(one.metric) else ()
        if len(stand) > _FEW:
            shared = (_set(one), one.metric, f"{one.n_items:,}")
            ranked += [(*shared, _ranks(each.first, each.last), each.system, f"{each.value:.2f}") for each in stand]
        else:
            paired += group
    tables: list[tuple[Sequence[str], Sequence[Sequence[str]]]] = [(_STANDINGS, ranked)] if ranked else []
    if paired:
        tables.append((_PAIRS, [_pair(one) for one in paired]))
    for number, (header, rows) in enumerate(tables):
        for line in ("",) * bool(number) + tuple(_lines(header, rows, in_markdown=in_markdown)):
            click.echo(line)
    notes = _notes(found, in_ranks=bool(ranked), in_pairs=bool(paired))
    if in_markdown:
        click.echo("\n" + "\n".join("- " + _escaped(note).replace("\\|", "|") for note in notes))
    else:
        for note in notes:
            say(note)


def _lines(header: Sequence[str], rows: Sequence[Sequence[str]], *, in_markdown: bool) -> Iterator[str]:
    from bayling_lite.cli.tables import output_width, table

    if not in_markdown:
        yield from table(header, rows, output_width())
        return
    yield f"| {' | '.join(name.capitalize() if name.isupper() else name for name in header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(map(_escaped, row))} |"


def _escaped(text: str) -> str:
    return re.sub(r"([\\|*_`<\[])", r"\\\1", " ".join(printable(text, keep="").split()))


def _set(one: Comparison) -> str:
    return f"{one.family} {one.set_name}" + (f" vs {one.against}" if one.against else "")


def _ranks(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _pair(one: Comparison) -> tuple[str, ...]:
    return (
        _set(one),
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


def _notes(found: Sequence[Comparison], *, in_ranks: bool, in_pairs: bool) -> Iterator[str]:
    """What the tables do not say: what marks mean, what many comparisons mean, and how scores are made."""
    from bayling_lite.evaluate.translation.significance import SIGNATURE

    if in_ranks:
        yield "Ranks: from 1 + how many are significantly better, to how many are not significantly worse."
    mark = "* significant" if in_pairs else "Significant"
    yield f"{mark}: p < 0.05, and the interval of the difference without 0. {SIGNATURE}"
    if len(found) > 1:
        yield (
            f"Each of the {len(found):,} comparisons is tested by itself: where nothing differs, one in twenty has "
            "p < 0.05 by chance."
        )
    made: dict[tuple[str, str], dict[str, None]] = {}
    for one in found:
        if one.score_signature:
            made.setdefault((one.metric, one.score_signature), {})[_set(one)] = None
    for (metric, signature), sets in made.items():
        only = f" ({', '.join(sets)})" if sum(name == metric for name, _ in made) > 1 else ""
        yield f"{metric}{only}: {signature}"
