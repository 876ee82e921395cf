"""Which type each tensor is stored in: llama.cpp's own mixture, so that one pass here equals its two steps.

The rules are those of ``llama_model_quantize`` without an importance matrix, for LLaMA models. Q4_K_M spends more bits
where they pay: on the output matrix, and in a part of the layers on the value and down projections.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from gguf import GGMLQuantizationType as Kind
from gguf import LlamaFileType

from bayling_convert.checkpoint import HyperParameters
from bayling_convert.ggml import block_size
from bayling_convert.tensor_map import MappedTensor
from bayling_lite.errors import UsageError


class FileType(StrEnum):
    """What a GGUF can be written as."""

    F32 = "F32"
    F16 = "F16"
    BF16 = "BF16"
    Q8_0 = "Q8_0"
    Q4_K_M = "Q4_K_M"

    @classmethod
    def of(cls, name: str) -> FileType:
        """The type of that name, in any case.

        Raises:
            UsageError: no such type; the message lists them.
        """
        try:
            return cls(name.upper())
        except ValueError:
            raise UsageError(f"Unknown type {name!r}. Known: {', '.join(kind.value for kind in cls)}.") from None

    @property
    def llama(self) -> LlamaFileType:
        """llama.cpp's number for it (``general.file_type``)."""
        return LlamaFileType["ALL_F32" if self is FileType.F32 else f"MOSTLY_{self.value}"]

    @property
    def default_kind(self) -> Kind:
        """What most matrices are stored as."""
        return Kind.Q4_K if self is FileType.Q4_K_M else Kind[self.value]


_FALLBACK = {Kind.Q4_K: Kind.Q5_0, Kind.Q5_K: Kind.Q5_1, Kind.Q6_K: Kind.Q8_0}
"""For rows that are no multiple of 256 elements: a type of blocks of 32 of about the same quality."""


def choose_kinds(file_type: FileType, tensors: Iterable[MappedTensor], hyper: HyperParameters) -> dict[str, Kind]:
    """The type of every tensor by its name. Norms and biases always stay F32."""
    chosen = list(tensors)
    tied = all(tensor.name != "output.weight" for tensor in chosen)
    return {tensor.name: _kind(file_type, tensor, hyper, tied=tied) for tensor in chosen}


def _kind(file_type: FileType, tensor: MappedTensor, hyper: HyperParameters, *, tied: bool) -> Kind:
    if len(tensor.shape) < 2:
        return Kind.F32
    kind = file_type.default_kind
    if file_type in (FileType.F32, FileType.F16, FileType.BF16):
        return kind
    n_columns = tensor.shape[1]
    if tensor.name == "output.weight" or (tied and tensor.name == "token_embd.weight"):
        if n_columns % block_size(kind):
            kind = Kind.Q8_0
        elif kind is not Kind.Q8_0:
            kind = Kind.Q6_K
    elif file_type is FileType.Q4_K_M and tensor.name.startswith("blk."):
        kind = _mixed(tensor, hyper)
    return _fitting(kind, n_columns)


def _mixed(tensor: MappedTensor, hyper: HyperParameters) -> Kind:
    """The mixture of Q4_K_M for one layer's matrix."""
    _, layer, part, _ = tensor.name.split(".")
    if part in ("attn_v", "ffn_down") and _use_more_bits(int(layer), hyper.n_layers):
        return Kind.Q6_K
    # LLaMA-2-70B shares each value head among eight queries: small, and worth another bit.
    if part == "attn_v" and hyper.n_layers == 80 and hyper.n_kv_heads != hyper.n_heads:
        return Kind.Q5_K
    return Kind.Q4_K


def _use_more_bits(layer: int, n_layers: int) -> bool:
    """The first and last eighth of the layers, and every third between."""
    eighth = n_layers // 8
    return layer < eighth or layer >= 7 * n_layers // 8 or (layer - eighth) % 3 == 2


def _fitting(kind: Kind, n_columns: int) -> Kind:
    if n_columns % block_size(kind) == 0:
        return kind
    smaller = _FALLBACK.get(kind, kind)
    return smaller if n_columns % block_size(smaller) == 0 else Kind.F16
