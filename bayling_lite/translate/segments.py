"""Plain text cut into segments to translate, and put together again with its layout.

A segment is a sentence. Everything between segments is layout and comes back as it was: newlines of any style, blank
lines, indentation, bullets, tabs, a byte order mark. With translations that equal their sources the text comes back
exactly.

Lines are the writer's, with one exception. In a paragraph that was wrapped at a margin (at least 50 columns), a line
goes on in the next one: there the lines are joined, and the translated paragraph stands on one line up to the next
line that ended with a sentence. Verse, addresses, lists and tables are not wrapped and stay as they are.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from bayling_lite.languages import Language
from bayling_lite.translate.sentences import MONTHS, ends_sentence, is_wide, sentence_spans

DEFAULT_LIMIT = 400
_NARROWEST_MARGIN, _WIDEST_MARGIN = 50, 120


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece to translate.

    ``text`` is what to translate, ``raw`` the same as it stands in the document (they differ where a wrapped line was
    joined). ``before`` is the layout since the last segment; when the segment goes on in the same paragraph
    (``inside``), it is the space between two sentences, which the target language may want differently.
    """

    text: str
    raw: str
    before: str
    inside: bool = False

    @property
    def translatable(self) -> bool:
        """Whether there is anything to translate: a letter that is not part of an address."""
        return any(map(str.isalpha, _ADDRESS.sub("", self.text)))


@dataclass(frozen=True, slots=True)
class SplitText:
    """The segments of a text in order, and the layout after the last."""

    segments: tuple[Segment, ...]
    after: str

    @property
    def source(self) -> str:
        """The text that was split, character by character."""
        return "".join(segment.before + segment.raw for segment in self.segments) + self.after


_ADDRESS = re.compile(r"(?:https?://|www\.|mailto:)\S+|[\w.+-]+@[\w-]+\.[\w.-]+", re.ASCII)
_NEWLINE = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
# White space within a line: all of Unicode's, the zero-width space and the byte order mark.
_EDGE = (
    " \t\x1f\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u200b\u202f\u205f\u3000\ufeff"
)
_MARKER = re.compile(
    r"(?:(?:[-*+•‣◦▪▫■□●○·–—#]{1,6}|>+|\[[ xX]\]|\(?\d{1,3}[.)]|\(?[a-z]\))[ \t\u00a0\u3000]+"
    r"|\d{1,3}[.．、)）](?=[\u3400-\u9fff])|[(（][一二三四五六七八九十\d]{1,3}[)）]\s*|[一二三四五六七八九十]{1,3}、|[①-⑳]\s*)+"
)
_ORDINAL = re.compile(r"\d{1,2}\.[ \u00a0]+([^\W\d_]+)")
_COLUMN = re.compile(r"\t+| {3,}")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line's places in the text: where indentation, marker and content end, without the newline."""

    start: int
    marker: int
    content: int
    end: int

    @property
    def blank(self) -> bool:
        return self.content == self.end


def split(text: str, limit: int = DEFAULT_LIMIT) -> SplitText:
    """Cut a text into sentences and the layout around them.

    ``limit`` is the greatest width of a segment in columns, where a Chinese character takes two.
    """
    segments = tuple(iter_segments(text, limit))
    done = sum(len(segment.before) + len(segment.raw) for segment in segments)
    return SplitText(segments, text[done:])


def iter_segments(text: str, limit: int = DEFAULT_LIMIT) -> Iterator[Segment]:
    """The segments of :func:`split`, each made when it is asked for: a long text needs no more memory than itself."""
    done = 0
    for start, end in _paragraphs(text):
        inside = False
        for first, last in sentence_spans(text[start:end], limit):
            raw = text[start + first : start + last]
            yield Segment(unwrap(raw), raw, text[done : start + first], inside)
            done, inside = start + last, True


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Where the paragraphs, list items and table cells of the text stand."""
    start = 0
    while start < len(text):
        margin, stop = 0, start
        for line, following in _lines(text, start):
            stop = following
            if line.blank:
                break
            # One wider than any margin needs no exact measure.
            margin = max(margin, _columns(text[line.start : min(line.end, line.start + 8 * _WIDEST_MARGIN)]))
        yield from _blocks(text, start, stop, margin)
        start = stop


def _lines(text: str, start: int = 0, stop: int | None = None) -> Iterator[tuple[_Line, int]]:
    """The lines from a place on, each with the place where the next one begins."""
    stop = len(text) if stop is None else stop
    while start < stop:
        newline = _NEWLINE.search(text, start, stop)
        end, following = newline.span() if newline else (stop, stop)
        yield _line(text, start, end), following
        start = following


def _line(text: str, start: int, end: int) -> _Line:
    line = text[start:end]
    stop = start + len(line.rstrip(_EDGE))
    marker = min(start + len(line) - len(line.lstrip(_EDGE)), stop)
    content = marker
    found = _MARKER.match(text, marker, stop)
    ordinal = _ORDINAL.match(text, marker, stop)
    if found and not (ordinal and ordinal[1].casefold() in MONTHS):
        content = found.end()
    return _Line(start, marker, content, stop)


def _blocks(text: str, start: int, stop: int, margin: int) -> Iterator[tuple[int, int]]:
    """Join the wrapped lines of a run of lines without a blank one; split the others at their columns.

    ``margin`` is the width of the widest of them in columns.
    """
    wrapped = _is_wrapped(text, start, stop, margin)
    lines = _full_lines(text, start, stop)
    first: int | None = None
    line = next(lines, None)
    while line is not None:
        following = next(lines, None)
        if wrapped and following is not None and _is_full(text, line, following, margin):
            first = line.content if first is None else first
        elif first is None:
            yield from _cells(text, line)
        else:
            yield first, line.end
            first = None
        line = following


def _full_lines(text: str, start: int, stop: int) -> Iterator[_Line]:
    return (line for line, _ in _lines(text, start, stop) if not line.blank)


def _cells(text: str, line: _Line) -> Iterator[tuple[int, int]]:
    start = line.content
    for stop, following in [*(gap.span() for gap in _COLUMN.finditer(text, start, line.end)), (line.end, line.end)]:
        cell = text[start:stop]
        first, last = start + len(cell) - len(cell.lstrip(_EDGE)), start + len(cell.rstrip(_EDGE))
        if last > first:
            yield first, last
        start = following


def _is_wrapped(text: str, start: int, stop: int, margin: int) -> bool:
    """Whether lines of a run were wrapped at the margin, so that the next one continues them.

    A wrapped line is so full that the next line's first word had no room, and did not end a sentence. That is also true
    by chance of the longest of several separate lines; so somewhere a line must begin in lower case, or in a script
    that has none.
    """
    if not _NARROWEST_MARGIN <= margin <= _WIDEST_MARGIN:
        return False
    return any(
        _is_full(text, line, following, margin) and _continues(text, following)
        for line, following in itertools.pairwise(_full_lines(text, start, stop))
    )


def _continues(text: str, line: _Line) -> bool:
    begins = text[line.content : line.content + 4].lstrip("\"'“‘„«(¿¡")[:1]
    return begins.isalpha() and not begins.isupper()


def _is_full(text: str, line: _Line, following: _Line, margin: int) -> bool:
    content, continued = text[line.content : line.end], text[following.content : following.end]
    if following.content != following.marker or _COLUMN.search(content) or _COLUMN.search(continued):
        return False
    if ends_sentence(content):
        return False
    first = continued[:1] if is_wide(continued[0]) else continued.split(maxsplit=1)[0]
    return _columns(text[line.start : line.end]) + 1 + _columns(first) > margin


def _columns(text: str) -> int:
    if text.isascii():  # asking of every letter took half the time of splitting
        return len(text)
    return sum(2 if is_wide(char) else not unicodedata.combining(char) for char in text)


_SOFT_BREAK = re.compile(rf"[{_EDGE}]*(?:\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])[{_EDGE}]*")


def unwrap(raw: str) -> str:
    """The same text on one line: a line break becomes a space, or nothing between Chinese characters and after a
    hyphen within a word.
    """

    def joint(found: re.Match[str]) -> str:
        left, right = raw[found.start() - 1 : found.start()], raw[found.end() : found.end() + 1]
        if left and right and is_wide(left) and is_wide(right):
            return ""
        hyphenated = left == "-" and right.islower() and raw[found.start() - 2 : found.start() - 1].isalpha()
        return "" if hyphenated else " "

    return _SOFT_BREAK.sub(joint, raw)


def gap(segment: Segment, previous: Segment, left: str, right: str, target: Language) -> str:
    """The layout before a segment in the translated text.

    ``left`` is the character the translation before it ended with, ``right`` the one its own begins with. Between the
    sentences of a paragraph: no space next to Chinese or Japanese, a space where the source needed none but the target
    does, a space for a line break. Any other layout stays.
    """
    space = segment.before
    if not segment.inside:
        return space
    if target.spaced:
        if not space and _ends_wide(previous.raw) and not is_wide(right or " "):
            return " "
    elif space and ((left and is_wide(left)) or (right and is_wide(right))):
        return ""
    return " " if _NEWLINE.search(space) else space


def _ends_wide(text: str) -> bool:
    """Whether a text ends with a Chinese or Japanese character, quotes and brackets aside."""
    core = text.rstrip("\"'”’)")
    return bool(core) and is_wide(core[-1])
