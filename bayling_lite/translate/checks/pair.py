"""What the checks look at: a source and its translation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from bayling_lite.languages import Language
from bayling_lite.translate.glossary import Term
from bayling_lite.translate.markup import Marked
from bayling_lite.translate.sentences import is_wide

# Characters whose words are compared: what goes wrong shows in these.
_LONGEST = 6000
_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")


@dataclass(frozen=True)
class Pair:
    """A text and its translation, both without codes, on one line.

    ``raw`` is the translation with its line breaks, empty where it had none; ``around`` what reads before and after the
    source.
    """

    source: str
    target: str
    target_language: Language
    source_language: Language | None = None
    terms: tuple[Term, ...] = ()
    raw: str = ""
    around: tuple[str, ...] = ()

    @cached_property
    def source_words(self) -> list[str]:
        """The words of the source in lower case; Chinese characters are one each. Of a very long text, the first."""
        return words(self.source[:_LONGEST])

    @cached_property
    def target_words(self) -> list[str]:
        """The words of the target in lower case; Chinese characters are one each. Of a very long text, the first."""
        return words(self.target[:_LONGEST])


def words(text: str) -> list[str]:
    """The words of a text in lower case, without numbers and marks; each Chinese character is one."""
    found: list[str] = []
    for run in _WORD.findall(text.lower()):
        if run.isascii() or not any(map(is_wide, run)):
            found.append(run)
            continue
        latin = ""
        for char in run:
            if is_wide(char):
                found += [latin, char] if latin else [char]
                latin = ""
            else:
                latin += char
        found += [latin] if latin else []
    return found


def readable(marked: Marked) -> str:
    """The words of a text: its codes left out, a space for those that stand alone."""
    return "".join(piece if isinstance(piece, str) else " " if piece.kind == "alone" else "" for piece in marked.pieces)
