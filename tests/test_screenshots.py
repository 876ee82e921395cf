"""What the pictures of the documentation are drawn from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from tools.cells import Cell, Style, read_cells
from tools.drawing import DARK, LIGHT, NoFont, draw, save

needs_fonts = pytest.mark.skipif(shutil.which("fc-match") is None, reason="fontconfig, which finds fonts, is not here")


def test_characters_have_their_columns_widths_and_marks() -> None:
    assert read_cells("a中e\u0301b") == [
        [
            Cell(0, "a", 1, Style()),
            Cell(1, "中", 2, Style()),
            Cell(3, "e\u0301", 1, Style()),
            Cell(4, "b", 1, Style()),
        ]
    ]


@pytest.mark.parametrize(
    ("sequence", "style"),
    [
        ("\x1b[1;31m", Style(colour=1, bold=True)),
        ("\x1b[1m\x1b[0m", Style()),
        ("\x1b[1;2;3;4;7;9m\x1b[22;23m", Style(underline=True, reverse=True, strike=True)),
        ("\x1b[90;107m", Style(colour=8, background=15)),
        ("\x1b[38;5;200;48;2;1;2;3m", Style(colour=200, background=(1, 2, 3))),
        ("\x1b[32m\x1b[39;49m", Style()),
        ("\x1b]8;;https://example.org\x1b\\\x0f", Style()),
    ],
)
def test_styles_are_read(sequence: str, style: Style) -> None:
    assert read_cells(f"{sequence}x") == [[Cell(0, "x", 1, style)]]
    assert read_cells(f"{sequence}\nx")[1] == [Cell(0, "x", 1, style)], "a style lasts beyond the line's end"


@needs_fonts
def test_a_window_is_drawn_in_the_colours_of_its_cells(tmp_path: Path) -> None:
    lines = read_cells("\x1b[41m    \x1b[0m\n\x1b[7m  ")
    for theme in (LIGHT, DARK):
        path = tmp_path / "folder" / f"{theme.name}.png"
        save(draw(lines, 10, theme, "title"), path)
        with Image.open(path) as picture:
            pixels = picture.convert("RGBA").tobytes()
        assert pixels[3] < 128, "outside of the round corner"
        shown = {tuple(pixels[i : i + 3]) for i in range(0, len(pixels), 4)}
        for wanted in (theme.background, theme.sixteen[1], theme.text):
            rgb = bytes.fromhex(wanted[1:])
            assert min(sum(abs(one - other) for one, other in zip(rgb, near, strict=True)) for near in shown) < 12


@needs_fonts
def test_a_character_that_no_font_has_is_named() -> None:
    with pytest.raises(NoFont, match="U\\+10FFFD"):
        draw(read_cells("\U0010fffd"), 10, LIGHT, "title")
