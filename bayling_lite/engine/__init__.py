"""Tokens in, tokens out: the :class:`~bayling_lite.engine.base.Engine` contract and what keeps it.

``base`` is the contract, ``llama`` runs GGUF files on llama.cpp (the only module that imports llama_cpp; import it when
a model is opened, not before), ``remote`` asks a server, and ``scripted`` answers from a script.
"""

from __future__ import annotations

from bayling_lite.engine.base import (
    GREEDY,
    Completion,
    Engine,
    FinishReason,
    Generation,
    GenerationRequest,
    Hypothesis,
    ModelInfo,
    Revision,
    SamplingParams,
    SearchParams,
    TokenLogprob,
)

__all__ = [
    "GREEDY",
    "Completion",
    "Engine",
    "FinishReason",
    "Generation",
    "GenerationRequest",
    "Hypothesis",
    "ModelInfo",
    "Revision",
    "SamplingParams",
    "SearchParams",
    "TokenLogprob",
]
