"""Lines of our own broken between words, as a person would; answers never are, for they are copied."""

from __future__ import annotations

import re
from collections.abc import Iterator

from prompt_toolkit.utils import get_cwidth

# A column begins after two spaces; what goes on in further lines begins below it, if that leaves room for words.
_COLUMN = re.compile(r" *(?:\S+ )*\S+  +(?=\S)")
_LEAST_ROOM = 24
# Chinese marks that must not begin a line (GB/T 15834, 5.1.9), and the scripts that break between any two others.
_CLOSING = "，。、；：？！）》」』】”’…"
# Those that must not end one.
_OPENING = "（《「『【“‘"
_ANYWHERE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
# A word, or a character of such a script, with the spaces before it and the marks around it.
_UNIT = re.compile(rf"\s*[{_OPENING}]*(?:[{_ANYWHERE}]|[^\s{_ANYWHERE}{_OPENING}]+)[{_CLOSING}]*|\s*[{_OPENING}]+|\s+")

# A command that is copied from two lines is two commands: from its name to the end of what belongs to it.
_WHOLE_COMMAND = r"(?:(?<=: )|(?<=, or )|(?<=：))(?:bayling|bayling-chat|hf|pip) .*?(?= \(|[.;,](?: |$)|[（。；，]|$)"
_OPTION = r"--[a-z-]+ (?:[A-Z]+\b|bayling[\w.-]*)"
_COMMAND = re.compile(rf"{_WHOLE_COMMAND}|`[^`\n]*`|{_OPTION}|(?<!\S)/[a-z]+ [a-z]+", re.MULTILINE)
_TIED = "\x00"


def wrapped(text: str, width: int) -> str:
    """The text, without control characters, in lines of at most ``width`` terminal cells, broken between words and not
    inside a command; what is longer stays whole, and breaks where the window ends, which is how it can be copied.
    """
    return "\n".join(part for line in text.split("\n") for part in _lines(line, width))


def _lines(line: str, width: int) -> Iterator[str]:
    if get_cwidth(line) <= width:
        yield line
    else:
        yield from filled(line, width, _indent(line, width))


def _units(text: str) -> list[str]:
    """What stays together: commands, words, Chinese characters; with the spaces before and the marks around each."""
    commands = iter(_COMMAND.findall(text))
    return [re.sub(_TIED, lambda _found: next(commands), unit) for unit in _UNIT.findall(_COMMAND.sub(_TIED, text))]


def filled(line: str, width: int, indent: int = 0) -> Iterator[str]:
    """A line in lines of at most ``width`` terminal cells; all but the first are indented by ``indent`` cells."""
    current, cells = "", 0
    for unit in _units(line):
        taken = get_cwidth(unit)
        if cells + taken > width and current.strip():
            yield current
            unit = unit.lstrip()
            current, cells = " " * indent, indent
            taken = get_cwidth(unit)
        current += unit
        cells += taken
    yield current


def _indent(line: str, width: int) -> int:
    """Where the further lines begin: below the second column, or below the first."""
    column = _COLUMN.match(line)
    if column is not None and (cells := get_cwidth(column[0])) <= width - _LEAST_ROOM:
        return cells
    return min(len(line) - len(line.lstrip(" ")), max(width - _LEAST_ROOM, 0))
