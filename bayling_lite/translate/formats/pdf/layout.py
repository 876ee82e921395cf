"""The order in which lines are read: columns one after the other, what runs through all pages left out."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from bayling_lite.translate.formats.pdf.direction import turned
from bayling_lite.translate.formats.pdf.pages import Line, Page

_MARGIN = 0.12  # how much of a page's height, above and below, running titles and page numbers may stand in
_LONGEST_NUMBER = 80  # characters of a line with the number of a page
_PAGE_NUMBER = re.compile(
    r"\W*(?:(?:page|p\.|seite|страница|strana|página|pagina|第)\s*)?(?P<number>\d{1,5})"
    r"(?:\s*(?:/|of|von|sur|из|de|z|页|頁)\s*\d{0,5}\s*)?\W*",
    re.IGNORECASE,
)
_LEAST_REPEATS, _ENOUGH_REPEATS = 3, 10
_ENOUGH_LINES = 12
_GUTTER_STEP = 2.0  # points
_LEAST_GUTTER = 8.0
_LEAST_LINES_BESIDE = 5
_LEAST_LINE = 0.15  # of the width of the page


@dataclass(frozen=True, slots=True)
class Column:
    """Lines that are read one after the other, from above, and where their column begins and ends."""

    page: int
    left: float
    right: float
    lines: tuple[Line, ...]


def columns(pages: Sequence[Page]) -> list[Column]:
    """All lines of a document in reading order."""
    text = without_running_titles(pages)
    edge = _right_edge(text)
    return [column for page in text for column in _columns(page, edge)]


def _right_edge(pages: Sequence[Page]) -> float:
    """Where lines that go across the pages end. A few lines may all be short: then margins are taken to be equal."""
    lines = [line for page in pages for line in page.lines if line.x1 <= page.width]
    edge = max((line.x1 for line in lines), default=0.0)
    if len(lines) >= _ENOUGH_LINES:
        return edge
    return max(edge, *(page.width - min(line.x0 for line in lines) for page in pages)) if lines else edge


def without_running_titles(pages: Sequence[Page]) -> list[Page]:
    """The pages without page numbers, and without what stands in the same place on many of them."""
    counts: Counter[tuple[str, int]] = Counter()
    offsets: Counter[int] = Counter()  # of page numbers against the count of pages
    for page in pages:
        margin = [line for line in page.lines if _is_in_margin(line, page)]
        counts.update({_key(line) for line in margin})
        offsets.update({offset for line in margin if (offset := _offset(line, page)) is not None})
    enough = max(_LEAST_REPEATS, min(_ENOUGH_REPEATS, len(pages) // 5))

    def is_text(line: Line, page: Page) -> bool:
        if not _is_in_margin(line, page):
            return True
        offset = _offset(line, page)
        if offset is None:
            return counts[_key(line)] < enough
        # A number is a page's if others are by as much off; else it may be of a table.
        return not (offset == 0 and _is_alone(line, page)) and offsets[offset] < min(enough, max(2, len(pages)))

    return [replace(page, lines=tuple(line for line in page.lines if is_text(line, page))) for page in pages]


def _offset(line: Line, page: Page) -> int | None:
    found = _PAGE_NUMBER.fullmatch(line.text) if len(line.text) <= _LONGEST_NUMBER else None
    return int(found["number"]) - page.number if found else None


def _is_alone(line: Line, page: Page) -> bool:
    return not any(other is not line and _on_one_row(other, line) for other in page.lines)


def _key(line: Line) -> tuple[str, int]:
    return re.sub(r"\d+|\b[ivxlc]+\b", "#", line.text.casefold()), round(line.y0 / 4)


def _is_in_margin(line: Line, page: Page) -> bool:
    return line.y0 > page.height * (1 - _MARGIN) or line.y1 < page.height * _MARGIN


def _columns(page: Page, edge: float) -> list[Column]:
    if not page.lines:
        return []
    gutters = _gutters(page)
    bands = _bands(page.lines, gutters)
    found: list[Column] = []
    for band in bands:
        by_column: dict[int, list[Line]] = defaultdict(list)
        for line in band.lines:
            by_column[sum(line.x0 > gutter for gutter in gutters) if band.divided else 0].append(line)
        for _, lines in sorted(by_column.items()):
            joined = _joined_rows(lines)
            left, right = min(line.x0 for line in joined), max(line.x1 for line in joined)
            right = right if gutters else max(right, min(edge, page.width))
            found.append(Column(page.number, left, right, tuple(joined)))
    return found


@dataclass(slots=True)
class _Band:
    """A stretch of a page from one side to the other, divided into columns or not."""

    divided: bool
    lines: list[Line]


def _bands(lines: Sequence[Line], gutters: Sequence[float]) -> list[_Band]:
    """What goes across the columns (titles, wide tables) divides them into what is read before and after it."""
    bands: list[_Band] = []
    for line in sorted(lines, key=lambda line: -line.y1):
        crosses = not gutters or any(line.x0 < gutter - 1 and line.x1 > gutter + 1 for gutter in gutters)
        if not bands or bands[-1].divided == crosses:
            bands.append(_Band(not crosses, []))
        bands[-1].lines.append(line)
    return bands


def _gutters(page: Page) -> list[float]:
    """The places, from the left, where hardly any line crosses and full lines stand on both sides."""
    # Labels of pictures and cells of tables say nothing about it.
    lines = [line for line in page.lines if line.x1 - line.x0 >= _LEAST_LINE * page.width]
    if len(lines) < 2 * _LEAST_LINES_BESIDE:
        return []
    left, right = min(line.x0 for line in lines), max(line.x1 for line in lines)
    steps = max(1, int((right - left) / _GUTTER_STEP))
    crossing = [0] * (steps + 2)
    for line in lines:
        first, last = int((line.x0 - left) / _GUTTER_STEP), int((line.x1 - left) / _GUTTER_STEP)
        crossing[max(0, min(first, steps))] += 1
        crossing[max(0, min(last, steps)) + 1] -= 1
    counts = list(itertools.accumulate(crossing[: steps + 1]))
    most = max(2, len(lines) // 6)
    gutters: list[float] = []
    for is_gap, group in itertools.groupby(range(len(counts)), key=lambda step: counts[step] <= most):
        gap = list(group)
        if is_gap and gap[0] > 0 and gap[-1] < steps and len(gap) * _GUTTER_STEP >= _LEAST_GUTTER:
            gutters.append(left + _middle(gap, counts) * _GUTTER_STEP)
    return gutters if _are_columns(lines, gutters, left, right) else []


def _middle(gap: Sequence[int], counts: Sequence[int]) -> float:
    """The middle of the widest part of a gap in which the fewest lines cross."""
    fewest = min(counts[step] for step in gap)
    runs = [list(run) for free, run in itertools.groupby(gap, key=lambda step: counts[step] == fewest) if free]
    widest = max(runs, key=len)
    return (widest[0] + widest[-1] + 1) / 2


def _are_columns(lines: Sequence[Line], gutters: Sequence[float], left: float, right: float) -> bool:
    """Whether text runs in columns between the gutters, as against a table, where lines do not fill theirs."""
    bounds = [left, *gutters, right]
    for start, end in itertools.pairwise(bounds):
        inside = [line for line in lines if line.x0 >= start - 1 and line.x1 <= end + 1]
        if len(inside) < _LEAST_LINES_BESIDE or median(line.x1 - line.x0 for line in inside) < 0.5 * (end - start):
            return False
    return len(bounds) > 2


def _joined_rows(lines: Sequence[Line]) -> list[Line]:
    """Lines from above, pieces of the same one joined, as they are read."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: (-(line.y0 + line.y1) / 2, line.x0)):
        if rows and _on_one_row(rows[-1][0], line):
            rows[-1].append(line)
        else:
            rows.append([line])
    joined = (_joined(sorted(row, key=lambda line: line.x0)) for row in rows)
    return [replace(line, text=turned(line.text)) for line in joined]


def _on_one_row(first: Line, second: Line) -> bool:
    shared = min(first.y1, second.y1) - max(first.y0, second.y0)
    return shared > 0.6 * min(first.height, second.height)


def _joined(row: Sequence[Line]) -> Line:
    if len(row) == 1:
        return row[0]
    longest = max(row, key=lambda line: len(line.text))
    return Line(
        " ".join(line.text for line in row),
        row[0].x0,
        min(line.y0 for line in row),
        max(line.x1 for line in row),
        max(line.y1 for line in row),
        longest.size,
        all(line.bold for line in row),
        all(line.mono for line in row),
    )
