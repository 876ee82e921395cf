"""A repository at one commit: what files it has, and their bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from huggingface_hub import hf_hub_url

from bayling_lite.errors import BaylingError, HubError
from bayling_lite.hub.cache import SharedCache
from bayling_lite.hub.download import Progress, download
from bayling_lite.hub.failures import Asked, not_here
from bayling_lite.hub.patience import Patience
from bayling_lite.hub.ranges import RangeSource, open_range, read_range
from bayling_lite.hub.remote_file import RemoteFile, is_safe_name
from bayling_lite.terminal import printable


@dataclass(frozen=True, slots=True)
class Access:
    """How the hub is reached: address, access token (None: the user's own), cache, and patience."""

    endpoint: str
    token: str | None
    cache: SharedCache
    patience: Patience


@dataclass(frozen=True, slots=True)
class Repository:
    """The files of a repository at a commit, by name; names with ``/`` are in folders.

    ``revision`` is what was asked for: a branch, a tag, a commit, or None for the main branch. When ``offline``,
    ``files`` are those that the shared cache has, because the hub may not be asked, or for the reason ``unreachable``
    cannot.
    """

    id: str
    revision: str | None
    commit: str
    files: Mapping[str, RemoteFile]
    access: Access
    offline: bool = False
    unreachable: HubError | None = None

    def missing(self, name: str | None = None) -> BaylingError:
        """The error where something is not in the shared cache, and cannot be fetched."""
        return self.unreachable or not_here(self._asked(name and printable(name, keep="")))

    @property
    def url(self) -> str:
        """The web address of these files."""
        parts = urlsplit(self.access.endpoint)
        # It goes into files that are given away: a mirror's password must not.
        public = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        return f"{public}/{self.id}/tree/{self.commit}"

    def cached(self, name: str) -> Path | None:
        """The path of a file in the shared cache; None when it is not there.

        Raises:
            HubError: the repository has no such file.
        """
        return self.access.cache.find(self.id, self.commit, name, self._file(name).size)

    def read(self, name: str, limit: int) -> bytes:
        """A small file whole, checked against its digest.

        Raises:
            HubError: no such file, larger than ``limit`` bytes, or it cannot be fetched.
            ChecksumMismatch: what came is something else.
            ModelNotFound: it is not in the shared cache, and nothing may be fetched.
        """
        file = self._file(name)
        if file.size > limit:
            raise HubError(f"{name} of {self.id} has {file.size:,} bytes; at most {limit:,} are read at once.")
        cached = self.cached(name)
        if cached is not None:
            return cached.read_bytes()
        source = self._source(name)
        data = read_range(source, 0, file.size)
        file.check(io.BytesIO(data), str(source.asked))
        return data

    def open(self, name: str) -> BinaryIO:
        """A file for reading here and there: each read beyond its buffer asks for a range.

        What is read so cannot be checked: a digest is one of the whole file.

        Raises:
            HubError: no such file, and, when reading, it cannot be fetched.
            ModelNotFound: it is not in the shared cache, and nothing may be fetched.
        """
        cached = self.cached(name)
        return cached.open("rb") if cached is not None else open_range(self._source(name))

    def download(self, name: str, folder: Path, progress: Progress | None = None) -> Path:
        """Fetch a file whole as ``folder/name``, checked, going on where an earlier run was interrupted.

        A file that has that name already is left as it is if it is the right one, and replaced in the end if not.

        Raises:
            HubError: no such file, it cannot be fetched, or another process is fetching it.
            ChecksumMismatch: what came is something else, and was removed.
            OutputError: it cannot be written, or does not fit.
            ModelNotFound: nothing may be fetched.
        """
        return download(self._source(name), folder / name, progress)

    def keep(self, name: str, path: Path) -> Path:
        """Move a downloaded file into the shared cache, where every program finds it; gives its path there.

        Raises:
            OutputError: it cannot be written there.
        """
        digest = self._file(name).digest
        if digest is None:
            raise HubError(f"{name} of {self.id} has no digest on record, so the shared cache cannot take it.")
        return self.access.cache.add(path, self.id, name, commit=self.commit, revision=self.revision, digest=digest)

    def _file(self, name: str) -> RemoteFile:
        shown = printable(name, keep="")
        if not is_safe_name(name):
            raise HubError(f"{self.id}: {shown!r} is not taken, because such a name could lead out of a folder.")
        if name not in self.files:
            if self.offline:
                raise self.missing(name)
            raise HubError(f"{self.id} has no file {shown}; what it has is at {self.url}.")
        return self.files[name]

    def _asked(self, name: str | None) -> Asked:
        return Asked(self.access.endpoint, self.id, self.revision, name)

    def _source(self, name: str) -> RangeSource:
        file, asked = self._file(name), self._asked(printable(name, keep=""))
        if self.offline:
            raise self.missing(name)
        if file.digest is None:
            raise HubError(f"{asked}: {self.access.endpoint} has no digest on record for it, so it cannot be checked.")
        url = hf_hub_url(self.id, name, revision=self.commit, endpoint=self.access.endpoint)
        return RangeSource(url, file, asked, token=self.access.token, patience=self.access.patience)
