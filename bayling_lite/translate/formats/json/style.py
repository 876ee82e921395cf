"""How a JSON text writes its strings: what it escapes, so that new strings look like those there are."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_NOT_ASCII_ESCAPED = re.compile(r"(?<!\\)(?:\\\\)*\\u(?!00[0-7])")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class JsonStyle:
    """How strings are written.

    ``ascii``: everything outside of ASCII is escaped; ``also``: characters of ASCII that are; ``slash``: slashes are;
    ``upper``: escapes have capital letters. What ``encoding`` has not is always escaped.
    """

    ascii: bool = False
    also: frozenset[str] = frozenset()
    slash: bool = False
    upper: bool = False
    encoding: str = "utf-8"

    @classmethod
    def of(cls, text: str, encoding: str) -> JsonStyle:
        """The style of a text."""
        codes = [found[1] for found in _ESCAPE.finditer(text) if found[1]] if "\\u" in text else []
        also = {chr(int(code, 16)) for code in codes}
        return cls(
            ascii=any(char > "\x7f" for char in also) and not _NOT_ASCII.search(text.lstrip("\ufeff")),
            also=frozenset(char for char in also if "\x20" <= char <= "\x7f" and char not in '"\\'),
            slash="\\/" in text and any(found[2] == "/" for found in _ESCAPE.finditer(text)),
            upper=any(code != code.lower() for code in codes),
            encoding=encoding,
        )

    def written(self, value: str, old: str = "") -> str:
        """A string with its quotes; ``old`` is how the one in whose place it comes is written."""
        escapes = old.isascii() and bool(_NOT_ASCII_ESCAPED.search(old))
        quoted = json.dumps(value, ensure_ascii=self.ascii or escapes)
        if self.upper:
            quoted = _ESCAPE.sub(lambda found: f"\\u{found[1].upper()}" if found[1] else found[0], quoted)
        if self.slash and ("/" not in old or "\\/" in old):
            quoted = quoted.replace("/", "\\/")
        if not quoted.isascii():
            quoted = _NOT_ASCII.sub(self._encodable, quoted)
        if self.also:
            quoted = quoted[0] + "".join(self._escaped(char) for char in quoted[1:-1]) + quoted[-1]
        return quoted

    def _escaped(self, char: str) -> str:
        return self._unicode(char) if char in self.also else char

    def _encodable(self, found: re.Match[str]) -> str:
        """The character, or its escape where the encoding has it not: half of a pair of surrogates, or all of it."""
        char = found[0]
        try:
            char.encode(self.encoding)
        except UnicodeEncodeError:
            return json.dumps(char)[1:-1] if not self.upper else "".join(map(self._unicode, _units(char)))
        return char

    def _unicode(self, char: str) -> str:
        return f"\\u{ord(char):04X}" if self.upper else f"\\u{ord(char):04x}"


def _units(char: str) -> list[str]:
    data = char.encode("utf-16-be", "surrogatepass")
    return [chr(int.from_bytes(data[at : at + 2], "big")) for at in range(0, len(data), 2)]
