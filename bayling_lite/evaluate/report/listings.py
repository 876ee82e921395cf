"""The plain tables of a report, the same in the page and in Markdown: rankings, significance, problems."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bayling_lite.evaluate.report.layouts import decimals
from bayling_lite.evaluate.report.notes import SIGNIFICANT
from bayling_lite.evaluate.report.values import Comparison, ProblemLine, Ranking
from bayling_lite.evaluate.report.words import closest, decimal, interval, problems_text


@dataclass(frozen=True, slots=True)
class Listing:
    """Lines of text. The columns in ``numbers`` stand to the right, those in ``unbroken`` are short and stay whole."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    unbroken: tuple[int, ...] = ()


def ranking_listing(ranking: Ranking) -> Listing:
    """What people's rankings say of each system."""
    return Listing(
        ("system", "first places, %", "95 % interval", "no other better, %", "mean rank"),
        tuple(
            (
                one.system,
                decimal(one.first),
                interval(one.low, one.high, 1),
                decimal(one.best),
                decimal(one.mean_rank, 2),
            )
            for one in ranking.systems
        ),
        numbers=(1, 2, 3, 4),
    )


def comparison_listing(comparisons: Iterable[Comparison]) -> Listing:
    """The best of each set beside the one that comes closest."""
    return Listing(
        ("set", "metric", "best", "compared with", "difference", "95 % interval", "p"),
        tuple(
            (
                f"{one.family} {one.set_name}",
                one.metric,
                one.system,
                one.other,
                f"+{abs(one.difference):.{decimals(one.metric)}f}",
                interval(one.low, one.high),
                f"{f'{SIGNIFICANT} ' if one.significant else ''}{one.p:.3f}",
            )
            for one in closest(comparisons)
        ),
        numbers=(4, 5, 6),
        unbroken=(0, 1),
    )


def problem_listing(problems: Iterable[ProblemLine]) -> Listing:
    """Which outputs have problems, and which sets were not measured whole."""
    return Listing(
        ("system", "set", "measured", "problems"),
        tuple(
            (
                line.system,
                f"{line.family} {line.set_name}",
                f"{line.n_outputs:,} of {line.n_items:,}",
                problems_text(line),
            )
            for line in problems
        ),
        numbers=(2,),
        unbroken=(1,),
    )
