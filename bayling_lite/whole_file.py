"""A file that appears whole, or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

# Names for temporary files of one file: more are hardly ever written at once.
_NAMES = 8
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


@contextlib.contextmanager
def replacing_whole(path: Path) -> Iterator[BinaryIO]:
    """Write a file piece by piece, by way of a temporary one beside it (to read and write), fsync and rename.

    It takes its place when the block ends without an error. A file that is there keeps its permissions; a new one gets
    those that any new file of the user's gets. What a process that was killed left of the same file is removed.

    Raises:
        OSError: it cannot be written; then the old file, if there was one, is still there.
    """
    file, temporary = _temporary(path)
    with file:
        try:
            yield file
            file.flush()
            temporary.chmod(_mode(path))
            os.fsync(file.fileno())
            _let_go(file)
            temporary.replace(path)
        except BaseException:
            _let_go(file)
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise


def replace_whole(path: Path, data: bytes) -> None:
    """Write a small file; see :func:`replacing_whole`.

    Raises:
        OSError: it cannot be written; then the old file, if there was one, is still there.
    """
    with replacing_whole(path) as file:
        file.write(data)


def _temporary(path: Path) -> tuple[BinaryIO, Path]:
    """A new file beside another, locked, which nobody else can read.

    It has one of a few names, so that what was left there is found without a look at the whole folder, which may hold
    very many files.
    """
    # Not the name itself, which may be as long as a name can be.
    prefix = f".bayling-{hashlib.blake2b(os.fsencode(path.name), digest_size=4).hexdigest()}-"
    for number in range(_NAMES):
        temporary = path.with_name(f"{prefix}{number}")
        _remove_left(temporary)
        with contextlib.suppress(FileExistsError):
            file = os.fdopen(os.open(temporary, _NEW, 0o600), "w+b")
            if _is_ours(file, temporary):
                return file, temporary
            file.close()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=prefix)
    return os.fdopen(handle, "w+b"), Path(name)


def _is_ours(file: BinaryIO, temporary: Path) -> bool:
    """Whether a file just made is ours; before it was locked, another process may have taken it for left."""
    try:
        return _lock(file) and _is_at(file, temporary)
    except OSError:  # where files cannot be locked, nobody removes any
        return True


def _remove_left(temporary: Path) -> None:
    """Remove a temporary file that no living process has locked."""
    with contextlib.suppress(OSError):
        if not stat.S_ISREG(temporary.lstat().st_mode):
            return
        with temporary.open("rb") as file:
            if _lock(file) and _is_at(file, temporary):
                temporary.unlink()


def _lock(file: BinaryIO) -> bool:
    """Lock an open file until it is closed; false where another process has it.

    Raises:
        OSError: files cannot be locked here.
    """
    try:
        import fcntl
    except ImportError as error:  # Windows
        raise OSError("There are no locks.") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(file: BinaryIO, path: Path) -> bool:
    """Whether an open file is still the one of a name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.lstat())
    except FileNotFoundError:
        return False


def _let_go(file: BinaryIO) -> None:
    """Windows moves and removes no open file; elsewhere it stays open, and so locked, until it has its name."""
    if os.name == "nt":
        file.close()


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
