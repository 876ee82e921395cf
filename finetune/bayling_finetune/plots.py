"""The log as pictures: loss, learning rate and, where translations were scored, BLEU and chrF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

_Curve = tuple[str, str, str, dict[str, Any]]  # kind of entry, its number, label, how it is drawn

_LINE: dict[str, Any] = {"linewidth": 0.8, "alpha": 0.7}
_DOTS: dict[str, Any] = {"marker": "o", "markersize": 3}
_LOSS: list[_Curve] = [("train", "loss", "train", _LINE), ("development", "loss", "development", _DOTS)]
_SCORES: list[_Curve] = [("translation", "bleu", "BLEU", _DOTS), ("translation", "chrf", "chrF", _DOTS)]


def draw_plots(log: Sequence[dict[str, Any]], folder: Path, *, title: str) -> list[Path]:
    """Write ``loss.png``, ``learning-rate.png`` and, if there are scores, ``bleu.png``; returns their paths.

    Raises:
        ImportError: matplotlib is not installed.
        OSError: a picture cannot be written.
    """
    pictures = [
        (folder / "loss.png", _LOSS, "loss (nats a target token)", "log"),
        (folder / "learning-rate.png", [("train", "learning_rate", "learning rate", _LINE)], "learning rate", "linear"),
        (folder / "bleu.png", _SCORES, "score on development sentences", "linear"),
    ]
    drawn = []
    for path, curves, label, scale in pictures:
        if any(entry["kind"] == kind and number in entry for entry in log for kind, number, _, _ in curves):
            _draw(log, path, curves, title=title, label=label, scale=scale)
            drawn.append(path)
    return drawn


def _draw(
    log: Sequence[dict[str, Any]], path: Path, curves: list[_Curve], *, title: str, label: str, scale: str
) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    # Not pyplot: it would keep a state for the whole program, whose own plots this must not disturb.
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for kind, number, name, style in curves:
        points = [(entry["step"], entry[number]) for entry in log if entry["kind"] == kind and number in entry]
        if points:
            axes.plot(*zip(*points, strict=True), label=name, **style)
    axes.set(xlabel="step", ylabel=label, title=title.replace("$", r"\$"), yscale=scale)
    if scale == "log":  # 4.5, not 4.5 × 10⁰
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)
