"""The cache that all programs on this machine share, in huggingface-hub's layout: each finds what the other has.

::

    models--OWNER--NAME/refs/REVISION              the commit of a branch or tag
                        blobs/DIGEST               contents
                        snapshots/COMMIT/FILE      links to contents

https://huggingface.co/docs/huggingface_hub/guides/manage-cache
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

from huggingface_hub import constants, try_to_load_from_cache

from bayling_lite.errors import OutputError
from bayling_lite.hub.remote_file import RemoteFile, is_safe_name

_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def is_commit(text: object) -> bool:
    """Whether it is a whole git commit's name."""
    return isinstance(text, str) and _COMMIT.fullmatch(text) is not None


def is_sha256(text: object) -> bool:
    """Whether it is a SHA-256 in hexadecimal digits."""
    return isinstance(text, str) and _SHA256.fullmatch(text) is not None


class SharedCache:
    """The cache in a folder; None is huggingface-hub's own (``HF_HUB_CACHE``, ``HF_HOME``)."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(constants.HF_HUB_CACHE)

    def snapshot(self, repository: str, revision: str | None) -> tuple[str, Mapping[str, RemoteFile]] | None:
        """The commit that a revision was when last seen here, and the files that are here of it; None if none."""
        commit = self._commit(repository, revision or constants.DEFAULT_REVISION)
        if commit is None:
            return None
        folder = self._place(repository) / "snapshots" / commit
        names = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
        files = {name: _recorded(path) for name, path in names.items() if is_safe_name(name)}
        return (commit, files) if files else None

    def find(self, repository: str, commit: str, name: str, size: int) -> Path | None:
        """The path of a file that is here, whole."""
        found = try_to_load_from_cache(repository, name, cache_dir=self.folder, revision=commit)
        path = Path(found) if isinstance(found, str) else None
        usable = path is not None and path.stat().st_size == size and os.access(path, os.R_OK)
        return path if usable else None

    def add(self, path: Path, repository: str, name: str, *, commit: str, revision: str | None, digest: str) -> Path:
        """Move a file, already checked, into the cache; gives its path there.

        Raises:
            OutputError: it cannot be written there.
        """
        place = self._place(repository)
        pointer = place / "snapshots" / commit / name
        try:
            blob = place / "blobs" / digest
            _move(path, blob)
            pointer.parent.mkdir(parents=True, exist_ok=True)
            _link(pointer, blob)
            if revision != commit:
                _write(place / "refs" / (revision or constants.DEFAULT_REVISION), commit)
        except OSError as error:
            full = " Free some space, or set HF_HOME to another place." if error.errno == errno.ENOSPC else ""
            raise OutputError(
                f"{name} could not be kept in the shared cache {self.folder}: {error.strerror or error}.{full}"
            ) from error
        return pointer

    def _place(self, repository: str) -> Path:
        return self.folder / constants.REPO_ID_SEPARATOR.join(["models", *repository.split("/")])

    def _commit(self, repository: str, revision: str) -> str | None:
        if is_commit(revision):
            return revision
        try:
            commit = (self._place(repository) / "refs" / revision).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None
        return commit if is_commit(commit) else None


def _recorded(path: Path) -> RemoteFile:
    """What a file in a snapshot is; a blob is named after its digest, a file that is no link has none."""
    size = path.stat().st_size
    blob = path.readlink().name if path.is_symlink() else ""
    return RemoteFile(size, blob if is_sha256(blob) else None, blob if is_commit(blob) else None)


def _move(path: Path, blob: Path) -> None:
    """Move a file, perhaps from another disk, so that it appears whole under its new name."""
    blob.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.replace(blob)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        growing = blob.with_name(f"{blob.name}.{uuid.uuid4().hex[:8]}.incomplete")
        try:
            shutil.copyfile(path, growing)
            growing.replace(blob)
        finally:
            growing.unlink(missing_ok=True)
        path.unlink()


def _link(pointer: Path, blob: Path) -> None:
    """Point to a blob; where links cannot be made, huggingface-hub has the file itself in the snapshot."""
    growing = pointer.with_name(f"{pointer.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        growing.symlink_to(os.path.relpath(blob, pointer.parent))
    except (OSError, NotImplementedError):
        blob.replace(pointer)
    else:  # another process may make the same link just now
        growing.replace(pointer)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    growing = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    growing.write_text(text, encoding="ascii")
    growing.replace(path)
