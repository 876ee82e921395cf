"""What a pull leaves in its folder when it is interrupted: what has come, and the command that goes on from there."""

from __future__ import annotations

import json
from pathlib import Path

from bayling_lite.errors import OutputError

_REQUEST = "request.json"
_LARGEST_REQUEST = 64 * 1024
# Lists of what has come, and locks, are worth nothing without it.
_BOOKKEEPING = (".journal", ".json", ".lock", ".tmp")


def disk_usage(path: Path) -> int:
    """Bytes that a file takes on the disk, less than its size where it has holes; 0 for one that is gone."""
    try:
        status = path.stat()
    except OSError:
        return 0
    return getattr(status, "st_blocks", -(-status.st_size // 512)) * 512


def bytes_left(folder: Path) -> int:
    """Bytes on the disk that a pull can go on from; 0 where there are only lists and locks."""
    files = (path for path in folder.rglob("*") if not path.name.endswith(_BOOKKEEPING) and path.is_file())
    return sum(disk_usage(path) for path in files if path.stat().st_size)


def remember(folder: Path, command: list[str]) -> None:
    """Write down the words of the command that works in a folder.

    Raises:
        OutputError: it cannot be written.
    """
    path = folder / _REQUEST
    growing = path.with_suffix(".tmp")
    try:
        growing.write_text(json.dumps(command), encoding="ascii")  # what no encoding takes is escaped
        growing.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}.") from error


def remembered(folder: Path) -> tuple[str, ...] | None:
    """The words of the command that worked in a folder; None where they cannot be told."""
    path = folder / _REQUEST
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            words = json.loads(file.read(_LARGEST_REQUEST))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        return None
    return tuple(words)
