"""Files: documents read, results written whole or not at all."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

from bayling_lite.errors import InputError, OutputError
from bayling_lite.translate.formats import Source
from bayling_lite.translate.job.writing import is_special, whole_output

LARGEST = 10**9
"""Bytes of a document, which is held in memory while it is worked at."""
STANDARD_INPUT = "standard input"


def read_source(name: str, encoding: str | None = None) -> Source:
    """Read a file, or standard input for ``-``.

    Raises:
        InputError: it cannot be read, or is too large.
    """
    if name == "-":
        if sys.stdin is None:
            raise InputError("Standard input is closed: there is nothing to read.")
        return _source(STANDARD_INPUT, sys.stdin.buffer, encoding)
    check_input(name)
    try:
        with Path(name).open("rb") as file:
            return _source(name, file, encoding)
    except OSError as error:
        raise _unreadable(name, error) from error


def check_input(name: str) -> None:
    """See to it, before the long work, that a file can be read.

    Raises:
        InputError: it is missing, a folder, too large, or cannot be read.
    """
    path = Path(name)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise InputError(f"{name} is a folder. Name the files in it, for example {name.rstrip('/')}/*.txt.")
        if status.st_size > LARGEST:
            raise _too_large(name)
        # A pipe can be opened once only.
        if stat.S_ISREG(status.st_mode):
            path.open("rb").close()
    except FileNotFoundError as error:
        raise InputError(f"There is no file {name}.") from error
    except (OSError, ValueError) as error:
        raise _unreadable(name, error) from error


def _source(name: str, file: BinaryIO, encoding: str | None) -> Source:
    data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise _too_large(name)
    return Source(name, data, encoding)


def _unreadable(name: str, error: Exception) -> InputError:
    return InputError(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}.")


def _too_large(name: str) -> InputError:
    return InputError(f"{name} has more than 1 GB. Cut it into smaller documents.")


def check_output(path: Path, *, force: bool, inputs: list[Path]) -> None:
    """See to it, before the long work, that a file can be written.

    Raises:
        OutputError: it exists, is a folder, is one of the inputs, or cannot be written.
    """
    shown = str(path)
    if path.is_dir():
        raise OutputError(f"{shown} is a folder. Name a file in it.")
    if any(same_file(path, source) for source in inputs):
        raise OutputError(f"{shown} is an input; it is never overwritten. Name another output.")
    if is_special(path):
        return
    if path.exists() and not force:
        raise OutputError(f"{shown} exists. --force overwrites it; or name another output.")
    place = Path(os.path.realpath(path))
    if place.is_symlink():
        raise OutputError(f"{shown} cannot be written: it is a link that leads in a circle. Name another output.")
    if not place.parent.exists():
        raise OutputError(f"{shown} cannot be written: there is no folder {path.parent}. Make it first.")
    try:
        with tempfile.NamedTemporaryFile(dir=place.parent, prefix=".bayling-"):
            pass
    except OSError as error:
        raise OutputError(f"{shown} cannot be written: {error.strerror or error}.") from error


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where they are missing.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {folder} cannot be made: {error.strerror or error}.") from error


def same_file(left: Path, right: Path) -> bool:
    """Whether two paths are one file, which need not exist."""
    try:
        return left.samefile(right)
    except OSError:
        return os.path.realpath(left) == os.path.realpath(right)


def write_whole(path: Path, data: bytes) -> None:
    """Write a small file so that it appears whole; see :func:`~bayling_lite.translate.job.writing.whole_output`.

    Raises:
        OutputError: it cannot be written; then the old file, if there was one, is still there.
    """
    with whole_output(path) as file:
        file.write(data)
