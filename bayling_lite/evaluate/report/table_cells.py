"""The numbers of the tables: each with what has to be known before it is compared with the others of its column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bayling_lite.evaluate.published import PublishedScore
from bayling_lite.evaluate.report.notes import Notes
from bayling_lite.evaluate.report.values import Cell, Column
from bayling_lite.evaluate.translation.significance import rule
from bayling_lite.evaluate.values import SetResult

Items = tuple[tuple[str, str], ...]
"""By what the items of a set are known to be the same: name and reference of each."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What most results are alike in: by set and metric the rule of the score, by set the items."""

    rules: Mapping[tuple[str, str], str]
    items: Mapping[str, Items]


def usual_of(results: Iterable[SetResult]) -> Usual:
    """What most of the results of a family have."""
    rules: dict[tuple[str, str], Counter[str]] = {}
    items: dict[str, Counter[Items]] = {}
    for result in results:
        if result.whole:
            items.setdefault(result.set_name, Counter())[_items(result)] += 1
        for score in result.scores:
            rules.setdefault((result.set_name, score.metric), Counter())[rule(score.signature)] += 1
    return Usual(
        {key: found.most_common(1)[0][0] for key, found in rules.items()},
        {key: found.most_common(1)[0][0] for key, found in items.items()},
    )


def published_cell(score: PublishedScore | None, column: Column, notes: Notes) -> Cell:
    """A published number, in a column of sets of a size."""
    if score is None:
        return Cell()
    marks = [notes.mark(score.remark)] if score.remark else []
    apart = score.n_items not in (0, column.n_items)
    if apart:
        marks.append(notes.mark(f"On another version of the set, of {score.n_items:,} items."))
    return Cell(score.value, _printed(score.value, column), apart=apart, notes=tuple(marks))


def measured_cell(result: SetResult | None, column: Column, usual: Usual, notes: Notes) -> Cell:
    """A number of a result, beside what is usual for its column."""
    score = result.score(column.metric) if result else None
    if result is None or score is None:
        return Cell()
    marks = []
    other_rule = rule(score.signature) != usual.rules[column.set_name, column.metric]
    other_items = result.whole and _items(result) != usual.items[column.set_name]
    if other_rule:
        marks.append(notes.mark("Computed in another way than the others of its column (see Signatures)."))
    if other_items:
        marks.append(
            notes.mark("On another version of the set than the others of its column: other items or other references.")
        )
    if not result.whole:
        marks.append(notes.mark(f"Only the first {len(result.outputs):,} items of the set were measured."))
    if result.problems:
        marks.append(notes.problems())
    return Cell(
        score.value,
        _printed(score.value, column),
        incomplete=not result.whole,
        apart=other_rule or other_items,
        notes=tuple(marks),
        low=score.low,
        high=score.high,
    )


def average_cell(cells: Sequence[Cell]) -> Cell:
    """The mean of a row's numbers, none where one of them is missing. What is to be known of one is, of the mean."""
    values = [cell.value for cell in cells if cell.value is not None]
    if len(values) < len(cells):
        return Cell()
    mean = sum(values) / len(values)
    return Cell(
        mean,
        f"{mean:.2f}",
        incomplete=any(cell.incomplete for cell in cells),
        apart=any(cell.apart for cell in cells),
        notes=tuple(dict.fromkeys(mark for cell in cells for mark in cell.notes)),
    )


def comparable(cell: Cell) -> bool:
    """Whether there is a number that may be compared with the others of its column."""
    return cell.value is not None and not cell.incomplete and not cell.apart


def _items(result: SetResult) -> Items:
    return tuple((output.id, output.reference) for output in result.outputs)


def _printed(value: float, column: Column) -> str:
    return f"{value:.{column.decimals}f}"
