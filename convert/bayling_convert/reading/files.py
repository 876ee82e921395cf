"""Where a checkpoint's files lie: in a folder here, or in a repository far away. Everything is read through this.

The hub's side is :class:`bayling_lite.hub.HubCheckpoint`, which this package does not import: what fetches files has no
business with what is in them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

from bayling_lite.errors import CheckpointError

LARGEST_TEXT = 64 * 1024 * 1024
"""Bytes of the largest configuration or tokenizer that is read whole; real ones stay below 35 MB."""


class CheckpointFiles(Protocol):
    """The files of one checkpoint. Names are those of plain files in its folder, without separators."""

    @property
    def name(self) -> str:
        """What to call the checkpoint where it does not say itself: ``bayling-2-7b``."""
        ...

    @property
    def where(self) -> str:
        """The place for messages: a path, or ``hf://OWNER/NAME``."""
        ...

    @property
    def source(self) -> str | None:
        """The web address of the repository at the revision that is read; None for a folder."""
        ...

    @property
    def remote(self) -> bool:
        """Whether files have to be fetched, so that what is done is worth keeping when the work is interrupted."""
        ...

    @property
    def sizes(self) -> Mapping[str, int]:
        """Every file's name and its size in bytes."""
        ...

    def identity(self, name: str) -> str:
        """A text that changes when the file's content does: a digest, or size and time of the last change."""
        ...

    def path(self, name: str) -> str:
        """How messages name a file."""
        ...

    def read(self, name: str, limit: int = LARGEST_TEXT) -> bytes | None:
        """A small file whole; None where there is none.

        Raises:
            CheckpointError: larger than ``limit`` bytes, or not readable.
        """
        ...

    def open(self, name: str) -> BinaryIO:
        """A file for reading with ``seek``, for its headers; the caller closes it.

        Raises:
            CheckpointError: no such file, or not readable.
        """
        ...

    def fetch(self, name: str) -> AbstractContextManager[Path]:
        """The whole file on this machine, checked against its digest where there is one, until the block ends.

        Raises:
            CheckpointError: no such file, or not readable.
        """
        ...


class Folder:
    """A checkpoint in a folder of this machine.

    Raises:
        CheckpointError: no such folder, or a link in it leads out of it.
    """

    remote = False
    source = None

    def __init__(self, folder: Path) -> None:
        try:
            is_folder, exists = folder.is_dir(), folder.exists()
            if not is_folder:
                what = "is a file" if exists else "does not exist"
                raise CheckpointError(
                    f"{folder} {what}; a checkpoint is a folder with config.json, a tokenizer and model.safetensors."
                )
            self._folder = folder
            self._allowed = _allowed(folder.resolve())
            self._sizes = {path.name: self._size(path) for path in sorted(folder.iterdir()) if path.is_file()}
            self._identities = {name: self._identity_now(name) for name in self._sizes}
        except OSError as error:
            raise CheckpointError(f"{folder} cannot be read: {error.strerror or error}.") from error

    def _size(self, path: Path) -> int:
        if path.is_symlink() and not any(path.resolve().is_relative_to(folder) for folder in self._allowed):
            raise CheckpointError(
                f"{path} is a link to {path.resolve()}, outside the checkpoint's folder. "
                "If that is meant, put the file itself there."
            )
        return path.stat().st_size

    @property
    def name(self) -> str:
        """The folder's name."""
        return self._folder.resolve().name

    @property
    def where(self) -> str:
        """The folder."""
        return str(self._folder)

    @property
    def sizes(self) -> Mapping[str, int]:
        """The files in the folder itself."""
        return self._sizes

    def identity(self, name: str) -> str:
        """Size and time of the last change, as they were when the folder was opened."""
        return self._identities[name]

    def _identity_now(self, name: str) -> str:
        status = (self._folder / name).stat()
        return f"{status.st_size}:{status.st_mtime_ns}"

    def path(self, name: str) -> str:
        """The file's path."""
        return str(self._folder / name)

    def read(self, name: str, limit: int = LARGEST_TEXT) -> bytes | None:
        """A small file whole."""
        if name not in self._sizes:
            return None
        if self._sizes[name] > limit:
            raise CheckpointError(f"{self.path(name)} has {self._sizes[name]:,} bytes, which no such file needs.")
        with self.open(name) as file:
            return file.read(self._sizes[name])

    def open(self, name: str) -> BinaryIO:
        """The file itself."""
        # A pipe of that name would be waited for.
        if name not in self._sizes:
            raise CheckpointError(f"{self.path(name)} is missing. Fetch or save the checkpoint again.")
        try:
            return (self._folder / name).open("rb")
        except OSError as error:
            raise CheckpointError(f"{self.path(name)} cannot be read: {error.strerror or error}.") from error

    @contextlib.contextmanager
    def fetch(self, name: str) -> Iterator[Path]:
        """The file where it is; one that somebody writes into meanwhile is refused."""
        self.open(name).close()
        self._check_unchanged(name)
        yield self._folder / name
        self._check_unchanged(name)

    def _check_unchanged(self, name: str) -> None:
        try:
            unchanged = self._identity_now(name) == self._identities[name]
        except OSError as error:
            raise CheckpointError(f"{self.path(name)} cannot be read: {error.strerror or error}.") from error
        if not unchanged:
            raise CheckpointError(f"{self.path(name)} was written into while it was read. Start again.")


def _allowed(folder: Path) -> list[Path]:
    """Where the files of a folder may lie: in it, or, in the hub's shared cache, among the repository's blobs."""
    allowed = [folder]
    if folder.parent.name == "snapshots":
        allowed.append(folder.parent.parent / "blobs")
    return allowed
