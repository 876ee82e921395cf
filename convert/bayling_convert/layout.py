"""The GGUF file before its data are there: its header, and where every tensor will stand.

All sizes are known beforehand, so tensors can be written in whatever order their sources come.
Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter
from gguf.gguf_writer import WriterState

from bayling_convert.weights.ggml import row_bytes
from bayling_convert.weights.tensor_map import MappedTensor

_ALIGNMENT = 32
"""GGUF's default alignment of tensor data, in bytes."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A tensor, how it will be stored, and where its data begin in the file."""

    tensor: MappedTensor
    kind: GGMLQuantizationType
    offset: int = 0

    @property
    def matrix_shape(self) -> tuple[int, int]:
        """Rows and columns; one dimension counts as one row."""
        shape = self.tensor.shape
        return (shape[0], shape[1]) if len(shape) == 2 else (1, shape[0])

    @property
    def n_bytes(self) -> int:
        """Size of its data."""
        n_rows, n_columns = self.matrix_shape
        return n_rows * row_bytes(self.kind, n_columns)


@dataclass(frozen=True, slots=True)
class Layout:
    """The header's bytes, the tensors in the file's order, and the size of the whole file in bytes."""

    header: bytes
    tensors: tuple[Planned, ...]
    n_bytes: int


def lay_out(writer: GGUFWriter, tensors: Iterable[tuple[MappedTensor, GGMLQuantizationType]]) -> Layout:
    """Finish a header whose metadata are written already."""
    planned = [Planned(tensor, kind) for tensor, kind in tensors]
    for one in planned:
        name, shape = one.tensor.name, one.tensor.shape
        writer.add_tensor_info(name, shape, np.dtype(np.float32), one.n_bytes, raw_dtype=one.kind)
    header = _header(writer)
    at = len(header)
    placed = []
    for one in planned:
        placed.append(Planned(one.tensor, one.kind, at))
        at += one.n_bytes + -one.n_bytes % _ALIGNMENT
    return Layout(header, tuple(placed), at)


def _header(writer: GGUFWriter) -> bytes:
    """Everything before the tensor data, padded. The writer is made to write into memory."""
    buffer = io.BytesIO()
    writer.fout, writer.state = [buffer], WriterState.EMPTY
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    header = buffer.getvalue()
    writer.close()
    return header + bytes(-len(header) % _ALIGNMENT)
