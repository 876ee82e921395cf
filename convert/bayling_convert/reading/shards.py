"""The files with a checkpoint's tensors, each fetched and opened when it is first needed and let go when it is done.

However large the model, only the file at work is on this disk (where files have to be fetched), and only the pieces at
work are in memory.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from bayling_convert.reading.files import CheckpointFiles, Folder
from bayling_convert.reading.stored import BITS, StoredTensor, widened
from bayling_convert.reading.weight_files import read_tensors
from bayling_lite.errors import CheckpointError

_LARGEST_READ = 1 << 30
"""Bytes that are asked for at once; some systems refuse 2 GB."""

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


class _Opened:
    """One file, open for reading. It is not mapped: to look into the map of a file that was cut short, or is on a disk
    that fails, ends the process.
    """

    def __init__(self, located: Located) -> None:
        self._stack = ExitStack()
        self._lock = threading.Lock()
        files, name = located.files, located.tensor.file
        self._name = files.path(name)
        with self._stack:
            try:
                path = self._stack.enter_context(files.fetch(name))
                self._file = self._stack.enter_context(path.open("rb", buffering=0))
                self._size = os.fstat(self._file.fileno()).st_size
            except OSError as error:
                raise CheckpointError(f"{self._name} cannot be read: {error.strerror or error}.") from error
            # The header that came alone, before there was a digest to check it by, is not yet trusted.
            self._header = read_tensors(Folder(path.parent), path.name) if files.remote else None
            self._stack = self._stack.pop_all()

    def check(self, located: Located) -> None:
        """See that a tensor is where it was before.

        Raises:
            CheckpointError: it is not.
        """
        tensor = located.tensor
        same = self._header is None or self._header.get(tensor.name) == tensor
        if self._size != located.files.sizes[tensor.file] or not same:
            raise CheckpointError(f"{self._name} is not what its header said before. Start again.")

    def read(self, offset: int, n_bytes: int) -> npt.NDArray[np.uint8]:
        """Bytes from a place, by any thread.

        Raises:
            CheckpointError: they cannot be read, or are no longer there.
        """
        data = np.empty(n_bytes, np.uint8)
        left = data.data
        try:
            while left:
                count = self._read_some(left[:_LARGEST_READ], offset)
                if not count:
                    raise CheckpointError(f"{self._name} became shorter while it was read. Start again.")
                left, offset = left[count:], offset + count
        except OSError as error:
            raise CheckpointError(f"{self._name} cannot be read: {error.strerror or error}.") from error
        return data

    def _read_some(self, target: memoryview, offset: int) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._file.fileno(), [target], offset)
        with self._lock:
            self._file.seek(offset)
            return self._file.readinto(target)

    def close(self, error: BaseException | None) -> None:
        self._stack.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)


class Shards:
    """Rows of tensors on demand. ``open`` and ``release`` are for one thread, ``rows`` for any.

    Args:
        uses: every tensor that will be read, as often as it will be released.
    """

    def __init__(self, uses: Iterable[Located]) -> None:
        self._left = Counter(located.key for located in uses)
        self._open: dict[tuple[int, str], _Opened] = {}

    def is_open(self, located: Located) -> bool:
        """Whether the tensor's file is at hand."""
        return located.key in self._open

    def open(self, located: Located) -> None:
        """Have the tensor's file at hand; fetching it may take long.

        Raises:
            CheckpointError: the file cannot be read, or is not what it was.
        """
        if not self.is_open(located):
            self._open[located.key] = _Opened(located)
        self._open[located.key].check(located)

    def rows(self, located: Located, index: Index) -> npt.NDArray[np.float32]:
        """The chosen rows (of one dimension: elements) as float32, exactly; C-contiguous.

        Raises:
            CheckpointError: the file cannot be read.
        """
        tensor = located.tensor
        first, behind = _bounds(index, tensor.shape[0])
        row_bytes = tensor.n_bytes // max(1, tensor.shape[0])
        data = self._open[located.key].read(tensor.offset + first * row_bytes, (behind - first) * row_bytes)
        bits = data.view(BITS[tensor.dtype]).reshape(-1, *tensor.shape[1:])
        return widened(bits if isinstance(index, slice) else bits[index - first], tensor.dtype)

    def release(self, located: Located) -> None:
        """A tensor is done; with its last one a file is let go."""
        self._left[located.key] -= 1
        if self._left[located.key] <= 0 and (opened := self._open.pop(located.key, None)):
            opened.close(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for opened in self._open.values():
            opened.close(error)
        self._open.clear()


def _bounds(index: Index, length: int) -> tuple[int, int]:
    """The first of the rows, and the one behind the last; those of an order of rows lie close together."""
    if isinstance(index, slice):
        first, behind, _ = index.indices(length)
        return first, behind
    return (int(index.min()), int(index.max()) + 1) if index.size else (0, 0)
