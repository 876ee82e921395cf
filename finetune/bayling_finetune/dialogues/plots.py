"""Plots for a page: SVG whose text and lines take the page's colours, light or dark."""

from __future__ import annotations

import importlib
import io
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

# Stand-ins that matplotlib writes and the page's colours replace.
_INK, _FIRST, _SECOND = "#010203", "#0a0b0c", "#0d0e0f"
_COLOURS = {_INK: "currentColor", _FIRST: "var(--first)", _SECOND: "var(--second)"}
_LONGEST_NAME = 28
_STYLE = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def can_plot() -> bool:
    """Whether matplotlib is installed."""
    try:
        importlib.import_module("matplotlib")
    except ModuleNotFoundError:
        return False
    return True


def bars(counts: Mapping[str, int], label: str) -> str:
    """A horizontal bar for each count, in the order given, as an ``<svg>`` element."""
    names = list(counts)

    def draw(axes: Any) -> None:
        drawn = axes.barh(range(len(names)), list(counts.values()), color=_FIRST)
        axes.bar_label(drawn, [f" {count:,}" for count in counts.values()], color=_INK)
        axes.set_yticks(range(len(names)), map(_name, names))
        axes.invert_yaxis()
        axes.margins(x=0.15)
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(left=False)

    return _svg(draw, label, height=0.6 + 0.28 * len(names))


def histograms(lines: Mapping[str, Sequence[tuple[float, float]]], label: str, unit: str) -> str:
    """Up to two histograms over a logarithmic axis: (lower edge of the bin, share of all), as an ``<svg>`` element."""

    def draw(axes: Any) -> None:
        for (name, points), colour in zip(lines.items(), (_FIRST, _SECOND), strict=False):
            edges, shares = [max(edge, 0.7) for edge, _ in points], [share for _, share in points]
            axes.step(edges, shares, where="post", color=colour, linewidth=2, label=name)
        axes.set_xscale("log")
        axes.set_xlabel(unit)
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False)

    return _svg(draw, label, height=2.6)


def _name(text: str) -> str:
    """A name beside a bar: short, and without the dollar signs that begin a formula."""
    shown = text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"
    return shown.replace("$", r"\$")


def _svg(draw: Any, label: str, *, height: float) -> str:
    """Draw on a figure without a window; ``label`` is read to those who cannot see it."""
    matplotlib: Any = importlib.import_module("matplotlib")
    figures: Any = importlib.import_module("matplotlib.figure")
    buffer = io.StringIO()
    # Ids are made from the salt: of the label, they are the same each time, and no other drawing's in the page.
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": label}), warnings.catch_warnings():
        # Text is measured with a font that has no Chinese; the reader's browser, which writes it, has one.
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        figure = figures.Figure(figsize=(6.4, height), layout="constrained")
        draw(figure.add_subplot())
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    for stand_in, colour in _COLOURS.items():
        text = text.replace(stand_in, colour)
    # These name parts for editing, and are the same in every drawing.
    text = re.sub(r' id="[^"]*_\d+"', "", text)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    return text.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
