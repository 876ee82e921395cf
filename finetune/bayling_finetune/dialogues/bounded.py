"""Reading JSON that others wrote, a conversation at a time, with memory that no file can make grow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from bayling_lite.errors import InputError

LONGEST = 1 << 26
"""Bytes of one conversation: what is longer is none, but a packed file that was made to fill the memory."""
DEEPEST = 100
"""Lists and objects in each other; a conversation has four."""
_BLOCK = 1 << 20  # bytes; the parser begins a long text anew with every block
_DEEPER = {"start_array": 1, "start_map": 1, "end_array": -1, "end_map": -1}


def bounded_lines(path: Path, file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers, from 1.

    Raises:
        InputError: one is longer than :data:`LONGEST`.
        OSError, EOFError, zlib.error: as reading raises.
    """
    number = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        if len(line) > LONGEST:
            raise _too_long(path, f"line {number}")
        yield number, line


def bounded_items(path: Path, file: IO[bytes]) -> Iterator[tuple[int, Any]]:
    """The entries of a JSON list with their numbers, from 1.

    ijson's own ``items`` names the place of every value, which takes memory with the square of the depth.

    Raises:
        InputError: one is longer than :data:`LONGEST`, or nested deeper than :data:`DEEPEST`.
        ijson.JSONError: it is no JSON.
        OSError, EOFError, zlib.error: as reading raises.
    """
    import ijson

    reader, builder, depth = _Reader(path, file), ijson.ObjectBuilder(), 0
    number = reader.begin()
    for event, value in ijson.basic_parse(reader, use_float=True, buf_size=_BLOCK):
        depth += _DEEPER.get(event, 0)
        if depth > DEEPEST:
            raise InputError(f"{path}, entry {number}, is nested too deep to be a conversation.")
        if depth == 0 or (depth == 1 and event == "start_array"):
            continue  # the end or the beginning of the list itself
        builder.event(event, value)
        if depth == 1:
            yield number, builder.value
            builder, number = ijson.ObjectBuilder(), reader.begin()


class _Reader:
    """Reads a file for a parser that calls for blocks; :meth:`begin` is called where the parser begins an entry."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path = path
        self._file = file
        self._entry = 0
        self._read = 0

    def begin(self) -> int:
        """Count from here on; the number of the entry that begins, from 1."""
        self._entry += 1
        self._read = 0
        return self._entry

    def read(self, size: int) -> bytes:
        """The next bytes, at most ``size``.

        Raises:
            InputError: the entry is longer than :data:`LONGEST`.
        """
        data = self._file.read(size)
        self._read += len(data)
        if self._read > LONGEST:
            raise _too_long(self._path, f"entry {self._entry}")
        return data


def _too_long(path: Path, where: str) -> InputError:
    return InputError(f"{path}, {where}, is longer than {LONGEST >> 20} MiB: that is no conversation. Cut it up first.")
