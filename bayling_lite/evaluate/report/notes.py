"""The notes below a table: marks at its numbers, each explained once."""

from __future__ import annotations

from collections.abc import Iterable

from bayling_lite.evaluate.report.values import Note, Row

SIGNIFICANT = "†"
_PROBLEMS = "*"


class Notes:
    """Gives out marks: the same text has the same mark."""

    def __init__(self) -> None:
        self._marks: dict[str, str] = {}
        self._problems = False

    def mark(self, text: str) -> str:
        """The mark of a note: a, b, …, z, aa, ab, …"""
        return self._marks.setdefault(text, _letters(len(self._marks)))

    def problems(self) -> str:
        """The mark of outputs that have problems."""
        self._problems = True
        return _PROBLEMS

    def told(self, rows: Iterable[Row]) -> tuple[Note, ...]:
        """What stands below the table."""
        cells = [cell for row in rows for cell in row.cells]
        told = []
        if any(cell.best for cell in cells):
            told.append(Note("", "Bold: the best of its column among those measured on the whole set."))
        if any(cell.significant for cell in cells):
            told.append(
                Note(
                    SIGNIFICANT,
                    "Better than every other system measured here on the same items: p < 0.05, and the interval of the "
                    "difference without 0 (see Significance).",
                )
            )
        if self._problems:
            told.append(Note(_PROBLEMS, "Some outputs have a problem and count as they are (see Problems)."))
        return (*told, *(Note(mark, text) for text, mark in self._marks.items()))


def _letters(number: int) -> str:
    letters = ""
    number += 1
    while number:
        number, place = divmod(number - 1, 26)
        letters = chr(ord("a") + place) + letters
    return letters
