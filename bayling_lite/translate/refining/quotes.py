"""What an instruction quotes: which segments of a draft it is about, and which word it wants in another's place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bayling_lite.engine.words import occurrences
from bayling_lite.prompts import fixed_words
from bayling_lite.translate.glossary import Term, occurs

if TYPE_CHECKING:
    from bayling_lite.translate.results import Translation

_QUOTED = re.compile(
    r"\"([^\"]+)\"|“([^”]+)”|„([^“”]+)[“”]|«\s*([^»]+?)\s*»|»([^«]+)«|「([^」]+)」|『([^』]+)』|‘([^’]+)’"
)

# What stands before a word that is not wanted.
_NOT = re.compile(
    r"(?:\b(?:not|never|no|instead\s+of|rather\s+than|without|avoid|nicht|kein\w*|statt|anstatt|anstelle\s+von|ohne|pas|"
    r"jamais|sans|au\s+lieu\s+de|plutôt\s+que)\b|n['’]t\b|不|别|勿|避免|代替|替换|取代)[^.!?。！？,，:：;；\"“”„«»「」『』]{0,24}$",
    re.IGNORECASE,
)
# What stands before a word that is to stay.
_KEEP = re.compile(
    r"(?:\b(?:keep|leave|retain|preserve|behalte\w*|lass|lasse|garde[rz]?|conserve[rz]?|laisse[rz]?)\b|保留|保持|留着|"
    r"\b(?:do\s+not|don['’]t|never|without)\s+(?:chang\w+|touch\w*|alter\w*|replac\w+)\b|"
    r"(?:不要|不|别|勿)(?:改|动|换|变))[^.!?。！？,，:：;；\"“”„«»「」『』]{0,24}$",
    re.IGNORECASE,
)
# How far before a word that is looked for: what stands there, and what stands before that, is no longer.
_NEAR = 160


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


def calls_wrong(instruction: str, word: str, required: Sequence[str] = ()) -> bool | None:
    """Whether an instruction says that a word is wrong: it quotes it and wants another, or does not want it.

    None when it does not speak of the word, False when it wants it. ``required`` are the words it is known to want.
    """
    fixed = fixed_words(instruction)
    spoken, wrong = False, False
    for match in _QUOTED.finditer(instruction):
        quoted = next(filter(None, match.groups()))
        if not occurs(word, quoted):
            continue
        if quoted in required or (fixed is not None and quoted == fixed[1]):
            return False
        spoken, refused = True, _NOT.search(_near(instruction, match.start())) is not None
        wrong = wrong or fixed is not None or bool(required) or refused
    return wrong if spoken else None


def denied(instruction: str, word: str) -> bool:
    """Whether an instruction does not want a word that it speaks of."""
    return any(_NOT.search(before) for before in _before(instruction, word))


def asks_to_keep(instruction: str, word: str) -> bool:
    """Whether an instruction says that a word is to stay."""
    found = (_KEEP.search(before) for before in _before(instruction, word))
    return any(keep is not None and not _NOT.search(keep.string[: keep.start()]) for keep in found)


def overrules(instruction: str, term: Term, required: Sequence[str] = ()) -> bool | None:
    """Whether an instruction takes a term back: it calls the wanted word wrong, or wants another for the source's.

    None when it speaks of neither, False when it wants the term. ``required`` as for :func:`calls_wrong`.
    """
    word, wanted = term
    fixed = fixed_words(instruction)
    said = calls_wrong(instruction, wanted, required)
    if said is None and fixed is not None and fixed[0].casefold() == word.casefold():
        return True
    return said


def _before(instruction: str, word: str) -> Iterator[str]:
    """What stands before each mention of a word, and before the quotation marks around it."""
    quoted = [match.span() for match in _QUOTED.finditer(instruction)]
    for start, stop in occurrences(word.casefold(), instruction.casefold()):
        around = next((span for span in quoted if span[0] < start and stop < span[1]), (start, stop))
        yield _near(instruction, around[0])


def _near(instruction: str, position: int) -> str:
    return instruction[max(0, position - _NEAR) : position]


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
