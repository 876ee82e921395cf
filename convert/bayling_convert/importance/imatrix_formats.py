"""The two forms of an importance matrix in a file: llama.cpp's GGUF, and the ``.dat`` of before.

GGUF: for every weight ``NAME.in_sum2`` (sums of squares, F32, one row a matrix) and ``NAME.counts`` (F32, one number a
matrix), and three keys ``imatrix.*``. Legacy, little-endian int32 and float32: number of entries; for each the length
of its name, name, number of chunks, number of values, values (mean square times number of chunks); then perhaps the
number of chunks and the length and name of the data set.

Every length is checked against the size of the file before anything is read or allocated.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt

from bayling_lite.errors import InputError

Entry = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]
"""Sums of squares, shape (matrices, columns), and how many rows were summed, shape (matrices,)."""

DATASETS, CHUNK_COUNT, CHUNK_SIZE = "imatrix.datasets", "imatrix.chunk_count", "imatrix.chunk_size"
_SUMS, _COUNTS = ".in_sum2", ".counts"
_LEGACY_CHUNK = 512
"""The legacy form does not say how long its chunks were; this is what llama-imatrix takes where nobody asks."""

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_UINT32, _STRING, _ARRAY = 4, 8, 9
_F32 = 0
_ALIGNMENT = 32
_MOST_KEYS, _MOST_STRINGS = 1000, 100_000
_LONGEST_NAME = 63
"""Bytes of a tensor's name in llama.cpp."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds, in either form; ``chunk_size`` in tokens."""

    entries: Mapping[str, Entry]
    datasets: tuple[str, ...]
    chunk_count: int
    chunk_size: int


def parse(path: Path) -> Contents:
    """Read a file of either form.

    Raises:
        InputError: it cannot be read, is no importance matrix, is damaged, or holds values that make no sense.
    """
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise InputError(f"{path} is empty: it is not an importance matrix.")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                cursor = _Cursor(data)
                contents = _gguf(cursor) if data[:4] == b"GGUF" else _legacy(cursor)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    except _Damaged as error:
        raise InputError(
            f"{path} is no importance matrix, or is damaged: {error}. Make one with: bayling imatrix MODEL.gguf"
        ) from None
    return contents


def serialize(contents: Contents) -> bytes:
    """The GGUF form, byte for byte as llama-imatrix writes the same contents.

    Raises:
        InputError: a name is too long for llama.cpp.
    """
    keys = [
        _text("general.type") + struct.pack("<I", _STRING) + _text("imatrix"),
        _text(DATASETS)
        + struct.pack("<IIQ", _ARRAY, _STRING, len(contents.datasets))
        + b"".join(map(_text, contents.datasets)),
        _text(CHUNK_COUNT) + struct.pack("<II", _UINT32, contents.chunk_count),
        _text(CHUNK_SIZE) + struct.pack("<II", _UINT32, contents.chunk_size),
    ]
    tensors: list[tuple[str, npt.NDArray[np.float32]]] = []
    for name, (sums, counts) in sorted(contents.entries.items()):
        tensors += [(name + _SUMS, sums), (name + _COUNTS, counts.astype(np.float32).reshape(-1, 1))]
    header = [b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(keys)), *keys]
    data: list[bytes] = []
    offset = 0
    for name, array in tensors:
        if len(name.encode()) > _LONGEST_NAME:
            raise InputError(f"The tensor name {name} is too long for llama.cpp, so it cannot be written.")
        n_rows, n_columns = array.shape
        shape = (n_columns,) if n_rows == 1 else (n_columns, n_rows)
        header.append(_text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, _F32, offset))
        data.append(_padded(np.ascontiguousarray(array, dtype="<f4").tobytes()))
        offset += len(data[-1])
    return b"".join((_padded(b"".join(header)), *data))


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ALIGNMENT)


class _Damaged(Exception):
    """What is wrong with the file."""


class _Cursor:
    """Steps through a file, never behind its end."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._size = len(data)
        self.at = 0

    @property
    def at_end(self) -> bool:
        return self.at == self._size

    def take(self, n_bytes: int) -> bytes:
        if not 0 <= n_bytes <= self._size - self.at:
            raise _Damaged("it ends too early, or a length in it is wrong")
        self.at += n_bytes
        return self._data[self.at - n_bytes : self.at]

    def unpack(self, form: str) -> tuple[Any, ...]:
        return struct.unpack(f"<{form}", self.take(struct.calcsize(f"<{form}")))

    def text(self, n_bytes: int) -> str:
        try:
            return self.take(n_bytes).decode()
        except UnicodeDecodeError:
            raise _Damaged("a name in it is not UTF-8") from None

    def floats(self, at: int, count: int) -> npt.NDArray[np.float32]:
        if not 0 <= at <= self._size:
            raise _Damaged("a tensor lies behind its end")
        self.at = at
        return np.frombuffer(self.take(4 * count), dtype="<f4").astype(np.float32)


def _legacy(cursor: _Cursor) -> Contents:
    entries: dict[str, Entry] = {}
    (n_entries,) = cursor.unpack("i")
    if n_entries < 1:
        raise _Damaged(f"it counts {n_entries} entries")
    for _ in range(n_entries):
        (length,) = cursor.unpack("i")
        name = cursor.text(length)
        n_chunks, n_values = cursor.unpack("ii")
        if n_values < 1 or name in entries:
            raise _Damaged(f"the entry {name!r} has no values, or comes twice")
        values = cursor.floats(cursor.at, n_values)
        # Without a number of chunks the values are the means themselves. Powers of two change no digit.
        counts = np.asarray([max(n_chunks, 1) * _LEGACY_CHUNK], np.float64)
        with np.errstate(over="ignore"):
            entries[name] = _checked(name, values * np.float32(_LEGACY_CHUNK), counts)
    chunk_count = 0
    datasets: tuple[str, ...] = ()
    if not cursor.at_end:
        chunk_count, length = cursor.unpack("ii")
        datasets = (cursor.text(length),) if length else ()
    return Contents(entries, datasets, max(chunk_count, 0), _LEGACY_CHUNK)


def _gguf(cursor: _Cursor) -> Contents:
    cursor.take(4)
    version, n_tensors, n_keys = cursor.unpack("IQQ")
    if version not in (2, 3) or n_keys > _MOST_KEYS:
        raise _Damaged(f"it has version {version} and {n_keys} keys")
    keys = dict(_key(cursor) for _ in range(n_keys))
    datasets, chunk_count, chunk_size = (keys.get(key) for key in (DATASETS, CHUNK_COUNT, CHUNK_SIZE))
    if not isinstance(datasets, tuple) or not _is_size(chunk_count) or not _is_size(chunk_size):
        raise _Damaged(f"it is a GGUF file without the keys {DATASETS}, {CHUNK_COUNT} and {CHUNK_SIZE}")
    tensors = _tensors(cursor, n_tensors, keys.get("general.alignment", _ALIGNMENT))
    names = {name.removesuffix(end) for name in tensors for end in (_SUMS, _COUNTS) if name.endswith(end)}
    if not names:
        raise _Damaged("it has no entries")
    entries: dict[str, Entry] = {}
    for name in names:
        if name + _SUMS not in tensors or name + _COUNTS not in tensors:
            raise _Damaged(f"the entry {name!r} lacks its sums or its counts")
        entries[name] = _checked(name, tensors[name + _SUMS], tensors[name + _COUNTS].astype(np.float64))
    return Contents(entries, datasets, chunk_count, chunk_size)


def _is_size(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and 0 <= value < 2**32


def _key(cursor: _Cursor) -> tuple[str, Any]:
    """A key and its value: a scalar, a text, or a tuple of texts; None for a list of numbers."""
    (length,) = cursor.unpack("Q")
    name = cursor.text(length)
    (kind,) = cursor.unpack("I")
    if kind in _SCALARS:
        return name, cursor.unpack(_SCALARS[kind])[0]
    if kind == _STRING:
        return name, cursor.text(*cursor.unpack("Q"))
    if kind != _ARRAY:
        raise _Damaged(f"the key {name!r} has a value of unknown type {kind}")
    item_kind, count = cursor.unpack("IQ")
    if item_kind in _SCALARS:
        cursor.take(count * struct.calcsize(_SCALARS[item_kind]))
        return name, None
    if item_kind != _STRING or count > _MOST_STRINGS:
        raise _Damaged(f"the key {name!r} has a list of {count} values of type {item_kind}")
    return name, tuple(cursor.text(*cursor.unpack("Q")) for _ in range(count))


def _tensors(cursor: _Cursor, count: int, alignment: object) -> dict[str, npt.NDArray[np.float32]]:
    """The tensors by name, each flat."""
    if not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
        raise _Damaged(f"its alignment is {alignment}")
    places: dict[str, tuple[int, int]] = {}
    for _ in range(count):
        (length,) = cursor.unpack("Q")
        name = cursor.text(length)
        (n_dimensions,) = cursor.unpack("I")
        if n_dimensions > 4 or name in places:
            raise _Damaged(f"the tensor {name!r} has {n_dimensions} dimensions, or comes twice")
        *shape, kind, offset = cursor.unpack(f"{n_dimensions}QIQ")
        if name.endswith((_SUMS, _COUNTS)):
            if kind != _F32:
                raise _Damaged(f"the tensor {name!r} is not F32")
            places[name] = (math.prod(shape), offset)
    start = cursor.at + -cursor.at % alignment
    return {name: cursor.floats(start + offset, n_values) for name, (n_values, offset) in places.items()}


def _checked(name: str, sums: npt.NDArray[np.float32], counts: npt.NDArray[np.float64]) -> Entry:
    """An entry in shape, if its numbers make sense."""
    if not sums.size or not counts.size or sums.size % counts.size:
        raise _Damaged(f"the entry {name!r} has {sums.size} values for {counts.size} counts")
    for numbers in (sums, counts):
        if not np.isfinite(numbers).all() or (numbers < 0).any():
            raise _Damaged(f"the entry {name!r} holds values that are negative, infinite or no numbers")
    if (counts > 2**62).any():
        raise _Damaged(f"the entry {name!r} counts impossibly many tokens")
    return sums.reshape(counts.size, -1), np.floor(counts + 0.5).astype(np.int64)
