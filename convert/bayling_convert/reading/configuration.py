"""The shape of a LLaMA model, from its ``config.json`` in the old and the new keys."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bayling_convert.reading.files import CheckpointFiles
from bayling_lite.errors import CheckpointError

ARCHITECTURES = ("LlamaForCausalLM", "LLaMAForCausalLM")
"""The second was the name in transformers' first months, when LLaMA 1 was converted."""
_MOST_LAYERS = 512
"""What llama.cpp can load."""


@dataclass(frozen=True, slots=True)
class RopeScaling:
    """How rotary positions are stretched: ``linear`` by ``factor``, or ``llama3`` with its four parameters."""

    kind: str
    factor: float = 1.0
    low_freq_factor: float = 1.0
    high_freq_factor: float = 4.0
    original_context: int = 8192


@dataclass(frozen=True, slots=True)
class HyperParameters:
    """The shape of a LLaMA model. Sizes in elements, ``context_length`` in tokens."""

    n_layers: int
    hidden_size: int
    intermediate_size: int
    n_heads: int
    n_kv_heads: int
    head_dim: int
    vocab_size: int
    context_length: int
    rms_norm_eps: float
    rope_theta: float
    rope_scaling: RopeScaling | None
    tied: bool
    attention_bias: bool
    mlp_bias: bool


def read_hyper_parameters(files: CheckpointFiles, config: Mapping[str, Any]) -> HyperParameters:
    """The shape that a configuration tells.

    Raises:
        CheckpointError: not a LLaMA, quantized already, or values that are missing or make no sense.
    """
    named = config.get("architectures")
    architecture = (named[0] if isinstance(named, list) and named else None) or config.get("model_type") or "nameless"
    path = files.path("config.json")
    if architecture not in ARCHITECTURES:
        raise CheckpointError(
            f"{files.where} holds a {str(architecture)[:80]} model; only {ARCHITECTURES[0]} can be converted here. "
            "llama.cpp's own convert_hf_to_gguf.py may handle it; bayling opens the GGUF it writes."
        )
    if config.get("hidden_act", "silu") != "silu":
        raise CheckpointError(
            f"{files.where} uses the activation {str(config['hidden_act'])[:80]!r}; llama.cpp's LLaMA knows silu only."
        )
    if config.get("quantization_config"):
        raise CheckpointError(f"{files.where} is quantized already; convert the checkpoint it was made from instead.")
    try:
        n_heads = _whole(config, "num_attention_heads")
        hidden_size = _whole(config, "hidden_size")
        rope = _rope_parameters(config)
        hyper = HyperParameters(
            n_layers=_whole(config, "num_hidden_layers"),
            hidden_size=hidden_size,
            intermediate_size=_whole(config, "intermediate_size"),
            n_heads=n_heads,
            n_kv_heads=_whole(config, "num_key_value_heads", n_heads),
            head_dim=_whole(config, "head_dim", hidden_size // n_heads),
            vocab_size=_whole(config, "vocab_size"),
            context_length=_whole(config, "max_position_embeddings", config.get("max_sequence_length") or 2048),
            rms_norm_eps=_positive(config, "rms_norm_eps", 1e-6),
            rope_theta=_positive(rope, "rope_theta", 10000.0),
            rope_scaling=_rope_scaling(files, rope),
            tied=_flag(config, "tie_word_embeddings"),
            attention_bias=_flag(config, "attention_bias"),
            mlp_bias=_flag(config, "mlp_bias"),
        )
    except KeyError as error:
        raise CheckpointError(f"{path} lacks {error.args[0]!r}; fetch or save it again.") from error
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{path} holds a value that makes no sense: {error}.") from error
    if hyper.n_layers > _MOST_LAYERS or hyper.n_heads % hyper.n_kv_heads or hyper.head_dim % 2:
        raise CheckpointError(f"{path} describes an impossible model: {hyper}.")
    return hyper


def _whole(config: Mapping[str, Any], key: str, default: object = None) -> int:
    """A size or a count; one that is null or 0 is as good as missing where there is a default."""
    value = config[key] if default is None else config.get(key) or default
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < 2**31:
        raise ValueError(f"{key} is {str(value)[:40]}")
    return value


def _positive(config: Mapping[str, Any], key: str, default: float | None = None) -> float:
    """A number above 0."""
    value = config[key] if default is None else config.get(key, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < math.inf:
        raise ValueError(f"{key} is {str(value)[:40]}")
    return float(value)


def _flag(config: Mapping[str, Any], key: str) -> bool:
    value = config.get(key)
    if value is not None and not isinstance(value, bool):
        raise ValueError(f"{key} is {str(value)[:40]}")
    return bool(value)


def _rope_parameters(config: Mapping[str, Any]) -> dict[str, Any]:
    """``rope_parameters`` of transformers 5, or ``rope_theta`` and ``rope_scaling`` of before."""
    old: dict[str, Any] = dict(config.get("rope_scaling") or {})
    if config.get("rope_theta") is not None:
        old["rope_theta"] = config["rope_theta"]
    return old | dict(config.get("rope_parameters") or {})


def _rope_scaling(files: CheckpointFiles, rope: Mapping[str, Any]) -> RopeScaling | None:
    kind = rope.get("rope_type") or rope.get("type") or "default"
    if kind == "default":
        return None
    if kind == "linear":
        return RopeScaling("linear", factor=_positive(rope, "factor"))
    if kind == "llama3":
        low, high = _positive(rope, "low_freq_factor"), _positive(rope, "high_freq_factor")
        if low >= high:
            raise ValueError(f"low_freq_factor is {low}, high_freq_factor {high}")
        original_context = _whole(rope, "original_max_position_embeddings")
        return RopeScaling("llama3", _positive(rope, "factor"), low, high, original_context)
    raise CheckpointError(
        f"{files.where} scales its rotary positions by {kind!r}; only 'linear' and 'llama3' can be converted here. "
        "llama.cpp's own convert_hf_to_gguf.py may handle it."
    )
