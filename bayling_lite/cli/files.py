"""Text files: read whatever the encoding, written whole or not at all."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bayling_lite.errors import InputError, OutputError
from bayling_lite.languages import LANGUAGES, Language
from bayling_lite.translate.formats import Source
from bayling_lite.translate.formats.decoding import decode
from bayling_lite.whole_file import replace_whole


@dataclass(frozen=True, slots=True)
class TextInput:
    """A text and where it came from. ``path`` is None for standard input; ``guessed`` says the encoding was."""

    name: str
    text: str
    path: Path | None
    encoding: str
    guessed: bool = False


def read_input(name: str, encoding: str | None) -> TextInput:
    """Read a file, or standard input for ``-``.

    Raises:
        InputError: it cannot be read, or is not text.
    """
    if name == "-":
        return _decoded("standard input", sys.stdin.buffer.read(), None, encoding)
    path = Path(name)
    try:
        data = path.read_bytes()
    except IsADirectoryError as error:
        raise InputError(f"{name} is a folder. Name the files in it, for example {name.rstrip('/')}/*.txt.") from error
    except FileNotFoundError as error:
        raise InputError(f"There is no file {name}.") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    return _decoded(name, data, path, encoding)


def _decoded(name: str, data: bytes, path: Path | None, encoding: str | None) -> TextInput:
    decoded = decode(Source(name, data, encoding))
    return TextInput(name, decoded.text, path, decoded.form.encoding, guessed=decoded.form.guessed)


def derived_name(path: Path, target: Language) -> str:
    """``{stem}.{lang}{ext}``: letter.txt becomes letter.zh.txt, and so does letter.en.txt."""
    stem, _, code = path.stem.rpartition(".")
    known = stem and any(code.casefold() == language.code for language in LANGUAGES)
    return f"{stem if known else path.stem}.{target.code}{path.suffix}"


def check_output(path: Path, *, force: bool, inputs: list[Path]) -> None:
    """See to it, before the long work, that a file can be written.

    Raises:
        OutputError: it exists, is a folder, is one of the inputs, or cannot be written.
    """
    shown = str(path)
    if path.is_dir():
        raise OutputError(f"{shown} is a folder. End its name with / to write into it.")
    if any(same_file(path, source) for source in inputs):
        raise OutputError(f"{shown} is an input; it is never overwritten. Choose another output with -o.")
    if _is_special(path):
        return
    if path.exists() and not force:
        raise OutputError(f"{shown} exists. --force overwrites it, -o chooses another file.")
    try:
        with tempfile.NamedTemporaryFile(dir=path.resolve().parent, prefix=".bayling-"):
            pass
    except OSError as error:
        raise OutputError(f"{shown} cannot be written: {error.strerror or error}.") from error


def same_file(left: Path, right: Path) -> bool:
    """Whether two paths are one file, which need not exist."""
    try:
        return left.samefile(right)
    except OSError:
        return left.resolve() == right.resolve()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it appears whole: a temporary file beside it, fsync, rename.

    What a symbolic link leads to is replaced, not the link. A pipe or a device is written as it is.

    Raises:
        OutputError: it cannot be written; then the old file, if there was one, is still there.
    """
    try:
        if _is_special(path):
            path.write_bytes(data)
        else:
            replace_whole(path.resolve(), data)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}.") from error


def _is_special(path: Path) -> bool:
    """Whether something is there that is neither a file nor a folder: a pipe, a device."""
    return path.exists() and not path.is_file() and not path.is_dir()
