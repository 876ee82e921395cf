"""Filters of parallel text: each says why a pair goes.

They look at one pair alone, so their verdict depends neither on the order of the pairs nor on how many processes work.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bayling_finetune.dialogues.identification import in_language
from bayling_finetune.dialogues.sources.cleaning import count_words
from bayling_finetune.dialogues.sources.values import Reason
from bayling_finetune.dialogues.values import Direction, fingerprint
from bayling_lite.errors import UsageError
from bayling_lite.languages import Language

# How many characters of English say what one character of a language says: for languages without spaces, of their own
# characters alone. Medians over parallel text, rounded.
_ENGLISH_CHARACTERS = {"zh": 3.4, "ja": 2.4, "ko": 2.0, "th": 1.1, "en": 1.0, "de": 0.87, "fr": 0.85}
_OTHERS = 0.95
_WIDE = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f]")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a pair must be like; 0 or False switches a filter off.

    ``max_words`` and ``max_characters`` hold for each side (of languages without spaces, two characters are a word).
    ``max_ratio``: how many times as long one side may be as the other, after the languages' usual proportion; short
    ones may differ by ``slack`` characters more. ``min_letters``: the least share of letters among all characters but
    spaces, on either side. ``copies``: pairs whose sides are the same but for case, spaces and punctuation go.
    ``duplicates``: of equal pairs the first alone stays; who sees all pairs looks for them.

    Raises:
        UsageError: a value makes no sense.
    """

    max_words: int = 150
    max_characters: int = 1000
    max_ratio: float = 3.0
    slack: float = 15.0
    min_letters: float = 0.3
    languages: bool = True
    copies: bool = True
    duplicates: bool = True

    def __post_init__(self) -> None:
        if self.max_words < 0 or self.max_characters < 0 or self.slack < 0:
            raise UsageError("The limits of a filter must be 0 (none) or more.")
        if self.max_ratio and not self.max_ratio > 1:
            raise UsageError("The length ratio must be above 1, or 0 for any.")
        if not 0 <= self.min_letters < 1:
            raise UsageError("The share of letters must be from 0 to below 1.")

    def reason(self, direction: Direction) -> Reason | None:
        """Why this pair goes, None where it stays; duplicates are not looked for."""
        source, reference = direction.source, direction.reference
        if not source.strip() or not reference.strip():
            return Reason.EMPTY
        if "\ufffd" in source or "\ufffd" in reference:
            return Reason.DAMAGED
        if self._too_long(source, direction.source_language) or self._too_long(reference, direction.target_language):
            return Reason.TOO_LONG
        if self.min_letters and min(share_of_letters(source), share_of_letters(reference)) < self.min_letters:
            return Reason.NO_TEXT
        if self.copies and fingerprint(source) == fingerprint(reference):
            return Reason.COPY
        if self.languages and not (
            in_language(source, direction.source_language) and in_language(reference, direction.target_language)
        ):
            return Reason.WRONG_LANGUAGE
        if self.max_ratio:
            short, long = sorted(
                (width(source, direction.source_language), width(reference, direction.target_language))
            )
            if long > self.max_ratio * short + self.slack:
                return Reason.LENGTH_RATIO
        return None

    def _too_long(self, text: str, language: Language) -> bool:
        if self.max_characters and len(text) > self.max_characters:
            return True
        # A word is a character and a space at the least: most texts need not be counted.
        possible = (len(text) + 1) // 2 if language.spaced else len(text)
        return 0 < self.max_words < possible and count_words(text, language) > self.max_words


def share_of_letters(text: str) -> float:
    """Letters of any script among the characters that are no spaces, from 0 to 1; 0 of nothing.

    A character of a script without spaces counts twice: it says what several Latin letters do. Vowel signs of Thai and
    Arabic are no letters to Unicode, but nobody writes these languages without letters.
    """
    visible = "".join(text.split())
    wide = 0 if visible.isascii() else len(_WIDE.findall(visible))
    return (sum(map(str.isalpha, visible)) + wide) / (len(visible) + wide) if visible else 0.0


def width(text: str, language: Language) -> float:
    """About how many characters an English translation has."""
    factor = _ENGLISH_CHARACTERS.get(language.code, _OTHERS)
    if factor <= 1.0:
        return factor * len(text)
    own = 0 if text.isascii() else len(_WIDE.findall(text))
    return len(text) + (factor - 1) * own
