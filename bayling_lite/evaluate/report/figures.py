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
_MOST_IN_FULL = 2  # comparisons whose every set has a radar of its own


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
    measured = [one for one in series if one.origin is Origin.MEASURED]
    others = [one for one in series if one.origin is Origin.PUBLISHED]
    published = [one for one in others if not any(_same(one, mine) for mine in measured)][:_MOST_PUBLISHED]
    grey = " Published systems in grey" if published else ""
    left_out = ", without those whose numbers were measured here as well" if len(published) < len(others) else ""
    apart = [row.system for row in table.rows if any(cell.incomplete or cell.apart for cell in row.cells)]
    noted = f" Not to be compared without the notes of the table: {', '.join(dict.fromkeys(apart))}." if apart else ""
    kind = Kind.LINES if len(places) >= _FEWEST_FOR_LINES else Kind.BARS
    return Figure(
        id=f"figure-{table.id}",
        family=table.family,
        kind=kind,
        caption=f"{table.title}.{grey}{left_out if grey else ''}{'.' if grey else ''}{noted}",
        categories=tuple(table.columns[place].label for place in places),
        series=(*published, *measured),
        unit=_UNITS[metric],
    )


def _same(published: Series, measured: Series) -> bool:
    """Whether a line would be drawn twice: it has no value but those of the other, as they are printed."""
    pairs = zip(published.values, measured.values, strict=True)
    return all(one is None or (other is not None and f"{one:.2f}" == f"{other:.2f}") for one, other in pairs)


def _series(row: Row, places: Sequence[int]) -> Series:
    return Series(row.system, row.origin, tuple(row.cells[place].value for place in places))


def _radars(results: Sequence[SetResult]) -> list[Figure]:
    """For each comparison on BayLing-80 a radar of both systems' mean scores by category."""
    # Only here, so that a report without these tasks needs none of their code.
    from bayling_lite.evaluate.bayling80.questions import SETS
    from bayling_lite.evaluate.bayling80.summary import BayLing80Summary, CategorySummary, summarize_all

    def radar(place: int, name: str, summary: BayLing80Summary, categories: Sequence[CategorySummary]) -> Figure:
        system, against = summary.system, summary.against
        ours = Series(system, Origin.MEASURED, tuple(one.tally.mean for one in categories))
        theirs = Series(against, Origin.MEASURED, tuple(one.tally.other_mean for one in categories))
        by = f" by {summary.judge}" if summary.judge else ""
        return Figure(
            id=f"figure-bayling80-{name}" + (f"-{place}" if place > 1 else ""),
            family="bayling80",
            kind=Kind.RADAR,
            caption=f"BayLing-80, {name}: mean scores of {system} and {against}{by}, by category, out of 10.",
            categories=tuple(one.category for one in categories),
            series=(ours, theirs),
            unit="score",
        )

    drawn = []
    summaries = summarize_all([result for result in results if result.set_name != ALL_SETS])
    for place, summary in enumerate(summaries, 1):
        sets = [(one.set_name, summary.categories_of[one.set_name]) for one in summary.sets]
        if len(sets) > 1:
            together = (ALL_SETS if len(sets) == len(SETS) else f"{len(sets)} sets", summary.categories)
            sets = [*sets, together] if len(summaries) <= _MOST_IN_FULL else [together]
        # Where nothing was judged there is nothing to see.
        judged = [(name, them) for name, them in sets if any(one.tally.n_judged for one in them)]
        drawn += [radar(place, name, summary, categories) for name, categories in judged]
    return drawn
