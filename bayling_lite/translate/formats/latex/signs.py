"""What LaTeX's ways to write a character stand for."""

from __future__ import annotations

import unicodedata

ACCENTS = {
    "'": "\u0301", "`": "\u0300", '"': "\u0308", "^": "\u0302", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "c": "\u0327", "H": "\u030b", "k": "\u0328", "b": "\u0331", "d": "\u0323", "r": "\u030a", "u": "\u0306",
    "v": "\u030c",
}  # fmt: skip
"""What an accent is as a combining character."""
_DOTLESS = {"\\i": "i", "\\j": "j"}
SIGNS = {
    "ss": "ß", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "aa": "å", "AA": "Å",
    "i": "ı", "j": "ȷ", "dh": "ð", "DH": "Ð", "dj": "đ", "DJ": "Đ", "ng": "ŋ", "NG": "Ŋ", "th": "þ", "TH": "Þ",
    "&": "&", "%": "%", "$": "$", "#": "#", "_": "_", "{": "{", "}": "}", " ": " ", ",": "\u202f", "-": "", "/": "",
    "@": "", "ldots": "…", "dots": "…", "textellipsis": "…", "S": "§", "P": "¶", "copyright": "©", "pounds": "£",
    "euro": "€", "texteuro": "€", "EUR": "€", "textdegree": "°", "degree": "°", "textendash": "–", "textemdash": "—",
    "textbackslash": "\\", "textasciitilde": "~", "textasciicircum": "^", "textbar": "|", "textless": "<",
    "textgreater": ">", "textquotedblleft": "“", "textquotedblright": "”", "textquoteleft": "‘", "textquoteright": "’",
    "glqq": "„", "grqq": "“", "glq": "‚", "grq": "‘", "flqq": "«", "frqq": "»", "guillemotleft": "«",
    "guillemotright": "»", "quotedblbase": "„", "textregistered": "®", "texttrademark": "™", "textmu": "µ",
    "textquotesingle": "'", "textquotedbl": '"', "nobreakspace": "\u00a0", "slash": "/", "textunderscore": "_",
}  # fmt: skip
SPECIALS = {"~": "\u00a0", "``": "“", "''": "”", "--": "–", "---": "—", "!`": "¡", "?`": "¿"}
NAMES = {"LaTeX": "LaTeX", "TeX": "TeX", "LaTeXe": "LaTeX2e", "BibTeX": "BibTeX", "XeLaTeX": "XeLaTeX"}


_SHORTHANDS = {"`": "„", "'": "“", "s": "ß", "S": "ẞ", "=": "-", "~": "-", "-": "", "|": ""}


def shorthand(char: str) -> str:
    """What babel's shorthands for German stand for."""
    return _SHORTHANDS[char] if char in _SHORTHANDS else unicodedata.normalize("NFC", f"{char}\u0308")


def accented(accent: str, argument: str) -> str:
    """A letter with an accent, from the argument as it stands in the document; empty where there is no such letter."""
    base = argument.strip().removeprefix("{").removesuffix("}").strip()
    letter = unicodedata.normalize("NFC", _DOTLESS.get(base, base) + ACCENTS[accent])
    return letter if len(letter) == 1 and letter.isalpha() else ""
