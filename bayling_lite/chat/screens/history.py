"""The lines typed before, in a file that only its owner can read.

The file is prompt-toolkit's own format: an entry is a comment with the time, then its lines with a ``+`` before each.
It is read backwards and bit by bit, so a long one does not hold up the first prompt. Each entry is appended by one
write, so that of two chats at once none writes into the other's entry.
"""

from __future__ import annotations

import asyncio
import datetime
import os
from collections.abc import AsyncGenerator, Iterable, Iterator
from pathlib import Path

from prompt_toolkit.history import History, InMemoryHistory

from bayling_lite.localization import _
from bayling_lite.reasons import reason
from bayling_lite.terminal import printable

_BLOCK_BYTES = 64 * 1024
# So many entries are taken before keys are looked at again; about a millisecond's work.
_ENTRIES_AT_ONCE = 500


class PrivateHistory(History):
    """A history file with mode 0600. Best effort: a disk that is full, or read-only by now, does not end the chat."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        # What is in the file later was entered here, and is known, or in another chat, whose affair it is.
        self._size = path.stat().st_size if path.exists() else 0
        self._older: Iterator[str] | None = None

    async def load(self) -> AsyncGenerator[str, None]:
        """The entries, newest first: those known already, then further ones from the file.

        The prompt may stop asking at any time, and ask again at the next line: what has been read is kept.
        """
        if self._older is None:
            self._older = iter(self.load_history_strings())
        number = 0
        while True:
            if number == len(self._loaded_strings):
                entry = next(self._older, None)
                if entry is None:
                    return
                self._loaded_strings.append(entry)
            yield self._loaded_strings[number]
            number += 1
            if number % _ENTRIES_AT_ONCE == 0:
                await asyncio.sleep(0)

    def load_history_strings(self) -> Iterable[str]:
        """The entries of the file as it was when the chat began, newest first, without control characters.

        What cannot be read, or is no entry, is left out.
        """
        entry: list[str] = []
        try:
            for line in _lines_backwards(self._path, self._size):
                if line.startswith(b"+"):
                    entry.append(printable(line[1:].decode("utf-8", errors="replace")))
                elif entry:
                    yield "\n".join(reversed(entry))
                    entry = []
        except OSError:
            return
        if entry:
            yield "\n".join(reversed(entry))

    def store_string(self, string: str) -> None:
        """Append an entry, if the disk takes it."""
        # An empty line first: should another entry have been cut off, it does not swallow this one.
        lines = [f"\n# {datetime.datetime.now()}", *(f"+{line}" for line in string.split("\n")), ""]
        data = "\n".join(lines).encode("utf-8", errors="replace")
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError:
            return
        try:
            os.write(file, data)
        except OSError:
            return
        finally:
            os.close(file)


def _lines_backwards(path: Path, size: int) -> Iterator[bytes]:
    """The lines in the first ``size`` bytes of a file, from last to first, without their ends; block by block."""
    with path.open("rb") as file:
        position = size
        rest = b""
        while position > 0:
            taken = min(_BLOCK_BYTES, position)
            position -= taken
            file.seek(position)
            lines = (file.read(taken) + rest).split(b"\n")
            rest = lines[0]
            for line in reversed(lines[1:]):
                yield line.rstrip(b"\r")
        yield rest.rstrip(b"\r")


def open_history(path: Path) -> tuple[History, str]:
    """The history kept at ``path``, or one for this chat alone and the reason why."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.chmod(0o600)
        with path.open("r+b"):
            pass
    except OSError as error:
        return InMemoryHistory(), _("The history is not kept: {path}: {reason}.", path=path, reason=reason(error))
    return PrivateHistory(path), ""
