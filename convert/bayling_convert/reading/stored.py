"""A tensor in a checkpoint's file: where it stands there and what its bits mean."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BITS: dict[str, type[np.generic]] = {"F32": np.float32, "F16": np.float16, "BF16": np.uint16}
"""Number types that can be read, and what numpy reads them as: it has no bfloat16, so those are raw bits."""


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor of ``shape`` (rows, columns) or (n,), contiguous, ``offset`` bytes from the beginning of ``file``."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: str
    offset: int

    @property
    def n_bytes(self) -> int:
        """Its size in the file."""
        return math.prod(self.shape) * np.dtype(BITS[self.dtype]).itemsize


def widened(bits: npt.NDArray[np.generic], dtype: str) -> npt.NDArray[np.float32]:
    """Numbers read as ``BITS`` says, exactly as float32; C-contiguous."""
    if dtype == "BF16":
        # bfloat16 is the upper half of a float32.
        return (bits.astype(np.uint32) << 16).view(np.float32)
    return np.ascontiguousarray(bits, dtype=np.float32)
