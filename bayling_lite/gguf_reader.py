"""Step through the header of a GGUF file with nothing taken on trust.

Whatever a count or a length says, it is held against the size of the file and against what models need before anything
is read by it, so that a damaged or hostile file costs no more time and memory than a good one. What llama.cpp's own
reader demands is demanded here too, since that answers with a line in a log, or with the end of the process.
Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import math
import mmap
import struct
from dataclasses import dataclass, field

from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

Scalar = str | int | float | bool

# Value types of the format, by number.
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
UINT16, UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = 2, 4, 5, 6, 7, 8, 9
VERSIONS = (2, 3)

# Longer arrays are vocabularies, which llama.cpp reads; they are stepped over. Numbers may be one for each layer.
_LONGEST_LIST, _LONGEST_TEXTS = 512, 256
# Far beyond any model: those with most have some 60 values, 2,000 tensors, 300,000 tokens and 500,000 merges.
_MOST_VALUES, _MOST_TENSORS, _MOST_ITEMS, _LONGEST_STRING, _LARGEST_HEADER = 4096, 65536, 1 << 22, 1 << 24, 1 << 28
_LEAST_VALUE, _LEAST_TENSOR = 13, 24  # bytes that each takes at least
_LONGEST_NAME = 63  # GGML_MAX_NAME, with the zero at its end
_MOST_DIMENSIONS = 4
_ALIGNMENTS = frozenset(1 << power for power in range(3, 21))
_LENGTH = struct.Struct("<Q").unpack_from


class DamagedGGUF(Exception):
    """The file contradicts itself or the format; the argument completes "it is damaged: ..."."""


class UnusableGGUF(Exception):
    """The file may be good, but not for what we do; the argument is sentences that say why."""


class TruncatedGGUF(Exception):
    """The file ends too early; ``needed`` is its whole size in bytes, or None where it ends inside the header."""

    def __init__(self, needed: int | None) -> None:
        self.needed = needed
        super().__init__()


@dataclass(frozen=True, slots=True)
class ArrayPlace:
    """An array that was stepped over: the type of its items, how many, and where they begin in the file."""

    item_kind: int
    count: int
    start: int


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor: its dimensions, the fastest first, its type, and its bytes behind the beginning of all tensors."""

    shape: tuple[int, ...]
    kind: int
    offset: int
    n_bytes: int


@dataclass(slots=True)
class Contents:
    """What a header says: values, short lists, longer arrays by their places, and tensors.

    ``kinds`` has the types of the values; ``end`` is where the last tensor ends in the file.
    """

    metadata: dict[str, Scalar | list[Scalar]] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    arrays: dict[str, ArrayPlace] = field(default_factory=dict)
    tensors: dict[str, TensorInfo] = field(default_factory=dict)
    end: int = 0


def read_contents(data: mmap.mmap) -> Contents:
    """Read the header of a file that begins like a GGUF of a known version.

    Raises:
        DamagedGGUF, UnusableGGUF, TruncatedGGUF: see there.
    """
    reader = _Reader(data)
    try:
        return reader.read()
    except (struct.error, IndexError, OverflowError):
        raise TruncatedGGUF(None) from None
    except UnicodeDecodeError:
        raise DamagedGGUF("a name in it is not UTF-8") from None


def until_zero(string: bytes) -> bytes:
    """What llama.cpp takes of a string: C ends it with a zero byte."""
    return string if b"\0" not in string else string[: string.index(b"\0")]


def read_strings(data: mmap.mmap, array: ArrayPlace) -> list[bytes]:
    """The strings of an array that was stepped over."""
    strings, at = [], array.start
    for _ in range(array.count):
        begin = at + 8
        at = begin + _LENGTH(data, at)[0]
        strings.append(data[begin:at])
    return strings


def read_numbers(data: mmap.mmap, array: ArrayPlace) -> tuple[int | float, ...]:
    """The numbers of an array that was stepped over."""
    return struct.unpack_from(f"<{array.count}{SCALARS[array.item_kind]}", data, array.start)


class _Reader:
    """A position in the file that moves forward only."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._size = len(data)
        self._at = 8
        self._contents = Contents()

    def read(self) -> Contents:
        n_tensors, n_values = self._unpack("QQ")
        self._check_count(n_values, _MOST_VALUES, _LEAST_VALUE, "values")
        self._check_count(n_tensors, _MOST_TENSORS, _LEAST_TENSOR, "tensors")
        for _ in range(n_values):
            self._read_value()
        self._read_tensors(n_tensors)
        return self._contents

    def _read_value(self) -> None:
        key = self._string().decode()
        if not key or key in self._contents.kinds:
            raise DamagedGGUF(f"the key {key[:80]!r} stands in it twice" if key else "a key is empty")
        if "\0" in key:  # where llama.cpp takes it to end
            raise DamagedGGUF(f"the key {key[:80]!r} has a zero byte in it")
        (kind,) = self._unpack("I")
        self._contents.kinds[key] = kind
        if kind in SCALARS:
            self._contents.metadata[key] = self._scalar(kind)
        elif kind == STRING:
            self._contents.metadata[key] = until_zero(self._string()).decode(errors="replace")
        elif kind == ARRAY:
            self._read_array(key)
        else:
            raise DamagedGGUF(f"unknown value type {kind}")

    def _read_array(self, key: str) -> None:
        kind, count = self._unpack("IQ")
        if kind not in SCALARS and kind != STRING:
            raise DamagedGGUF(f"{key[:80]!r} is an array of the unknown type {kind}")
        text = kind == STRING
        least_bytes = 8 if text else struct.calcsize(SCALARS[kind])
        self._check_count(count, _MOST_ITEMS, least_bytes, "items in an array")
        self._contents.arrays[key] = ArrayPlace(kind, count, self._at)
        if count <= (_LONGEST_TEXTS if text else _LONGEST_LIST):
            self._contents.metadata[key] = [
                until_zero(self._string()).decode(errors="replace") if text else self._scalar(kind)
                for _ in range(count)
            ]
        elif text:
            at, data = self._at, self._data
            for _ in range(count):
                at += 8 + _LENGTH(data, at)[0]
            self._skip(at - self._at)
        else:
            self._skip(count * least_bytes)

    def _read_tensors(self, count: int) -> None:
        alignment = self._contents.metadata.get("general.alignment", 32)
        kind = self._contents.kinds.get("general.alignment", UINT32)
        if kind != UINT32 or not isinstance(alignment, int) or alignment not in _ALIGNMENTS:
            raise DamagedGGUF("it has no valid alignment")
        expected, end = 0, 0
        for _ in range(count):
            name, tensor = self._read_tensor()
            if name in self._contents.tensors:
                raise DamagedGGUF(f"the tensor {name!r} stands in it twice")
            # llama.cpp knows no other order, and no gaps but those that align.
            if tensor.offset != expected:
                raise DamagedGGUF(f"the tensor {name!r} lies at {tensor.offset:,}, not at {expected:,} behind the last")
            self._contents.tensors[name] = tensor
            end = expected + tensor.n_bytes
            expected = -(-end // alignment) * alignment
        if count:
            self._contents.end = -(-self._at // alignment) * alignment + end
            if self._contents.end > self._size:
                raise TruncatedGGUF(self._contents.end)

    def _read_tensor(self) -> tuple[str, TensorInfo]:
        name = self._string().decode()
        if not 0 < len(name.encode()) <= _LONGEST_NAME or "\0" in name:
            raise DamagedGGUF(f"a tensor is called {name[:80]!r}")
        (n_dimensions,) = self._unpack("I")
        if not 1 <= n_dimensions <= _MOST_DIMENSIONS:
            raise DamagedGGUF(f"the tensor {name!r} has {n_dimensions} dimensions")
        shape = self._unpack(f"{n_dimensions}Q")
        kind, offset = self._unpack("IQ")
        try:
            block, block_bytes = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
        except (KeyError, ValueError):
            raise UnusableGGUF(
                f"the tensor {name!r} is of an unknown type ({kind}). The file may be damaged, or made by a newer "
                "program: try a newer version of bayling-lite."
            ) from None
        n_bytes = math.prod(shape) // block * block_bytes
        if 0 in shape or shape[0] % block or n_bytes >= 2**62:
            raise DamagedGGUF(f"the tensor {name!r} has the shape {list(shape)}, which cannot be")
        return name, TensorInfo(shape, kind, offset, n_bytes)

    def _check_count(self, count: int, most: int, least_bytes: int, what: str) -> None:
        """Refuse a count before anything is done so many times."""
        if count > most:
            raise DamagedGGUF(f"it claims to have {count:,} {what}")
        if count * least_bytes > self._size - self._at:
            raise TruncatedGGUF(None)

    def _scalar(self, kind: int) -> Scalar:
        if kind == BOOL:  # a byte other than 0 and 1 is damage, which struct would read as True
            (byte,) = self._unpack("B")
            if byte > 1:
                raise DamagedGGUF("a truth value is neither true nor false")
            return bool(byte)
        value: Scalar = self._unpack(SCALARS[kind])[0]
        return value

    def _unpack(self, form: str) -> tuple[int, ...]:
        start = self._at
        self._skip(struct.calcsize("<" + form))
        return struct.unpack_from("<" + form, self._data, start)

    def _string(self) -> bytes:
        (length,) = self._unpack("Q")
        start = self._at
        if _LONGEST_STRING < length <= self._size - start:
            raise DamagedGGUF(f"it claims to have a text of {length:,} bytes")
        self._skip(length)
        return self._data[start : self._at]

    def _skip(self, length: int) -> None:
        self._at += length
        if self._at > self._size:
            raise TruncatedGGUF(None)
        if self._at > _LARGEST_HEADER:
            raise DamagedGGUF("its header does not end")
