"""What a terminal shows, as cells: the output of ``tmux capture-pane -e`` as characters with their styles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from prompt_toolkit.utils import get_cwidth

# Select Graphic Rendition (ECMA-48, 8.3.117); other sequences that tmux writes (links) are not for the eye.
_SEQUENCE = re.compile(r"\x1b\[([0-9;:]*)m|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b.|[\x0e\x0f]")

# The switches of Style, by the code that turns each on; the codes that turn it off are 20 more (22 for bold and dim).
_ON = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse", 9: "strike"}
_OFF = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("reverse",), 29: ("strike",)}

Colour = int | tuple[int, int, int] | None
"""One of the terminal's 256, red, green and blue, or None for the terminal's own."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a cell looks."""

    colour: Colour = None
    background: Colour = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False
    strike: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A character with the marks that combine with it, at a column, in one cell or two."""

    column: int
    text: str
    width: int
    style: Style


def read_cells(screen: str) -> list[list[Cell]]:
    """The cells of each line. A style lasts until it is changed, beyond the end of a line as well."""
    style = Style()
    lines = []
    for line in screen.split("\n"):
        cells: list[Cell] = []
        column = 0
        for part in _parts(line):
            if isinstance(part, list):
                style = _styled(style, part)
                continue
            for character in part:
                width = get_cwidth(character)
                if not width and cells:
                    cells[-1] = replace(cells[-1], text=cells[-1].text + character)
                    continue
                cells.append(Cell(column, character, width, style))
                column += width
        lines.append(cells)
    return lines


def _parts(line: str) -> Iterator[str | list[int]]:
    """Text, and the numbers of the sequences between."""
    position = 0
    for found in _SEQUENCE.finditer(line):
        if found.start() > position:
            yield line[position : found.start()]
        position = found.end()
        if found[1] is not None:
            yield [int(number or 0) for number in re.split("[;:]", found[1])]
    if position < len(line):
        yield line[position:]


def _styled(style: Style, codes: list[int]) -> Style:
    waiting = list(codes)
    while waiting:
        code = waiting.pop(0)
        if code == 0:
            style = Style()
        elif code in _ON:
            style = replace(style, **{_ON[code]: True})
        elif code in _OFF:
            style = replace(style, **dict.fromkeys(_OFF[code], False))
        elif code // 10 in (3, 9):
            style = replace(style, colour=_colour(code, waiting))
        elif code // 10 in (4, 10):
            style = replace(style, background=_colour(code - 10, waiting))
    return style


def _colour(code: int, waiting: list[int]) -> Colour:
    """The colour of ``30`` to ``37`` and ``90`` to ``97``, or of ``38;5;N`` and ``38;2;R;G;B``, whose end it takes."""
    if code != 38:
        return None if code == 39 else code - (82 if code >= 90 else 30)
    if waiting.pop(0) == 5:
        return waiting.pop(0)
    red, green, blue, *waiting[:] = waiting
    return red, green, blue
