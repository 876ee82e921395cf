"""Look at a GGUF file before llama.cpp does: is it one, is it whole, what does it say of itself?

llama.cpp answers a damaged file with a log line at best. Reading the header costs milliseconds, whatever the size of
the file: the weights themselves are not touched. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import math
import mmap
import os
import struct
from dataclasses import dataclass
from pathlib import Path

from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

from bayling_lite.errors import ModelNotFound, ModelUnreadable

Scalar = str | int | float | bool

# Value types of the format, by number.
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_VERSIONS = (2, 3)
# Longer arrays are vocabularies, which llama.cpp reads; they are stepped over.
_LONGEST_LIST = 256


@dataclass(frozen=True, slots=True)
class GGUFHeader:
    """A file's metadata: scalars and strings, and lists of at most 256 of them; vocabularies are left out."""

    path: Path
    metadata: dict[str, Scalar | list[Scalar]]

    def text(self, key: str) -> str | None:
        """A string value, or None when the key is missing, of another type or empty."""
        value = self.metadata.get(key)
        return value if isinstance(value, str) and value else None

    def number(self, key: str) -> int | None:
        """A whole-number value, or None."""
        value = self.metadata.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def flag(self, key: str) -> bool | None:
        """A truth value, or None."""
        value = self.metadata.get(key)
        return value if isinstance(value, bool) else None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings; a single string counts as a comma-separated list."""
        value = self.metadata.get(key, [])
        items = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
        return tuple(item.strip() for item in items if isinstance(item, str) and item.strip())


def read_header(path: Path) -> GGUFHeader:
    """Check that a file is a complete GGUF and read its metadata.

    Raises:
        ModelNotFound: no such file.
        ModelUnreadable: a folder, no permission, empty, not a GGUF, of another version or byte order, damaged, or
            shorter than its tensors need. The message says which.
    """
    try:
        if path.is_dir():
            raise ModelUnreadable(_folder_message(path))
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            start = file.read(8)
            if not start:
                raise ModelUnreadable(f"{path} is empty: it is not a model. Fetch or convert it again.")
            if start[:4] != b"GGUF":
                raise ModelUnreadable(f"{path} is not a GGUF model file.")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return GGUFHeader(path, _Reader(path, data, size).read())
    except FileNotFoundError:
        raise ModelNotFound(f"There is no file {path}.") from None
    except OSError as error:
        raise ModelUnreadable(f"{path} cannot be read: {error.strerror or error}.") from error


def _folder_message(path: Path) -> str:
    if (path / "config.json").exists():
        command = f"bayling convert {path} -o {path.name}.gguf"
        return f"{path} is a folder with a checkpoint, not a GGUF file. Convert it: {command}"
    return f"{path} is a folder, not a GGUF file."


class _End(Exception):
    """The file ended inside the header."""


class _Reader:
    """Steps through the header with every length checked against the size of the file."""

    def __init__(self, path: Path, data: mmap.mmap, size: int) -> None:
        self._path = path
        self._data = data
        self._size = size
        self._at = 4

    def read(self) -> dict[str, Scalar | list[Scalar]]:
        try:
            (version,) = self._unpack("I")
            if version not in _VERSIONS:
                raise ModelUnreadable(self._version_message(version))
            n_tensors, n_values = self._unpack("QQ")
            metadata = self._metadata(n_values)
            self._check_tensors(n_tensors, metadata.get("general.alignment", 32))
        except _End:
            raise self._truncated(None) from None
        except UnicodeDecodeError:
            raise self._damaged("a name in it is not UTF-8") from None
        return metadata

    def _metadata(self, count: int) -> dict[str, Scalar | list[Scalar]]:
        metadata: dict[str, Scalar | list[Scalar]] = {}
        for _ in range(count):
            key = self._string().decode()
            (kind,) = self._unpack("I")
            value = self._value(kind)
            if value is not None:
                metadata[key] = value
        return metadata

    def _value(self, kind: int) -> Scalar | list[Scalar] | None:
        """One value; None for one that is stepped over."""
        if kind in _SCALARS:
            return self._scalar(kind)
        if kind == _STRING:
            return self._string().decode(errors="replace")
        if kind != _ARRAY:
            raise self._damaged(f"unknown value type {kind}")
        item_kind, count = self._unpack("IQ")
        if item_kind in _SCALARS and count > _LONGEST_LIST:
            self._skip(count * struct.calcsize(_SCALARS[item_kind]))
            return None
        if item_kind == _STRING and count > _LONGEST_LIST:
            for _ in range(count):
                self._string()
            return None
        items = [self._value(item_kind) for _ in range(count)]
        return [item for item in items if item is not None and not isinstance(item, list)]

    def _check_tensors(self, count: int, alignment: Scalar | list[Scalar]) -> None:
        """Compare the end of the last tensor with the size of the file (both in bytes)."""
        needed = 0
        for _ in range(count):
            name = self._string().decode()
            (n_dimensions,) = self._unpack("I")
            if n_dimensions > 4:
                raise self._damaged(f"the tensor {name!r} has {n_dimensions} dimensions")
            shape = self._unpack(f"{n_dimensions}Q")
            kind, offset = self._unpack("IQ")
            try:
                block, block_bytes = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
            except (KeyError, ValueError):
                raise ModelUnreadable(
                    f"{self._path}: the tensor {name!r} is of an unknown type ({kind}). The file may be damaged, "
                    "or made by a newer program: try a newer version of bayling-lite."
                ) from None
            needed = max(needed, offset + math.prod(shape) // block * block_bytes)
        if not isinstance(alignment, int) or alignment < 1:
            raise self._damaged("it has no valid alignment")
        start = -(-self._at // alignment) * alignment
        if count and start + needed > self._size:
            raise self._truncated(start + needed)

    def _scalar(self, kind: int) -> Scalar:
        if kind == 7:  # a byte other than 0 and 1 is damage, which struct would read as True
            (byte,) = self._unpack("B")
            if byte > 1:
                raise self._damaged("a truth value is neither true nor false")
            return bool(byte)
        value: Scalar = self._unpack(_SCALARS[kind])[0]
        return value

    def _unpack(self, form: str) -> tuple[int, ...]:
        start = self._at
        self._skip(struct.calcsize("<" + form))
        return struct.unpack_from("<" + form, self._data, start)

    def _string(self) -> bytes:
        (length,) = self._unpack("Q")
        start = self._at
        self._skip(length)
        return self._data[start : self._at]

    def _skip(self, length: int) -> None:
        self._at += length
        if self._at > self._size:
            raise _End

    def _version_message(self, version: int) -> str:
        if version & 0xFFFF == 0:
            return f"{self._path} is a GGUF of the other byte order (big-endian). Convert the checkpoint here."
        return (
            f"{self._path} is a GGUF of version {version}; versions {_VERSIONS[0]} and {_VERSIONS[1]} can be read. "
            "Convert the checkpoint again."
        )

    def _damaged(self, how: str) -> ModelUnreadable:
        return ModelUnreadable(f"{self._path} is damaged: {how}. Fetch or convert it again.")

    def _truncated(self, needed: int | None) -> ModelUnreadable:
        sizes = "ends inside its header" if needed is None else f"holds {self._size:,} of {needed:,} bytes"
        return ModelUnreadable(f"{self._path} is truncated: it {sizes}. Fetch or convert it again.")
