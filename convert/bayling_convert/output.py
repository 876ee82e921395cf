"""A file that appears whole, or not at all.

It grows beside its place under a hidden name, ``.NAME.part``. One process at a time writes there. What was fetched from
far away is worth keeping when the work is interrupted: then the part stays, with a journal of the tensors that are in
it, and the next run goes on from there if it is about the same job.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from bayling_lite.errors import OutputError
from bayling_lite.units import bytes_text

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Part:
    """The growing file: written at any place, with a record of what is done."""

    def __init__(self, file: BinaryIO, journal: Path, job: str | None, n_bytes: int) -> None:
        self._file = file
        self._journal = journal if job is not None else None
        # The journal is about a part that has its final size; without one it was left behind by the process's end.
        is_whole = os.fstat(file.fileno()).st_size == n_bytes
        self._done = _read_journal(journal, job) if job is not None and is_whole else set()
        if not self._done:
            # What it says of this part is no longer true in a moment.
            journal.unlink(missing_ok=True)
            file.truncate(0)
            if job is not None:
                _append(journal, job)

    @property
    def done(self) -> frozenset[str]:
        """What is finished, by this run or an earlier one; nothing where no run can go on."""
        return frozenset(self._done)

    def write(self, offset: int, data: bytes | memoryview) -> None:
        """Put bytes at their place."""
        self._file.seek(offset)
        self._file.write(data)

    def mark(self, name: str) -> None:
        """Everything of that name is written."""
        if self._journal is not None:
            self._file.flush()
            os.fsync(self._file.fileno())
            _append(self._journal, name)
            self._done.add(name)


def _append(journal: Path, line: str) -> None:
    with journal.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
        file.flush()
        os.fsync(file.fileno())


def _read_journal(path: Path, job: str) -> set[str]:
    """What the journal of the same job lists; a line that does not end was not finished."""
    try:
        *lines, _ = path.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError):
        return set()
    return set(lines[1:]) if lines and lines[0] == job else set()


@contextlib.contextmanager
def whole_file(path: Path, *, n_bytes: int, overwrite: bool, job: str | None = None) -> Iterator[Part]:
    """Give a part of ``n_bytes`` to write; when the block ends well it takes the final name, flushed to disk.

    If the block fails or is interrupted, the part is removed, and whatever had the final name stays. With ``job``, a
    text that says what goes into the file, the part is kept for the next run of the same job.

    Raises:
        OutputError: the file exists and may not be overwritten, the folder is not writable, ``n_bytes`` do not fit, or
            another process is writing the file.
    """
    part_path, journal = _beside(path)
    check_place(path, overwrite=overwrite)
    with _said_plainly(path, n_bytes), _locked(part_path, path) as file:
        part, finished = None, False
        try:
            part = Part(file, journal, job, n_bytes)
            _check_space(path, n_bytes - _allocated(file))
            file.truncate(n_bytes)
            yield part
            file.flush()
            os.fsync(file.fileno())
            _publish(part_path, path, overwrite=overwrite)
            finished = True
            _flush(path.parent)
        finally:
            if finished or part is None or not part.done:
                journal.unlink(missing_ok=True)
                part_path.unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Remove a file that was written this way, whole or not; nothing happens while another process writes it."""
    part_path, journal = _beside(path)
    with contextlib.suppress(OutputError), _said_plainly(path), _locked(part_path, path):
        for left in (path, journal, part_path):
            left.unlink(missing_ok=True)


def _beside(path: Path) -> tuple[Path, Path]:
    """The part of a file and its journal."""
    return path.with_name(f".{path.name}.part"), path.with_name(f".{path.name}.journal")


@contextlib.contextmanager
def _said_plainly(path: Path, n_bytes: int = 0) -> Iterator[None]:
    """Turn the system's errors into ours."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise OutputError(
                f"{path} could not be written: the disk, or the limit on file sizes, is full. "
                f"{bytes_text(n_bytes)} are needed: free some space or choose another place."
            ) from error
        raise OutputError(f"{path} could not be written: {error.strerror or error}.") from error


@contextlib.contextmanager
def _locked(part: Path, path: Path) -> Iterator[BinaryIO]:
    """Open the part for this process alone."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    while True:
        with os.fdopen(os.open(part, flags, 0o666), "r+b") as file:
            if not _lock(file):
                raise OutputError(
                    f"{path} is just being written by another process; wait for it, or name another file."
                )
            opened = os.fstat(file.fileno())
            if opened.st_nlink > 1:
                # The process that wrote it ended between giving it its final name and taking this one away. What has
                # another name is a finished file, and must not be written into.
                part.unlink(missing_ok=True)
            # Between opening and locking, the process that had it may have finished and taken the name away.
            elif _has_name(part, opened):
                yield file
                return


def _has_name(path: Path, opened: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.stat(), opened)
    except FileNotFoundError:
        return False


def _lock(file: BinaryIO) -> bool:
    """Lock an open file until it is closed; false when another process has it."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def check_place(path: Path, *, overwrite: bool) -> None:
    """See whether a file can be written there, before any work.

    Raises:
        OutputError: it cannot, and the message says why.
    """
    with _said_plainly(path):
        _check_place(path, overwrite=overwrite)


def _check_place(path: Path, *, overwrite: bool) -> None:
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


def _check_space(path: Path, n_bytes: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if n_bytes > free:
        raise OutputError(
            f"{path} needs {bytes_text(n_bytes)}, but only {bytes_text(free)} are free there. "
            "Free some space or choose another place."
        )


def _allocated(file: BinaryIO) -> int:
    """Bytes of the file that are on the disk already."""
    status = os.fstat(file.fileno())
    return getattr(status, "st_blocks", 0) * 512


def _may_be_replaced(path: Path) -> bool:
    """Only an earlier result: a slip of the hand must not cost the checkpoint's own weights."""
    with path.open("rb") as file:
        return file.read(4) in (b"GGUF", b"")


def _publish(part: Path, path: Path, *, overwrite: bool) -> None:
    """Take the final name; without ``overwrite`` only if it is still free: another program may have made the file."""
    if overwrite:
        part.replace(path)
        return
    try:
        os.link(part, path)
    except FileExistsError:
        raise _exists(path) from None
    except OSError:  # a file system without hard links
        if path.exists():
            raise _exists(path) from None
        part.replace(path)


def _exists(path: Path) -> OutputError:
    return OutputError(f"{path} exists already. Use --force to overwrite it, or name another file.")


def _flush(path: Path) -> None:
    if os.name == "nt":  # a folder cannot be opened there
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
