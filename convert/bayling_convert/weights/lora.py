"""LoRA adapters as peft saves them: merged into the weights in the same pass, or as a GGUF adapter of their own.

Format: https://huggingface.co/docs/peft (``adapter_config.json``, ``adapter_model.safetensors``). An adapter holds for
some matrices W two thin ones, A of shape (rank, columns) and B of shape (rows, rank); what it does is
W + scale * B A, where scale is alpha / rank (rank-stabilized: alpha / sqrt(rank)). The sum is made in float32.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bayling_convert.reading.checkpoint import Checkpoint
from bayling_convert.reading.files import CheckpointFiles
from bayling_convert.reading.json_files import read_json
from bayling_convert.reading.shards import Index, Located, Shards
from bayling_convert.reading.stored import StoredTensor
from bayling_convert.reading.weight_files import read_tensors
from bayling_convert.weights.sources import Source
from bayling_convert.weights.tensor_map import EMBEDDING, OUTPUT
from bayling_lite.errors import CheckpointError

CONFIG = "adapter_config.json"
_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
_NAME = re.compile(
    r"base_model\.model\.(?P<module>.+)\.lora_(?:(?P<embedding>embedding_)?)(?P<side>[AB])(?:\.default)?(?:\.weight)?"
)
_LARGEST_RANK = 4096
_LARGEST_SCALE = 1e6
_BEGINNINGS = (None, True, False, "gaussian", "orthogonal", "eva")
"""How an adapter may have been initialized; other ways (PiSSA, LoftQ, ...) take something off the weights first."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The two thin matrices for the matrix ``target``; those of an embedding are stored transposed."""

    target: str
    a: Located
    b: Located
    scale: float
    embedding: bool = False

    @property
    def rank(self) -> int:
        """Their common size."""
        return self.a.tensor.shape[0]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrix they are for."""
        (_, wide), (high, _) = self.a.tensor.shape, self.b.tensor.shape
        return (wide, high) if self.embedding else (high, wide)

    def factors(self, shards: Shards, index: Index) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """(chosen rows, rank) and (rank, columns), whose product changes the chosen rows. Both files are open."""
        a = shards.rows(self.a, slice(None))
        return (a.T[index], shards.rows(self.b, slice(None)).T) if self.embedding else (shards.rows(self.b, index), a)


@dataclass(frozen=True, slots=True)
class Adapter:
    """An opened adapter. ``base`` is what it says it was trained on; ``alpha`` its general scale before the rank."""

    files: CheckpointFiles
    pairs: Mapping[str, Pair]
    alpha: float
    base: str | None


@dataclass(frozen=True, slots=True)
class Merged:
    """A stored matrix with what an adapter adds to it."""

    weight: Source
    pair: Pair

    @property
    def name(self) -> str:
        """The matrix's."""
        return self.weight.name

    @property
    def shape(self) -> tuple[int, ...]:
        """The matrix's."""
        return self.weight.shape

    @property
    def parts(self) -> tuple[Located, ...]:
        """The matrix first."""
        return (*self.weight.parts, self.pair.a, self.pair.b)

    @property
    def recipe(self) -> str:
        """How much is added."""
        return f"{self.pair.scale} {self.weight.recipe}"

    def rows(self, shards: Shards, index: Index) -> npt.NDArray[np.float32]:
        """The rows of the sum, in float32."""
        high, wide = self.pair.factors(shards, index)
        change = (high @ wide) * np.float32(self.pair.scale)
        return self.weight.rows(shards, index) + change


def is_adapter(files: CheckpointFiles) -> bool:
    """Whether these are the files of an adapter rather than of a model."""
    return CONFIG in files.sizes


def open_adapter(files: CheckpointFiles) -> Adapter:
    """Open an adapter as peft leaves it.

    Raises:
        CheckpointError: missing or damaged files, or a kind of adapter that is more than two thin matrices.
    """
    config = read_json(files, CONFIG)
    if config is None:
        raise CheckpointError(f"{files.where} has no {CONFIG}, so it is no adapter of peft.")
    _check_kind(files, config)
    weights = next((name for name in _WEIGHTS if name in files.sizes), None)
    if weights is None:
        raise CheckpointError(f"{files.where} has no {_WEIGHTS[0]}. Fetch or save the adapter again.")
    try:
        alpha, patterns = float(config["lora_alpha"]), dict(config.get("alpha_pattern") or {})
        stabilized = bool(config.get("use_rslora"))
        if not abs(alpha) <= _LARGEST_SCALE * _LARGEST_RANK:
            raise ValueError(f"lora_alpha is {alpha}")
        halves = _halves(files, read_tensors(files, weights))
        pairs = {
            module: _pair(files, module, half, _alpha(module, alpha, patterns), stabilized=stabilized)
            for module, half in halves.items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{files.path(CONFIG)} holds a value that makes no sense: {error}.") from error
    if not pairs:
        raise CheckpointError(f"{files.path(weights)} holds no LoRA matrices.")
    base = config.get("base_model_name_or_path")
    return Adapter(
        files, {pair.target: pair for pair in pairs.values()}, alpha, base if isinstance(base, str) else None
    )


def merge(adapter: Adapter, checkpoint: Checkpoint, sources: Mapping[str, Source]) -> dict[str, Source]:
    """The checkpoint's sources with what the adapter adds to some of them.

    Raises:
        CheckpointError: the adapter belongs to another model.
    """
    check_fits(adapter, checkpoint)
    merged = {
        name: Merged(source, adapter.pairs[name]) if name in adapter.pairs else source
        for name, source in sources.items()
    }
    if checkpoint.hyper.tied and EMBEDDING in adapter.pairs:
        # The output matrix stays the embedding as it was: what was trained is what tokens are looked up in.
        merged.setdefault(OUTPUT, sources[EMBEDDING])
    return merged


def check_fits(adapter: Adapter, checkpoint: Checkpoint) -> None:
    """Compare names and shapes.

    Raises:
        CheckpointError: the adapter belongs to another model.
    """
    where, base = adapter.files.where, checkpoint.files.where
    said = f" It says it was trained on {adapter.base}." if adapter.base else ""
    for name, pair in adapter.pairs.items():
        stored = checkpoint.tensors.get(name)
        if stored is None:
            raise CheckpointError(f"The adapter {where} changes {name}, which {base} does not have.{said}")
        if stored.shape != pair.shape:
            raise CheckpointError(
                f"The adapter {where} changes {name} of the shape {list(pair.shape)}, "
                f"but that of {base} has {list(stored.shape)}.{said}"
            )


def _check_kind(files: CheckpointFiles, config: Mapping[str, Any]) -> None:
    kind, start = config.get("peft_type"), config.get("init_lora_weights")
    wrong = {
        f"is of the kind {kind!r}": kind != "LORA",
        "uses DoRA": bool(config.get("use_dora")),
        "trained biases": config.get("bias", "none") != "none" or bool(config.get("lora_bias")),
        "is for transposed weights": bool(config.get("fan_in_fan_out")),
        f"began from changed weights ({start!r})": start not in _BEGINNINGS,
        "works on a part of the text only": bool(config.get("alora_invocation_tokens")),
        "repeats layers": bool(config.get("layer_replication")),
        f"replaces whole modules ({config.get('modules_to_save')})": bool(config.get("modules_to_save")),
    }
    for what, true in wrong.items():
        if true:
            raise CheckpointError(
                f"The adapter {files.where} {what}, which cannot be converted here. Merge it with peft's "
                "merge_and_unload(), save the whole model with save_pretrained, and convert that."
            )


def _halves(
    files: CheckpointFiles, tensors: Mapping[str, StoredTensor]
) -> dict[tuple[str, bool], dict[str, StoredTensor]]:
    """The A and the B of each module, and whether it is an embedding."""
    halves: dict[tuple[str, bool], dict[str, StoredTensor]] = {}
    for name, tensor in tensors.items():
        found = _NAME.fullmatch(name)
        if found is None or len(tensor.shape) != 2:
            raise CheckpointError(
                f"The adapter {files.where} holds {name}, which is no matrix of LoRA. Merge it with peft's "
                "merge_and_unload(), save the whole model with save_pretrained, and convert that."
            )
        halves.setdefault((found["module"], bool(found["embedding"])), {})[found["side"]] = tensor
    return halves


def _pair(
    files: CheckpointFiles,
    module: tuple[str, bool],
    half: Mapping[str, StoredTensor],
    alpha: float,
    *,
    stabilized: bool,
) -> Pair:
    name, embedding = module
    if half.keys() != {"A", "B"}:
        raise CheckpointError(f"The adapter {files.where} has only one of two matrices for {name}; it is damaged.")
    a, b = half["A"], half["B"]
    rank = a.shape[0]
    if rank != b.shape[1] or not 1 <= rank <= _LARGEST_RANK:
        raise CheckpointError(
            f"The adapter {files.where}: the matrices for {name} do not fit together: {list(b.shape)}, {list(a.shape)}."
        )
    scale = alpha / (math.sqrt(rank) if stabilized else rank)
    if not abs(scale) <= _LARGEST_SCALE:
        raise ValueError(f"lora_alpha is {alpha}")
    return Pair(f"{name}.weight", Located(files, a), Located(files, b), scale, embedding)


def _alpha(module: tuple[str, bool], general: float, patterns: Mapping[str, Any]) -> float:
    """A module's own alpha: peft matches the end of its name, as a regular expression behind a dot or the beginning."""
    for pattern, value in patterns.items():
        try:
            if re.fullmatch(rf"(?:.*\.)?(?:{pattern})", module[0]):
                return float(value)
        except re.error as error:
            raise ValueError(f"alpha_pattern {pattern!r} ({error})") from None
    return general
