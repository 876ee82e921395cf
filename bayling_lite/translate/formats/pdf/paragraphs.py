"""Lines joined into paragraphs, across columns and pages, and headings told by their font."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from bayling_lite.translate.formats.pdf.layout import Column, columns
from bayling_lite.translate.formats.pdf.pages import Line, Page
from bayling_lite.translate.sentences import is_wide

_BULLET = re.compile(
    r"(?:[•●◦▪■–—*·‣∙-]|\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,4})[.)]|\[\d{1,3}\])\s+\S|\d{1,2}(?:\.\d{1,2})+\s"
)
_ENDS = re.compile(r"[.!?:;。！？：；…][\"'”’»」』)\]]*$")
_LEADER = re.compile(r"(?:\s?[.·…_]){4,}\s*")
_WORD_BREAK = re.compile(r"(?P<head>\w+)[-\u2010\u00ad]$")
_LOWERCASE_WORD = re.compile(r"[^\W\d_]+")
_HYPHENATED = re.compile(r"[^\W\d_]+-[^\W\d_]+")
_LARGER, _SAME = 1.15, 0.16
_LONGEST_HEADING = 200
_MOST_LEVELS = 3
_FEW = 3


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph in one line; ``level`` is that of a heading, from 1, and 0 of all else.

    ``code`` has the lines it has, and is not to be translated.
    """

    text: str
    page: int
    level: int = 0
    code: bool = False


@dataclass(slots=True)
class _Draft:
    lines: list[Line]
    page: int
    column: Column


def paragraphs(pages: Sequence[Page]) -> tuple[Paragraph, ...]:
    """The paragraphs of a document in reading order."""
    drafts: list[_Draft] = []
    for column in columns(_without_code(pages)):
        for draft in _drafts(column):
            if drafts and _goes_on(drafts[-1], draft):
                drafts[-1].lines += draft.lines
            else:
                drafts.append(draft)
    hyphenated = _compounds(drafts)
    levels = _levels(drafts)
    return tuple(
        Paragraph("\n".join(line.text for line in draft.lines), draft.page, code=True)
        if all(line.mono for line in draft.lines)
        else Paragraph(_joined(draft.lines, hyphenated), draft.page, levels.get(index, 0))
        for index, draft in enumerate(drafts)
    )


def _without_code(pages: Sequence[Page]) -> Sequence[Page]:
    """The pages of a document that is in such a font for the most part, as if typewritten: there it means nothing."""
    sizes: Counter[bool] = Counter()
    for page in pages:
        for line in page.lines:
            sizes[line.mono] += len(line.text)
    if sizes[False] > sizes[True]:
        return pages
    return [replace(page, lines=tuple(replace(line, mono=False) for line in page.lines)) for page in pages]


def _drafts(column: Column) -> Iterator[_Draft]:
    """The paragraphs of a column."""
    leading = _leading(column.lines)
    lines: list[Line] = []
    for line in column.lines:
        if lines and _begins(line, lines, column, leading):
            yield _Draft(lines, column.page, column)
            lines = []
        lines.append(line)
    if lines:
        yield _Draft(lines, column.page, column)


def _leading(lines: Sequence[Line]) -> float:
    """The usual distance between the lines of a column, as a multiple of their height."""
    distances = [
        (above.y0 - below.y0) / max(1.0, above.height)
        for above, below in itertools.pairwise(lines)
        if above.y0 > below.y0
    ]
    close = sorted(distance for distance in distances if distance < 2.5)
    # That of the denser half: between paragraphs it is greater.
    usual = median(close[: len(close) // 2 + 1]) if close else 1.2
    return usual if len(close) > _FEW else min(usual, 1.3)


def _begins(line: Line, before: Sequence[Line], column: Column, leading: float) -> bool:
    """Whether a line begins a paragraph."""
    last = before[-1]
    full = _is_full(last, line, column)
    distance = (last.y0 - line.y0) / max(1.0, last.height)
    if distance > max(1.3 * leading, leading + 0.25) or distance < -1:
        return True
    if line.mono or last.mono:
        return line.mono != last.mono
    if not _same_size(line, last) or (line.bold != last.bold and (len(before) == 1 or not full)):
        return True
    if _BULLET.match(line.text) or _LEADER.search(last.text):
        return not full or bool(_ENDS.search(last.text)) or _BULLET.match(before[0].text) is not None
    indent = line.x0 - last.x0
    wide = 0.9 * line.size
    hangs = _BULLET.match(before[0].text) is not None and len(before) == 1
    if indent > wide and not hangs:
        return True
    if indent < -wide and len(before) > 1:
        return True
    if not full and not _WORD_BREAK.search(last.text):
        return bool(_ENDS.search(last.text)) or line.text[:1].isupper() or line.text[:1].isdigit()
    return False


def _same_size(first: Line, second: Line) -> bool:
    return abs(first.size - second.size) <= _SAME * max(first.size, second.size)


def _is_full(line: Line, following: Line, column: Column) -> bool:
    """Whether a line could not have held the first word of the next one, which may then belong to it."""
    words = following.text.split(maxsplit=1)
    first = words[0] if not is_wide(following.text[0]) else following.text[0]
    width = (following.x1 - following.x0) / max(1, len(following.text))
    return line.x1 + width * (len(first) + 1) > column.right - 0.02 * (column.right - column.left)


def _goes_on(before: _Draft, after: _Draft) -> bool:
    """Whether a paragraph goes on at the top of another column or page."""
    first_column, second_column = before.column, after.column
    if first_column is second_column or not 0.8 < _width(first_column) / max(1.0, _width(second_column)) < 1.25:
        return False
    last, first = before.lines[-1], after.lines[0]
    if not _same_size(last, first) or last.bold != first.bold or _ENDS.search(last.text):
        return False
    if _BULLET.match(first.text) or first.mono or last.mono or not _is_full(last, first, first_column):
        return False
    # What begins with a capital may also be the label of a picture; those are short.
    return first.text[0].islower() or (len(before.lines) > 1 and first.x1 - first.x0 > 0.6 * _width(second_column))


def _width(column: Column) -> float:
    return column.right - column.left


def _joined(lines: Sequence[Line], compounds: frozenset[str]) -> str:
    pieces = [lines[0].text]
    for line in lines[1:]:
        pieces[-1] = _before(pieces[-1], line.text, compounds)
        pieces.append(line.text)
    return _LEADER.sub(" … ", "".join(pieces)).strip()


def _before(line: str, following: str, compounds: frozenset[str]) -> str:
    """A line as it stands before the next one: with a space, or without the hyphen of a divided word."""
    if line.endswith("\u00ad"):
        return line[:-1]
    broken = _WORD_BREAK.search(line)
    word = _LOWERCASE_WORD.match(following)
    if broken and word and following[0].islower():
        kept = f"{broken['head']}-{word[0]}".casefold() in compounds
        return line if kept else line[:-1]
    if broken and following[0].isalnum():
        return line
    return line if is_wide(line[-1]) and is_wide(following[0]) else f"{line} "


def _compounds(drafts: Sequence[_Draft]) -> frozenset[str]:
    """The words with hyphens that stand inside of lines: those have one at the end of a line, too."""
    return frozenset(
        found.casefold() for draft in drafts for line in draft.lines for found in _HYPHENATED.findall(line.text)
    )


def _levels(drafts: Sequence[_Draft]) -> dict[int, int]:
    """Which paragraphs are headings: short ones in a font that is larger than that of most of the text."""
    sizes: Counter[float] = Counter()
    for draft in drafts:
        for line in draft.lines:
            sizes[line.size] += len(line.text)
    if not sizes:
        return {}
    usual = sizes.most_common(1)[0][0]
    short = {
        index: draft.lines[0]
        for index, draft in enumerate(drafts)
        if sum(len(line.text) for line in draft.lines) <= _LONGEST_HEADING
    }
    large = {index: line.size for index, line in short.items() if line.size >= _LARGER * usual}
    ranks = {size: rank for rank, size in enumerate(sorted(set(large.values()), reverse=True), start=1)}
    levels = {index: min(ranks[size], _MOST_LEVELS) for index, size in large.items()}
    lowest = min(max(levels.values(), default=0) + 1, _MOST_LEVELS + 1)
    for index, line in short.items():
        is_title = line.bold and line.size >= 0.95 * usual and not _ENDS.search(drafts[index].lines[-1].text)
        if index not in levels and is_title and all(each.bold for each in drafts[index].lines):
            levels[index] = lowest
    return levels
