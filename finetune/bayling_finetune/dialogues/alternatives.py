"""Other translations of a word, from the tables of the word aligner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from bayling_finetune.dialogues.alignment_training import UNKNOWN, Tables
from bayling_finetune.dialogues.inflection import ending, same_word
from bayling_finetune.dialogues.tools import AlignedPhrase
from bayling_finetune.dialogues.values import Direction
from bayling_finetune.dialogues.words import is_content, words
from bayling_lite.languages import Language

_LIKELY = 0.06
"""The least probability, in both directions, of a translation that is no chance."""
_MOST = 12
_LETTERS = 3
_STEM = 4  # letters that only forms of one word begin with, or words too near to be worth a user's while
_NEGATIONS = "不没无未非"


class Dictionary:
    """The translations of words of one language, most probable first."""

    def __init__(self, source: Mapping[str, int], target: Mapping[str, int], tables: Tables) -> None:
        self._source = source
        self._target = target
        self._tables = tables

    @cached_property
    def _forms(self) -> Sequence[str]:
        return ["", *self._target]

    def translations(self, word: str) -> list[str]:
        """Of a word by its form; the forms of words that translate it and are translated by it."""
        number = self._source.get(word, UNKNOWN)
        if number == UNKNOWN:
            return []
        size = len(self._tables.null_forward)
        first, last = np.searchsorted(self._tables.keys, (number * size, (number + 1) * size))
        both = np.minimum(self._tables.forward[first:last], self._tables.backward[first:last])
        likely = first + np.flatnonzero(both >= _LIKELY)
        likely = likely[np.argsort(-self._tables.forward[likely], kind="stable")][:_MOST]
        return [self._forms[key % size] for key in self._tables.keys[likely].tolist() if key % size != UNKNOWN]


def alternatives(direction: Direction, phrase: AlignedPhrase, dictionary: Dictionary) -> list[str]:
    """Other translations of a word of the source, with the capital letter of the one that the reference has.

    None for more than one word, and none for names: words that have a capital letter on both sides, or where nouns
    have none.
    """
    language, code = direction.target_language, direction.target_language.code
    text, source = direction.reference[slice(*phrase.reference)], direction.source[slice(*phrase.source)]
    cut, source_cut = words(text, language), words(source, direction.source_language)
    if not phrase.content or len(cut) != 1 or len(source_cut) != 1 or not text.isalpha():
        return []
    if text[0].isupper() and (code != "de" or source[0].isupper()):
        return []
    return [
        other.capitalize() if text[0].isupper() else other
        for other in dictionary.translations(source_cut[0].form)
        if other.isalpha() and _takes_its_place(cut[0].form, other, language)
    ]


def _takes_its_place(text: str, other: str, language: Language) -> bool:
    """Whether it is another word, in the same form as far as endings tell, and says the same."""
    if not language.spaced:
        negated = {any(mark in word for mark in _NEGATIONS) for word in (text, other)}
        apart = other not in text and text not in other and text.isascii() == other.isascii()
        return apart and min(len(text), len(other)) > 1 and len(negated) == 1
    (word, *more) = words(other, language)
    if more or len(other) < _LETTERS or not is_content(word, language):
        return False
    same = same_word(text, other, language.code) or _stem(text) == _stem(other)
    return not same and ending(text, language.code) == ending(other, language.code)


def _stem(word: str) -> str:
    return word.removeprefix("ge")[:_STEM]
