"""Finding turns by words."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

_AROUND = 40  # characters shown on each side of a hit
_PART = 10_000  # characters of a line that are folded one by one at a time: a whole book would fill the memory


@dataclass(frozen=True, slots=True)
class Words:
    """Words, or phrases, that must all occur, in upper or lower case, full or half width.

    They may be parts of words: Chinese does not say where a word begins.
    """

    folded: tuple[str, ...]

    @classmethod
    def of(cls, words: Iterable[str]) -> Words:
        """The words as they are looked for; empty ones do not count."""
        return cls(tuple(filter(None, (_folded(word) for word in words))))

    def occur_in(self, *texts: str) -> bool:
        """Whether each of them is in one of the texts."""
        folded = [_folded(text) for text in texts]
        return all(any(word in text for text in folded) for word in self.folded)

    def excerpt(self, text: str, around: int = _AROUND) -> str:
        """The first of them that occurs in the text, on one line with what stands around it; empty where none does."""
        line = " ".join(text.split())
        found = [hit for word in self.folded if (hit := _find(line, word)) is not None]
        if not found:
            return ""
        begin, end = min(found)
        first, last = max(0, begin - around), min(len(line), end + around)
        return ("…" if first else "") + line[first:last].strip() + ("…" if last < len(line) else "")


@dataclass(frozen=True, slots=True)
class Hit:
    """A turn that was found: the ``number``-th of a session, which is ``title``. ``where`` the excerpt is from."""

    session: str
    title: str
    number: int
    turn: str
    changed: float
    where: Literal["typed", "answer"]
    excerpt: str


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", " ".join(text.split())).casefold()


def _find(line: str, word: str) -> tuple[int, int] | None:
    """Where a folded word stands in a line that is not folded, begin and end; folding may change lengths."""
    for start in range(0, len(line), _PART):
        # A word that begins in the part may end behind it, but never spans more characters than it has itself.
        places: list[int] = []
        folded: list[str] = []
        for place, character in enumerate(line[start : start + _PART + len(word)], start):
            own = _folded(character) if not character.isspace() else " "
            folded.append(own)
            places += [place] * len(own)
        at = "".join(folded).find(word)
        if at >= 0:
            return places[at], places[at + len(word) - 1] + 1
    # Characters that were composed: folded together they are others than one by one.
    return (0, 0) if word in _folded(line) else None


def best_excerpt(words: Words, typed: str, answer: str) -> tuple[Literal["typed", "answer"], str]:
    """The excerpt of what was typed, or of the answer where none of the words was typed."""
    if excerpt := words.excerpt(typed):
        return "typed", excerpt
    return "answer", words.excerpt(answer)
