"""Words that stand for variables while a small model translates: it cannot copy ``{name}``, but it can translate "Tom".

``%d`` becomes a number, ``{name}`` and an address a name; in the translation the word tells where the variable belongs.
A word that does not come back exactly once tells nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from bayling_lite.translate.checks.links import literals
from bayling_lite.translate.markup import FIRST_CODE, Code, Marked, code_character

_VARIABLE = re.compile(r"%[^%]*[a-zA-Z@]|\$?\{.+\}|\$\w+", re.DOTALL)
_LONGEST_NAME = 80  # characters of a variable
_NUMBER = re.compile(r"%.*[diuf]|.*\b(?:n|num|number|count|total|size|days?|hours?|minutes?|seconds?)\W*", re.DOTALL)
# Names, and what other languages make of them: one of these beside the name speaks of somebody who is not there.
_NAMES = {
    "Tom": ("汤姆", "湯姆", "Thomas"),
    "Mary": ("玛丽", "瑪麗", "Maria", "Marie"),
    "Peter": ("彼得", "Pierre", "Pedro"),
    "Anna": ("安娜", "Anne"),
}
_NUMBERS = ("12", "35", "48", "27")


@dataclass(frozen=True, slots=True)
class StandIns:
    """``source`` is a text whose variables read as words; ``words`` has each word and the variable it stands for.

    Variables that are no codes of the text are codes here.
    """

    source: Marked
    words: tuple[tuple[str, str], ...] = ()

    def lost(self, text: str) -> list[str]:
        """The variables whose words do not tell where they belong in a translation."""
        return [variable for word, variable in self.words if not _is_clear(word, text)]

    def restored(self, target: Marked, source: Marked) -> Marked:
        """A translation with the codes of the text itself."""
        first = FIRST_CODE + len(source.codes)
        own = {ord(char): target.code(char).raw for char in target.used if ord(char) >= first}
        return source.replaced(target.text.translate(own))


def with_stand_ins(source: Marked) -> StandIns:
    """A text with words for its variables; as it is where it has none, or more than there are words."""
    names, numbers = ([word for word in words if word not in source.reads] for words in (_NAMES, _NUMBERS))
    marked = _with_literals(source)
    codes, words = list(marked.codes), list[tuple[str, str]]()
    for character in marked.used:
        code = marked.code(character)
        if code.kind != "alone" or not (
            _VARIABLE.fullmatch(code.reads) or literals(code.reads) == [(0, len(code.reads))]
        ):
            continue
        some = numbers if len(code.reads) <= _LONGEST_NAME and _NUMBER.fullmatch(code.reads) else names
        if not some:
            return StandIns(source)
        words.append((some.pop(0), code.reads))
        codes[ord(character) - FIRST_CODE] = replace(code, reads=words[-1][0])
    return StandIns(Marked(marked.text, tuple(codes)), tuple(words))


def _with_literals(source: Marked) -> Marked:
    """A text whose links and places for values are codes, after its own."""
    codes, pieces, done = list(source.codes), list[str](), 0
    for start, end in literals(source.text):
        pieces += source.text[done:start], code_character(len(codes))
        codes.append(Code("alone", source.text[start:end], reads=source.text[start:end]))
        done = end
    return Marked("".join([*pieces, source.text[done:]]), tuple(codes))


def _is_clear(word: str, text: str) -> bool:
    """Whether a word is there exactly once, by itself (Chinese needs no space beside it), and in no other form."""
    alone = re.findall(rf"(?<![A-Za-zÀ-ÿ\d.,:]){word}(?![A-Za-zÀ-ÿ\d]|[.,:]\d)", text)
    return text.count(word) == len(alone) == 1 and not any(form in text for form in _NAMES.get(word, ()))
