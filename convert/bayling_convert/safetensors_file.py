"""Read safetensors files by memory map, without torch.

The format (https://huggingface.co/docs/safetensors): eight bytes of header length, a JSON header that gives each
tensor's type, shape and byte range, then the bytes. numpy has no bfloat16, so tensors are handed out as raw bits and
widened to float32 a few rows at a time.
"""

from __future__ import annotations

import json
import math
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bayling_lite.errors import CheckpointError

_BITS: dict[str, type[np.generic]] = {"F32": np.float32, "F16": np.float16, "BF16": np.uint16}
_MAX_HEADER = 100 * 1024 * 1024
"""The limit of the reference implementation; a longer header is a damaged file."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredTensor:
    """A tensor in a checkpoint: ``bits`` of shape (rows, columns) or (n,), memory-mapped; uint16 where bfloat16."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    bits: npt.NDArray[Any]
    mapping: mmap.mmap | None = None
    offset: int = 0

    def rows(self, index: slice | npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
        """The chosen rows (for one dimension: elements) as float32, exactly; C-contiguous."""
        picked = self.bits[index]
        if self.dtype == "BF16":
            # bfloat16 is the upper half of a float32.
            return (picked.astype(np.uint32) << 16).view(np.float32)
        return np.ascontiguousarray(picked, dtype=np.float32)

    def forget(self) -> None:
        """Let go of the memory that reading took; the file gives it back when it is asked again."""
        if self.mapping is not None and hasattr(mmap, "MADV_DONTNEED"):
            start = self.offset - self.offset % mmap.PAGESIZE
            self.mapping.madvise(mmap.MADV_DONTNEED, start, self.offset + self.bits.nbytes - start)

    def same_bytes(self, other: StoredTensor) -> bool:
        """Whether both hold the same values in the same type and shape."""
        alike = self.dtype == other.dtype and self.shape == other.shape
        return alike and np.array_equal(self.bits.view(np.uint8), other.bits.view(np.uint8))


def read_safetensors(path: Path) -> dict[str, StoredTensor]:
    """Map all tensors of one file.

    Raises:
        CheckpointError: missing, truncated or damaged, or of a number type that is not F32, F16 or BF16.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            header_size = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
            if start == b"version ":
                raise CheckpointError(
                    f"{path} is a Git LFS pointer, not the weights. Run 'git lfs pull' in its folder."
                )
            if not 2 <= header_size <= min(_MAX_HEADER, size - 8):
                raise CheckpointError(f"{path} is not a safetensors file, or is truncated. Fetch or save it again.")
            header = json.loads(file.read(header_size))
            mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
        return {name: _tensor(path, name, entry, mapping, 8 + header_size) for name, entry in entries.items()}
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} is missing. Fetch or save the checkpoint again.") from error
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{path} has a damaged header. Fetch or save it again.") from error


def _tensor(path: Path, name: str, entry: dict[str, Any], mapping: mmap.mmap, start: int) -> StoredTensor:
    dtype, shape, (begin, end) = entry["dtype"], tuple(map(int, entry["shape"])), entry["data_offsets"]
    if dtype not in _BITS:
        raise CheckpointError(
            f"{path}: tensor {name} is of type {dtype}; only F32, F16 and BF16 can be converted. "
            "Save the checkpoint in one of these first."
        )
    n_bytes = math.prod(shape) * np.dtype(_BITS[dtype]).itemsize
    beyond = start + end - len(mapping)
    if beyond > 0:
        raise CheckpointError(
            f"{path} is truncated: tensor {name} ends {beyond} bytes behind the file's end. Fetch or save it again."
        )
    if begin < 0 or end - begin != n_bytes:
        raise CheckpointError(
            f"{path}: tensor {name} of shape {list(shape)} does not fill its bytes; the file is damaged."
        )
    # A header of odd length leaves the data unaligned: such a view still reads right, through numpy.
    raw = np.frombuffer(mapping, dtype=np.uint8, count=n_bytes, offset=start + begin)
    return StoredTensor(name, dtype, shape, raw.view(_BITS[dtype]).reshape(shape), mapping, start + begin)
