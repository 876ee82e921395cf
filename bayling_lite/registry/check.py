"""Whether a model is still what was pulled."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Callable
from pathlib import Path

from bayling_lite.errors import ChecksumMismatch, ModelNotFound
from bayling_lite.registry.folder import LocalModel

Progress = Callable[[int, int, str], None]
"""Called with the bytes done, the bytes in all, and what is being done."""

_PIECE = 4 * 1024 * 1024


def file_sha256(path: Path, progress: Progress | None = None) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        while piece := file.read(_PIECE):
            digest.update(piece)
            done += len(piece)
            if progress is not None:
                progress(done, size, "Checking")
    return digest.hexdigest()


def verify(model: LocalModel, progress: Progress | None = None) -> str:
    """Check a model's file; what was checked, for people: ``sha256, size and header``, or ``header`` without a record.

    Raises:
        ChecksumMismatch: it is not what its record says.
        ModelUnreadable: it has no record, and is no whole GGUF file.
        ModelNotFound: it is gone.
    """
    from bayling_lite.gguf_file import read_header

    record = model.record
    try:
        if record is not None:
            base = f" --base {shlex.quote(record.base)}" if record.base else ""
            remedy = f"Fetch it again: bayling models pull {record.source} --type {record.type}{base} --force"
            if model.size != record.size:
                raise ChecksumMismatch(
                    f"{model.path} has {model.size:,} bytes, its record says {record.size:,}. {remedy}"
                )
            if file_sha256(model.path, progress) != record.sha256:
                raise ChecksumMismatch(f"{model.path} is damaged: its SHA-256 is not that of its record. {remedy}")
    except FileNotFoundError as error:
        raise ModelNotFound(f"There is no file {model.path}.") from error
    read_header(model.path)
    return "size, SHA-256 and header" if record is not None else "header; there is no record"
