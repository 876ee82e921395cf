"""The translated document on its way: to a file, whole or not at all, to a terminal, or into a pipe."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

import click

from bayling_lite.cli.files import make_folder
from bayling_lite.terminal import PrintableStream
from bayling_lite.translate.formats import TextForm
from bayling_lite.translate.job.writing import whole_output, write_pieces, written_form

Pieces = Iterable[str | bytes]
Note = Callable[[str], None]
_IN_MEMORY = 16_000_000


def write_file(path: Path, pieces: Pieces, form: TextForm | None, note: Note) -> None:
    """Write a file that is there, whole, when all pieces have come; its folder is made where it is missing."""
    make_folder(path.parent)
    with whole_output(path) as file:
        _write(file, pieces, form, note)


def write_pipe(pieces: Pieces, form: TextForm | None, note: Note) -> None:
    """Write to standard output as the text comes; all at the end where its encoding may turn out not to hold it."""
    out = sys.stdout.buffer
    if form is None or written_form(form).errors != "strict":
        try:
            _write(out, _flushing(pieces, out), form, note)
        finally:
            out.flush()
        return
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as held:
        _write(cast(BinaryIO, held), pieces, form, note)
        held.seek(0)
        shutil.copyfileobj(held, out)


def show(pieces: Pieces) -> None:
    """Show text at once, nothing in it that steers the terminal, and whole lines at the end, however it ends."""
    stream, last = PrintableStream(), "\n"
    try:
        for piece in pieces:
            assert isinstance(piece, str)  # noqa: S101 - only documents of text are shown
            text = stream.feed(piece.replace("\r\n", "\n").replace("\r", "\n"))
            last = text[-1:] or last
            click.echo(text, nl=False)
    finally:
        text = stream.flush()
        click.echo(text, nl=not (text or last).endswith("\n"))


def discard(pieces: Pieces) -> None:
    """For who wants something else than the document."""
    for _ in pieces:
        pass


def _write(file: BinaryIO, pieces: Pieces, form: TextForm | None, note: Note) -> None:
    used = write_pieces(pieces, form, file)
    if form is not None and used is not None and used.encoding != written_form(form).encoding:
        note(f"the translation has characters that {form.encoding} has not; it is written in UTF-8.")


def _flushing(pieces: Pieces, out: BinaryIO) -> Iterator[str | bytes]:
    """The pieces; each line of text leaves at once after it was written."""
    for piece in pieces:
        yield piece
        if isinstance(piece, str) and "\n" in piece:
            out.flush()
