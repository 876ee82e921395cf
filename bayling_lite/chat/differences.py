"""What is different between two versions of a draft, by words and Chinese characters.

Pieces are words, single characters of scripts that are written without spaces (with their combining marks), runs of
white space, and single signs. Long versions are first cut where they certainly agree, at sequences of pieces that both
have exactly once (B. Cohen's patience diff), so the time grows with the length and not with its square.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from bayling_lite.languages import Language

ChangeKind = Literal["kept", "removed", "added"]

# Up to so many pieces are compared in full, which takes the square of them in the worst case.
_COMPARED_IN_FULL = 200

# As many pieces make an anchor: single words that occur once in both are often there for different reasons.
_ANCHOR = 3

# Kept stretches of so few characters between two changes are chance: 的 in two different phrases. In Thai, whose
# characters are letters, longer ones are.
_CHANCE = 1
_CHANCE_IN = {"th": 3}

_SPACE, _WORD, _CHARACTER, _MARK, _SIGN = range(5)

# Han with its extensions, kana, and the scripts of South-East Asia that are written without spaces.
_WITHOUT_SPACES = (
    (0x0E00, 0x0EFF),
    (0x0F00, 0x0FFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x2E80, 0x2FDF),
    (0x3005, 0x3007),
    (0x3040, 0x30FF),
    (0x31F0, 0x31FF),
    (0x3400, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x323AF),
)
_JOINER = "\u200d"
_INSIDE_WORDS = "'’"
_INSIDE_NUMBERS = ".,"


@dataclass(frozen=True, slots=True)
class Change:
    """A stretch of text that two versions share, or that only one of them has.

    The ``kept`` and ``removed`` ones together are the version before, the ``kept`` and ``added`` ones that after.
    """

    kind: ChangeKind
    text: str


def changes(before: str, after: str, language: Language | None = None) -> tuple[Change, ...]:
    """What must be removed from ``before`` and added to it to get ``after``, in the order of reading.

    What is removed stands before what is added in its place, and no two of a kind stand side by side. Empty when both
    are empty. ``language`` is that of both versions.
    """
    old, new = _pieces(before), _pieces(after)
    chance = _CHANCE_IN.get(language.code, _CHANCE) if language is not None else _CHANCE
    found: list[Change] = []
    for removed, added, kept in _joined(_blocks(old, new), old, new, chance):
        found += (Change("removed", removed), Change("added", added), Change("kept", kept))
    return tuple(change for change in found if change.text)


@functools.lru_cache(maxsize=4096)
def _class(character: str) -> int:
    if character.isspace():
        return _SPACE
    category = unicodedata.category(character)
    # Variation selectors are marks by their category; skin tones and joiners are not.
    if category[0] == "M" or character in "\u200c\u200d" or "\U0001f3fb" <= character <= "\U0001f3ff":
        return _MARK
    if any(first <= ord(character) <= last for first, last in _WITHOUT_SPACES):
        return _CHARACTER if category[0] == "L" else _SIGN
    # Flags are pairs of regional indicators.
    is_word = character.isalnum() or character == "_" or "\U0001f1e6" <= character <= "\U0001f1ff"
    return _WORD if is_word else _SIGN


def _pieces(text: str) -> list[str]:
    """The text in pieces, which together are the text."""
    pieces: list[str] = []
    begin, kind = 0, _SIGN
    for position, character in enumerate(text):
        now = _class(character)
        if position == begin:
            kind = now
            continue
        if now == _MARK or text[position - 1] == _JOINER or (now == kind and now in (_WORD, _SPACE)):
            continue
        if kind == _WORD and _is_inside_word(text, position):
            continue
        pieces.append(text[begin:position])
        begin, kind = position, now
    if begin < len(text):
        pieces.append(text[begin:])
    return pieces


def _is_inside_word(text: str, position: int) -> bool:
    """Whether a sign joins what is around it: don't, 1,234.5."""
    around = text[position - 1] + text[position + 1 : position + 2]
    if text[position] in _INSIDE_WORDS:
        return len(around) > 1 and _class(around[1]) == _WORD
    return text[position] in _INSIDE_NUMBERS and len(around) > 1 and around.isdigit()


# Aligning: (start in old, start in new, length) of what both have, in order.

_Block = tuple[int, int, int]


def _blocks(old: Sequence[str], new: Sequence[str]) -> Iterator[_Block]:
    """What both have; the last block is an empty one at the ends."""
    # A stack instead of recursion: texts may be cut at thousands of places.
    waiting = [(0, len(old), 0, len(new))]
    while waiting:
        a, a_end, b, b_end = waiting.pop()
        begin = _common(old[a:a_end], new[b:b_end])
        if begin:
            yield a, b, begin
        a, b = a + begin, b + begin
        end = _common(old[a:a_end][::-1], new[b:b_end][::-1])
        if end:
            # It comes after what is between, which may wait for a while.
            waiting.append((a_end - end, a_end, b_end - end, b_end))
            a_end, b_end = a_end - end, b_end - end
        if a == a_end or b == b_end:
            continue
        if max(a_end - a, b_end - b) <= _COMPARED_IN_FULL:
            yield from ((a + i, b + j, n) for i, j, n in _compared(old[a:a_end], new[b:b_end]))
            continue
        cuts = _anchors(old[a:a_end], new[b:b_end]) or _evenly(a_end - a, b_end - b)
        # Each part begins with its anchor, so it is shorter than the whole, or begins with more that is common.
        starts = [(a, b), *((a + i, b + j) for i, j in cuts)]
        parts = [(i, k, j, m) for (i, j), (k, m) in itertools.pairwise([*starts, (a_end, b_end)])]
        waiting += reversed(parts)
    yield len(old), len(new), 0


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    """How many pieces at the beginning are the same."""
    count = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        count += 1
    return count


def _compared(old: Sequence[str], new: Sequence[str]) -> list[_Block]:
    # White space is kept only beside something that is: by itself it is everywhere.
    matcher = SequenceMatcher(str.isspace, old, new, autojunk=False)
    return [(match.a, match.b, match.size) for match in matcher.get_matching_blocks() if match.size]


def _anchors(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Where both have the same pieces, which each has once, as far as these are in the same order in both."""
    for length in (_ANCHOR, 1):
        there = _once(new, length)
        pairs = [(i, there[key]) for key, i in _once(old, length).items() if key in there]
        if kept := _increasing(pairs):
            return kept
    return []


def _evenly(old: int, new: int) -> list[tuple[int, int]]:
    """Cuts at the same shares of both lengths: for texts that have nothing in common, or repeat themselves."""
    parts = -(-max(old, new) // _COMPARED_IN_FULL)
    return [(old * part // parts, new * part // parts) for part in range(1, parts)]


def _once(pieces: Sequence[str], length: int) -> dict[tuple[str, ...], int]:
    """Where each sequence of pieces is that occurs once, in order; white space alone does not count."""
    found: dict[tuple[str, ...], int] = {}
    for position in range(len(pieces) - length + 1):
        key = tuple(pieces[position : position + length])
        found[key] = -1 if key in found else position
    return {key: position for key, position in found.items() if position >= 0 and not "".join(key).isspace()}


def _increasing(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of the pairs, which increase in their first number, that increases in the second as well."""
    tails: list[int] = []  # the smallest second number that a part of each length ends with
    ends: list[int] = []  # the pair that it ends with
    before: list[int] = []
    for index, (_, second) in enumerate(pairs):
        place = bisect.bisect_left(tails, second)
        tails[place : place + 1] = [second]
        ends[place : place + 1] = [index]
        before.append(ends[place - 1] if place else -1)
    found = []
    index = ends[-1] if ends else -1
    while index >= 0:
        found.append(pairs[index])
        index = before[index]
    return found[::-1]


# Joining: what is kept by chance between two changes belongs to one change.


def _joined(
    blocks: Iterable[_Block], old: Sequence[str], new: Sequence[str], chance: int
) -> Iterator[tuple[str, str, str]]:
    """(removed, added, kept after it), of which any may be empty."""
    removed_from = added_from = 0
    held: _Block | None = None  # kept, unless it turns out to be chance
    for a, b, size in _without_seams(blocks):
        if held is not None:
            i, j, n = held
            is_change = a > i + n or b > j + n
            if not (is_change and (removed_from < i or added_from < j) and _is_chance(old[i : i + n], chance)):
                yield "".join(old[removed_from:i]), "".join(new[added_from:j]), "".join(old[i : i + n])
                removed_from, added_from = i + n, j + n
        held = a, b, size
    if held is not None:
        i, j, _ = held
        yield "".join(old[removed_from:i]), "".join(new[added_from:j]), "".join(old[i:])


def _without_seams(blocks: Iterable[_Block]) -> Iterator[_Block]:
    """The blocks, with those that follow on each other made one; the last one is empty."""
    held: _Block | None = None
    for a, b, size in blocks:
        if held is not None and held[0] + held[2] == a and held[1] + held[2] == b:
            held = held[0], held[1], held[2] + size
            continue
        if held is not None:
            yield held
        held = a, b, size
    if held is not None:
        yield held
        if held[2]:
            yield held[0] + held[2], held[1] + held[2], 0


def _is_chance(pieces: Sequence[str], chance: int) -> bool:
    kinds = {kind: len(list(group)) for kind, group in itertools.groupby(sorted(_class(piece[0]) for piece in pieces))}
    return not kinds.keys() - {_SPACE, _CHARACTER} and kinds.get(_CHARACTER, 0) <= chance
