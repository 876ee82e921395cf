"""Where the cells of a table in text stand: values with commas (RFC 4180, and what programs write) and their kin."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from bayling_lite.errors import InputError
from bayling_lite.translate.formats.edits import line_of

# Where two fit alike, the first: a file with semicolons has commas in its numbers more often than the other way round.
_DELIMITERS = "\t;|,"
_HEAD = 200  # rows that a delimiter is found from
_ANNOUNCED = re.compile(r"\ufeff?sep=([^\r\n])(?:\r\n|\r|\n)", re.IGNORECASE)
_UNCLOSED = re.compile(r'[ ]*"[^"]*+(?:""[^"]*+)*+\Z')
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: the characters from ``start`` to ``end``, quotes included."""

    start: int
    end: int
    quoted: bool

    def value(self, text: str) -> str:
        """What is in it."""
        if self.quoted:
            return text[self.start + 1 : self.end - 1].replace('""', '"')
        return text[self.start : self.end]


class CsvScanner:
    """Finds rows and cells. ``start`` is where the first row begins, after a mark and an announcement."""

    def __init__(self, text: str, name: str, delimiter: str | None) -> None:
        self._text = text
        self._name = name
        announced = _ANNOUNCED.match(text)
        self.start = announced.end() if announced else int(text.startswith("\ufeff"))
        self.delimiter = announced[1] if announced else delimiter or self._sniffed()

    def rows(self) -> Iterator[list[Cell]]:
        """The rows in order; an empty line is a row with one empty cell.

        Raises:
            InputError: a quote is never closed.
        """
        return self._rows(self.delimiter, strict=True)

    def _rows(self, delimiter: str, *, strict: bool) -> Iterator[list[Cell]]:
        text, at = self._text, self.start
        mark = re.escape(delimiter)
        quoted = re.compile(rf'[ ]*("[^"]*+(?:""[^"]*+)*+")[ ]*(?={mark}|[\r\n]|\Z)')
        unquoted = re.compile(rf"[^{mark}\r\n]*")
        row: list[Cell] = []
        while at < len(text) or row:
            found = quoted.match(text, at)
            if found:
                row.append(Cell(found.start(1), found.end(1), True))
            else:
                if strict and delimiter != "\t" and _UNCLOSED.match(text, at):
                    raise InputError(
                        f"{self._name}: the quote on line {line_of(text, at)} is never closed. "
                        "Close it, or take it out, and try again."
                    )
                found = unquoted.match(text, at)
                row.append(Cell(at, found.end() if found else at, False))
            at = found.end() if found else at
            if text.startswith(delimiter, at):
                at += len(delimiter)
                continue
            yield row
            row = []
            line_end = _LINE_END.match(text, at)
            at = line_end.end() if line_end else len(text)

    def _sniffed(self) -> str:
        """The delimiter that gives most rows the same number of cells, more than one."""
        best, best_share = ",", 0.0
        for delimiter in _DELIMITERS:
            counts: Counter[int] = Counter()
            for row in self._rows(delimiter, strict=False):
                if len(row) > 1 or row[0].end > row[0].start:
                    counts[len(row)] += 1
                if counts.total() >= _HEAD:
                    break
            if counts:
                width, count = counts.most_common(1)[0]
                share = count / counts.total()
                if width > 1 and share > best_share:
                    best, best_share = delimiter, share
        return best
