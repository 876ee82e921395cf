"""A unit of a document cut into segments for a model, and put together again from their translations.

A segment is a sentence, or the whole unit where the format says so and it fits. What a model has nothing to do with
stays outside of the segments and comes back as it was: white space, codes around a sentence that nobody reads (an
image, the tags around a whole sentence). Half of a pair of codes stays inside where the other half is: in
``<b>Note:</b> it is late.`` the model sees both, since another language may put the words elsewhere. A pair that begins
in one sentence and ends in another is half a pair in each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bayling_lite.languages import Language
from bayling_lite.translate.formats.base import Cut, Unit
from bayling_lite.translate.markup import FIRST_CODE, LAST_CODE, Code, Marked, is_code
from bayling_lite.translate.segments import Segment, gap
from bayling_lite.translate.sentences import is_wide, sentence_spans

_NO_BREAK = "\u200b\u2060\ufeff"  # characters of no width that are no white space to Python
_LINE_END = re.compile(f"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029{chr(FIRST_CODE)}-{chr(LAST_CODE)}]")
# What stands for a code that nobody reads, so that a sentence ends behind a footnote's mark as behind a bracket.
_UNREAD = ")"
_BREAKS = ("\n", "\r\n", "\r", "\u2028", "\t")
# Pairs that cross are kept together; where many do, in no document that a program made, all of the edges are kept.
_MOST_CROSSINGS = 8
_MARKS = re.compile("[.!?…؟۔।。！？；｡]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A segment of a unit.

    ``before`` is what stands between the last segment and this one, codes included. Where it is only the space between
    two sentences (``inside``), the target language may want it differently.
    """

    source: Marked
    before: str
    inside: bool

    @property
    def translatable(self) -> bool:
        """Whether there is a word in it, codes and addresses aside."""
        bare = self.source.bare
        return Segment(bare, bare, "").translatable


@dataclass(frozen=True, slots=True)
class CutUnit:
    """A unit's segments in order, and what follows the last."""

    source: Marked
    pieces: tuple[Piece, ...]
    after: str

    def joined(self, targets: Sequence[str], target: Language) -> Marked:
        """The unit with translations in the place of its segments, one each, with its code characters.

        Between two of which neither was changed, everything stays as it was; so a unit of which no segment was changed
        is exactly its source.
        """
        written: list[str] = []
        as_it_was, left = True, ""
        previous: Piece | None = None
        for piece, text in zip(self.pieces, targets, strict=True):
            unchanged = text == piece.source.text
            before = piece.before
            reads = piece.source.replaced(text).reads
            if previous is not None and piece.inside and not (unchanged and as_it_was):
                before = self._gap(piece, previous, left, reads[:1], target)
            written += before, text
            as_it_was, left, previous = unchanged, reads[-1:], piece
        return self.source.replaced("".join([*written, self.after]))

    def _gap(self, piece: Piece, previous: Piece, left: str, right: str, target: Language) -> str:
        """What stands before a segment in the translation: the codes of the last one, the space, opening codes."""
        codes = [char for char in piece.before if is_code(char)]
        space = "".join(char for char in piece.before if not is_code(char))
        reads = previous.source.reads
        wanted = gap(Segment(right, right, space, inside=True), Segment(reads, reads, ""), left, right, target)
        if wanted == space:
            return piece.before
        own = len(codes)
        while own and self.source.code(codes[own - 1]).kind == "open":
            own -= 1
        return "".join([*codes[:own], wanted, *codes[own:]])


def cut(unit: Unit, limit: int, whole_limit: int) -> CutUnit:
    """Cut a unit into segments.

    ``limit`` is the greatest width of a sentence in columns, where a Chinese character takes two; longer ones are cut
    at clauses. ``whole_limit`` is that of a unit which the format wants in one segment; a wider one is cut as well.
    """
    source = unit.source
    pieces: list[Piece] = []
    done = 0
    for line in _lines(unit, limit, whole_limit):
        first = True
        for start, end in line:
            edges = _edges(source, start, end)
            if edges is None:
                continue
            before = source.text[done : edges[0]]
            inside = not first and not any(is_code(char) and source.code(char).reads for char in before)
            pieces.append(Piece(source.part(*edges), before, inside))
            done, first = edges[1], False
    return CutUnit(source, tuple(pieces), source.text[done:])


def _lines(unit: Unit, limit: int, whole_limit: int) -> Iterator[Iterable[tuple[int, int]]]:
    """Where the segments of each line of a unit stand."""
    source = unit.source
    if unit.cut is Cut.WHOLE and _fits(source, whole_limit):
        yield [(0, len(source.text))]
        return
    start = 0
    for found in _LINE_END.finditer(source.text):
        if not is_code(found[0]) or _breaks_line(source.code(found[0])):
            yield _sentences(source, start, found.start(), limit)
            start = found.end()
    yield _sentences(source, start, len(source.text), limit)


def _breaks_line(code: Code) -> bool:
    return code.kind == "alone" and code.reads.strip(" ") in _BREAKS


def _fits(source: Marked, limit: int) -> bool:
    """Whether a text is at most so many columns wide."""
    reads = source.reads
    return 2 * len(reads) <= limit or sum(2 if is_wide(char) else 1 for char in reads) <= limit


def _sentences(source: Marked, start: int, end: int, limit: int) -> Iterator[tuple[int, int]]:
    """The sentences of a line, with the codes that belong to them: closing ones to that before, opening ones to that
    behind them.
    """
    shown, places = _shown(source, start, end)
    first, stop = start, None
    for left, right in ((places[left], places[right - 1] + 1) for left, right in sentence_spans(shown, limit)):
        if stop is not None and left >= stop:
            border = _border(source, stop, left)
            yield first, border
            first = border
        stop = right
    if stop is not None:
        yield first, end


def _shown(source: Marked, start: int, end: int) -> tuple[str, Sequence[int]]:
    """A line as a reader sees it, and where in the unit each of its characters stands."""
    text = source.text[start:end]
    if not source.codes:
        return text, range(start, end)
    shown: list[str] = []
    places: list[int] = []
    for at, char in enumerate(text, start):
        if not is_code(char):
            reads = char
        elif source.code(char).kind == "alone":
            # No sentence ends within a code.
            reads = _MARKS.sub(",", source.code(char).reads) or _UNREAD
        else:
            reads = ""
        shown.append(reads)
        places += [at] * len(reads)
    return "".join(shown), places


def _border(source: Marked, start: int, end: int) -> int:
    """Where the sentence ends that ended before a stretch of white space and codes: behind its last closing code."""
    for at in range(end, start, -1):
        char = source.text[at - 1]
        if is_code(char) and source.code(char).kind == "close":
            return at
    return start


def _edges(source: Marked, start: int, end: int) -> tuple[int, int] | None:
    """A segment without what belongs outside of it; None where nothing is left."""
    text = source.text
    while start < end and _is_space(text[start]):
        start += 1
    while end > start and _is_space(text[end - 1]):
        end -= 1
    first, last = start, end
    while first < last and _is_outer(source, text[first]):
        first += 1
    while last > first and _is_outer(source, text[last - 1]):
        last -= 1
    if first == last:
        return None
    left, right, pairs = first, last, _pairs(source, first, last)
    for _ in range(_MOST_CROSSINGS):
        left = next((at for at in range(start, first) if _pairs(source, at, at + 1) & pairs), first)
        right = next((at + 1 for at in range(end - 1, last - 1, -1) if _pairs(source, at, at + 1) & pairs), last)
        grown = _pairs(source, left, right)
        if grown == pairs:
            return left, right
        pairs = grown
    return start, end


def _is_outer(source: Marked, char: str) -> bool:
    """Whether a character at the edge of a segment may be left out of it: a reader sees nothing there."""
    if is_code(char):
        code = source.code(char)
        return code.kind != "alone" or not code.reads.strip()
    return _is_space(char)


def _is_space(char: str) -> bool:
    return char.isspace() or char in _NO_BREAK


def _pairs(source: Marked, start: int, end: int) -> set[int]:
    """The pairs of which codes stand in a part of the text."""
    if not source.codes:
        return set()
    codes = (source.code(char) for char in source.text[start:end] if is_code(char))
    return {code.pair for code in codes if code.kind != "alone"}
