"""The draft that a line is read against: which words it and its source have, and how both are written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from bayling_lite.engine.words import occurs as exactly
from bayling_lite.languages import Language
from bayling_lite.messages import Role
from bayling_lite.prompts import fixed_words
from bayling_lite.translate.glossary import Term, applying, occurs

if TYPE_CHECKING:
    from bayling_lite.translate import Translation

# A word of so many letters counts where it has got an ending.
_STEM = 4


@dataclass(frozen=True, slots=True)
class Draft:
    """What a line is read against: the last translation, and whether the user fixed the source language.

    ``named`` are words of the source that have a translation because the user said so, wherever the source has them.
    """

    text: str
    source_text: str
    source: Language
    target: Language
    source_fixed: bool = False
    named: tuple[Term, ...] = ()

    @classmethod
    def of(cls, draft: Translation, *, source_fixed: bool = False) -> Self:
        """What a line about this translation is read against."""
        # A text without a word ("42") has no source language; then no script tells text and translation apart.
        source = draft.source or draft.target
        return cls(draft.text, draft.source_text, source, draft.target, source_fixed, tuple(_named(draft)))

    def mentions(self, term: str) -> bool:
        """Whether the translation holds the term, as whole words where words are separated by spaces."""
        return occurs(term, self.text)

    def as_written(self, term: str) -> str:
        """The term with the capitals that it has in the translation; as it is where it does not stand there."""
        if exactly(term, self.text):
            return term
        match = re.search(re.escape(term), self.text, re.IGNORECASE)
        return match[0] if match is not None and self.mentions(term) else term

    def knows(self, term: str) -> bool:
        """Whether the translation or its source text holds the term."""
        return self.mentions(term) or occurs(term, self.source_text)

    def is_about(self, word: str) -> bool:
        """Whether the source text has the word, perhaps with an ending ("token" in "tokens")."""
        return occurs(word, self.source_text) or (
            len(word) >= _STEM and re.search(rf"(?<!\w){re.escape(word)}", self.source_text, re.IGNORECASE) is not None
        )

    def named_for(self, word: str) -> str | None:
        """What stands in the translation for a word of the source because the user said so; None where nothing does."""
        wanted = [right for of, right in self.named if of.casefold() == word.casefold() and self.mentions(right)]
        return wanted[-1] if wanted else None

    @property
    def own_scripts(self) -> frozenset[str]:
        """The scripts of the translation that its source text's language does not use."""
        return language_scripts(self.target) - language_scripts(self.source)

    @property
    def has_own_script(self) -> bool:
        """Whether a script tells text and translation apart."""
        return bool(self.own_scripts)

    def is_foreign(self, text: str) -> bool:
        """Whether a text has letters of the translation's script that its source text's language does not use."""
        return bool(scripts(text) & self.own_scripts)

    def is_foreign_word(self, word: str) -> bool:
        """Whether a word is of the translation's script. Latin letters are borrowed everywhere ("用 iPhone 拍照"), so
        where they are the script it has no others.
        """
        return self.is_foreign(word) and ("LATIN" not in self.own_scripts or scripts(word) <= self.own_scripts)

    def is_wholly_foreign(self, text: str) -> bool:
        """Whether all its letters are such, and of a script that is not borrowed everywhere, as the Latin one is."""
        used = scripts(text)
        return bool(used) and used <= self.own_scripts - {"LATIN"}


def scripts(text: str) -> frozenset[str]:
    """The scripts of a text's letters by their Unicode names: LATIN, CJK, HIRAGANA, CYRILLIC, ..."""
    return frozenset(unicodedata.name(letter, "?").split()[0] for letter in text if letter.isalpha())


def language_scripts(language: Language) -> frozenset[str]:
    """The scripts a language is written in. Its own name shows them, but for the kana of Japanese."""
    kana = {"HIRAGANA", "KATAKANA"} if language.code == "ja" else set()
    return scripts(language.own) | kana


def _named(draft: Translation) -> Iterator[Term]:
    """The terms in force when a draft was made, as what was said since has changed them; those that hold wherever their
    word is.
    """
    named = dict(applying(draft.terms, draft.source_text))
    said = [message.content for message in draft.conversation if message.role is Role.USER][1:]
    for wrong, right in filter(None, map(fixed_words, said)):
        named |= {word: right for word, wanted in named.items() if wanted == wrong} | {wrong: right}
    for word, wanted in named.items():
        there = [occurs(wanted, segment.text) for segment in draft.segments if occurs(word, segment.source)]
        if there and all(there):
            yield word, wanted
