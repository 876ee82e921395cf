"""Figures as SVG: text is text, and colours are classes that the page gives light or dark values.

Classes: ``m0`` … ``m7`` the measured systems, ``p`` published ones, ``axis``, ``grid``, ``leader`` and ``label``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bayling_lite.evaluate.report.markup import cells, html, shortened
from bayling_lite.evaluate.report.values import Figure, Kind, Origin, Series

N_COLOURS = 8
_LONGEST_NAME = 26
_LONGEST_UPRIGHT = 7
_LINE = 15  # between the baselines of labels
_NAMES = 210.0  # room for names beside a plot

Point = tuple[float, float]


def draw(figure: Figure) -> str:
    """A figure as an ``<svg>`` element."""
    return {Kind.LINES: _lines, Kind.BARS: _bars, Kind.RADAR: _radar}[figure.kind](figure)


def _svg(figure: Figure, width: float, height: float, parts: Iterable[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{figure.kind}" role="img" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" aria-label="{html(figure.caption)}">{"".join(parts)}</svg>'
    )


def _classes(series: Sequence[Series]) -> list[str]:
    """A colour for each measured system, grey for all published ones."""
    numbers = iter(range(len(series)))
    return ["p" if one.origin is Origin.PUBLISHED else _class(next(numbers)) for one in series]


def _class(number: int) -> str:
    """Colours that come again have dashed lines, and other signs."""
    return f"m{number % N_COLOURS}{' again' if number // N_COLOURS % 2 else ''}"


def _text(x: float, y: float, text: str, kind: str = "label", anchor: str = "start", extra: str = "") -> str:
    shown = shortened(text, _LONGEST_NAME)
    full = f"<title>{html(text)}</title>" if shown != text else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}"{extra}>{full}{html(shown)}</text>'


def _line(a: Point, b: Point, kind: str) -> str:
    return f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}" class="{kind}"/>'


def _marker(point: Point, kind: str, number: int, told: str) -> str:
    """A sign that differs by form as well as by colour, for those who cannot tell the colours apart, and in print."""
    x, y = point
    if kind == "p":
        form = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="mark p"/>'
    else:
        corners = (0, 4, 3, 6)[(number + number // N_COLOURS) % 4]
        if not corners:
            form = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" class="mark {kind}"/>'
        else:
            angles = (math.tau * (step / corners - 0.25) for step in range(corners))
            at = " ".join(f"{x + 5.5 * math.cos(angle):.1f},{y + 5.5 * math.sin(angle):.1f}" for angle in angles)
            form = f'<polygon points="{at}" class="mark {kind}"/>'
    return f"<g><title>{html(told)}</title>{form}</g>"


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where the values of a plot of lines stand: ``left`` and ``right`` are the ends of its axis."""

    left: float
    right: float
    top: float
    bottom: float
    step: float
    highest: float
    names_left: bool

    def at(self, place: int, value: float) -> Point:
        x = self.left + self.step * (place + 0.5)
        return x, self.bottom - (self.bottom - self.top) * value / self.highest


def _lines(figure: Figure) -> str:
    """A point for each value, joined by lines; each system's name beside its first or last point."""
    named = [one for one in figure.series if any(value is not None for value in one.values)]
    longest = max((cells(shortened(name, _LONGEST_NAME)) for name in figure.categories), default=0)
    turned = longest > _LONGEST_UPRIGHT
    ticks = _ticks(max((value for one in named for value in one.values if value is not None), default=1.0))
    # Names stand where the systems are farther apart.
    names_left = _spread(named, 0) > _spread(named, -1)
    left, step, top = (_NAMES if names_left else 46.0), 48.0, 24.0
    plot = _Plot(
        left=left,
        right=left + step * len(figure.categories),
        top=top,
        bottom=top + max(300.0, _LINE * len(named) + 10),
        step=step,
        highest=ticks[-1],
        names_left=names_left,
    )
    parts = _axes(figure, plot, ticks, turned=turned)
    kinds = _classes(named)
    ends = []
    for number, (one, kind) in enumerate(zip(named, kinds, strict=True), -kinds.count("p")):
        points = [
            (plot.at(place, value), value, name)
            for place, (value, name) in enumerate(zip(one.values, figure.categories, strict=True))
            if value is not None
        ]
        parts += [_line(a[0], b[0], f"line {kind}") for a, b in pairwise(points)]
        parts += [_marker(point, kind, number, f"{one.system}, {name}: {value:g}") for point, value, name in points]
        ends.append((points[0 if names_left else -1][0], one.system, kind))
    parts += _names(ends, plot)
    width = plot.right + (46 if names_left else _NAMES)
    return _svg(figure, width, plot.bottom + (30 + 4.4 * longest if turned else 34), parts)


def _spread(series: Sequence[Series], place: int) -> float:
    values = [one.values[place] or 0.0 for one in series]
    return max(values, default=0.0) - min(values, default=0.0)


def _axes(figure: Figure, plot: _Plot, ticks: Sequence[float], *, turned: bool) -> list[str]:
    """The lines of the round numbers, on the side where no names are, and the categories below."""
    side, anchor = (plot.right + 8, "start") if plot.names_left else (plot.left - 8, "end")
    parts = [
        _text(plot.right if plot.names_left else 8, 13, figure.unit, "axis", "end" if plot.names_left else "start")
    ]
    for tick in ticks:
        y = plot.at(0, tick)[1]
        parts += [_line((plot.left, y), (plot.right, y), "grid"), _text(side, y + 4, f"{tick:g}", "axis", anchor)]
    for place, name in enumerate(figure.categories):
        x, y = plot.at(place, 0)[0], plot.bottom + 18
        if turned:
            parts.append(_text(x + 5, y, name, "axis", "end", f' transform="rotate(-40 {x + 5:.1f} {y:.1f})"'))
        else:
            parts.append(_text(x, y, name, "axis", "middle"))
    return parts


def _names(ends: Sequence[tuple[Point, str, str]], plot: _Plot) -> list[str]:
    """Names in a column, each as near to the end of its line as the others let it be."""
    ranked = sorted(ends, key=lambda end: end[0][1])
    heights = [end[0][1] for end in ranked]
    for place in range(1, len(heights)):
        heights[place] = max(heights[place], heights[place - 1] + _LINE)
    # What was pushed out at the bottom pushes the others up again.
    limit = plot.bottom
    for place in reversed(range(len(heights))):
        heights[place] = min(heights[place], limit)
        limit = heights[place] - _LINE
    x, away, anchor = (plot.left - 18, -1, "end") if plot.names_left else (plot.right + 18, 1, "start")
    parts = []
    for (point, name, kind), y in zip(ranked, heights, strict=True):
        parts.append(_line((point[0] + 7 * away, point[1]), (x - 3 * away, y), "leader"))
        parts.append(_text(x, y + 4, name, f"label {kind}", anchor))
    return parts


def _ticks(highest: float) -> list[float]:
    """Round numbers from 0 to at least the highest."""
    scale = 10.0 ** max(0, math.floor(math.log10(max(highest, 1) / 6)))
    step = next(scale * step for step in (1, 2, 2.5, 5, 10) if highest / (scale * step) <= 6)
    return [float(step * number) for number in range(max(1, math.ceil(highest / step)) + 1)]


def _bars(figure: Figure) -> str:
    """For each category a bar for each system, its name before and its value behind it."""
    left, length, width = 190.0, 300.0, 560.0
    highest = _ticks(max((value for one in figure.series for value in one.values if value is not None), default=1))[-1]
    kinds = _classes(figure.series)
    parts, y = [], 6.0
    for place, category in enumerate(figure.categories):
        parts.append(_text(left, y + 13, category, "head"))
        y += 22
        for one, kind in zip(figure.series, kinds, strict=True):
            value = one.values[place]
            if value is None:
                continue
            size = length * max(value, 0) / highest
            parts.append(_text(left - 8, y + 12, one.system, f"label {kind}", "end"))
            parts.append(f'<rect x="{left}" y="{y + 1:.1f}" width="{size:.1f}" height="14" class="bar {kind}"/>')
            parts.append(_text(left + size + 6, y + 12, f"{value:.2f}", "axis"))
            y += 20
        y += 10
    return _svg(figure, width, y, parts)


def _radar(figure: Figure) -> str:
    """A closed line for each system over an axis for each category, from 0 in the middle to 10 at the rim."""
    width, radius, highest = 420.0, 120.0, 10.0
    head = 14.0 + 18 * len(figure.series)
    centre = (width / 2, head + radius + 34)
    count = max(len(figure.categories), 1)

    def at(place: int, value: float) -> Point:
        angle = math.tau * (place / count - 0.25)
        return centre[0] + radius * value / highest * math.cos(angle), centre[1] + radius * value / highest * math.sin(
            angle
        )

    def ring(values: Sequence[float], kind: str) -> str:
        corners = (at(place, value) for place, value in enumerate(values))
        return f'<polygon points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in corners)}" class="{kind}"/>'

    parts = [ring([value] * count, "grid ring") for value in (2, 4, 6, 8, 10)]
    for place, name in enumerate(figure.categories):
        x, y = at(place, highest + 1)
        anchor = "middle" if abs(x - centre[0]) < 8 else "start" if x > centre[0] else "end"
        parts += [_line(centre, at(place, highest), "grid"), _text(x, y + 4, name, "axis", anchor)]
    parts += [_text(centre[0] + 4, at(0, value)[1] + 4, f"{value}", "tick") for value in (2, 4, 6, 8, 10)]
    for number, (one, kind) in enumerate(zip(figure.series, _classes(figure.series), strict=True)):
        values = [value or 0.0 for value in one.values]
        parts.append(ring(values, f"area {kind}{' dashed' if number % 2 else ''}"))
        for place, (value, name) in enumerate(zip(one.values, figure.categories, strict=True)):
            if value is not None:
                parts.append(_marker(at(place, value), kind, number, f"{one.system}, {name}: {value:.2f}"))
        y = 14.0 + 18 * number
        parts += [_marker((14, y - 4), kind, number, one.system), _text(28, y, one.system, f"label {kind}")]
    return _svg(figure, width, centre[1] + radius + 36, parts)
