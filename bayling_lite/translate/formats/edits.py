"""Texts written anew with some places changed, and everything between them as it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """Other text for the characters from ``start`` to ``end``."""

    start: int
    end: int
    text: str


def patched(text: str, edits: Iterable[Edit]) -> Iterator[str]:
    """The text with the edits made, piece by piece, as they come; they come in order and do not overlap."""
    done = 0
    for edit in edits:
        if edit.start < done:
            raise ValueError("edits overlap, or are out of order")
        yield text[done : edit.start] + edit.text
        done = edit.end
    yield text[done:]


class LineCounter:
    """Numbers of lines for places that come in order, in time linear in the text, whatever its lines end with."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at, self._line = 0, 1

    def line(self, at: int) -> int:
        """The number of the line, from 1, of a place not before the last one asked for."""
        text, start = self._text, self._at
        self._line += text.count("\n", start, at) + text.count("\r", start, at) - text.count("\r\n", start, at)
        if start and at > start and text[start - 1 : start + 1] == "\r\n":
            self._line -= 1
        self._at = at
        return self._line


def line_of(text: str, at: int) -> int:
    """The number of the line, from 1, of a place in a text."""
    return LineCounter(text).line(at)
