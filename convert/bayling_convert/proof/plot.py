"""Pictures of a comparison: an SVG for the model card, and the same histogram in characters for a terminal.

The SVG needs no script, font or file from elsewhere; it is readable on light and dark pages, and says in words what it
shows (``title`` and ``desc``) to those who do not see it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from bayling_convert.model_card.plain import one_line
from bayling_convert.proof.comparison import EDGES, Comparison, Divergence, Estimate

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_WIDTH, _HEIGHT = 760, 320
_TOP, _BOTTOM = 64, 262
_STYLE = """
  .paper { fill: #ffffff } .ink { fill: #1f2328 } .faint { fill: #59636e } .line { stroke: #59636e; fill: none }
  .grid { stroke: #d1d9e0 } .a { fill: #8b949e } .b { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } .ink { fill: #f0f6fc } .faint { fill: #9198a1 } .line { stroke: #9198a1 }
    .grid { stroke: #3d444d } .a { fill: #848d97 } .b { fill: #4493f8 }
  }
  text { font: 13px system-ui, sans-serif } .small { font-size: 11px } .head { font-weight: 600; font-size: 14px }
"""


@dataclass(frozen=True, slots=True)
class Bin:
    """A bar of the histogram: divergences from ``low`` to ``high`` nats, and their share of all tokens."""

    low: float
    high: float
    share: float


def bins(divergence: Divergence) -> list[Bin]:
    """The histogram from the first bin with a token to the last."""
    total = sum(divergence.counts)
    filled = [place for place, count in enumerate(divergence.counts) if count]
    return [
        Bin(EDGES[place], EDGES[place + 1], divergence.counts[place] / total)
        for place in range(filled[0], filled[-1] + 1)
    ]


def text_histogram(divergence: Divergence, *, width: int = 40, ascii_only: bool = False) -> str:
    """One line a bin, the longest bar ``width`` characters; with ``ascii_only`` for terminals that know no more."""
    shown = bins(divergence)
    largest = max(bar.share for bar in shown)
    arrow = "to" if ascii_only else "–"
    lines = []
    for bar in shown:
        low = "0" if bar.low == EDGES[0] else _short(bar.low)
        drawn = _bar(bar.share / largest * width, ascii_only=ascii_only)
        lines.append(f"{low:>7} {arrow} {_short(bar.high):<7} {drawn:<{width}} {bar.share:6.1%}")
    return "\n".join(lines)


def _bar(length: float, *, ascii_only: bool) -> str:
    if ascii_only:
        return "#" * max(round(length), int(length > 0))
    eighths = max(round(length * 8), int(length > 0))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _short(nats: float) -> str:
    """A border of half a decade in one digit: 3e-06, 0.03, 10."""
    return f"{float(f'{nats:.1g}'):g}"


def svg(comparison: Comparison) -> str:
    """The divergence of the tokens, and the perplexity of both files, side by side."""
    name = escape(one_line(comparison.quantized, longest=70))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}"',
        f'  viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-labelledby="title desc">',
        f'<title id="title">What quantizing changed: {name}</title>',
        f'<desc id="desc">{escape(_in_words(comparison))}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{_WIDTH}" height="{_HEIGHT}" rx="6"/>',
        *_histogram(comparison),
        *_perplexities(comparison),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _in_words(comparison: Comparison) -> str:
    away = comparison.divergence
    return (
        f"Over {comparison.n_tokens} tokens of the answers in {comparison.n_dialogues} dialogues, the next-token "
        f"distribution diverges from the unquantized model's by {away.mean.value:.4f} nats on average "
        f"(median {away.median:.4f}, 99 % below {away.p99:.4f}). The perplexity is "
        f"{comparison.quantized_perplexity.value:.3f}, the unquantized model's "
        f"{comparison.reference_perplexity.value:.3f}."
    )


def _histogram(comparison: Comparison) -> Iterator[str]:
    """The left panel: share of tokens by divergence, on a logarithmic axis."""
    left, right = 56, 430
    shown = bins(comparison.divergence)
    step = (right - left) / len(shown)
    top = _round_up(max(bar.share for bar in shown))
    yield _text(left, 28, "KL divergence of the next token", "ink head")
    yield _text(left, 46, f"share of {comparison.n_tokens:,} tokens; nats, logarithmic", "faint small")
    yield from _grid(left, right, top)
    for place, bar in enumerate(shown):
        height = (_BOTTOM - _TOP) * bar.share / top
        where = f"from {_short(bar.low)} to {_short(bar.high)} nats: {bar.share:.1%}"
        yield _rect("b", (left + place * step + 1, _BOTTOM - height), (step - 2, height), where)
    # Half decades have unwieldy names: only whole ones are labelled.
    for place, edge in enumerate([bar.low for bar in shown] + [shown[-1].high]):
        if math.isclose(math.log10(edge), round(math.log10(edge)), abs_tol=1e-6):
            yield _text(left + place * step, _BOTTOM + 18, f"{edge:g}", "faint small", "middle")
    yield _text((left + right) / 2, _HEIGHT - 16, f"mean {comparison.divergence.mean.value:.4f}", "ink", "middle")


def _perplexities(comparison: Comparison) -> Iterator[str]:
    """The right panel: perplexity of both, from zero, with a standard error to each side."""
    left, right = 510, 736
    both = (("reference", "a", comparison.reference_perplexity), ("quantized", "b", comparison.quantized_perplexity))
    top = _round_up(max(_high(estimate) for _, _, estimate in both))
    step = (right - left) / 2
    yield _text(left, 28, "Perplexity", "ink head")
    yield _text(left, 46, "of the answers; less is better", "faint small")
    yield from _grid(left, right, top, share=False)
    for place, (label, colour, estimate) in enumerate(both):
        middle = left + (place + 0.5) * step
        height = (_BOTTOM - _TOP) * estimate.value / top
        yield _rect(colour, (middle - 28, _BOTTOM - height), (56, height), f"{label}: {estimate.value:.3f}")
        if not math.isnan(estimate.error):
            low, high = ((_BOTTOM - _TOP) * (estimate.value + way * estimate.error) / top for way in (-1, 1))
            yield f'<path class="line" d="M{middle:.1f} {_BOTTOM - low:.1f}V{_BOTTOM - high:.1f}"/>'
        yield _text(middle, _BOTTOM - 8, f"{estimate.value:.3f}", "paper", "middle")
        yield _text(middle, _BOTTOM + 18, label, "faint small", "middle")
    yield _text((left + right) / 2, _HEIGHT - 16, f"ratio {comparison.ratio.value:.4f}", "ink", "middle")


def _high(estimate: Estimate) -> float:
    return estimate.value if math.isnan(estimate.error) else estimate.value + estimate.error


def _grid(left: float, right: float, top: float, *, share: bool = True) -> Iterator[str]:
    for quarter in range(5):
        y = _BOTTOM - (_BOTTOM - _TOP) * quarter / 4
        value = top * quarter / 4
        yield f'<path class="grid" d="M{left} {y:.1f}H{right}"/>'
        yield _text(left - 6, y + 4, f"{value:.3g}" if not share else f"{100 * value:.3g} %", "faint small", "end")


def _round_up(value: float) -> float:
    """The next of a few numbers times a power of ten whose quarters are short numbers, too."""
    power = 10.0 ** math.floor(math.log10(value))
    factors = (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8)
    return next((factor * power for factor in factors if value <= factor * power * (1 + 1e-9)), 10 * power)


def _rect(colour: str, corner: Sequence[float], extent: Sequence[float], title: str) -> str:
    return (
        f'<rect class="{colour}" x="{corner[0]:.1f}" y="{corner[1]:.1f}" width="{extent[0]:.1f}" '
        f'height="{extent[1]:.1f}"><title>{escape(title)}</title></rect>'
    )


def _text(x: float, y: float, text: str, colours: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{colours}" text-anchor="{anchor}">{escape(text)}</text>'
