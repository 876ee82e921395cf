"""Phrases that a text must contain: how far a text being written has come with them, and which tokens go on.

Everything is decided on the text's bytes, never on one fixed tokenization, so that a phrase counts however its tokens
are cut: across pieces, inside a longer piece, or byte by byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from bayling_lite.engine.words import joins, needs_border, occurs
from bayling_lite.errors import PhrasesDoNotFit

_LONGEST_CHARACTER = 4
"""Bytes of UTF-8."""
_IMPOSSIBLE = 2**40
"""Tokens, where no number of them is enough."""

Tokens = npt.NDArray[np.intp]


class Vocabulary(Protocol):
    """What a search needs of a model's vocabulary. It is kept as a key by weak reference, so it must be hashable."""

    @property
    def size(self) -> int:
        """Number of tokens; ids are below it."""
        ...

    def piece(self, token: int) -> bytes:
        """The bytes that the token stands for in a text; empty for control tokens."""
        ...

    def is_end(self, token: int) -> bool:
        """Whether the model ends its answer with this token."""
        ...


class PieceIndex:
    """The tokens of a vocabulary by their bytes."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        ids: dict[bytes, list[int]] = {}
        for token in range(vocabulary.size):
            piece = vocabulary.piece(token)
            if piece:
                ids.setdefault(piece, []).append(token)
        self._ids = ids
        self._longest = max(map(len, ids), default=0)

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> PieceIndex:
        """The index of a vocabulary, made once: reading 128,000 pieces takes a tenth of a second."""
        known = _indices.get(vocabulary)
        if known is None:
            known = _indices[vocabulary] = cls(vocabulary)
        return known

    def beginnings(self, text: bytes) -> list[tuple[int, list[int]]]:
        """The pieces that ``text`` begins with: (length in bytes, ids)."""
        lengths = range(1, min(len(text), self._longest) + 1)
        return [(length, self._ids[text[:length]]) for length in lengths if text[:length] in self._ids]

    def fewest(self, text: bytes) -> list[tuple[int, int]]:
        """For every suffix of ``text``, the empty one included: the fewest tokens that spell it (``_IMPOSSIBLE`` where
        none do), and the first of them.
        """
        best = [(0, -1)] * (len(text) + 1)
        for at in reversed(range(len(text))):
            ways = ((best[at + length][0] + 1, ids[0]) for length, ids in self.beginnings(text[at:]))
            best[at] = min([(_IMPOSSIBLE, -1), *ways])
        return best


_indices: WeakKeyDictionary[Vocabulary, PieceIndex] = WeakKeyDictionary()


def _unspellable(phrase: str) -> PhrasesDoNotFit:
    return PhrasesDoNotFit(
        f"The model has no tokens to spell {phrase!r} with. Leave the phrase out, or use another model."
    )


class _Phrase:
    """One phrase: its bytes, its borders, and how its rest is spelled from each byte on."""

    def __init__(self, text: str, index: PieceIndex) -> None:
        self.text = text
        try:
            self.data = text.encode()
        except UnicodeEncodeError as error:  # half of a surrogate pair
            raise _unspellable(text) from error
        self.left, self.right = needs_border(text[0]), needs_border(text[-1])
        # Where it would run together with a word before it, it gets a space when it is written after anything.
        spaced = joins(text[0])
        self._beginnings = [self.data[:length] for length in range(len(self.data))]
        self.rest = index.fewest(self.data)
        """[i]: what it takes to write it from byte i on."""
        self.anew = index.fewest(b" " + self.data)[0] if spaced else self.rest[0]
        """What it takes to write it after anything."""
        self.following = [_ids(index, self.data[at:]) for at in range(len(self.data))]
        """[i]: the tokens that go on after its first i bytes."""
        self.spaced = _ids(index, b" " + self.data) if spaced else _ids(index, b"")
        """The tokens that begin it with a space."""

    def places(self, tail: bytes) -> Iterator[int]:
        """How many bytes of the phrase the text's end may be: 0 where it can begin here."""
        for length, beginning in enumerate(self._beginnings):
            if tail.endswith(beginning) and not (self.left and _joined_before(tail, len(tail) - length)):
                yield length

    def goes_on_joined(self, at: int) -> bool:
        """Whether the character at byte ``at``, or around it, makes one word with a letter before it."""
        while at and 0x80 <= self.data[at] < 0xC0:
            at -= 1
        return joins(_first_char(self.data[at:]) or "\ufffd")


def _ids(index: PieceIndex, text: bytes) -> Tokens:
    return np.array([token for _, ids in index.beginnings(text) for token in ids], np.intp)


@dataclass(frozen=True, slots=True)
class State:
    """How far one text has come.

    ``tail`` are its last bytes; ``done`` a bit for every phrase that nothing can undo; ``pending`` a bit for every one
    that stands at the end and would be undone by another letter; ``startable`` a bit for every missing one that
    may begin right here, without a space; ``nearest`` the missing phrase that takes the least to write from here and
    how many bytes of it are there; ``begun`` the same, if going on with it is shorter than writing it anew; ``need``
    a number of tokens that surely suffices to write all that is missing, 0 when nothing is.
    """

    tail: bytes
    done: int
    pending: int
    startable: int = 0
    nearest: tuple[int, int] | None = None
    begun: tuple[int, int] | None = None
    need: int = 0


class Phrases:
    """The phrases that a text must contain.

    A phrase inside another one (``York`` in ``New York``), and one given twice, is there when the longer one is.

    Raises:
        PhrasesDoNotFit: the vocabulary cannot spell a phrase.
    """

    def __init__(self, phrases: Iterable[str], vocabulary: Vocabulary) -> None:
        unique = list(dict.fromkeys(phrases))
        kept = [text for text in unique if not any(other != text and occurs(text, other) for other in unique)]
        self._phrases = [_Phrase(text, PieceIndex.of(vocabulary)) for text in kept]
        for phrase in self._phrases:
            if phrase.anew[0] >= _IMPOSSIBLE:
                raise _unspellable(phrase.text)
        self._all = (1 << len(self._phrases)) - 1
        self._reach = max((len(phrase.data) for phrase in self._phrases), default=0) + 2 * _LONGEST_CHARACTER
        self.start = self._state(b"", 0, 0)

    def __len__(self) -> int:
        return len(self._phrases)

    def after(self, state: State, piece: bytes) -> State:
        """The state when ``piece`` is written next."""
        if not piece or state.done == self._all:
            return state
        text = state.tail + piece
        done, pending = state.done, 0
        for number, phrase in enumerate(self._phrases):
            bit = 1 << number
            if not done & bit:
                # Places before these were judged when they were written, with the characters before them.
                first = len(state.tail) - len(phrase.data) - _LONGEST_CHARACTER + 1
                settled, at_end = _found(phrase, text, max(0, first))
                done |= bit * settled
                pending |= bit * (at_end and not settled)
        return self._state(text[-self._reach :], done, pending)

    def _state(self, tail: bytes, done: int, pending: int) -> State:
        """Look which missing phrases the text's end begins, and count what is missing."""
        missing = self._all & ~(done | pending)
        startable, best, nearest = 0, 0, None
        fragile = any(phrase.right for _, phrase in self._of(pending))
        for number, phrase in self._of(missing):
            for length in phrase.places(tail):
                if fragile and phrase.goes_on_joined(length):
                    continue
                saved = phrase.anew[0] - phrase.rest[length][0]
                startable |= (length == 0) << number
                if saved >= best:
                    best, nearest = saved, (number, length)
        need = sum(phrase.anew[0] for _, phrase in self._of(missing)) - best
        begun = nearest if nearest and nearest[1] and best else None
        if fragile and missing:
            # Shorter may be to go on with an overlapping phrase, undo the one that ends here, and write that anew.
            undone = self._state(tail, done, 0)
            if undone.need < need:
                need, nearest, begun = undone.need, undone.nearest, undone.begun
        return State(tail, done, pending, startable, nearest, begun, need)

    def _of(self, bits: int) -> Iterator[tuple[int, _Phrase]]:
        """The phrases with these bits, with their numbers."""
        return ((number, phrase) for number, phrase in enumerate(self._phrases) if bits >> number & 1)

    def missing(self, state: State) -> int:
        """The number of phrases that the text would lack if it ended here."""
        return (self._all & ~(state.done | state.pending)).bit_count()

    def following(self, state: State) -> list[Tokens]:
        """Sets of tokens: those that go on with the phrase that is begun, or else, for every missing one, those that
        begin it. Empty when nothing is missing.
        """
        if state.begun is not None:
            number, length = state.begun
            return [self._phrases[number].following[length]]
        if _inside_character(state.tail):
            return []
        found = []
        for number, phrase in self._of(self._all & ~(state.done | state.pending)):
            if not state.startable >> number & 1:
                found.append(phrase.spaced)
            elif state.tail.endswith(b" "):
                found.append(phrase.following[0])
            else:
                found.append(np.concatenate((phrase.following[0], phrase.spaced)))
        return found

    def shortest(self, state: State) -> int:
        """The first token of the shortest way to write what is missing; ``need`` is one less after it.

        There must be something missing.
        """
        if state.nearest is not None:
            number, length = state.nearest
            return self._phrases[number].rest[length][1]
        return next(self._of(self._all & ~(state.done | state.pending)))[1].anew[1]


def _found(phrase: _Phrase, text: bytes, first: int) -> tuple[bool, bool]:
    """Whether the phrase stands at byte ``first`` or later within its borders; or is there, but nothing yet after it,
    or only a part of a character.
    """
    at = text.find(phrase.data, first)
    while at >= 0:
        if not (phrase.left and _joined_before(text, at)):
            after = _first_char(text[at + len(phrase.data) :])
            if after is None and phrase.right:
                return False, True
            if after is None or not (phrase.right and joins(after)):
                return True, False
        at = text.find(phrase.data, at + 1)
    return False, False


def _joined_before(text: bytes, at: int) -> bool:
    """Whether the character before byte ``at`` belongs to a word."""
    before = text[max(0, at - _LONGEST_CHARACTER) : at]
    return bool(before) and joins(before.decode(errors="replace")[-1])


def _first_char(data: bytes) -> str | None:
    """The first character; None when its bytes are not all there yet; U+FFFD when they are no character."""
    first = data[:1]
    length = 1 if first < b"\xc0" else 2 if first < b"\xe0" else 3 if first < b"\xf0" else 4
    decoded = data[:length].decode(errors="replace")
    if len(data) < length and len(decoded) <= 1 and decoded in "\ufffd":
        return None
    return decoded[0]


def _inside_character(tail: bytes) -> bool:
    """Whether the text ends with a part of a character."""
    for back in range(1, min(len(tail), _LONGEST_CHARACTER - 1) + 1):
        if tail[-back] >= 0xC0:
            return _first_char(tail[-back:]) is None
        if tail[-back] < 0x80:
            return False
    return False
