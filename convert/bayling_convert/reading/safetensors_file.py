"""Read the header of a safetensors file, without torch and without touching the weights.

The format (https://huggingface.co/docs/safetensors): eight bytes of header length, a JSON header that gives each
tensor's type, shape and byte range, then the bytes, without gap or overlap.
"""

from __future__ import annotations

import json
import math
import struct
from typing import Any, BinaryIO

import numpy as np

from bayling_convert.reading.files import CheckpointFiles
from bayling_convert.reading.stored import BITS, StoredTensor
from bayling_lite.errors import CheckpointError

_MAX_HEADER = 16 * 1024 * 1024
"""Bytes of the longest header that is read: room for 100,000 tensors. Those of real files stay below 1 MB."""
_MOST_DIMENSIONS = 8


def read_safetensors_header(files: CheckpointFiles, name: str) -> dict[str, StoredTensor]:
    """All tensors of one file, in the order of their bytes.

    Raises:
        CheckpointError: missing, truncated or damaged, or of a number type that is not F32, F16 or BF16.
    """
    path = files.path(name)
    if name not in files.sizes:
        raise CheckpointError(f"{path} is missing. Fetch or save the checkpoint again.")
    try:
        with files.open(name) as file:
            header, start = _header(file, files.sizes[name], path)
        entries = {tensor: entry for tensor, entry in header.items() if tensor != "__metadata__"}
        tensors = [_tensor(path, tensor, entry, name, start) for tensor, entry in entries.items()]
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{path} has a damaged header. Fetch or save it again.") from error
    tensors.sort(key=lambda tensor: (tensor.offset, tensor.n_bytes))
    _check_layout(path, tensors, start, files.sizes[name])
    return {tensor.name: tensor for tensor in tensors}


def _header(file: BinaryIO, size: int, path: str) -> tuple[dict[str, Any], int]:
    """The header, and where the data begin."""
    start = file.read(8)
    header_size = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
    if start == b"version ":
        raise CheckpointError(f"{path} is a Git LFS pointer, not the weights. Run 'git lfs pull' in its folder.")
    if not 2 <= header_size <= min(_MAX_HEADER, size - 8):
        raise CheckpointError(f"{path} is not a safetensors file, or is truncated. Fetch or save it again.")
    header = json.loads(file.read(header_size), object_pairs_hook=_without_duplicates)
    return header, 8 + header_size


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; two entries of one name would be two tensors of which one is lost."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate names")
    return found


def _tensor(path: str, name: str, entry: dict[str, Any], file: str, start: int) -> StoredTensor:
    dtype, shape, (begin, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
    sizes = (*shape, begin, end)
    if len(shape) > _MOST_DIMENSIONS or any(type(size) is not int or not 0 <= size < 2**63 for size in sizes):
        raise ValueError("not a size")
    if dtype not in BITS:
        raise CheckpointError(
            f"{path}: tensor {name} is of type {dtype}; only F32, F16 and BF16 can be converted. "
            "Save the checkpoint in one of these first."
        )
    if end - begin != math.prod(shape) * np.dtype(BITS[dtype]).itemsize:
        raise CheckpointError(
            f"{path}: tensor {name} of shape {list(shape)} does not fill its bytes; the file is damaged."
        )
    return StoredTensor(name, dtype, shape, file, start + begin)


def _check_layout(path: str, tensors: list[StoredTensor], start: int, size: int) -> None:
    """Tensors lie one behind the other up to the end of the file."""
    at = start
    for tensor in tensors:
        if tensor.offset != at:
            raise CheckpointError(
                f"{path}: tensor {tensor.name} overlaps another or leaves a gap; the file is damaged. "
                "Fetch or save it again."
            )
        at += tensor.n_bytes
    if at > size:
        raise CheckpointError(
            f"{path} is truncated: its tensors end {at - size} bytes behind the file's end. Fetch or save it again."
        )
    if at < size:
        raise CheckpointError(
            f"{path} has {size - at} bytes behind its last tensor; the file is damaged. Fetch or save it again."
        )
