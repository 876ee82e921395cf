"""Sampler chains: https://github.com/ggml-org/llama.cpp/blob/master/include/llama.h"""

from __future__ import annotations

import secrets
from typing import Any, Protocol

import llama_cpp.llama_cpp as lib

from bayling_lite.engine.base import SamplingParams


class RowSource(Protocol):
    """The context whose logits are sampled from."""

    def sample(self, chain: Any, row: int) -> int:
        """The token that a chain takes from a row of the logits."""
        ...


class LlamaSampler:
    """A sampler chain for one request.

    The repetition penalty looks at the answer alone: names and numbers of the text to translate shall be repeated.
    """

    def __init__(self, context: RowSource, params: SamplingParams, *, n_vocab: int, n_last: int) -> None:
        self._context = context
        self._chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        stages = []
        if params.repeat_penalty != 1:
            stages.append(lib.llama_sampler_init_penalties(n_vocab, n_last, params.repeat_penalty, 0.0, 0.0))
        if params.temperature == 0:
            stages.append(lib.llama_sampler_init_greedy())
        else:
            if params.top_k:
                stages.append(lib.llama_sampler_init_top_k(params.top_k))
            if params.top_p < 1:
                stages.append(lib.llama_sampler_init_top_p(params.top_p, 1))
            if params.min_p:
                stages.append(lib.llama_sampler_init_min_p(params.min_p, 1))
            stages.append(lib.llama_sampler_init_temp(params.temperature))
            # 0xFFFFFFFF would mean "any seed" to llama.cpp, so seeds go up to the one before it.
            seed = secrets.randbits(64) if params.seed is None else params.seed
            stages.append(lib.llama_sampler_init_dist(seed % lib.LLAMA_DEFAULT_SEED))
        for stage in stages:
            lib.llama_sampler_chain_add(self._chain, stage)

    def sample(self, row: int) -> int:
        """The next token, from one row of the logits; it counts as said."""
        return self._context.sample(self._chain, row)

    def close(self) -> None:
        """Free the chain."""
        lib.llama_sampler_free(self._chain)
