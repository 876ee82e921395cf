"""Which type each tensor is stored in: llama.cpp's own mixture, so that one pass here equals its two steps.

The rules are those of ``llama_model_quantize`` for LLaMA models, with and without an importance matrix. A mixture
spends more bits where they pay: on the output matrix, and in a part of the layers on the value and down projections.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol

from gguf import GGMLQuantizationType as Kind
from gguf import LlamaFileType

from bayling_convert.reading.configuration import HyperParameters
from bayling_convert.weights.ggml import block_size
from bayling_lite.errors import UsageError


class FileType(StrEnum):
    """What a GGUF can be written as."""

    F32 = "F32"
    F16 = "F16"
    BF16 = "BF16"
    Q8_0 = "Q8_0"
    Q4_0 = "Q4_0"
    Q4_K_S = "Q4_K_S"
    Q4_K_M = "Q4_K_M"
    Q5_K_M = "Q5_K_M"
    Q6_K = "Q6_K"
    IQ4_XS = "IQ4_XS"

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
        return Kind[self.value.removesuffix("_S").removesuffix("_M")]

    @property
    def uses_importance(self) -> bool:
        """Whether an importance matrix changes anything: the exact types and Q8_0 round every number by itself."""
        return not self.is_exact and self is not FileType.Q8_0

    @property
    def is_exact(self) -> bool:
        """Whether every number keeps a float of its own: no blocks, no mixture, no use for an importance matrix."""
        return self in (FileType.F32, FileType.F16, FileType.BF16)


class NamedMatrix(Protocol):
    """What the choice looks at: a tensor's name in the GGUF and its shape, rows first."""

    @property
    def name(self) -> str:
        """As ``blk.0.attn_v.weight``."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows, columns), or (n,)."""
        ...


_FALLBACK = {Kind.Q4_K: Kind.Q5_0, Kind.Q5_K: Kind.Q5_1, Kind.Q6_K: Kind.Q8_0, Kind.IQ4_XS: Kind.IQ4_NL}
"""For rows that are no multiple of 256 elements: a type of blocks of 32 of about the same quality."""


def choose_kinds(
    file_type: FileType, tensors: Iterable[NamedMatrix], hyper: HyperParameters, *, has_imatrix: bool = False
) -> dict[str, Kind]:
    """The type of every tensor by its name. Norms and biases always stay F32.

    ``has_imatrix`` says that there is an importance matrix, be it for some tensors only: two mixtures then differ.
    """
    chosen = list(tensors)
    tied = all(tensor.name != "output.weight" for tensor in chosen)
    return {tensor.name: _kind(file_type, tensor, hyper, tied, has_imatrix) for tensor in chosen}


def _kind(file_type: FileType, tensor: NamedMatrix, hyper: HyperParameters, tied: bool, has_imatrix: bool) -> Kind:
    if len(tensor.shape) < 2:
        return Kind.F32
    kind = file_type.default_kind
    if file_type.is_exact:
        return kind
    n_columns = tensor.shape[1]
    if tensor.name == "output.weight" or (tied and tensor.name == "token_embd.weight"):
        if n_columns % block_size(kind):
            kind = Kind.Q8_0
        elif kind is not Kind.Q8_0:
            kind = Kind.Q6_K
    elif tensor.name.startswith("blk."):
        _, layer, part, _ = tensor.name.split(".")
        if part == "attn_v":
            kind = _value_kind(file_type, int(layer), hyper)
        elif part == "ffn_down":
            kind = _down_kind(file_type, int(layer), hyper, has_imatrix)
    return _fitting(kind, n_columns)


def _value_kind(file_type: FileType, layer: int, hyper: HyperParameters) -> Kind:
    """The value projection: small where heads share it, and all that attention passes on."""
    kind = file_type.default_kind
    if file_type is FileType.IQ4_XS and hyper.n_heads // hyper.n_kv_heads >= 4:
        kind = Kind.Q5_K
    elif file_type in (FileType.Q4_K_M, FileType.Q5_K_M) and _use_more_bits(layer, hyper.n_layers):
        kind = Kind.Q6_K
    elif file_type is FileType.Q4_K_S and layer < 4:
        kind = Kind.Q5_K
    # LLaMA-2-70B, known by its layers: each value head serves eight queries, and another bit costs little.
    if kind is Kind.Q4_K and hyper.n_layers == 80 and hyper.n_kv_heads != hyper.n_heads:
        kind = Kind.Q5_K
    return kind


def _down_kind(file_type: FileType, layer: int, hyper: HyperParameters, has_imatrix: bool) -> Kind:
    """The down projection, whose inputs vary most."""
    early = layer < hyper.n_layers // 8
    if file_type in (FileType.Q4_K_M, FileType.Q5_K_M) and _use_more_bits(layer, hyper.n_layers):
        return Kind.Q6_K
    if early and (file_type is FileType.Q4_K_S or (file_type is FileType.IQ4_XS and not has_imatrix)):
        return Kind.Q5_K
    if early and file_type is FileType.Q4_0 and has_imatrix:
        return Kind.Q4_1
    return file_type.default_kind


def _use_more_bits(layer: int, n_layers: int) -> bool:
    """The first and last eighth of the layers, and every third between."""
    eighth = n_layers // 8
    return layer < eighth or layer >= 7 * n_layers // 8 or (layer - eighth) % 3 == 2


def _fitting(kind: Kind, n_columns: int) -> Kind:
    if n_columns % block_size(kind) == 0:
        return kind
    smaller = _FALLBACK.get(kind, kind)
    return smaller if n_columns % block_size(smaller) == 0 else Kind.F16
