"""GGUF files byte by byte, so that tests can write what no program would."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

FORMS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "B", 10: "Q", 11: "q", 12: "d"}
U16, U32, I32, F32, BOOL, TEXT, ARRAY, U64 = 2, 4, 5, 6, 7, 8, 9, 10


def text(content: str | bytes) -> bytes:
    """A string with its length."""
    data = content.encode() if isinstance(content, str) else content
    return struct.pack("<Q", len(data)) + data


def value(kind: int, content: object) -> tuple[int, bytes]:
    """A scalar or a string of a type."""
    return kind, text(content) if isinstance(content, str | bytes) else struct.pack("<" + FORMS[kind], content)


def array(kind: int, items: Sequence[object], *, count: int | None = None) -> tuple[int, bytes]:
    """An array; ``count`` is what it claims to have."""
    content = b"".join(value(kind, item)[1] for item in items)
    return ARRAY, struct.pack("<IQ", kind, len(items) if count is None else count) + content


@dataclass
class Tensor:
    """A tensor's entry, of ``n_bytes`` bytes; ``offset`` None puts it behind the one before."""

    name: str | bytes
    shape: tuple[int, ...] = (8, 4)
    kind: int = 0
    offset: int | None = None
    n_bytes: int = 128


@dataclass
class Header:
    """A file with its values in order; a key can be there more than once."""

    values: list[tuple[str, tuple[int, bytes]]]
    tensors: list[Tensor] = field(default_factory=list)

    def encode(self, *, n_values: int | None = None, n_tensors: int | None = None, alignment: int = 32) -> bytes:
        """The file. ``n_values`` and ``n_tensors`` are what it claims to have."""
        counts = [
            len(self.tensors) if n_tensors is None else n_tensors,
            len(self.values) if n_values is None else n_values,
        ]
        data = b"GGUF" + struct.pack("<IQQ", 3, *counts)
        data += b"".join(text(key) + struct.pack("<I", kind) + content for key, (kind, content) in self.values)
        end = 0
        for tensor in self.tensors:
            data += text(tensor.name) + struct.pack(f"<I{len(tensor.shape)}Q", len(tensor.shape), *tensor.shape)
            data += struct.pack("<IQ", tensor.kind, end if tensor.offset is None else tensor.offset)
            end += -(-tensor.n_bytes // alignment) * alignment
        return data + bytes(-len(data) % alignment) + bytes(end)
