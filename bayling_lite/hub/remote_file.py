"""What the hub has on record about a file, and whether bytes agree with it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from bayling_lite.errors import ChecksumMismatch

_CHUNK = 1024 * 1024
# Control characters, the other platform's separator, and half characters, which no path can hold.
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\\\ud800-\udfff]")
_WINDOWS_DRIVE = re.compile(r"[A-Za-z]:")


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository: its size in bytes, and its digest.

    Large files have a SHA-256 (they are in Git LFS or Xet); the others have the identifier of their git blob, the SHA-1
    of a header and the content (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects). At least one of them is
    known, except for a file that was found in a cache without links.
    """

    size: int
    sha256: str | None = None
    git_id: str | None = None

    @property
    def digest(self) -> str | None:
        """What identifies the content."""
        return self.sha256 or self.git_id

    def check(self, stream: BinaryIO, name: str, advanced: Callable[[int], None] | None = None) -> None:
        """Read everything and compare it with the record; ``advanced`` hears how many bytes were read so far.

        Raises:
            ChecksumMismatch: it is something else.
        """
        digest, read = self._hasher(), 0
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            read += len(chunk)
            if advanced is not None:
                advanced(read)
        if read != self.size or digest.hexdigest() != self.digest:
            raise ChecksumMismatch(
                f"What came of {name} is not what the hub has on record: {read:,} bytes with digest "
                f"{digest.hexdigest()}, not {self.size:,} with {self.digest}. It was removed; run the same command "
                "again to fetch it anew."
            )

    def agrees(self, path: Path, advanced: Callable[[int], None] | None = None) -> bool:
        """Whether a file on this machine has this content."""
        if not path.is_file() or path.stat().st_size != self.size:
            return False
        try:
            with path.open("rb") as stream:
                self.check(stream, path.name, advanced)
        except ChecksumMismatch:
            return False
        return True

    def _hasher(self) -> _Digest:
        if self.sha256 is not None:
            return hashlib.sha256()
        return hashlib.sha1(b"blob %d\x00" % self.size, usedforsecurity=False)


def is_safe_name(name: object) -> bool:
    """Whether a name that a server gave stays inside the folder it is put into, on every platform."""
    if (
        not isinstance(name, str)
        or not name
        or _FORBIDDEN.search(name)
        or _WINDOWS_DRIVE.match(name)
        or name.startswith("/")
    ):
        return False
    return all(part not in ("", ".", "..") for part in name.split("/")) and not PurePosixPath(name).is_absolute()
