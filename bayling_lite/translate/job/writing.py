"""A document's pieces made into a file of bytes."""

from __future__ import annotations

import codecs
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from bayling_lite.errors import OutputError
from bayling_lite.translate.formats.base import TextForm
from bayling_lite.whole_file import replacing_whole

_UTF8 = TextForm("utf-8", "replace")  # a lone surrogate is no character: a question mark stands for it
_CHUNK = 1 << 16


def write_pieces(pieces: Iterable[str | bytes], form: TextForm | None, file: BinaryIO) -> TextForm | None:
    """Write the pieces of a document to a file that can be read and rewound, at whose beginning it stands.

    ``form`` is the document's, and :func:`written_form` says in which it is written. A text with a character that its
    encoding has not is written in UTF-8 instead, from its beginning. Gives the form that it was written in.
    """
    used = None if form is None else written_form(form)
    encoder = _encoder(used)
    for piece in pieces:
        if isinstance(piece, bytes):
            file.write(piece)
            continue
        try:
            file.write(encoder.encode(piece))
        except UnicodeEncodeError:
            if used is not None and used is not _UTF8:
                _recode(file, used)
            used, encoder = _UTF8, _encoder(_UTF8)
            file.write(encoder.encode(piece))
    # Some encodings (ISO-2022-JP) return to their first state at the end.
    file.write(encoder.encode("", final=True))
    return used


def written_form(form: TextForm) -> TextForm:
    """How a text that was read so is written: in its encoding, or in UTF-8 where that was guessed.

    A guess may be wrong, and who reads the translation would have to guess again. UTF has everything but halves of
    surrogate pairs, which are no characters: question marks stand for them.
    """
    encoding = "utf-8" if form.guessed else form.encoding
    lossy = form.errors == "strict" and encoding.casefold().startswith("utf")
    return TextForm(encoding, "replace" if lossy else form.errors)


@contextmanager
def whole_output(output: Path | BinaryIO) -> Iterator[BinaryIO]:
    """A file to read and write, which becomes the output when the block ends without an error.

    A path gets it by way of a temporary file beside it; what a symbolic link leads to is replaced, not the link. To a
    pipe, a device or an open file it is copied at the end.

    Raises:
        OutputError: it cannot be written; then the old file, if there was one, is still there.
    """
    shown = output if isinstance(output, Path) else "the output"
    try:
        if isinstance(output, Path) and not is_special(output):
            with replacing_whole(Path(os.path.realpath(output))) as file:
                yield file
            return
        with tempfile.TemporaryFile() as file:
            yield file
            file.seek(0)
            if isinstance(output, Path):
                with output.open("wb") as special:
                    shutil.copyfileobj(file, special)
            else:
                shutil.copyfileobj(file, output)
    except OSError as error:
        raise OutputError(f"{shown} cannot be written: {error.strerror or error}.") from error


def _encoder(form: TextForm | None) -> codecs.IncrementalEncoder:
    form = form or _UTF8
    return codecs.getincrementalencoder(form.encoding)(form.errors)


def _recode(file: BinaryIO, form: TextForm) -> None:
    """Make what was written UTF-8, chunk by chunk."""
    decoder = codecs.getincrementaldecoder(form.encoding)()
    file.seek(0)
    with tempfile.TemporaryFile() as other:
        while chunk := file.read(_CHUNK):
            other.write(decoder.decode(chunk).encode(errors="replace"))
        other.seek(0)
        file.seek(0)
        file.truncate()
        shutil.copyfileobj(other, file)


def is_special(path: Path) -> bool:
    """Whether something is there that is neither a file nor a folder: a pipe, a device."""
    return path.exists() and not path.is_file() and not path.is_dir()
