"""Whether a model is still what was pulled."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Callable
from pathlib import Path

from bayling_lite.errors import ChecksumMismatch, ModelNotFound, ModelUnreadable
from bayling_lite.registry.folder import LocalModel
from bayling_lite.registry.record import Record

Progress = Callable[[int, int, str], None]
"""Called with the bytes done, the bytes in all, and what is being done, perhaps with a detail behind a colon.

Of what will come later, 0 bytes done are told. With 0 bytes in all there is nothing to count, only to say.
"""

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
    """Check a model's file; what was checked, for people: ``size, SHA-256 and header``, or ``header`` without a record.

    Raises:
        ChecksumMismatch: it is not what its record says, is missing, or its record cannot be read.
        ModelUnreadable: it has no record, and is no whole GGUF file; or it cannot be read.
        ModelNotFound: it is gone.
    """
    from bayling_lite.gguf_file import read_header

    record = model.record
    remedy = f"Fetch it again: {_command(record)}" if record is not None else "Fetch it again, or remove it."
    if model.trouble is not None:
        raise ChecksumMismatch(f"{model.trouble} {remedy}")
    try:
        if record is not None:
            if model.size != record.size:
                raise ChecksumMismatch(
                    f"{model.path} has {model.size:,} bytes, its record says {record.size:,}. {remedy}"
                )
            if file_sha256(model.path, progress) != record.sha256:
                raise ChecksumMismatch(f"{model.path} is damaged: its SHA-256 is not that of its record. {remedy}")
    except FileNotFoundError as error:
        raise ModelNotFound(f"There is no file {model.path}.") from error
    except OSError as error:
        raise ModelUnreadable(f"{model.path} cannot be read: {error.strerror or error}.") from error
    read_header(model.path)
    return "size, SHA-256 and header" if record is not None else "header; nothing is on record of it"


def _command(record: Record) -> str:
    """What fetches the same again. A record may come from anybody, so nothing of it gets to the shell unquoted."""
    name = record.source if record.file is None else f"{record.source}:{record.file}"
    words = ["bayling", "models", "pull", name, "--revision", record.revision]
    words += ["--type", record.type] if record.file is None else []
    words += ["--base", record.base] if record.base else []
    return shlex.join([*words, "--force"])
