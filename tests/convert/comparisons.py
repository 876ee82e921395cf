"""A comparison of numbers drawn by chance, to draw and to write down."""

from __future__ import annotations

import numpy as np

from bayling_convert.proof.comparison import Answers, Comparison, Divergence, Estimate


def made_up(name: str = "model.Q4_K_M.gguf", *, n_tokens: int = 400) -> Comparison:
    """What measuring so many tokens may give."""
    chance = np.random.default_rng(0)
    losses = chance.gamma(1.0, 2.0, n_tokens)
    more = losses + chance.normal(0.01, 0.1, n_tokens)
    return Comparison(
        reference="model.F32.gguf",
        quantized=name,
        template="bayling",
        n_dialogues=7,
        n_tokens=n_tokens,
        reference_perplexity=Estimate.exp_of_mean(losses),
        quantized_perplexity=Estimate.exp_of_mean(more),
        ratio=Estimate.exp_of_mean(more - losses),
        divergence=Divergence.of(10 ** chance.normal(-2.0, 0.7, n_tokens)),
        same_top=Estimate.of_mean((chance.random(n_tokens) < 0.95).astype(np.float64)),
        answers=(
            Answers("Say <hi>", "Hallo du", "Hallo \x1b[31mSie", 0.5),
            Answers("Say bye", "Tschüss", "Tschüss", 1.0),
        ),
    )
