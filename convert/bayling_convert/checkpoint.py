"""A Hugging Face LLaMA checkpoint folder: its configuration, its tensors, and what it says of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bayling_convert.safetensors_file import StoredTensor, read_safetensors
from bayling_lite.errors import CheckpointError

ARCHITECTURE = "LlamaForCausalLM"


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


@dataclass(frozen=True, slots=True)
class Provenance:
    """What ``bayling.json`` in a checkpoint folder says; only the name is always there."""

    name: str
    template: str | None = None
    languages: tuple[str, ...] = ()
    license: str | None = None
    demonstrator: bool = False
    base: str | None = None
    recipe_sha256: str | None = None
    data_sha256: str | None = None
    version: str | None = None
    datasets: tuple[str, ...] = ()
    description: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """An opened checkpoint folder. Tensors are memory-mapped: opening reads only headers."""

    folder: Path
    hyper: HyperParameters
    tensors: Mapping[str, StoredTensor]
    provenance: Provenance
    chat_template: str | None = None
    tokenizer_config: Mapping[str, Any] = field(default_factory=dict)


def open_checkpoint(folder: Path) -> Checkpoint:
    """Open a folder as ``save_pretrained`` leaves it.

    Raises:
        CheckpointError: files missing or damaged, or the model is not a LLaMA.
    """
    try:
        is_folder, exists = folder.is_dir(), folder.exists()
    except OSError as error:
        raise CheckpointError(f"{folder} cannot be read: {error.strerror or error}.") from error
    if not is_folder:
        what = "is a file" if exists else "does not exist"
        raise CheckpointError(
            f"{folder} {what}; a checkpoint is a folder with config.json, tokenizer.model and model.safetensors."
        )
    config = read_json(folder / "config.json")
    if config is None:
        raise CheckpointError(f"{folder} has no config.json, so it is not a Hugging Face checkpoint folder.")
    tokenizer_config = read_json(folder / "tokenizer_config.json") or {}
    return Checkpoint(
        folder=folder,
        hyper=_hyper_parameters(folder, config),
        tensors=_tensors(folder),
        provenance=_provenance(folder),
        chat_template=_chat_template(folder, tokenizer_config),
        tokenizer_config=tokenizer_config,
    )


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object from a file; None when there is no such file.

    Raises:
        CheckpointError: not readable, or not a JSON object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} cannot be read as JSON ({error}). Fetch or save it again.") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} should hold a JSON object, but holds a {type(value).__name__}.")
    return value


def _hyper_parameters(folder: Path, config: Mapping[str, Any]) -> HyperParameters:
    architecture = next(iter(config.get("architectures") or ()), None) or config.get("model_type") or "of unknown kind"
    if architecture != ARCHITECTURE:
        raise CheckpointError(
            f"{folder} holds a {architecture} model; only {ARCHITECTURE} can be converted here. "
            "llama.cpp's own convert_hf_to_gguf.py may handle it; bayling opens the GGUF it writes."
        )
    if config.get("hidden_act", "silu") != "silu":
        raise CheckpointError(
            f"{folder} uses the activation {config['hidden_act']!r}; llama.cpp's LLaMA knows silu only."
        )
    if config.get("quantization_config"):
        raise CheckpointError(f"{folder} is quantized already; convert the checkpoint it was made from instead.")
    try:
        n_heads = int(config["num_attention_heads"])
        hidden_size = int(config["hidden_size"])
        rope = _rope_parameters(config)
        hyper = HyperParameters(
            n_layers=int(config["num_hidden_layers"]),
            hidden_size=hidden_size,
            intermediate_size=int(config["intermediate_size"]),
            n_heads=n_heads,
            n_kv_heads=int(config.get("num_key_value_heads") or n_heads),
            head_dim=int(config.get("head_dim") or hidden_size // n_heads),
            vocab_size=int(config["vocab_size"]),
            context_length=int(config.get("max_position_embeddings", 2048)),
            rms_norm_eps=float(config.get("rms_norm_eps", 1e-6)),
            rope_theta=float(rope.get("rope_theta", 10000.0)),
            rope_scaling=_rope_scaling(folder, rope),
            tied=bool(config.get("tie_word_embeddings", False)),
            attention_bias=bool(config.get("attention_bias", False)),
            mlp_bias=bool(config.get("mlp_bias", False)),
        )
    except KeyError as error:
        raise CheckpointError(f"{folder / 'config.json'} lacks {error.args[0]!r}; fetch or save it again.") from error
    except (TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        raise CheckpointError(f"{folder / 'config.json'} holds a value that makes no sense: {error}.") from error
    sizes = (hyper.n_layers, hyper.hidden_size, hyper.intermediate_size, hyper.vocab_size, hyper.context_length)
    if min(sizes) < 1 or hyper.n_kv_heads < 1 or hyper.n_heads % hyper.n_kv_heads or hyper.head_dim % 2:
        raise CheckpointError(f"{folder / 'config.json'} describes an impossible model: {hyper}.")
    return hyper


def _rope_parameters(config: Mapping[str, Any]) -> dict[str, Any]:
    """``rope_parameters`` of transformers 5, or ``rope_theta`` and ``rope_scaling`` of before."""
    old: dict[str, Any] = dict(config.get("rope_scaling") or {})
    if config.get("rope_theta") is not None:
        old["rope_theta"] = config["rope_theta"]
    return old | dict(config.get("rope_parameters") or {})


def _rope_scaling(folder: Path, rope: Mapping[str, Any]) -> RopeScaling | None:
    kind = rope.get("rope_type") or rope.get("type") or "default"
    if kind == "default":
        return None
    if kind == "linear":
        return RopeScaling("linear", factor=float(rope["factor"]))
    if kind == "llama3":
        return RopeScaling(
            "llama3",
            factor=float(rope["factor"]),
            low_freq_factor=float(rope["low_freq_factor"]),
            high_freq_factor=float(rope["high_freq_factor"]),
            original_context=int(rope["original_max_position_embeddings"]),
        )
    raise CheckpointError(
        f"{folder} scales its rotary positions by {kind!r}; only 'linear' and 'llama3' can be converted here. "
        "llama.cpp's own convert_hf_to_gguf.py may handle it."
    )


def _tensors(folder: Path) -> dict[str, StoredTensor]:
    """All tensors of ``model.safetensors``, or of the shards its index names."""
    single = folder / "model.safetensors"
    index_path = folder / "model.safetensors.index.json"
    if single.exists():
        return read_safetensors(single)
    index = read_json(index_path)
    if index is None:
        other = next((path.name for path in sorted(folder.glob("*.bin"))), None)
        hint = f" It has {other}: open it with transformers and save it again with save_pretrained." if other else ""
        raise CheckpointError(f"{folder} has no model.safetensors and no {index_path.name}.{hint}")
    weight_map = index.get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise CheckpointError(f"{index_path} has no weight_map. Fetch or save it again.")
    tensors: dict[str, StoredTensor] = {}
    for shard in sorted(set(map(str, weight_map.values()))):
        if Path(shard).name != shard:
            raise CheckpointError(f"{index_path} names {shard!r}, which is not a file of this folder.")
        tensors |= read_safetensors(folder / shard)
    lost = sorted(weight_map.keys() - tensors.keys())
    if lost:
        raise CheckpointError(f"{index_path} promises {lost[0]} and {len(lost) - 1} other tensors that no shard holds.")
    return tensors


def _provenance(folder: Path) -> Provenance:
    path = folder / "bayling.json"
    said = read_json(path)
    name = folder.resolve().name
    if said is None:
        return Provenance(name=name)
    text_keys = ("name", "template", "license", "base", "recipe_sha256", "data_sha256", "version", "description", "url")
    texts = {key: said[key] for key in text_keys if said.get(key) is not None}
    lists = {key: tuple(said[key]) for key in ("languages", "datasets") if isinstance(said.get(key), list)}
    wrong = [key for key, value in texts.items() if not isinstance(value, str)]
    wrong += [key for key, value in lists.items() if not all(isinstance(item, str) for item in value)]
    if not isinstance(said.get("demonstrator", False), bool):
        wrong.append("demonstrator")
    if wrong:
        raise CheckpointError(f"{path}: {wrong[0]!r} holds a value of the wrong type.")
    return Provenance(**{"name": name, **texts, **lists}, demonstrator=said.get("demonstrator", False))


def _chat_template(folder: Path, tokenizer_config: Mapping[str, Any]) -> str | None:
    """The checkpoint's own Jinja template: a file of its own in newer checkpoints, inside the JSON in older ones."""
    path = folder / "chat_template.jinja"
    try:
        if path.exists():
            return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read as UTF-8 text: {error}.") from error
    value = tokenizer_config.get("chat_template")
    if isinstance(value, list):
        value = next((entry.get("template") for entry in value if entry.get("name") == "default"), None)
    return value if isinstance(value, str) else None
