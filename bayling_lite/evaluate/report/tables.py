"""The tables: systems by sets, the published beside the measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bayling_lite.evaluate.published import Published, PublishedScore, published_scores
from bayling_lite.evaluate.report.captions import caption
from bayling_lite.evaluate.report.layouts import (
    AVERAGE,
    Layout,
    Part,
    decimals,
    direction,
    in_order,
    layout_of,
    sets_of,
)
from bayling_lite.evaluate.report.notes import Notes
from bayling_lite.evaluate.report.table_cells import (
    Usual,
    average_cell,
    comparable,
    measured_cell,
    published_cell,
    usual_of,
)
from bayling_lite.evaluate.report.values import Cell, Column, Note, Origin, Row, Table
from bayling_lite.evaluate.values import SetResult

Significant = Callable[[str, str, str, str], bool]
"""Whether a system (fourth) is significantly the best on a family's set by a metric (first to third)."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A row before it has cells: whose, and its numbers by set and metric."""

    system: str
    against: str
    origin: Origin
    results: Mapping[str, SetResult]
    published: Mapping[tuple[str, str], PublishedScore]

    def cell(self, column: Column, usual: Usual, notes: Notes) -> Cell:
        if self.origin is Origin.MEASURED:
            return measured_cell(self.results.get(column.set_name), column, usual, notes)
        return published_cell(self.published.get((column.set_name, column.metric)), column, notes)

    def waits_for_judge(self, metrics: Sequence[str], lines: Iterable[_Line]) -> bool:
        """Whether these are answers that no judge has compared, in a table of comparisons."""
        judged = any(line.against and line.system == self.system for line in lines if line.results)
        return "win" in metrics and bool(self.results) and not self.against and not judged

    def not_judged(self, column: Column) -> Cell:
        """What stands for a verdict that there is not."""
        return Cell(text="not judged" if column.metric == "ratio" and column.set_name in self.results else "")


def tables_of(results: Sequence[SetResult], published: Published, significant: Significant) -> tuple[Table, ...]:
    """All tables, family by family in the paper's order, with those sets only that somebody was measured on."""
    made: list[Table] = []
    for family in in_order([result.family for result in results]):
        content = _Content(family, [one for one in results if one.family == family], published, significant)
        layout = layout_of(family)
        sets = in_set_order(family, {result.set_name for result in content.results})
        for part in layout.parts:
            part_sets = sets_of(part, layout, sets)
            here = [one for one in content.results if one.set_name in part_sets]
            made += [_table(content, layout, part, part_sets, metrics) for metrics in _tables_metrics(layout, here)]
    return tuple(made)


@dataclass(frozen=True, slots=True)
class _Content:
    """What the tables of a family are filled with."""

    family: str
    results: Sequence[SetResult]
    published: Published
    significant: Significant


def in_set_order(family: str, sets: Collection[str]) -> list[str]:
    """Sets of a family in the paper's order, those that it has not behind them by name."""
    known = published_scores().sets(family)
    return sorted(sets, key=lambda name: (known.index(name) if name in known else len(known), name))


def _tables_metrics(layout: Layout, results: Iterable[SetResult]) -> list[tuple[str, ...]]:
    """The metrics of each table, in the order in which the results have them."""
    metrics = tuple(dict.fromkeys(score.metric for result in results for score in result.scores))
    if layout.by_metric:
        return [(metric,) for metric in metrics]
    titles = ("", *layout.aside)
    tables = (tuple(metric for metric in metrics if layout.titled(metric) == title) for title in titles)
    return [table for table in tables if table]


def _table(content: _Content, layout: Layout, part: Part, sets: Sequence[str], metrics: Sequence[str]) -> Table:
    family, notes, usual = content.family, Notes(), usual_of(content.results)
    columns = _columns(layout, part, sets, metrics, content.results)
    lines = [*_published_lines(content.published.of(family)), *_measured_lines(content.results)]
    rows = []
    for line in lines:
        cells = tuple(line.cell(column, usual, notes) for column in columns)
        if any(cell.value is not None for cell in cells):
            rows.append(Row(line.system, line.origin, cells, line.against))
        elif line.waits_for_judge(metrics, lines):
            rows.append(Row(line.system, line.origin, tuple(map(line.not_judged, columns))))
    if part.averaged == len(sets):
        columns, rows = _with_average(columns, rows)
    rows = _marked(columns, rows, family, content.significant)
    aside = layout.titled(metrics[0])
    named = metrics[0] if layout.by_metric and metrics[0] != "accuracy" else aside
    titles = [layout.title, part.title, named]
    return Table(
        id="-".join(filter(None, (family, part.id, metrics[0] if layout.by_metric or aside else ""))),
        family=family,
        title=": ".join(filter(None, titles)),
        caption=caption(family, part, columns, rows, content.results, content.published),
        columns=tuple(columns),
        rows=tuple(rows),
        notes=(*notes.told(rows), *_without_verdicts(family, metrics, content.results)),
    )


def _without_verdicts(family: str, metrics: Sequence[str], results: Sequence[SetResult]) -> tuple[Note, ...]:
    """Below answers to BayLing-80: whose were not compared with anybody's."""
    if family != "bayling80" or "answered" not in metrics:
        return ()
    judged = {result.system for result in results if result.against}
    missing = dict.fromkeys(result.system for result in results if result.system not in judged)
    named = f"Not judged: {', '.join(missing)}. bayling evaluate bayling80 --judge has answers compared."
    return (Note("", named),) if missing else ()


def _columns(
    layout: Layout, part: Part, sets: Sequence[str], metrics: Sequence[str], results: Sequence[SetResult]
) -> list[Column]:
    """Those columns that a measured system has a number in."""
    there = {(result.set_name, score.metric) for result in results for score in result.scores}
    sizes = {
        name: Counter(one.n_items for one in results if one.set_name == name).most_common(1)[0][0] for name in sets
    }
    return [
        Column(
            label=set_name.removeprefix(part.cut) if layout.by_metric else metric,
            group="" if layout.by_metric else set_name,
            set_name=set_name,
            metric=metric,
            decimals=decimals(metric),
            n_items=sizes[set_name],
        )
        for set_name in sets
        for metric in metrics
        if (set_name, metric) in there
    ]


def _published_lines(scores: Iterable[PublishedScore]) -> list[_Line]:
    lines: dict[tuple[str, str], dict[tuple[str, str], PublishedScore]] = {}
    for score in scores:
        lines.setdefault((score.system, score.against), {})[score.set_name, score.metric] = score
    return [_Line(system, against, Origin.PUBLISHED, {}, found) for (system, against), found in lines.items()]


def _measured_lines(results: Iterable[SetResult]) -> list[_Line]:
    lines: dict[tuple[str, str], dict[str, SetResult]] = {}
    for result in results:
        lines.setdefault((result.system, result.against), {})[result.set_name] = result
    return [_Line(system, against, Origin.MEASURED, found, {}) for (system, against), found in lines.items()]


def _with_average(columns: list[Column], rows: list[Row]) -> tuple[list[Column], list[Row]]:
    """An average before the sets, of the rows that have all of them; where a measured one has."""
    averages = [average_cell(row.cells) for row in rows]
    if not any(
        cell.value is not None and row.origin is Origin.MEASURED for cell, row in zip(averages, rows, strict=True)
    ):
        return columns, rows
    column = replace(columns[0], label="Avg.", set_name=AVERAGE, n_items=sum(one.n_items for one in columns))
    return [column, *columns], [
        replace(row, cells=(cell, *row.cells)) for cell, row in zip(averages, rows, strict=True)
    ]


def _marked(columns: Sequence[Column], rows: Sequence[Row], family: str, significant: Significant) -> list[Row]:
    """The rows with the best of each column marked, and what is significantly better than the other measured ones."""
    best = [_best(column, rows, place) for place, column in enumerate(columns)]
    return [
        replace(
            row,
            cells=tuple(
                replace(
                    cell,
                    best=bool(cell.text) and comparable(cell) and cell.text == text,
                    significant=row.origin is Origin.MEASURED
                    and cell.value is not None
                    and significant(family, column.set_name, column.metric, row.system),
                )
                for cell, column, text in zip(row.cells, columns, best, strict=True)
            ),
        )
        for row in rows
    ]


def _best(column: Column, rows: Iterable[Row], place: int) -> str | None:
    """The best number of a column as it is printed: what is printed alike is equally good. None: none is marked."""
    sign = direction(column.metric)
    whole = [(row.cells[place], row) for row in rows if comparable(row.cells[place])]
    # Comparisons with different systems, or by different judges, say nothing about each other.
    pairings = {(row.against, row.origin) for _, row in whole}
    if not sign or len(whole) < 2 or (len(pairings) > 1 and any(against for against, _ in pairings)):
        return None
    return max((cell for cell, _ in whole), key=lambda cell: sign * (cell.value or 0.0)).text
