"""A checkpoint on the hub, as bayling_convert reads one: each weight file is here only while it is worked on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from bayling_lite.errors import CheckpointError
from bayling_lite.hub.download import Progress
from bayling_lite.hub.reference import SCHEME
from bayling_lite.hub.repository import Repository


class HubCheckpoint:
    """The files at the top of a repository.

    ``work_folder`` is where one weight file at a time is; with ``hold`` all that were fetched stay there, for work that
    reads them more than once. With ``keep`` they go on to the shared cache.

    This is bayling_convert's ``CheckpointFiles``. What it raises beyond that protocol is what :class:`Repository` does.
    """

    remote = True

    def __init__(
        self,
        repository: Repository,
        work_folder: Path,
        *,
        keep: bool = False,
        hold: bool = False,
        progress: Progress | None = None,
    ) -> None:
        self._repository = repository
        self._work_folder = work_folder
        self._keep = keep
        self._hold = hold
        self._progress = progress
        self._sizes = {name: file.size for name, file in repository.files.items() if "/" not in name}

    @property
    def name(self) -> str:
        """The repository's name without its owner's."""
        return self._repository.id.partition("/")[2]

    @property
    def where(self) -> str:
        """``hf://OWNER/NAME``."""
        return f"{SCHEME}{self._repository.id}"

    @property
    def source(self) -> str | None:
        """The web address of the repository at the commit that is read."""
        return self._repository.url

    @property
    def sizes(self) -> Mapping[str, int]:
        """Names and bytes of the files at the top."""
        return self._sizes

    def identity(self, name: str) -> str:
        """The digest that the hub has on record."""
        file = self._repository.files[name]
        return file.digest or f"{self._repository.commit}:{file.size}"

    def path(self, name: str) -> str:
        """``hf://OWNER/NAME/FILE``."""
        return f"{self.where}/{name}"

    def read(self, name: str, limit: int = 64 * 1024 * 1024) -> bytes | None:
        """A small file whole, checked; None where there is none.

        Raises:
            CheckpointError: larger than ``limit`` bytes.
            HubError: it cannot be fetched.
        """
        if name not in self._sizes:
            return None
        if self._sizes[name] > limit:
            raise CheckpointError(f"{self.path(name)} has {self._sizes[name]:,} bytes, which no such file needs.")
        return self._repository.read(name, limit)

    def open(self, name: str) -> BinaryIO:
        """A file for reading here and there, by range requests where it is not in the shared cache."""
        return self._repository.open(name)

    @contextlib.contextmanager
    def fetch(self, name: str) -> Iterator[Path]:
        """The whole file, checked; one that was fetched for this is removed when the block has ended well, if not held.

        When it fails or is interrupted, the file stays in the work folder, and the next run need not fetch it again.
        """
        cached = self._repository.cached(name)
        if cached is not None:
            yield cached
            return
        path = self._repository.download(name, self._work_folder, self._progress)
        if self._keep:
            yield self._repository.keep(name, path)
            return
        yield path
        if not self._hold:
            path.unlink(missing_ok=True)
