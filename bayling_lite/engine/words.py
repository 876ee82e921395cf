"""Where words end: what makes a phrase in a text a word of its own."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

# Scripts that separate no words, by the beginning of their characters' Unicode names (Han and kana go by their width).
_UNSPACED = ("THAI ", "LAO ", "KHMER ", "MYANMAR ", "TIBETAN ")


def joins(char: str) -> bool:
    """Whether a character makes one word with a letter beside it: letters, digits, ``_``, marks; no Chinese or Thai."""
    if not (char.isalnum() or char == "_" or unicodedata.category(char)[0] == "M"):
        return False
    return unicodedata.east_asian_width(char) not in "WF" and not unicodedata.name(char, "").startswith(_UNSPACED)


def occurs(phrase: str, text: str) -> bool:
    """Whether a text has the phrase exactly, as words of their own: what a search guarantees."""
    return next(occurrences(phrase, text), None) is not None


def occurrences(phrase: str, text: str) -> Iterator[tuple[int, int]]:
    """Where a text has the phrase exactly, as words of their own, from left to right: (start, stop) in characters."""
    at = text.find(phrase)
    while at >= 0:
        end = at + len(phrase)
        before, after = text[at - 1 : at] if at else "", text[end : end + 1]
        runs_on_before = needs_border(phrase[0]) and before and joins(before)
        runs_on_after = needs_border(phrase[-1]) and after and joins(after)
        if runs_on_before or runs_on_after:
            at = text.find(phrase, at + 1)
        else:
            yield at, end
            at = text.find(phrase, end)


def needs_border(char: str) -> bool:
    """Whether a phrase with this character at its edge needs a word border there."""
    return char.isalnum() and joins(char)
