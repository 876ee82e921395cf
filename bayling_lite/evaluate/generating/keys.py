"""What an answer is kept under, and what seeds it: both depend on what is asked alone, not on when or beside what."""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple

from bayling_lite.engine.base import GenerationRequest, ModelInfo

# Raised where the same request to the same model gives something else than before.
_VERSION = 1


def answer_key(info: ModelInfo, request: GenerationRequest) -> str:
    """The SHA-256, in hex, of everything that an answer depends on: model, template, conversation, decoding, seed.

    A model is its fingerprint where it has one, so that a renamed file keeps its answers and an exchanged one does not;
    a server's model is its name. Where the engine is exact, or has a KV cache of an unusual format, answers of one that
    is not, or has not, are others.
    """
    model = ["fingerprint", info.fingerprint] if info.fingerprint else ["name", info.name]
    decoding = ["search", *astuple(request.search)] if request.search else ["sampling", *astuple(request.sampling)]
    special = [*(["exact"] if info.exact else []), *([f"kv {info.kv_type}"] if info.kv_type else [])]
    return _digest(
        [_VERSION, model, info.template, request.conversation.to_list(), request.max_tokens, decoding, *special]
    ).hexdigest()


def turn_seed(seed: int, script: str, turn: int) -> int:
    """The seed of a turn (the first is 0) of a script, in 31 bits, which every engine takes."""
    return int.from_bytes(_digest([seed, script, turn]).digest()[:4], "big") >> 1


def _digest(value: object) -> hashlib._Hash:
    # Escaped, also a lone surrogate has bytes.
    return hashlib.sha256(json.dumps(value).encode("ascii"))
