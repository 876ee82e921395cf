"""The files with a checkpoint's tensors, each fetched and mapped when it is first needed and let go when it is done.

However large the model, only the file at work is on this disk (where files have to be fetched), and of the memory map
only the pieces at work are in memory.
"""

from __future__ import annotations

import mmap
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from bayling_convert.reading.files import CheckpointFiles, Folder
from bayling_convert.reading.stored import BITS, StoredTensor, widened
from bayling_convert.reading.weight_files import read_tensors
from bayling_lite.errors import CheckpointError

Index = slice | npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Located:
    """A stored tensor and the checkpoint it is in."""

    files: CheckpointFiles
    tensor: StoredTensor

    @property
    def key(self) -> tuple[int, str]:
        """What tells its file from all others."""
        return id(self.files), self.tensor.file


class _Mapped:
    """One file, mapped."""

    def __init__(self, located: Located) -> None:
        self._stack = ExitStack()
        files, name = located.files, located.tensor.file
        try:
            path = self._stack.enter_context(files.fetch(name))
            with path.open("rb") as file:
                self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            # The header that came alone, before there was a digest to check it by, is not yet trusted.
            self._header = read_tensors(Folder(path.parent), path.name) if files.remote else None
        except (OSError, ValueError) as error:
            self._stack.close()
            raise CheckpointError(f"{files.path(name)} cannot be read: {error}.") from error
        except BaseException as error:
            self._stack.__exit__(type(error), error, error.__traceback__)
            raise

    def check(self, located: Located) -> None:
        """See that a tensor is where it was before.

        Raises:
            CheckpointError: it is not.
        """
        files, tensor = located.files, located.tensor
        same = self._header is None or self._header.get(tensor.name) == tensor
        if len(self.data) != files.sizes[tensor.file] or not same:
            raise CheckpointError(f"{files.path(tensor.file)} is not what its header said before. Start again.")

    def close(self, error: BaseException | None) -> None:
        try:
            self.data.close()
        except BufferError:  # a view is still alive; the map goes with it
            pass
        finally:
            self._stack.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)


class Shards:
    """Rows of tensors on demand. ``open`` and ``release`` are for one thread, ``rows`` for any.

    Args:
        uses: every tensor that will be read, as often as it will be released.
    """

    def __init__(self, uses: Iterable[Located]) -> None:
        self._left = Counter(located.key for located in uses)
        self._open: dict[tuple[int, str], _Mapped] = {}

    def is_open(self, located: Located) -> bool:
        """Whether the tensor's file is at hand."""
        return located.key in self._open

    def open(self, located: Located) -> None:
        """Have the tensor's file at hand; fetching it may take long.

        Raises:
            CheckpointError: the file cannot be read, or is not what it was.
        """
        if not self.is_open(located):
            self._open[located.key] = _Mapped(located)
        self._open[located.key].check(located)

    def rows(self, located: Located, index: Index) -> npt.NDArray[np.float32]:
        """The chosen rows (of one dimension: elements) as float32, exactly; C-contiguous, a copy."""
        tensor = located.tensor
        values = widened(self._bits(located)[index], tensor.dtype)
        # Float32 by a slice is still the file's own memory.
        return values.copy() if tensor.dtype == "F32" and isinstance(index, slice) else values

    def forget(self, located: Located, index: Index) -> None:
        """Give back the memory that reading these rows took; the file still has them."""
        if not hasattr(mmap, "MADV_DONTNEED"):
            return
        tensor = located.tensor
        first, behind = _bounds(index, tensor.shape[0])
        row_bytes = tensor.n_bytes // max(1, tensor.shape[0])
        begin = tensor.offset + first * row_bytes
        end = tensor.offset + behind * row_bytes
        begin -= begin % mmap.PAGESIZE
        if end > begin:
            self._open[located.key].data.madvise(mmap.MADV_DONTNEED, begin, end - begin)

    def release(self, located: Located) -> None:
        """A tensor is done; with its last one a file is let go."""
        self._left[located.key] -= 1
        if self._left[located.key] <= 0 and (mapped := self._open.pop(located.key, None)):
            mapped.close(None)

    def _bits(self, located: Located) -> npt.NDArray[Any]:
        tensor = located.tensor
        # A header of odd length leaves the data unaligned: such a view still reads right, through numpy.
        raw = np.frombuffer(self._open[located.key].data, dtype=np.uint8, count=tensor.n_bytes, offset=tensor.offset)
        return raw.view(BITS[tensor.dtype]).reshape(tensor.shape)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for mapped in self._open.values():
            mapped.close(error)
        self._open.clear()


def _bounds(index: Index, length: int) -> tuple[int, int]:
    if isinstance(index, slice):
        first, behind, _ = index.indices(length)
        return first, behind
    return (int(index.min()), int(index.max()) + 1) if index.size else (0, 0)
