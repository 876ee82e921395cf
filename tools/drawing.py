"""A terminal's window as a picture, drawn from its cells."""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tools.cells import Cell, Colour, Style

# Sizes in pixels of a picture that is shown at half its size, so that it is crisp on any screen.
_FONT_SIZE = 30
# Of characters that take two cells, which would stand far apart in the size of the others.
_WIDE_FONT_SIZE = 33
_LINE_HEIGHT = 40
_MARGIN = 32
_BAR = 64
_CORNER = 20
_COLOURS = 40

# Families in order; a character is drawn in the first that has it.
_FAMILIES = ("DejaVu Sans Mono", "monospace:lang=zh-cn", "monospace:lang=ja", "sans:lang=th", "sans")


class NoFont(Exception):
    """A font that the pictures need is not there."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours as ``#rrggbb``: of the window, of its title, and the sixteen of a terminal."""

    name: str
    background: str
    text: str
    bar: str
    title: str
    sixteen: tuple[str, ...]


LIGHT = Theme(
    "light",
    background="#ffffff",
    text="#24292f",
    bar="#eaeef2",
    title="#57606a",
    sixteen=(
        *("#24292f", "#cf222e", "#116329", "#9a6700", "#0550ae", "#8250df", "#1b7c83", "#6e7781"),
        *("#57606a", "#a40e26", "#1a7f37", "#7d4e00", "#0969da", "#6639ba", "#3192aa", "#8c959f"),
    ),
)
DARK = Theme(
    "dark",
    background="#0d1117",
    text="#e6edf3",
    bar="#21262d",
    title="#8b949e",
    sixteen=(
        *("#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4"),
        *("#8b949e", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#ffffff"),
    ),
)


def draw(lines: Sequence[Sequence[Cell]], columns: int, theme: Theme, title: str) -> Image.Image:
    """A window that shows these lines, with round corners on a transparent ground.

    Raises:
        NoFont: no font is there for one of the characters.
    """
    cell = _cell_width()
    width, height = columns * cell + 2 * _MARGIN, len(lines) * _LINE_HEIGHT + _BAR + 2 * _MARGIN
    picture = Image.new("RGB", (width, height), theme.background)
    pen = ImageDraw.Draw(picture)
    _draw_bar(pen, width, theme, title)
    for row, line in enumerate(lines):
        for shown in line:
            _draw_cell(pen, shown, _MARGIN + shown.column * cell, _BAR + _MARGIN + row * _LINE_HEIGHT, theme)
    # Seen where the page has the colour of the window.
    pen.rounded_rectangle((0, 0, width - 1, height - 1), _CORNER, outline=theme.bar, width=2)
    return _rounded(picture)


def save(picture: Image.Image, path: Path) -> None:
    """Write a PNG, small: a terminal has few colours, and shades of them where letters end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE).save(path, optimize=True)


def _draw_bar(pen: ImageDraw.ImageDraw, width: int, theme: Theme, title: str) -> None:
    pen.rectangle((0, 0, width, _BAR), theme.bar)
    for number, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        middle = _MARGIN + 12 + number * 40
        pen.ellipse((middle - 12, _BAR // 2 - 12, middle + 12, _BAR // 2 + 12), colour)
    font = _font(_FAMILIES[0])
    pen.text((width / 2, _BAR / 2), title, theme.title, font, anchor="mm")


def _draw_cell(pen: ImageDraw.ImageDraw, cell: Cell, x: int, y: int, theme: Theme) -> None:
    style, width = cell.style, cell.width * _cell_width()
    colour, ground = _colours(style, theme)
    if ground != theme.background:
        pen.rectangle((x, y, x + width - 1, y + _LINE_HEIGHT - 1), ground)
    if cell.text.strip():
        family = _family_for(cell.text[0])
        size = _WIDE_FONT_SIZE if cell.width > 1 else _FONT_SIZE
        font = _font(family, size, bold=style.bold, italic=style.italic)
        # Where there is no bold face, as of most Chinese fonts, the strokes are made thicker.
        stroke = 0.5 if style.bold and not _has_face(family, "bold") else 0
        # In the middle: a Chinese character is a little narrower than two cells.
        place = (x + width / 2, y + _baseline())
        pen.text(place, cell.text, colour, font, anchor="ms", stroke_width=stroke, stroke_fill=colour)
    if style.underline:
        pen.rectangle((x, y + _baseline() + 4, x + width - 1, y + _baseline() + 5), colour)
    if style.strike:
        pen.rectangle((x, y + _LINE_HEIGHT // 2 + 1, x + width - 1, y + _LINE_HEIGHT // 2 + 2), colour)


def _rounded(picture: Image.Image) -> Image.Image:
    # Drawn four times as large and made smaller, so that the corners are smooth.
    large = Image.new("L", (picture.width * 2, picture.height * 2), 0)
    ImageDraw.Draw(large).rounded_rectangle((0, 0, large.width - 1, large.height - 1), _CORNER * 2, 255)
    result = picture.convert("RGBA")
    result.putalpha(large.resize(picture.size, Image.Resampling.LANCZOS))
    return result


# Colours.


def _colours(style: Style, theme: Theme) -> tuple[str, str]:
    """Of the letters and of the ground."""
    colour, ground = _rgb(style.colour, theme, theme.text), _rgb(style.background, theme, theme.background)
    if style.reverse:
        colour, ground = ground, colour
    return (_between(colour, ground) if style.dim else colour), ground


def _rgb(colour: Colour, theme: Theme, own: str) -> str:
    if colour is None:
        return own
    if isinstance(colour, tuple):
        return "#{:02x}{:02x}{:02x}".format(*colour)
    if colour < 16:
        return theme.sixteen[colour]
    if colour >= 232:
        return "#{0:02x}{0:02x}{0:02x}".format(8 + (colour - 232) * 10)
    steps = (0, 95, 135, 175, 215, 255)
    cube = colour - 16
    return f"#{steps[cube // 36]:02x}{steps[cube // 6 % 6]:02x}{steps[cube % 6]:02x}"


def _between(colour: str, ground: str) -> str:
    parts = [(2 * int(colour[i : i + 2], 16) + int(ground[i : i + 2], 16)) // 3 for i in (1, 3, 5)]
    return "#{:02x}{:02x}{:02x}".format(*parts)


# Fonts, found by their names through fontconfig.


@functools.cache
def _fontconfig(pattern: str) -> Mapping[str, str]:
    """What fontconfig finds for a pattern: file, index, family, style, charset."""
    names = ("file", "index", "family", "style", "charset")
    if shutil.which("fc-match") is None:
        raise NoFont("There is no fc-match to find fonts with: install fontconfig.")
    form = "\n".join(f"%{{{name}}}" for name in names)
    command = ["fc-match", "-f", form, pattern]
    found = subprocess.run(command, capture_output=True, check=True, encoding="utf-8").stdout
    return dict(zip(names, found.split("\n"), strict=True))


@functools.cache
def _characters(family: str) -> tuple[tuple[int, int], ...]:
    """What a family has, as (first, last), from fontconfig's ``20-7e a0-17f``."""
    ranges = (part.split("-") for part in _fontconfig(family)["charset"].split())
    return tuple((int(part[0], 16), int(part[-1], 16)) for part in ranges)


@functools.cache
def _family_for(character: str) -> str:
    for family in _FAMILIES:
        if any(first <= ord(character) <= last for first, last in _characters(family)):
            return family
    raise NoFont(
        f"No font here has {character!r} (U+{ord(character):04X}). For Chinese install one, for example the packages "
        "fonts-wqy-microhei or fonts-noto-cjk."
    )


@functools.cache
def _has_face(family: str, face: str) -> bool:
    found = _fontconfig(f"{family}:{face}")
    return face in found["style"].casefold() and found["family"] == _fontconfig(family)["family"]


@functools.cache
def _font(family: str, size: int = _FONT_SIZE, *, bold: bool = False, italic: bool = False) -> ImageFont.FreeTypeFont:
    faces = [face for face, wanted in (("bold", bold), ("oblique", italic)) if wanted and _has_face(family, face)]
    found = _fontconfig(":".join((family, *faces)))
    return ImageFont.truetype(found["file"], size, index=int(found["index"]))


@functools.cache
def _cell_width() -> int:
    return round(_font(_FAMILIES[0]).getlength("M"))


@functools.cache
def _baseline() -> int:
    ascent, descent = _font(_FAMILIES[0]).getmetrics()
    return (_LINE_HEIGHT - ascent - descent) // 2 + ascent
