"""What number a piece of text says: figures, and the small numbers in words."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bayling_lite.numerals import chinese_number

_FIGURES = re.compile(r"\d+(?:[.,:]\d+)*")
_SMALL: Mapping[str, str] = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf dix onze douze",
}
_WORDS = {code: {word: value for value, word in enumerate(line.split())} for code, line in _SMALL.items()}


def number(text: str, code: str) -> int | str | None:
    """The number that a text is, and nothing else; None where it is none.

    Whole numbers as ``int``, whatever they are written in; other figures (``3.5``, ``10:30``) as they stand.
    """
    text = text.strip().casefold()
    if _FIGURES.fullmatch(text):
        plain = text.replace(",", "") if re.fullmatch(r"\d{1,3}(?:,\d{3})+", text) else text
        return int(plain) if plain.isdecimal() and len(plain) <= 15 else plain
    if code == "zh":
        return chinese_number(text)
    return _WORDS.get(code, {}).get(text)


def in_words(value: int, code: str) -> str | None:
    """A small number as a word; None where there is none for it here."""
    if code == "zh":
        return "零一二三四五六七八九十"[value] if 0 <= value <= 10 else None
    words = _SMALL.get(code, "").split()
    return words[value] if 0 <= value < len(words) else None
