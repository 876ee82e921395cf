"""A Hugging Face LLaMA checkpoint: its configuration, its tensors, and what it says of itself."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from bayling_convert.files import CheckpointFiles
from bayling_convert.safetensors_file import read_safetensors_header
from bayling_convert.stored import StoredTensor
from bayling_convert.torch_file import is_rotary_table, read_torch_header
from bayling_lite.errors import CheckpointError

ARCHITECTURES = ("LlamaForCausalLM", "LLaMAForCausalLM")
"""The second was the name in transformers' first months, when LLaMA 1 was converted."""


LARGEST_JSON = 8 * 1024 * 1024
"""Bytes of the largest configuration; an index of 100,000 tensors stays below it."""
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


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is known of a model beside its numbers: from ``bayling.json`` in its folder, from a catalogue, from the hub.

    ``placeholders``: its answers hold those of :data:`~bayling_lite.prompts.V1_PLACEHOLDERS`. ``url`` is where the
    checkpoint can be had, ``revision`` which state of it.
    """

    name: str | None = None
    template: str | None = None
    languages: tuple[str, ...] = ()
    license: str | None = None
    demonstrator: bool = False
    placeholders: bool = False
    base: str | None = None
    base_url: str | None = None
    recipe_sha256: str | None = None
    data_sha256: str | None = None
    version: str | None = None
    datasets: tuple[str, ...] = ()
    description: str | None = None
    url: str | None = None
    revision: str | None = None

    def over(self, other: Provenance) -> Provenance:
        """Both together; where both say something, this one counts."""
        return Provenance(**{key.name: getattr(self, key.name) or getattr(other, key.name) for key in fields(self)})


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """An opened checkpoint: of its tensors only the headers have been read."""

    files: CheckpointFiles
    hyper: HyperParameters
    tensors: Mapping[str, StoredTensor]
    provenance: Provenance
    chat_template: str | None = None
    tokenizer_config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What to call the model."""
        return self.provenance.name or self.files.name


def open_checkpoint(files: CheckpointFiles) -> Checkpoint:
    """Open a checkpoint as ``save_pretrained`` leaves it.

    Raises:
        CheckpointError: files missing or damaged, or the model is not a LLaMA.
    """
    config = read_json(files, "config.json")
    if config is None:
        raise CheckpointError(f"{files.where} has no config.json, so it is not a Hugging Face checkpoint.")
    tokenizer_config = read_json(files, "tokenizer_config.json") or {}
    return Checkpoint(
        files=files,
        hyper=_hyper_parameters(files, config),
        tensors=_tensors(files),
        provenance=_provenance(files),
        chat_template=_chat_template(files, tokenizer_config),
        tokenizer_config=tokenizer_config,
    )


def read_json(files: CheckpointFiles, name: str, limit: int = LARGEST_JSON) -> dict[str, Any] | None:
    """A JSON object from a file; None when there is no such file.

    Raises:
        CheckpointError: larger than ``limit`` bytes, not readable, or not a JSON object.
    """
    data = files.read(name, limit)
    if data is None:
        return None
    try:
        value = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{files.path(name)} cannot be read as JSON ({error}). Fetch or save it again."
        ) from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{files.path(name)} should hold a JSON object, but holds a {type(value).__name__}.")
    return value


def _hyper_parameters(files: CheckpointFiles, config: Mapping[str, Any]) -> HyperParameters:
    named = config.get("architectures")
    architecture = (named[0] if isinstance(named, list) and named else None) or config.get("model_type") or "nameless"
    path = files.path("config.json")
    if architecture not in ARCHITECTURES:
        raise CheckpointError(
            f"{files.where} holds a {architecture} model; only {ARCHITECTURES[0]} can be converted here. "
            "llama.cpp's own convert_hf_to_gguf.py may handle it; bayling opens the GGUF it writes."
        )
    if config.get("hidden_act", "silu") != "silu":
        raise CheckpointError(
            f"{files.where} uses the activation {config['hidden_act']!r}; llama.cpp's LLaMA knows silu only."
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


def _tensors(files: CheckpointFiles) -> dict[str, StoredTensor]:
    """All tensors of one file, or of the shards an index names; safetensors where there is a choice."""
    for single, index in (
        ("model.safetensors", "model.safetensors.index.json"),
        ("pytorch_model.bin", "pytorch_model.bin.index.json"),
    ):
        if single in files.sizes:
            return read_tensors(files, single)
        if index in files.sizes:
            return _sharded(files, index)
    raise CheckpointError(
        f"{files.where} has no weights: no model.safetensors, no pytorch_model.bin, and no index of several such files."
    )


def read_tensors(files: CheckpointFiles, name: str) -> dict[str, StoredTensor]:
    """The tensors of one file of weights."""
    return (read_torch_header if name.endswith(".bin") else read_safetensors_header)(files, name)


def _sharded(files: CheckpointFiles, index_name: str) -> dict[str, StoredTensor]:
    path = files.path(index_name)
    weight_map = (read_json(files, index_name) or {}).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise CheckpointError(f"{path} has no weight_map. Fetch or save it again.")
    tensors: dict[str, StoredTensor] = {}
    for shard in sorted(set(map(str, weight_map.values()))):
        if not shard.endswith((".safetensors", ".bin")) or len(shard) > 255 or set(shard) & {"/", "\\", "\0"}:
            raise CheckpointError(f"{path} names {shard[:100]!r}, which is not a file of weights in this folder.")
        found = read_tensors(files, shard)
        if twice := tensors.keys() & found.keys():
            raise CheckpointError(f"{path}: the tensor {min(twice)} is in two files. Fetch or save it again.")
        tensors |= found
    lost = sorted(
        name
        for name, shard in weight_map.items()
        if (tensors[name].file != shard if name in tensors else not is_rotary_table(name))
    )
    if lost:
        raise CheckpointError(
            f"{path} promises {lost[0]} and {len(lost) - 1} other tensors that are not where it says."
        )
    return tensors


def _provenance(files: CheckpointFiles) -> Provenance:
    path = files.path("bayling.json")
    said = read_json(files, "bayling.json") or {}
    texts = {key.name: said[key.name] for key in fields(Provenance) if key.type == "str | None" and said.get(key.name)}
    lists = {key: tuple(said[key]) for key in ("languages", "datasets") if isinstance(said.get(key), list)}
    flags = {key: said.get(key, False) for key in ("demonstrator", "placeholders")}
    wrong = [key for key, value in texts.items() if not isinstance(value, str)]
    wrong += [key for key, value in lists.items() if not all(isinstance(item, str) for item in value)]
    wrong += [key for key, value in flags.items() if not isinstance(value, bool)]
    if wrong:
        raise CheckpointError(f"{path}: {wrong[0]!r} holds a value of the wrong type.")
    values: dict[str, Any] = {**texts, **lists, **flags}
    return Provenance(**values).over(Provenance(url=files.source))


def _chat_template(files: CheckpointFiles, tokenizer_config: Mapping[str, Any]) -> str | None:
    """The checkpoint's own Jinja template: a file of its own in newer checkpoints, inside the JSON in older ones."""
    data = files.read("chat_template.jinja")
    if data is not None:
        try:
            return data.decode()
        except ValueError as error:
            path = files.path("chat_template.jinja")
            raise CheckpointError(f"{path} cannot be read as UTF-8 text: {error}.") from error
    value = tokenizer_config.get("chat_template")
    if isinstance(value, list):
        named = [entry for entry in value if isinstance(entry, dict)]
        value = next((entry.get("template") for entry in named if entry.get("name") == "default"), None)
    return value if isinstance(value, str) else None
