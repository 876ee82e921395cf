"""A small file that appears whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path


def replace_whole(path: Path, data: bytes) -> None:
    """Write a file by way of a temporary one beside it, fsync and rename.

    A file that is there keeps its permissions; a new one gets those that any new file of the user's gets.

    Raises:
        OSError: it cannot be written; then the old file, if there was one, is still there.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".bayling-", suffix=path.suffix)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            temporary.chmod(_mode(path))
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
