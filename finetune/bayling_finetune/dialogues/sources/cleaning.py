"""What every reader's text goes through before it is a sentence."""

from __future__ import annotations

import re
import unicodedata

from bayling_lite.languages import Language

# What moves a cursor or colours a terminal is no text either; without its first character it would look like some.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,500}(?:\x07|\x1b\\))")
# Control characters but those that separate, halves of surrogate pairs, the byte order mark and non-characters.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]")
_BREAKS = re.compile(r" *[\t-\r\x1c-\x1f\x85\u2028\u2029][\t-\r\x1c-\x1f\x85\u2028\u2029 ]*")
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")


def clean(text: str) -> str:
    """A side of a pair as a sentence: one line in Unicode's composed form (NFC), stripped of space at its ends.

    Line breaks and tabs become a space. Escape sequences of terminals, control characters (NUL among them), byte order
    marks and lone surrogates are taken out and the pair is kept: what is around them is as good as before.
    """
    if not text.isprintable():  # quick, and true of most
        text = _CONTROL.sub("", _ESCAPES.sub("", _BREAKS.sub(" ", text)))
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return text.strip()


def count_words(text: str, language: Language) -> int:
    """Words; of a language without spaces about as many as a word list would find, at two characters each."""
    if language.spaced:
        return len(text.split())
    characters = len(_UNSPACED.findall(text))
    return len(_UNSPACED.sub(" ", text).split()) + (characters + 1) // 2
