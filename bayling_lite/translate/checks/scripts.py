"""Scripts: which one a letter belongs to, which ones a language is written in, how much a text says."""

from __future__ import annotations

import functools
import unicodedata
from collections import Counter

from bayling_lite.languages import Language

# By the beginning of a character's Unicode name.
_NAMES = {
    "LATIN": "Latin",
    "FULLWIDTH LATIN": "Latin",
    "CJK": "Han",
    "IDEOGRAPHIC": "Han",
    "HIRAGANA": "Kana",
    "KATAKANA": "Kana",
    "HALFWIDTH KATAKANA": "Kana",
    "HANGUL": "Hangul",
    "CYRILLIC": "Cyrillic",
    "ARABIC": "Arabic",
    "THAI": "Thai",
    "HEBREW": "Hebrew",
    "DEVANAGARI": "Devanagari",
    "GREEK": "Greek",
}
_SCRIPTS = {
    "zh": {"Han"},
    "ja": {"Han", "Kana"},
    "ko": {"Hangul", "Han"},
    "ru": {"Cyrillic"},
    "uk": {"Cyrillic"},
    "ar": {"Arabic"},
    "th": {"Thai"},
}
# Characters of English that say as much as one of these, measured on translations.
_WEIGHTS = {"Han": 3.0, "Kana": 1.7, "Hangul": 2.1, "Thai": 1.1, "Arabic": 1.2}


@functools.lru_cache(maxsize=16384)
def script_of(char: str) -> str:
    """The script of a letter; empty for what is no letter, ``Other`` for a script that no language of ours has."""
    if not char.isalpha():
        return ""
    name = unicodedata.name(char, "")
    found = next((script for beginning, script in _NAMES.items() if name.startswith(beginning)), "Other")
    # Letters that are used as signs: µ, Ω and α in formulas, ª and º.
    return "" if char in "µªº" else found


def count_scripts(text: str) -> Counter[str]:
    """How many letters of each script a text has."""
    counts = Counter(map(script_of, text))
    del counts[""]
    return counts


def scripts_of(language: Language) -> set[str]:
    """What a language is written in."""
    return _SCRIPTS.get(language.code, {"Latin"})


def weight(text: str) -> float:
    """How much a text says, in characters of English."""
    return sum(_WEIGHTS.get(script_of(char), 1.0) for char in text if not char.isspace())
