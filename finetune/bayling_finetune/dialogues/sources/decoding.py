"""Bytes to text in blocks, and text to lines of bounded length, with errors that name the place.

Memory stays flat whatever the file: a line longer than a limit is not kept but only counted, and compressed files are
unpacked block by block.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from bayling_lite.encodings import BYTE_ORDER_MARKS, check_encoding
from bayling_lite.errors import InputError

BLOCK = 1 << 16  # bytes
# Characters of a line or a segment. Books have sentences of a thousand; what is longer than this is no sentence.
MAX_CHARACTERS = 100_000


def check_file(path: Path) -> None:
    """Refuse what cannot be read before anything is begun.

    Raises:
        InputError: there is no such file, it is a folder, is empty, or may not be read.
    """
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder: name the files in it.")
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is no file but a pipe or a device: parallel text is read several times.")
        with path.open("rb") as file:
            if not file.read(1):
                raise InputError(f"{path} is empty.")
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """A file's bytes, unpacked where they begin like gzip, whatever its name.

    Raises:
        InputError: it cannot be read, or the compressed file is damaged; also while it is being read.
    """
    check_file(path)
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if packed:
                with gzip.GzipFile(fileobj=file) as unpacked, io.BufferedReader(unpacked, BLOCK) as buffered:
                    yield buffered
            else:
                yield file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"The compressed file {path} is damaged or cut short ({error}): fetch it again.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error


def decoded(
    path: Path, encoding: str | None = None, *, declared: Callable[[bytes], str | None] = lambda _: None
) -> Iterator[str]:
    """A file's text in blocks. Without ``encoding`` a byte order mark decides, then what ``declared`` finds in the
    first block, else it is UTF-8.

    Raises:
        InputError: it cannot be read, or is not text in that encoding; the message names line and byte.
        UsageError: there is no such encoding.
    """
    if encoding is not None:
        encoding = check_encoding(encoding)
    with open_bytes(path) as file:
        block = file.read(BLOCK)
        mark, codec = next(((mark, codec) for mark, codec in BYTE_ORDER_MARKS if block.startswith(mark)), (b"", None))
        if encoding is None:
            encoding, block, position = codec or declared(block) or "utf-8", block[len(mark) :], len(mark)
            _refuse_binary(path, block, encoding)
        else:
            position = 0
        decoder = codecs.getincrementaldecoder(encoding)()
        line = 1
        while True:
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode(encoding, "replace").count("\n")
                byte = position - (len(error.object) - len(block)) + error.start
                raise InputError(
                    f"{path}, line {line + before} (byte {byte:,}): this is not {encoding} text. Repair it, convert "
                    "the file to UTF-8, or name its encoding, for example --encoding gb18030."
                ) from error
            except UnicodeError as error:
                raise InputError(f"{path} is not {encoding} text: {error}. Name another with --encoding.") from error
            if text:
                yield text
                line += text.count("\n")
            if not block:
                return
            position += len(block)
            block = file.read(BLOCK)


def _refuse_binary(path: Path, block: bytes, encoding: str) -> None:
    if encoding == "utf-8" and block.count(0) > len(block) // 10:
        raise InputError(
            f"{path} is not text in UTF-8: it is full of NUL bytes. If it is UTF-16 without a mark, name that with "
            "--encoding utf-16-le; if it is a binary file, convert it first."
        )


def lines(path: Path, encoding: str | None = None) -> Iterator[str | None]:
    """The lines of a text file without their ends; None for one of more than :data:`MAX_CHARACTERS`.

    Lines end in LF or CRLF, in a file that has none of these in its first block in CR. Other separators, such as a
    lone CR in a file of LF or U+2028, are part of a line: files aligned by line must not come apart at them.

    Raises:
        InputError, UsageError: as :func:`decoded` does.
    """
    blocks = decoded(path, encoding)
    end, begun, length = "", [""], 0
    for block in blocks:
        if not end:
            end = "\r" if "\r" in block.removesuffix("\r") and "\n" not in block else "\n"
        first, *others = block.split(end)
        if not others:
            length += len(first)
            if length <= MAX_CHARACTERS:
                begun.append(first)
            else:
                begun.clear()
            continue
        yield _line("".join(begun) + first, length + len(first))
        *whole, last = others
        for line in whole:
            yield _line(line, len(line))
        begun, length = [last], len(last)
    if length:
        yield _line("".join(begun), length)


def _line(text: str, length: int) -> str | None:
    return text.removesuffix("\r") if length <= MAX_CHARACTERS else None
