"""Where the parts of a gettext catalogue stand: its entries, their comments and strings, by place.

The form of the file is that of the GNU gettext manual, chapter 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from bayling_lite.errors import InputError

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
_QUOTED = r'"(?P<text>[^"\\]*+(?:\\.[^"\\]*+)*+)"'
_KEYWORD = re.compile(rf"\s*(?P<keyword>msgctxt|msgid_plural|msgid|msgstr(?:\[\s*\d{{1,3}}\s*\])?)\s*{_QUOTED}\s*\Z")
_STRING = re.compile(rf"\s*{_QUOTED}\s*\Z")
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,8})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_TO_ESCAPE = {"\\": "\\\\", '"': '\\"'} | {char: f"\\{letter}" for letter, char in _ESCAPED.items()}
_MUST_BE_ESCAPED = re.compile(r'[\\"\n\t\r\x07\x08\x0c\x0b]')


@dataclass(frozen=True, slots=True)
class PoLine:
    """A line of comment: ``end`` is after its line break."""

    start: int
    end: int
    text: str


@dataclass(slots=True)
class PoString:
    """A keyword and its string, on one line or several: ``lines``. ``end`` is before the last line break."""

    start: int
    end: int
    lines: list[str]

    @property
    def value(self) -> str:
        """The whole string."""
        return "".join(self.lines)


@dataclass(slots=True)
class PoEntry:
    """An entry that is not obsolete. ``strings`` has ``msgid``, ``msgstr[0]`` and so on."""

    line: int
    comments: list[PoLine] = field(default_factory=list)
    strings: dict[str, PoString] = field(default_factory=dict)

    @property
    def msgid(self) -> str:
        """What is to be translated."""
        return self.strings["msgid"].value

    @property
    def msgid_plural(self) -> str | None:
        """The same for several, if there is one."""
        found = self.strings.get("msgid_plural")
        return found.value if found else None

    @property
    def is_header(self) -> bool:
        """Whether it is the one that describes the catalogue."""
        return not self.msgid and "msgctxt" not in self.strings

    @property
    def flags(self) -> tuple[str, ...]:
        """``fuzzy``, ``c-format`` and the like."""
        return tuple(
            flag.strip()
            for comment in self.comments
            if comment.text.startswith("#,")
            for flag in comment.text[2:].split(",")
        )

    @property
    def translations(self) -> list[tuple[str, PoString]]:
        """Its ``msgstr``, in the order of the file."""
        return [(keyword, string) for keyword, string in self.strings.items() if keyword.startswith("msgstr")]


def entries(text: str, name: str) -> Iterator[PoEntry]:
    """The entries of a catalogue in order, without obsolete ones.

    Raises:
        InputError: a line cannot be read, or an entry is not whole; with the line.
    """
    scanner = _Scanner(name)
    at = int(text.startswith("\ufeff"))
    number = 0
    while at < len(text):
        found = _LINE.match(text, at)
        if not found:
            break
        number += 1
        if found[1].strip():
            done = scanner.line(found[1], number, at, found.end())
            if done is not None:
                yield done
        at = found.end()
    if scanner.entry.strings:
        yield _whole(scanner.entry, name)


class _Scanner:
    """Puts entries together, line by line."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.entry = PoEntry(1)
        self._current: PoString | None = None

    def line(self, line: str, number: int, start: int, end: int) -> PoEntry | None:
        """The next line that is not empty; gives the entry that it ends."""
        bare = line.strip()
        if bare.startswith("#"):
            return self._comment(bare, number, start + line.index("#"), end)
        string = _STRING.match(line)
        if string and self._current is not None:
            self._current.lines.append(_unescaped(string["text"]))
            self._current.end = start + len(line.rstrip())
            return None
        keyword = _KEYWORD.match(line)
        if keyword:
            return self._keyword(keyword, number, start, start + len(line.rstrip()))
        if bare.startswith("domain"):
            return None
        raise InputError(
            f"{self._name} is no gettext catalogue: line {number} cannot be read. Repair it and try again."
        )

    def _comment(self, bare: str, number: int, start: int, end: int) -> PoEntry | None:
        done = self._ended(number) if self.entry.strings else None
        self._current = None
        if bare.startswith("#~"):
            self.entry = PoEntry(number)  # the comments before it are those of an obsolete entry
        else:
            self.entry.comments.append(PoLine(start, end, bare))
        return done

    def _keyword(self, found: re.Match[str], number: int, start: int, end: int) -> PoEntry | None:
        key = re.sub(r"\s", "", found["keyword"])
        done = self._ended(number) if self.entry.translations and not key.startswith("msgstr") else None
        if key in self.entry.strings:
            raise InputError(
                f"{self._name}: line {number} has a second {key} for the same entry. Take one out and try again."
            )
        if not self.entry.strings:
            self.entry.line = number
        self._current = PoString(start, end, [_unescaped(found["text"])])
        self.entry.strings[key] = self._current
        return done

    def _ended(self, number: int) -> PoEntry:
        done, self.entry = _whole(self.entry, self._name), PoEntry(number)
        return done


def _whole(entry: PoEntry, name: str) -> PoEntry:
    if "msgid" not in entry.strings or not entry.translations:
        missing = "msgstr" if "msgid" in entry.strings else "msgid"
        raise InputError(f"{name}: the entry on line {entry.line} has no {missing}. Complete it and try again.")
    return entry


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(found: re.Match[str]) -> str:
    if found[1] or found[2]:
        return chr(min(int(found[1], 8) if found[1] else int(found[2], 16), 0x10FFFF))
    return _ESCAPED.get(found[3], found[3])


def escaped(text: str) -> str:
    """A text as it stands between quotes in a catalogue."""
    return _MUST_BE_ESCAPED.sub(lambda found: _TO_ESCAPE[found[0]], text)
