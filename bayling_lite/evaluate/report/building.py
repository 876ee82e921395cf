"""From results to a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bayling_lite import __version__
from bayling_lite.errors import UsageError
from bayling_lite.evaluate.published import Published
from bayling_lite.evaluate.ranking.summary import RankingSummary
from bayling_lite.evaluate.report.examples import examples_of
from bayling_lite.evaluate.report.figures import figures_of
from bayling_lite.evaluate.report.layouts import ALL_SETS, in_order
from bayling_lite.evaluate.report.rankings import rankings_of
from bayling_lite.evaluate.report.runs import problem_lines, run_lines, signature_lines
from bayling_lite.evaluate.report.significance import Significance
from bayling_lite.evaluate.report.tables import in_set_order, tables_of
from bayling_lite.evaluate.report.values import Origin, Report, Table
from bayling_lite.evaluate.values import SetResult

TITLE = "Evaluation"
EXAMPLES = 2


def build_report(
    results: Sequence[SetResult],
    rankings: Sequence[RankingSummary],
    published: Published,
    *,
    title: str = TITLE,
    n_examples: int = EXAMPLES,
) -> Report:
    """The report of some results, and of the rankings by people beside them.

    Args:
        results: of any systems and sets; of one system and set, one.
        rankings: of the studies in the same folder.
        published: figures to stand beside them; an empty one for none.
        title: what stands above it.
        n_examples: how many examples of each set.

    Raises:
        UsageError: there is nothing to report on, or a system's set comes twice.
    """
    if not results and not rankings:
        raise UsageError(
            "There are no results to report on. Measure something first, for example: bayling evaluate wmt22"
        )
    ordered = _ordered(results)
    sets = _by_set(ordered)
    significance = Significance(sets)
    in_tables = [*ordered, *_together(ordered)]
    tables = tables_of(in_tables, published, significance)
    return Report(
        title=title,
        program=f"bayling-lite {__version__}",
        systems=tuple(dict.fromkeys(result.system for result in ordered)),
        tables=tables,
        figures=figures_of(tables, ordered),
        rankings=rankings_of(rankings),
        comparisons=significance.comparisons,
        examples=examples_of(sets, n_examples),
        runs=run_lines(ordered),
        signatures=signature_lines(ordered),
        problems=problem_lines(ordered),
        sources=_sources(tables, published),
    )


def _ordered(results: Sequence[SetResult]) -> list[SetResult]:
    """By family and set in the paper's order, and then as they came.

    Raises:
        UsageError: two are of the same system, set and comparison.
    """
    seen: set[tuple[str, ...]] = set()
    for result in results:
        key = (result.system, result.family, result.set_name, result.against)
        if key in seen:
            raise UsageError(
                f"There are two results of {result.system} on {result.family} {result.set_name}. "
                "Give one of them another name with --name."
            )
        seen.add(key)
    families = in_order([result.family for result in results])
    orders = {
        family: in_set_order(family, {result.set_name for result in results if result.family == family})
        for family in families
    }
    return sorted(
        results, key=lambda result: (families.index(result.family), orders[result.family].index(result.set_name))
    )


def _by_set(results: Sequence[SetResult]) -> list[list[SetResult]]:
    sets: dict[tuple[str, str], list[SetResult]] = {}
    for result in results:
        sets.setdefault((result.family, result.set_name), []).append(result)
    return list(sets.values())


def _together(results: Sequence[SetResult]) -> list[SetResult]:
    """What a comparison on BayLing-80 comes to over all sets, where a system has them all, judged alike."""
    from bayling_lite.evaluate.bayling80.questions import SETS
    from bayling_lite.evaluate.bayling80.summary import by_judge, judged_by
    from bayling_lite.evaluate.bayling80.verdicts import comparison_scores

    made = []
    for found in by_judge(results):
        if {result.set_name for result in found} == set(SETS):
            outputs = tuple(output for result in found for output in result.outputs)
            made.append(
                replace(
                    found[0],
                    set_name=ALL_SETS,
                    outputs=outputs,
                    scores=comparison_scores(outputs, judged_by(found[0])),
                    n_items=sum(result.n_items for result in found),
                )
            )
    return made


def _sources(tables: Sequence[Table], published: Published) -> tuple[str, ...]:
    """Where the published figures of the tables are from."""
    shown = {
        (table.family, column.set_name, column.metric, row.system)
        for table in tables
        for row in table.rows
        if row.origin is Origin.PUBLISHED
        for column in table.columns
    }
    return tuple(
        dict.fromkeys(
            score.source
            for score in published.scores
            if (score.family, score.set_name, score.metric, score.system) in shown
        )
    )
