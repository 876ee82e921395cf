"""The figures: each a table's numbers, or the categories of BayLing-80, in a form to see at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bayling_lite.evaluate.report.layouts import ALL_SETS, AVERAGE, in_order
from bayling_lite.evaluate.report.values import Figure, Kind, Origin, Row, Series, Table
from bayling_lite.evaluate.values import SetResult

_DRAWN = {"wmt22": "BLEU", "translation": "BLEU", "exams": "accuracy"}
_UNITS = {"BLEU": "BLEU", "accuracy": "accuracy in percent"}
_FEWEST_FOR_LINES = 4
_MOST_PUBLISHED = 6


def figures_of(tables: Iterable[Table], results: Sequence[SetResult]) -> tuple[Figure, ...]:
    """The figures, in the order of the tables."""
    tables = list(tables)
    drawn = [figure for table in tables if (figure := _of_table(table))]
    drawn += _radars(results)
    order = in_order([figure.family for figure in drawn])
    return tuple(sorted(drawn, key=lambda figure: order.index(figure.family)))


def _of_table(table: Table) -> Figure | None:
    metric = table.columns[0].metric if table.columns else ""
    if _DRAWN.get(table.family) != metric or len({column.metric for column in table.columns}) != 1:
        return None
    places = [place for place, column in enumerate(table.columns) if column.set_name != AVERAGE]
    series = [_series(row, places) for row in table.rows]
    published = [one for one in series if one.origin is Origin.PUBLISHED][:_MOST_PUBLISHED]
    measured = [one for one in series if one.origin is Origin.MEASURED]
    kind = Kind.LINES if len(places) >= _FEWEST_FOR_LINES else Kind.BARS
    return Figure(
        id=f"figure-{table.id}",
        family=table.family,
        kind=kind,
        caption=f"{table.title}. Published systems in grey.",
        categories=tuple(table.columns[place].label for place in places),
        series=(*published, *measured),
        unit=_UNITS[metric],
    )


def _series(row: Row, places: Sequence[int]) -> Series:
    return Series(row.system, row.origin, tuple(row.cells[place].value for place in places))


def _radars(results: Sequence[SetResult]) -> list[Figure]:
    """For each comparison on BayLing-80 a radar of both systems' mean scores by category."""
    # Only here, so that a report without these tasks needs none of their code.
    from bayling_lite.evaluate.bayling80.summary import CategorySummary, summarize_all

    def radar(name: str, system: str, against: str, categories: Sequence[CategorySummary]) -> Figure:
        ours = Series(system, Origin.MEASURED, tuple(one.tally.mean for one in categories))
        theirs = Series(against, Origin.MEASURED, tuple(one.tally.other_mean for one in categories))
        return Figure(
            id=f"figure-bayling80-{name}",
            family="bayling80",
            kind=Kind.RADAR,
            caption=f"BayLing-80, {name}: mean scores of {system} and {against} by category, out of 10.",
            categories=tuple(one.category for one in categories),
            series=(ours, theirs),
            unit="score",
        )

    drawn = []
    for summary in summarize_all([result for result in results if result.set_name != ALL_SETS]):
        sets = [(one.set_name, summary.categories_of[one.set_name]) for one in summary.sets]
        if len(sets) > 1:
            sets.append((ALL_SETS, summary.categories))
        drawn += [radar(name, summary.system, summary.against, categories) for name, categories in sets]
    return drawn
