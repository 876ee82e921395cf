"""From a checkpoint's tensors to GGUF's: names, order, the rotary permutation, and shapes to be checked.

GGUF names: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (standardized tensor names).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bayling_convert.reading.checkpoint import Checkpoint
from bayling_convert.reading.configuration import HyperParameters, RopeScaling
from bayling_convert.reading.shards import Shards
from bayling_convert.weights.sources import Constant, Plain, Source
from bayling_lite.errors import CheckpointError

EMBEDDING = "model.embed_tokens.weight"
OUTPUT = "lm_head.weight"

_IGNORED = re.compile(r"model\.layers\.\d+\.self_attn\.rotary_emb\.inv_freq|model\.rotary_emb\.inv_freq")
"""Older checkpoints store these constants; they follow from rope_theta."""
_COMPARED = 4 * 1024 * 1024
"""Bytes of two tensors that are compared at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class MappedTensor:
    """A tensor to write: ``name`` and ``shape`` as in the GGUF (rows first), and the order of its source's rows."""

    name: str
    source: Source
    row_order: npt.NDArray[np.intp] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows, columns), or (n,)."""
        return self.source.shape

    def rows(self, shards: Shards, begin: int, end: int) -> npt.NDArray[np.float32]:
        """Rows ``begin`` to ``end`` of the tensor to write (of one dimension: elements), as float32."""
        index = slice(begin, end) if self.row_order is None else self.row_order[begin:end]
        return self.source.rows(shards, index)


def map_tensors(checkpoint: Checkpoint, sources: Mapping[str, Source]) -> list[MappedTensor]:
    """Every tensor of the GGUF, in llama.cpp's own order: the model's first, then layer by layer, each by name.

    A tied output matrix is left out, as llama.cpp then uses the embedding; one that was stored along and differs from
    the embedding is a matrix of its own, as transformers sees it.

    Args:
        checkpoint: what the tensors are expected of.
        sources: where the rows of each come from, by its name in the checkpoint.

    Raises:
        CheckpointError: a tensor is missing, has the wrong shape, or has no place in the GGUF.
    """
    hyper = checkpoint.hyper
    expected = dict(expected_tensors(hyper))
    tied = hyper.tied and _same_output(sources)
    if tied:
        del expected[OUTPUT]
    _check(checkpoint, sources, expected, surplus={OUTPUT} if tied else set())
    mapped = [MappedTensor(name, sources[source], row_order(name, hyper)) for source, (name, _) in expected.items()]
    if hyper.rope_scaling is not None and hyper.rope_scaling.kind == "llama3":
        mapped.append(MappedTensor("rope_freqs.weight", _rope_factors(hyper, hyper.rope_scaling)))
    return sorted(mapped, key=llama_cpp_order)


def count_parameters(tensors: Iterable[MappedTensor]) -> int:
    """Numbers that were trained: what follows from the configuration is none of them."""
    return sum(math.prod(tensor.shape) for tensor in tensors if tensor.source.parts)


def row_order(name: str, hyper: HyperParameters) -> npt.NDArray[np.intp] | None:
    """The order of the source's rows in the tensor of that GGUF name; None where it stays."""
    part = name.split(".")[2] if name.startswith("blk.") else ""
    if part == "attn_q":
        return _rotary_order(hyper.n_heads, hyper.head_dim)
    return _rotary_order(hyper.n_kv_heads, hyper.head_dim) if part == "attn_k" else None


def expected_tensors(hyper: HyperParameters) -> Iterator[tuple[str, tuple[str, tuple[int, ...]]]]:
    """Pairs of source name and (GGUF name, shape): all tensors of such a model."""
    n_q, n_kv = hyper.n_heads * hyper.head_dim, hyper.n_kv_heads * hyper.head_dim
    wide, inner = hyper.hidden_size, hyper.intermediate_size
    yield EMBEDDING, ("token_embd.weight", (hyper.vocab_size, wide))
    yield "model.norm.weight", ("output_norm.weight", (wide,))
    yield OUTPUT, ("output.weight", (hyper.vocab_size, wide))
    matrices = (
        ("self_attn.q_proj", "attn_q", (n_q, wide), hyper.attention_bias),
        ("self_attn.k_proj", "attn_k", (n_kv, wide), hyper.attention_bias),
        ("self_attn.v_proj", "attn_v", (n_kv, wide), hyper.attention_bias),
        ("self_attn.o_proj", "attn_output", (wide, n_q), hyper.attention_bias),
        ("mlp.gate_proj", "ffn_gate", (inner, wide), hyper.mlp_bias),
        ("mlp.up_proj", "ffn_up", (inner, wide), hyper.mlp_bias),
        ("mlp.down_proj", "ffn_down", (wide, inner), hyper.mlp_bias),
    )
    for layer in range(hyper.n_layers):
        source, target = f"model.layers.{layer}", f"blk.{layer}"
        yield f"{source}.input_layernorm.weight", (f"{target}.attn_norm.weight", (wide,))
        yield f"{source}.post_attention_layernorm.weight", (f"{target}.ffn_norm.weight", (wide,))
        for theirs, ours, shape, bias in matrices:
            yield f"{source}.{theirs}.weight", (f"{target}.{ours}.weight", shape)
            if bias:
                yield f"{source}.{theirs}.bias", (f"{target}.{ours}.bias", shape[:1])


def _same_output(sources: Mapping[str, Source]) -> bool:
    """Whether a tied output matrix is not stored, or is stored as a copy of the embedding."""
    if OUTPUT not in sources or EMBEDDING not in sources:
        return OUTPUT not in sources
    one_source, other_source = sources[OUTPUT], sources[EMBEDDING]
    if not isinstance(one_source, Plain) or not isinstance(other_source, Plain):
        return False
    files, output, embedding = one_source.part.files, one_source.part.tensor, other_source.part.tensor
    if (output.file, output.offset) == (embedding.file, embedding.offset):
        return True
    if output.dtype != embedding.dtype or output.shape != embedding.shape:
        return False
    left = output.n_bytes
    with files.open(output.file) as one, files.open(embedding.file) as other:
        one.seek(output.offset)
        other.seek(embedding.offset)
        while left:
            size = min(left, _COMPARED)
            if one.read(size) != other.read(size):
                return False
            left -= size
    return True


def _check(
    checkpoint: Checkpoint,
    stored: Mapping[str, Source],
    expected: Mapping[str, tuple[str, tuple[int, ...]]],
    *,
    surplus: set[str],
) -> None:
    where = checkpoint.files.where
    missing = [name for name in expected if name not in stored]
    if missing:
        raise CheckpointError(
            f"{where} lacks {len(missing)} of {len(expected)} tensors, {missing[0]} among them. "
            "The checkpoint is incomplete, or config.json belongs to another model."
        )
    for name, (_, shape) in expected.items():
        if stored[name].shape != shape:
            raise CheckpointError(
                f"{where}: tensor {name} has the shape {list(stored[name].shape)}, config.json asks for {list(shape)}."
            )
    unknown = [name for name in stored if name not in expected and name not in surplus and not _IGNORED.fullmatch(name)]
    if unknown:
        raise CheckpointError(
            f"{where} holds {len(unknown)} tensors with no place in a LLaMA model, "
            f"{unknown[0]} among them. llama.cpp's own convert_hf_to_gguf.py may handle it; "
            "bayling opens the GGUF it writes."
        )


def _rotary_order(n_heads: int, head_dim: int) -> npt.NDArray[np.intp]:
    """Which source row each row of a query or key matrix comes from, shape (n_heads * head_dim,).

    Hugging Face rotates element i of a head together with element i + head_dim/2; llama.cpp's LLaMA rotates neighbours,
    as the original weights do. The two halves of each head are interleaved.
    """
    rows = np.arange(n_heads * head_dim, dtype=np.intp).reshape(n_heads, 2, head_dim // 2)
    return rows.swapaxes(1, 2).reshape(-1)


def _rope_factors(hyper: HyperParameters, scaling: RopeScaling) -> Constant:
    """What llama.cpp divides each rotary frequency by, shape (head_dim / 2,): LLaMA 3's scaling of long wavelengths.

    Source: ``_compute_llama3_parameters`` as described in the model card of Llama 3.1. Short wavelengths stay,
    long ones are stretched by ``factor``, between them the inverse is interpolated. In float32 as llama.cpp's converter
    computes it, so that the last bit is the same.
    """
    one = np.float32(1)
    exponents = np.arange(0, hyper.head_dim, 2, dtype=np.float32) / np.float32(hyper.head_dim)
    # The power is taken exactly and rounded once, which is what a good float32 power function does.
    powers = (float(hyper.rope_theta) ** exponents.astype(np.float64)).astype(np.float32)
    wavelengths = np.float32(2 * math.pi) / (one / powers)
    low, high = np.float32(scaling.low_freq_factor), np.float32(scaling.high_freq_factor)
    original, factor = np.float32(scaling.original_context), np.float32(scaling.factor)
    smooth = (original / wavelengths - low) / (high - low)
    between = one / ((one - smooth) / factor + smooth)
    factors = np.where(wavelengths > original / low, factor, np.where(wavelengths < original / high, one, between))
    return Constant("rope_freqs", factors.astype(np.float32))


def llama_cpp_order(tensor: MappedTensor) -> tuple[int, str]:
    """What to sort by for the order in which llama.cpp writes tensors."""
    layer = int(tensor.name.split(".")[1]) if tensor.name.startswith("blk.") else -1
    return layer, tensor.name
