"""The file of dialogues that is being built: whole or not at all, and resumed where it was interrupted.

::

    .NAME.work/              beside the output NAME
        lock                 held while a process builds here
        state.json           how far it is: chunks, bytes, what was made from what, counts
        dialogues.part       the chunks so far
        first-pass…          what the first reading of the corpus found (corpus.py)

The state is written after the bytes it speaks of are on the disk, so what it says is true whenever the process or the
machine stops. Going on means cutting the part off behind the last finished chunk. When the last chunk is there the part
gets the output's name, and the folder goes.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import filelock

from bayling_lite.errors import OutputError
from bayling_lite.whole_file import replace_whole

_SECONDS_BETWEEN_STATES = 2.0
_LEVEL = 6  # of gzip


def work_folder(path: Path) -> Path:
    """Where an output is built: beside it, and beside what a link leads to, so that a rename brings it there."""
    place = path.resolve() if path.is_symlink() else path
    return place.with_name(f".{place.name}.work")


def check_place(path: Path, *, force: bool) -> None:
    """See to it, before the long work, that the output may be written.

    Raises:
        OutputError: it exists and ``force`` is not given, is a folder, or its folder does not exist.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder. Name a file in it with -o, for example {path / 'dialogues.jsonl'}.")
    if path.exists() and not force:
        raise OutputError(f"{path} exists. --force overwrites it, -o chooses another file.")
    if not path.resolve().parent.is_dir():
        raise OutputError(
            f"The folder {path.resolve().parent} does not exist. Make it, or choose another file with -o."
        )


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[Path]:
    """A work folder for this process alone; free again when the process ends, however it ends.

    Raises:
        OutputError: another process works there, or the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / "lock")
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise OutputError(
            f"Another process is just building {_named(folder)}. Wait for it, or choose another file with -o."
        ) from None
    except OSError as error:
        raise OutputError(f"{folder} cannot be made or written: {error.strerror or error}.") from error
    try:
        yield folder
    finally:
        lock.release()


def _named(folder: Path) -> Path:
    return folder.with_name(folder.name.removeprefix(".").removesuffix(".work"))


@dataclass(frozen=True, slots=True)
class State:
    """How far a build is. ``fingerprint`` is of everything it depends on; ``counts`` is the builder's own business."""

    fingerprint: str
    chunks: int = 0
    size: int = 0
    counts: dict[str, Any] = field(default_factory=dict)


class DialogueOutput:
    """The part of an output that is there, and the place for the rest.

    A context manager: entering it cuts the part off behind the last finished chunk, leaving it closes the file.

    Args:
        path: the output. A name that ends with ``.gz`` is compressed.
        fingerprint: of everything the output depends on; a part of another one is begun again.

    Raises:
        OutputError: the work folder cannot be written.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self.path = path
        self.folder = work_folder(path)
        self._part = self.folder / "dialogues.part"
        self._compressed = path.suffix == ".gz"
        self._file: IO[bytes] | None = None
        self._written = time.monotonic()
        self.state = self._read_state(fingerprint)

    @property
    def resumed(self) -> bool:
        """Whether a part was there."""
        return self.state.chunks > 0

    def __enter__(self) -> Self:
        with self._naming():
            if not self.resumed:
                # It may be of another build, whose bytes are about to be overwritten.
                (self.folder / "state.json").unlink(missing_ok=True)
            file = self._part.open("r+b" if self._part.exists() else "w+b")
            file.truncate(self.state.size)
            file.seek(self.state.size)
        self._file = file
        return self

    def lines(self) -> Iterator[bytes]:
        """The lines that are there already."""
        if not self.state.size:
            return
        with self._part.open("rb") as part:
            yield from gzip.GzipFile(fileobj=part) if self._compressed else part

    def append(self, data: bytes, counts: dict[str, Any] | None = None) -> None:
        """Add the next chunk; ``counts`` are those up to it. It counts as finished from the next :meth:`note` on.

        Raises:
            OutputError: it cannot be written; what was finished before is kept.
        """
        assert self._file is not None  # noqa: S101 - entered
        if self._compressed and data:
            data = gzip.compress(data, _LEVEL, mtime=0)
        with self._naming():
            self._file.write(data)
        # In one step, so that Ctrl-C finds one chunk or the next, and nothing between them.
        state = self.state
        self.state = State(state.fingerprint, state.chunks + 1, state.size + len(data), counts or {})

    @property
    def due(self) -> bool:
        """Whether it is time to :meth:`note` how far it is."""
        return time.monotonic() - self._written >= _SECONDS_BETWEEN_STATES

    def note(self) -> None:
        """Put on record, for good, that the chunks up to here are finished.

        Raises:
            OutputError: the disk is full, or fails.
        """
        assert self._file is not None  # noqa: S101 - entered
        with self._naming():
            self._file.flush()
            os.fsync(self._file.fileno())
            replace_whole(self.folder / "state.json", json.dumps(asdict(self.state), ensure_ascii=False).encode())
        self._written = time.monotonic()

    def finish(self) -> None:
        """Give the part the output's name.

        Raises:
            OutputError: that cannot be done.
        """
        assert self._file is not None  # noqa: S101 - entered
        with self._naming():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            if self.path.exists():
                shutil.copymode(self.path, self._part)
            self._part.replace(self.path.resolve())
            _sync_folder(self.path.resolve().parent)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            # What the disk had no room for is still in the buffer, and would be tried again.
            with contextlib.suppress(OSError):
                self._file.close()

    def _read_state(self, fingerprint: str) -> State:
        try:
            values = json.loads((self.folder / "state.json").read_bytes())
            state = State(values["fingerprint"], int(values["chunks"]), int(values["size"]), dict(values["counts"]))
            there = self._part.stat().st_size
        except (OSError, ValueError, KeyError, TypeError):
            return State(fingerprint)
        return state if state.fingerprint == fingerprint and there >= state.size else State(fingerprint)

    @contextlib.contextmanager
    def _naming(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"{self.path} cannot be written: {error.strerror or error}. What is finished is kept: make room, "
                "and the same command goes on from there."
            ) from error


def remove_work(folder: Path) -> None:
    """Remove a work folder when the output is there."""
    shutil.rmtree(folder, ignore_errors=True)


def _sync_folder(folder: Path) -> None:
    """See that a new name is on the disk, too, where the system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
