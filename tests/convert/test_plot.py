"""Pictures of a comparison: valid, self-contained, true to the numbers, and readable without seeing them."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from bayling_convert.proof.comparison import EDGES, Divergence, Estimate
from bayling_convert.proof.plot import bins, svg, text_histogram
from tests.convert.comparisons import made_up

SVG = "{http://www.w3.org/2000/svg}"


def test_the_bins_hold_every_token() -> None:
    values = np.array([0.0, 1e-9, 2e-6, 0.05, 0.05, 0.05, 99.0])
    shown = bins(Divergence.of(values))
    assert [(bar.low, round(bar.share * 7)) for bar in shown if bar.share] == [
        (EDGES[0], 3),
        (pytest.approx(10**-1.5), 3),
        (EDGES[-2], 1),
    ]
    assert sum(bar.share for bar in shown) == pytest.approx(1)


def test_the_bars_of_the_picture_are_the_shares() -> None:
    comparison = made_up()
    tree = ElementTree.fromstring(svg(comparison))
    bars = [rect for rect in tree.iter(f"{SVG}rect") if rect.find(f"{SVG}title") is not None]
    shares = [bar.share for bar in bins(comparison.divergence)]
    heights = [float(bar.attrib["height"]) for bar in bars[: len(shares)]]
    assert heights == pytest.approx([share * max(heights) / max(shares) for share in shares], abs=0.2)
    perplexities = [float(bar.attrib["height"]) for bar in bars[len(shares) :]]
    ratio = comparison.quantized_perplexity.value / comparison.reference_perplexity.value
    assert perplexities[1] / perplexities[0] == pytest.approx(ratio, abs=0.01)
    box = tree.attrib["viewBox"].split()
    for rect in tree.iter(f"{SVG}rect"):
        assert 0 <= float(rect.attrib.get("y", "0")) <= float(box[3])
        assert float(rect.attrib.get("x", "0")) + float(rect.attrib["width"]) <= float(box[2])


def test_the_picture_needs_nothing_and_speaks_for_itself() -> None:
    text = svg(made_up("<b>&\"\x1b[31m\u202e'.gguf"))
    tree = ElementTree.fromstring(text)
    assert tree.find(f"{SVG}title") is not None
    described = tree.findtext(f"{SVG}desc") or ""
    assert "400 tokens" in described
    assert f"{made_up().quantized_perplexity.value:.3f}" in described
    assert tree.attrib["aria-labelledby"] == "title desc"
    assert "prefers-color-scheme: dark" in text
    assert not re.findall(r"<script|<image|@import|url\(|href|on\w+=", text)
    assert "\x1b" not in text


def test_a_file_compared_with_itself_can_be_drawn() -> None:
    same = made_up()
    same = replace(same, divergence=Divergence.of(np.zeros(5)), ratio=Estimate(1.0, 0.0))
    ElementTree.fromstring(svg(same))
    assert text_histogram(same.divergence).count("\n") == 0
    one = replace(same, quantized_perplexity=Estimate(2.0, float("nan")), reference_perplexity=Estimate(1e12, 5.0))
    ElementTree.fromstring(svg(one))


def test_the_histogram_in_characters() -> None:
    divergence = Divergence.of(np.array([0.02] * 8 + [0.2] * 4 + [2.0]))
    assert text_histogram(divergence, width=8).splitlines() == [
        "   0.01 – 0.03    ████████  61.5%",
        "   0.03 – 0.1                0.0%",
        "    0.1 – 0.3     ████      30.8%",
        "    0.3 – 1                  0.0%",
        "      1 – 3       █          7.7%",
    ]
    plain = text_histogram(divergence, width=8, ascii_only=True)
    assert plain.isascii()
    assert [line.count("#") for line in plain.splitlines()] == [8, 0, 4, 0, 1]
