"""What an instruction quotes: which segments of a draft it is about, and which word it wants in another's place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bayling_lite.translate.glossary import occurs

if TYPE_CHECKING:
    from bayling_lite.translate.results import Translation

_QUOTED = re.compile(
    r"\"([^\"]+)\"|“([^”]+)”|„([^“”]+)[“”]|«\s*([^»]+?)\s*»|»([^«]+)«|「([^」]+)」|『([^』]+)』|‘([^’]+)’"
)


def mentioned(draft: Translation, instruction: str, required: Sequence[str] = ()) -> set[int]:
    """The positions of the segments whose source or draft holds words that an instruction quotes.

    Where it quotes other words besides those required, they tell which segments are meant: in 'Fix "A": it should be
    "B"', those with A.
    """
    return _holding(draft, _others(instruction, required)) or _holding(draft, _quoted(instruction))


def corrected(text: str, instruction: str, required: Sequence[str]) -> str:
    """A text with the word that the instruction quotes besides the required one replaced by that, if there are two."""
    others = _others(instruction, required)
    return text.replace(others[0], required[0]) if len(others) == len(required) == 1 else text


def _quoted(instruction: str) -> list[str]:
    return [next(filter(None, groups)) for groups in _QUOTED.findall(instruction)]


def _others(instruction: str, required: Sequence[str]) -> list[str]:
    return [words for words in _quoted(instruction) if words not in required]


def _holding(draft: Translation, quoted: Sequence[str]) -> set[int]:
    return {
        position
        for position, segment in enumerate(draft.segments)
        if any(occurs(words, segment.source) or occurs(words, segment.text) for words in quoted)
    }
