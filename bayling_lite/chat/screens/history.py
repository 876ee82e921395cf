"""The lines typed before, in a file that only its owner can read."""

from __future__ import annotations

import contextlib
from pathlib import Path

from prompt_toolkit.history import FileHistory, History, InMemoryHistory


class PrivateHistory(FileHistory):
    """A history file with mode 0600. Best effort: a disk that is full, or read-only by now, does not end the chat."""

    def store_string(self, string: str) -> None:
        """Append a line, if the disk takes it."""
        with contextlib.suppress(OSError):
            super().store_string(string)


def open_history(path: Path) -> tuple[History, str]:
    """The history kept at ``path``, or one for this chat alone and the reason why."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.chmod(0o600)
        with path.open("r+b"):
            pass
    except OSError as error:
        return InMemoryHistory(), f"The history is not kept: {path}: {error.strerror or error}."
    return PrivateHistory(str(path)), ""
