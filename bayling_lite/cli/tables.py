"""Tables that stay right in narrow terminals and with wide characters. No cell is cut: names are there to be copied."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

from prompt_toolkit.utils import get_cwidth

from bayling_lite.terminal import printable

_GAP = 2


def table(header: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """The lines of a table, the header first; None is any width.

    Where the columns do not fit side by side, each row becomes a paragraph that begins with its first cell, in which
    every other cell has the name of its column before it.
    """
    cells = [[printable(cell, keep="") for cell in row] for row in (header, *rows)]
    widths = [max(map(get_cwidth, column)) for column in zip(*cells, strict=True)]
    if width is None or sum(widths) + _GAP * (len(widths) - 1) <= width:
        return [_line(row, widths) for row in cells]
    return [line for row in cells[1:] for line in _paragraph(cells[0], row, width)]


def output_width() -> int | None:
    """The columns of the terminal that standard output is; None where it is none, and COLUMNS says nothing."""
    if not sys.stdout.isatty() and not os.environ.get("COLUMNS"):
        return None
    return shutil.get_terminal_size().columns


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (width - get_cwidth(cell) + _GAP) for cell, width in zip(row, widths, strict=True))
    return "".join(padded).rstrip()


def _paragraph(header: Sequence[str], row: Sequence[str], width: int) -> list[str]:
    """The first cell on a line of its own, the others below it, as many on a line as fit."""
    lines, line = [row[0]], ""
    for cell in (f"{_label(name)} {cell}".lstrip() for name, cell in zip(header[1:], row[1:], strict=True) if cell):
        if line and get_cwidth(line) + _GAP + get_cwidth(cell) > width:
            lines.append(line)
            line = ""
        line += " " * _GAP + cell
    return [*lines, line] if line else lines


def _label(name: str) -> str:
    """A column's name inside a line; what stands under FROM says itself what it is."""
    return " ".join(word if "_" in word else word.lower() for word in name.split() if word != "FROM")
