"""Where things of a source belong in its translation: by their words, else by where they stood."""

from __future__ import annotations

import bisect
import difflib
import re
from collections.abc import Iterator, Sequence

from bayling_lite.engine.words import joins
from bayling_lite.translate.sentences import is_wide

Span = tuple[int, int]
Anchor = tuple[Span, Span]
"""Something in the source and its translation."""

# How alike words must be to those looked for, as difflib's ratio; an ending may differ.
_ALIKE = 0.7
# Words on either side of a place that are looked at.
_NEAR = 60
_TOKEN = re.compile(r"[^\W_]+(?:['’\-_.][^\W_]+)*|\S")
# Characters that belong to the word before them, or to none.
_PARTICLES = "的了着过吗呢吧是在和"
# Marks that look different in different languages.
_MARKS = ("，,、،", "。.．", "：:", "；;؛", "？?؟", "！!", "）)", "（(", '”"»“„«', "…")


class Taken:
    """Which characters of a translation belong to something that was found already."""

    def __init__(self, length: int) -> None:
        self._at = bytearray(length)
        self._inside = bytearray(length + 1)  # places with something taken on both sides

    def add(self, span: Span) -> None:
        """Take a part."""
        start, end = span
        self._at[start:end] = b"\1" * (end - start)
        self._inside[start + 1 : end] = b"\1" * max(0, end - start - 1)

    def overlaps(self, span: Span) -> bool:
        """Whether anything of a part is taken."""
        return self._at.find(1, span[0], span[1]) >= 0

    def inside(self, at: int) -> bool:
        """Whether a place is within something taken."""
        return bool(self._inside[at])


class Anchors:
    """Things of the source and where they are in the translation, in the order of the source."""

    def __init__(self, anchors: Sequence[Anchor]) -> None:
        self._anchors = anchors
        self._starts = [source[0] for source, _ in anchors]
        self._ends = [source[1] for source, _ in anchors]

    def around(self, at: int) -> tuple[Anchor | None, Anchor | None]:
        """The nearest before a place and the nearest after it."""
        before, after = bisect.bisect_right(self._ends, at), bisect.bisect_left(self._starts, at)
        return (
            self._anchors[before - 1] if before else None,
            self._anchors[after] if after < len(self._anchors) else None,
        )


class Target:
    """A translation in which places are looked for.

    ``text`` is the translation, ``source`` what it translates; all places are places in these.
    """

    def __init__(self, text: str, source: str) -> None:
        self.text = text
        self._source = source
        self._tokens = list(_tokens(text))
        self._starts = [start for start, _ in self._tokens]
        self._ends = [end for _, end in self._tokens]
        self._lower = _folded(text)

    def find(self, place: Span, wanted: Sequence[str], source: Span, within: Span, taken: Taken) -> Span | None:
        """Where words stand, that stood at ``place`` of the ``source`` part, within a part and off what is taken.

        Of several places the one nearest to where the words stood counts. Words that are nearly the same count where
        none are the same.
        """
        near = self._proportional(place[0], source, within)
        for words in wanted:
            found = [span for span in self._occurrences(words, within) if not taken.overlaps(span)]
            if found:
                return min(found, key=lambda span: abs(span[0] - near))
        for words in wanted[:1]:
            alike = self._alike(words, near, within, taken)
            if alike is not None:
                return alike
        return None

    def about(self, place: Span, source: Span, within: Span, taken: Taken, anchors: Anchors) -> Span:
        """About where a part of the source would be: whole words, at least one where there is a free one."""
        start, end = (self._mapped(at, source, within, anchors) for at in place)
        middle, width = (start + end) / 2, max(1.0, end - start)
        free = [span for span in self._tokens_near(middle, within) if not taken.overlaps(span)]
        words = [span for span in free if self.text[span[0]].isalnum() and self.text[span[0]] not in _PARTICLES]
        words = words or free
        if not words:
            at = self.beside(place[0], source, within, taken, anchors, side="between")
            return at, at
        chosen = min(words, key=lambda span: abs((span[0] + span[1]) / 2 - middle))
        first = last = free.index(chosen)
        # Grow to either side while that comes nearer to the width it should have, over neighbours only.
        while True:
            grown = [
                (low, high)
                for low, high in ((first - 1, last), (first, last + 1))
                if low >= 0 and high < len(free) and not self._between(free, low, high, taken)
            ]
            best = min(grown, key=lambda pair: abs((free[pair[0]][0] + free[pair[1]][1]) / 2 - middle), default=None)
            if best is None or abs(free[best[1]][1] - free[best[0]][0] - width) >= abs(
                free[last][1] - free[first][0] - width
            ):
                return self._trimmed(free[first : last + 1])
            first, last = best

    def beside(
        self,
        place: int,
        source: Span,
        within: Span,
        taken: Taken,
        anchors: Anchors,
        *,
        side: str,
    ) -> int:
        """About where a place of the source would be: at a word's end (``left``), a word's beginning (``right``), or
        at either (``between``); by the same punctuation as in the source, if there is some near.
        """
        if place <= source[0]:
            return within[0]
        if place >= source[1]:
            return within[1]
        at = self._mapped(place, source, within, anchors)
        free = [border for border in self._borders(at, within, side) if not taken.inside(border)]
        if not free:
            return within[0]
        marked = [border for border in free if self._same_marks(place, border, side)]
        reach = max(8.0, (within[1] - within[0]) / 4)
        close = [border for border in marked if abs(border - at) <= reach]
        return min(close or free, key=lambda border: (abs(border - at), border))

    def spaced_at(self, at: int) -> bool:
        """Whether words are apart at a place: a space beside it, or no Chinese character."""
        beside = self.text[max(0, at - 1) : at + 1]
        return any(map(str.isspace, beside)) or not any(map(is_wide, beside))

    def _proportional(self, at: int, source: Span, within: Span) -> float:
        share = (at - source[0]) / max(1, source[1] - source[0])
        return within[0] + share * (within[1] - within[0])

    def _mapped(self, at: int, source: Span, within: Span, anchors: Anchors) -> float:
        """A place by proportion, between the nearest things found on either side where these are in order."""
        before, after = anchors.around(at)
        left = (before[0][1], before[1][1]) if before else (source[0], within[0])
        right = (after[0][0], after[1][0]) if after else (source[1], within[1])
        if left[1] > right[1]:
            return self._proportional(at, source, within)
        return self._proportional(at, (left[0], right[0]), (left[1], right[1]))

    def _occurrences(self, words: str, within: Span) -> Iterator[Span]:
        folded = _folded(words).strip()
        at = self._lower.find(folded, within[0], within[1]) if folded else -1
        while at >= 0:
            end = at + len(folded)
            if self._is_border(at) and self._is_border(end):
                yield at, end
            at = self._lower.find(folded, at + 1, within[1])

    def _is_border(self, at: int) -> bool:
        left, right = self.text[at - 1 : at] if at else "", self.text[at : at + 1]
        return not (left and right and joins(left) and joins(right))

    def _alike(self, words: str, near: float, within: Span, taken: Taken) -> Span | None:
        """The run of words that is most like some words, if any is like them."""
        folded = _folded(words)
        count = sum(1 for _ in _tokens(words))
        spans = [span for span in self._tokens_near(near, within) if not taken.overlaps(span)]
        best: tuple[float, float, Span] | None = None
        matcher = difflib.SequenceMatcher(autojunk=False)
        matcher.set_seq2(folded)
        for first in range(len(spans)):
            for last in range(first + max(1, count - 1), min(len(spans), first + count + 1) + 1):
                span = (spans[first][0], spans[last - 1][1])
                matcher.set_seq1(self._lower[span[0] : span[1]])
                if matcher.real_quick_ratio() < _ALIKE or matcher.quick_ratio() < _ALIKE:
                    continue
                value = (matcher.ratio(), -abs(span[0] - near), span)
                if value[0] >= _ALIKE and not taken.overlaps(span) and (best is None or value > best):
                    best = value
        return best[2] if best else None

    def _tokens_within(self, within: Span) -> list[Span]:
        first = bisect.bisect_left(self._starts, within[0])
        last = bisect.bisect_right(self._ends, within[1])
        return self._tokens[first:last]

    def _tokens_near(self, at: float, within: Span) -> list[Span]:
        """The words of a part, in a long one those around a place."""
        spans = self._tokens_within(within)
        if len(spans) <= 2 * _NEAR:
            return spans
        middle = bisect.bisect_left(spans, (int(at), 0))
        return spans[max(0, middle - _NEAR) : middle + _NEAR]

    def _between(self, spans: Sequence[Span], low: int, high: int, taken: Taken) -> bool:
        return taken.overlaps((spans[low][0], spans[high][1]))

    def _trimmed(self, spans: Sequence[Span]) -> Span:
        """Whole words without the punctuation at their edges, unless there is nothing else."""
        words = [span for span in spans if self.text[span[0]].isalnum()] or spans
        return words[0][0], words[-1][1]

    def _borders(self, near: float, within: Span, side: str) -> list[int]:
        tokens = self._tokens_near(near, within)
        ends, starts = [end for _, end in tokens], [start for start, _ in tokens]
        chosen = ends if side == "left" else starts if side == "right" else starts + ends
        return sorted({within[0], within[1], *chosen} if side == "between" else chosen)

    def _same_marks(self, place: int, border: int, side: str) -> bool:
        """Whether there is the same punctuation on the same side of two places."""
        source, text = self._source, self.text
        before = _mark(source[:place].rstrip()[-1:])
        after = _mark(source[place:].lstrip()[:1])
        if side != "right" and before:
            return _mark(text[:border].rstrip()[-1:]) == before
        if side != "left" and after:
            return _mark(text[border:].lstrip()[:1]) == after
        if side == "left" and after:
            return _mark(text[border:].lstrip()[:1]) == after
        return False


def _mark(char: str) -> int:
    """Which mark a character is, from 1; 0 for none."""
    return next((number for number, marks in enumerate(_MARKS, 1) if char and char in marks), 0)


def _tokens(text: str) -> Iterator[Span]:
    """Words, single Chinese characters, single marks."""
    for found in _TOKEN.finditer(text):
        start = found.start()
        for at in range(found.start(), found.end()):
            if is_wide(text[at]):
                if at > start:
                    yield start, at
                yield at, at + 1
                start = at + 1
        if start < found.end():
            yield start, found.end()


def _folded(text: str) -> str:
    """In lower case, character by character, so that places stay the same."""
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)
