"""An importance matrix: how much an error in each column of a weight costs, measured on calibration text.

For every weight it holds the sums of the squared activations that entered each column and how many were summed. Files
are interchangeable with llama.cpp's: ``llama-quantize --imatrix`` takes what is written here, and both forms that
``llama-imatrix`` writes are read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bayling_convert.importance.imatrix_formats import Contents, parse, serialize
from bayling_convert.output import whole_file
from bayling_lite.errors import InputError

_EMBEDDING = "token_embd.weight"


@dataclass(frozen=True, slots=True, eq=False)
class Imatrix:
    """Measured importances, by the names tensors have in a GGUF.

    ``values`` are sums of squares, shape (matrices, columns), and ``counts`` how many activations were summed, shape
    (matrices,); there is one matrix, but for the experts of a mixture. ``datasets`` names the calibration text,
    ``chunk_count`` and ``chunk_size`` (in tokens) its length. ``file`` is where it was read from, if it was.
    """

    values: Mapping[str, npt.NDArray[np.float32]]
    counts: Mapping[str, npt.NDArray[np.int64]]
    datasets: tuple[str, ...] = ()
    chunk_count: int = 0
    chunk_size: int = 512
    file: Path | None = None

    def importance(self, tensor_name: str, n_columns: int) -> npt.NDArray[np.float32] | None:
        """The mean square of what enters each column, shape (n_columns,), computed as llama-quantize does.

        A tensor that never saw an activation counts all columns alike. None when there is nothing for this tensor.

        Raises:
            InputError: the matrix was measured on another model: it has another number of columns.
        """
        values = self.values.get(tensor_name)
        if values is None:
            return None
        if values.size != n_columns:
            if tensor_name == _EMBEDDING:  # not multiplied but looked up: llama.cpp too passes over what stands here
                return None
            where = f"{self.file}" if self.file else "The importance matrix"
            raise InputError(
                f"{where} was measured on another model: {tensor_name} has {values.size} columns in it, "
                f"but {n_columns} here. Measure this model: bayling imatrix MODEL.gguf"
            )
        counts = self.counts[tensor_name].astype(np.float32)[:, np.newaxis]
        means = np.divide(values, counts, out=np.ones_like(values), where=counts > 0)
        return means.reshape(-1)

    @property
    def digest(self) -> str:
        """SHA-256 of the file that :meth:`write` writes, in hexadecimal."""
        return hashlib.sha256(serialize(self._contents())).hexdigest()

    def write(self, path: Path, *, overwrite: bool = False) -> None:
        """Write llama.cpp's GGUF form; the file appears whole or not at all.

        Raises:
            OutputError: the file exists, or cannot be written.
        """
        data = serialize(self._contents())
        with whole_file(path, n_bytes=len(data), overwrite=overwrite) as part:
            part.write(0, data)

    def _contents(self) -> Contents:
        entries = {name: (values, self.counts[name]) for name, values in self.values.items()}
        return Contents(entries, self.datasets, self.chunk_count, self.chunk_size)


def read_imatrix(path: Path) -> Imatrix:
    """Read either form of llama.cpp's files.

    Raises:
        InputError: it cannot be read, is no importance matrix, is damaged, or holds values that make no sense.
    """
    contents = parse(path)
    return Imatrix(
        {name: sums for name, (sums, _) in contents.entries.items()},
        {name: counts for name, (_, counts) in contents.entries.items()},
        contents.datasets,
        contents.chunk_count,
        contents.chunk_size,
        path,
    )
