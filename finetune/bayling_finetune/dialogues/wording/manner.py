"""How people type: quotation marks of many styles or none, capital letters and full stops left out, half-width commas.

Only the wording is typed in a manner; whatever fills a slot stays as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bayling_finetune.dialogues.wording.grammar import Form, Slot

Quotes = tuple[str, str]
BARE: Quotes = ("", "")


@dataclass(frozen=True, slots=True)
class Manner:
    """``lower``: no capital letters. ``open_end``: no full stop at the end. ``narrow``: half-width punctuation."""

    lower: bool = False
    open_end: bool = False
    narrow: bool = False

    def type(self, form: Form) -> Form:
        """The form as somebody of this manner types it."""
        typed: list[str | Slot] = []
        begins = True  # a sentence
        for piece in form:
            if isinstance(piece, Slot):
                typed.append(piece)
                begins = False
                continue
            text = piece.translate(_NARROW) if self.narrow else piece
            if self.lower:
                text = text.lower()
            else:
                text = _SENTENCE.sub(lambda match: match[0].upper(), text[:1].upper() + text[1:] if begins else text)
            typed.append(text)
            begins = text.endswith(_ENDS)
        if self.open_end and typed and isinstance(typed[-1], str) and not typed[-1].endswith("..."):
            typed[-1] = typed[-1].removesuffix(".").removesuffix("。")
        return tuple(typed)


_SENTENCE = re.compile(r"(?<=[.!?] )\w|(?<=\n)\w")
_ENDS = (". ", "! ", "? ", "\n")
_NARROW = str.maketrans({"，": ", ", "：": ": ", "！": "!", "？": "?"})

# By language: the ways of typing with their weights. The careful one comes first.
MANNERS: dict[str, dict[Manner, float]] = {
    "en": {
        Manner(): 0.74,
        Manner(open_end=True): 0.1,
        Manner(lower=True): 0.05,
        Manner(lower=True, open_end=True): 0.11,
    },
    "zh": {Manner(): 0.7, Manner(open_end=True): 0.22, Manner(open_end=True, narrow=True): 0.08},
    "de": {
        Manner(): 0.78,
        Manner(open_end=True): 0.1,
        Manner(lower=True): 0.03,
        Manner(lower=True, open_end=True): 0.09,
    },
    "fr": {
        Manner(): 0.78,
        Manner(open_end=True): 0.1,
        Manner(lower=True): 0.03,
        Manner(lower=True, open_end=True): 0.09,
    },
}
QUOTES: dict[str, dict[Quotes, float]] = {
    "en": {('"', '"'): 5, ("“", "”"): 3, ("'", "'"): 1, ("‘", "’"): 1, BARE: 1},
    "zh": {("“", "”"): 6, ("「", "」"): 1.5, ('"', '"'): 1.5, ("『", "』"): 0.5, ("‘", "’"): 0.5, BARE: 1},
    "de": {("„", "“"): 5, ('"', '"'): 4, ("»", "«"): 1, ("„", "”"): 0.3, ("'", "'"): 0.7, BARE: 1},
    "fr": {("« ", " »"): 4, ("«\u00a0", "\u00a0»"): 2, ('"', '"'): 4, ("“", "”"): 1, ("«", "»"): 0.5, BARE: 1},
}

_PLAIN = re.compile(r"[\w'’-]+(?: [\w'’-]+){0,2}")


def fits(quotes: Quotes, text: str) -> bool:
    """Whether a text can stand in these quotation marks and still be told from what is around it."""
    if quotes == BARE:
        return _PLAIN.fullmatch(text) is not None and len(text) <= 24
    return not any(mark.strip() in text for mark in quotes)
