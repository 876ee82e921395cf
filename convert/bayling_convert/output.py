"""A file that appears whole, or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bayling_lite.errors import OutputError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextlib.contextmanager
def whole_file(path: Path, *, n_bytes: int, overwrite: bool) -> Iterator[Path]:
    """Give a temporary path in the same folder; when the block ends well it takes the final name, flushed to disk.

    If the block fails or is interrupted the temporary file is removed and whatever had the final name stays.

    Raises:
        OutputError: the file exists and may not be overwritten, the folder is not writable, or ``n_bytes`` do not fit.
    """
    temporary: Path | None = None
    try:
        _check_place(path, n_bytes=n_bytes, overwrite=overwrite)
        handle, name = tempfile.mkstemp(prefix=".bayling-", suffix=".part", dir=path.parent)
        temporary = Path(name)
        os.close(handle)
        # mkstemp makes the file private; the result gets the rights any new file of the user's would get.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        yield temporary
        _flush(temporary)
        if overwrite:
            temporary.replace(path)
        else:
            _publish_new(temporary, path)
        temporary = None
        _flush(path.parent)
    except OSError as error:
        if error.errno in _FULL:
            raise OutputError(
                f"{path} could not be written: the disk, or the limit on file sizes, is full. "
                f"{_size(n_bytes)} are needed: free some space or choose another place."
            ) from error
        raise OutputError(f"{path} could not be written: {error.strerror or error}.") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _check_place(path: Path, *, n_bytes: int, overwrite: bool) -> None:
    if path.is_dir():
        raise OutputError(f"{path} is a folder; name a file to write.")
    if path.exists() and not path.is_file():
        raise OutputError(f"{path} is no ordinary file; name a file to write.")
    if path.exists() and not overwrite:
        raise _exists(path)
    if path.exists() and not _may_be_replaced(path):
        raise OutputError(f"{path} is not a GGUF file, so it is not overwritten. Name another file.")
    if not path.parent.is_dir():
        raise OutputError(f"The folder {path.parent} does not exist; make it first.")
    if not os.access(path.parent, os.W_OK):
        raise OutputError(f"The folder {path.parent} is not writable; choose another place.")
    free = shutil.disk_usage(path.parent).free
    if n_bytes > free:
        raise OutputError(
            f"{path} needs {_size(n_bytes)}, but only {_size(free)} are free there. "
            "Free some space or choose another place."
        )


def _may_be_replaced(path: Path) -> bool:
    """Only an earlier result: a slip of the hand must not cost the checkpoint's own weights."""
    with path.open("rb") as file:
        return file.read(4) in (b"GGUF", b"")


def _publish_new(temporary: Path, path: Path) -> None:
    """Take the final name only if it is still free: another program may have made the file meanwhile."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise _exists(path) from None
    except OSError:  # a file system without hard links
        if path.exists():
            raise _exists(path) from None
        temporary.replace(path)
    else:
        temporary.unlink()


def _exists(path: Path) -> OutputError:
    return OutputError(f"{path} exists already. Use --force to overwrite it, or name another file.")


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _size(n_bytes: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if n_bytes >= size:
            return f"{n_bytes / size:.1f} {unit}"
    return f"{n_bytes} bytes"
