"""Telling one model's file from another in milliseconds, wherever it lies and whatever it is called."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

# Hashing 8 GB would take half a minute. Whatever changes a model, training or quantizing, changes weights all over the
# file, or its metadata, which stand at its beginning and give the size and place of every tensor.
_START = 1 << 20
_BLOCK = 1 << 16
_BLOCKS = 64


def fingerprint(paths: Iterable[Path]) -> str:
    """The SHA-256, in hex, of a sample of a model's files.

    That is the size of each, its first MiB and 64 blocks of 64 KiB spread over the rest; a small file is read whole.

    Raises:
        OSError: a file cannot be read.
    """
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            digest.update(size.to_bytes(8, "little"))
            for offset, length in _sample(size):
                file.seek(offset)
                digest.update(file.read(length))
    return digest.hexdigest()


def _sample(size: int) -> Iterator[tuple[int, int]]:
    """Where to read, and how many bytes: the start, then blocks at equal distances, the last at the end."""
    if size <= _START + _BLOCKS * _BLOCK:
        yield 0, size
        return
    yield 0, _START
    room = size - _START - _BLOCK
    for number in range(_BLOCKS):
        yield _START + room * number // (_BLOCKS - 1), _BLOCK
