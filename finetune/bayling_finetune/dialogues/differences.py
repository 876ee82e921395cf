"""What has to change for a draft to become the reference: edits of whole words, each with the kind of its mistake.

The edits of a :class:`Difference` do not overlap, and they are exact: all of them together give the reference byte for
byte, any of them a version between. Words of both texts are matched by difflib's longest common runs (Ratcliff and
Obershelp); what lies between two matches is one edit, cut where punctuation begins and ends. Words that have only
changed places are one edit, however the matching took them apart, and so are words with nothing but a function word
between them where the matching was chance.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bayling_finetune.dialogues.changes import Change, classify
from bayling_finetune.dialogues.words import is_content, words
from bayling_lite.languages import Language

# Words that have changed places may stand so far apart.
_FARTHEST = 7


@dataclass(frozen=True, slots=True)
class Edit:
    """``old`` stands in the draft from ``start`` on, and is to be ``new``, which stands at ``place`` in the reference.

    Either may be empty, or carry the space that goes with its words.
    """

    start: int
    old: str
    new: str
    place: int
    change: Change

    @property
    def stop(self) -> int:
        """Where ``old`` ends in the draft."""
        return self.start + len(self.old)


@dataclass(frozen=True, slots=True)
class Difference:
    """The edits between a draft and a reference, in the order of the text.

    ``similarity``: words that stay, as a share of the words of both (Dice's coefficient), from 0 to 1.
    """

    draft: str
    reference: str
    edits: tuple[Edit, ...]
    similarity: float

    def apply(self, edits: Collection[Edit]) -> str:
        """The draft with these edits of it made, and no others; all of them give the reference."""
        return applied(self.draft, edits)


def applied(draft: str, edits: Iterable[Edit]) -> str:
    """A draft with some of its edits made.

    Raises:
        ValueError: the edits overlap, or are another draft's.
    """
    pieces: list[str] = []
    position = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.place)):
        if edit.start < position or draft[edit.start : edit.stop] != edit.old:
            raise ValueError(f"{edit} does not fit the draft {draft!r}")
        pieces += (draft[position : edit.start], edit.new)
        position = edit.stop
    return "".join((*pieces, draft[position:]))


class Token(NamedTuple):
    """A word, or one character that is neither of a word nor white space: half-open span."""

    start: int
    stop: int
    is_word: bool


def tokens(text: str, language: Language) -> list[Token]:
    """Everything that is to be seen in a text, in order."""
    found: list[Token] = []
    position = 0
    for word in words(text, language):
        found.extend(_marks(text, position, word.start))
        found.append(Token(word.start, word.end, is_word=True))
        position = word.end
    found.extend(_marks(text, position, len(text)))
    return found


def _marks(text: str, start: int, stop: int) -> Iterable[Token]:
    return (Token(at, at + 1, is_word=False) for at in range(start, stop) if not text[at].isspace())


def difference(draft: str, reference: str, language: Language) -> Difference:
    """Compare two texts of a language."""
    old, new = _Side.of(draft, language), _Side.of(reference, language)
    matcher = difflib.SequenceMatcher(None, old.texts, new.texts, autojunk=False)
    blocks = matcher.get_matching_blocks()
    gaps, at = [], (0, 0)
    for block in blocks:
        gaps.append(_Gap(at[0], block.a, at[1], block.b))
        at = (block.a + block.size, block.b + block.size)
    # Between any two tokens that stay, the spaces may differ.
    gaps += [_Gap(b.a + n, b.a + n, b.b + n, b.b + n) for b in blocks for n in range(1, b.size)]
    gaps.sort()
    gaps = _moves_joined(gaps, old, new)
    parts = (part for gap in gaps for part in _cut(gap, old, new))
    edits = [edit for part in parts if (edit := _edit(part, old, new, language.code))]
    edits = _neighbours_joined(edits, old, new, language)
    kept = sum(old.tokens[b.a + n].is_word for b in blocks for n in range(b.size))
    total = sum(token.is_word for token in (*old.tokens, *new.tokens))
    return Difference(draft, reference, tuple(edits), 2 * kept / total if total else float(draft == reference))


@dataclass(frozen=True, slots=True)
class _Side:
    text: str
    tokens: Sequence[Token]
    texts: Sequence[str]

    @classmethod
    def of(cls, text: str, language: Language) -> _Side:
        found = tokens(text, language)
        return cls(text, found, [text[token.start : token.stop] for token in found])

    def between(self, first: int, last: int) -> tuple[int, int]:
        """The span from the end of the token before ``first`` to the beginning of the token ``last``."""
        start = self.tokens[first - 1].stop if first else 0
        return start, self.tokens[last].start if last < len(self.tokens) else len(self.text)

    def words_span(self, first: int, last: int) -> tuple[int, int] | None:
        """The span from the first word to the last one of these tokens; None where there is no word."""
        found = [token for token in self.tokens[first:last] if token.is_word]
        return (found[0].start, found[-1].stop) if found else None

    def words(self, start: int, stop: int) -> list[str]:
        """The words within a span of characters."""
        return [
            text
            for token, text in zip(self.tokens, self.texts, strict=True)
            if token.is_word and start <= token.start and token.stop <= stop
        ]


class _Gap(NamedTuple):
    """Tokens of the draft (from, to) and those of the reference in their place."""

    old: int
    old_end: int
    new: int
    new_end: int

    @property
    def is_one_sided(self) -> bool:
        return (self.old == self.old_end) != (self.new == self.new_end)


def _moves_joined(gaps: list[_Gap], old: _Side, new: _Side) -> list[_Gap]:
    """Gaps over which the same words stand in another order become one, with what is between them."""
    changed = [at for at, gap in enumerate(gaps) if gap.old < gap.old_end or gap.new < gap.new_end]
    joined: list[_Gap] = []
    after = 0  # gaps before this one are in
    for number_, at in enumerate(changed):
        if at < after:
            continue
        for end in changed[number_ + 1 : number_ + 3][::-1]:
            if not any(gaps[between].is_one_sided for between in (at, end)):
                continue  # words that stand in each other's place have not moved
            whole = _Gap(gaps[at].old, gaps[end].old_end, gaps[at].new, gaps[end].new_end)
            if _is_move(whole, old, new):
                joined += (*gaps[after:at], whole)
                after = end + 1
                break
    return joined + gaps[after:]


def _is_move(gap: _Gap, old: _Side, new: _Side) -> bool:
    there = [text.casefold() for text in old.texts[gap.old : gap.old_end]]
    wanted = [text.casefold() for text in new.texts[gap.new : gap.new_end]]
    return len(there) <= _FARTHEST and sorted(there) == sorted(wanted)


class _Part(NamedTuple):
    """Spans in characters: of the draft (from, to), and of the reference."""

    start: int
    stop: int
    place: int
    end: int


def _cut(gap: _Gap, old: _Side, new: _Side) -> tuple[_Part, ...]:
    """The span of a gap, cut where its words begin and end: the punctuation around them makes spans of its own."""
    whole = _Part(*old.between(gap.old, gap.old_end), *new.between(gap.new, gap.new_end))
    start, stop, place, end = whole
    was, is_ = old.words_span(gap.old, gap.old_end), new.words_span(gap.new, gap.new_end)
    # Words on one side only: punctuation on the other one stands for what is after them, else before them.
    if was is None:
        if is_ is None or not old.text[start:stop].strip():
            return (whole,)
        was = (start, start) if new.text[is_[1] : end].strip() else (stop, stop)
    elif is_ is None:
        if not new.text[place:end].strip():
            return (whole,)
        is_ = (place, place) if old.text[was[1] : stop].strip() else (end, end)
    (first, last), (new_first, new_last) = was, is_
    # A comma on one side only goes with the words beside it.
    if not (old.text[start:first].strip() and new.text[place:new_first].strip()):
        first, new_first = start, place
    if not (old.text[last:stop].strip() and new.text[new_last:end].strip()):
        last, new_last = stop, end
    return (
        _Part(start, first, place, new_first),
        _Part(first, last, new_first, new_last),
        _Part(last, stop, new_last, end),
    )


def _edit(part: _Part, old: _Side, new: _Side, code: str) -> Edit | None:
    start, stop, place, end = part
    # White space that is there on both sides stays.
    while start < stop and place < end and old.text[start] == new.text[place] and old.text[start].isspace():
        start, place = start + 1, place + 1
    while start < stop and place < end and old.text[stop - 1] == new.text[end - 1] and old.text[stop - 1].isspace():
        stop, end = stop - 1, end - 1
    was, is_ = old.text[start:stop], new.text[place:end]
    if was == is_:
        return None
    return Edit(start, was, is_, place, classify(old.words(start, stop), new.words(place, end), code))


_OF_WORDS = frozenset({Change.WRONG, Change.MISSING, Change.EXTRA})


def _neighbours_joined(edits: Sequence[Edit], old: _Side, new: _Side, language: Language) -> list[Edit]:
    """Edits with one function word between them, which chance has matched, become one with it.

    Only where words are missing or too many: two words each replaced by another one are two corrections.
    """
    joined: list[Edit] = []
    for edit in edits:
        last = joined[-1] if joined else None
        if (
            last is not None
            and {last.change, edit.change} <= _OF_WORDS
            and not last.change == edit.change == Change.WRONG
            and _is_function_word(old.text[last.stop : edit.start], language)
        ):
            both = _edit(_Part(last.start, edit.stop, last.place, edit.place + len(edit.new)), old, new, language.code)
            joined[-1:] = [both] if both is not None else []
        else:
            joined.append(edit)
    return joined


def _is_function_word(text: str, language: Language) -> bool:
    found = words(text, language)
    alone = len(found) == 1 and text.strip() == text[found[0].start : found[0].end]
    return alone and not is_content(found[0], language)
