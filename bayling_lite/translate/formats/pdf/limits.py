"""Limits for pdfminer.six, which has none: a few bytes of a PDF can ask for any amount of memory or time.

While a document is read, the functions of pdfminer that would follow are replaced by ones that count. Each is named
here; where a new version has no such function, that is an error, not an open door.
"""

from __future__ import annotations

import logging
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from types import SimpleNamespace
from typing import Any

from pdfminer import cmapdb, pdffont, pdftypes
from pdfminer.lzw import LZWDecoder
from pdfminer.pdfdocument import PDFDocument

MOST_BYTES_A_STREAM = 64 << 20
MOST_BYTES = 1 << 30  # of all streams together, decompressed
MOST_BYTES_PREDICTED = 16 << 20  # each takes eight bytes for a while
MOST_SECONDS = 600.0
_MOST_WIDTHS = 1_000_000
_MOST_CHARACTERS = 10_000_000  # in the tables of all fonts

_LOCK = threading.Lock()  # what is replaced is so for the whole process, hence for one document at a time


class TooMuch(Exception):
    """A document asks for more time or memory than it may have."""


class Clock:
    """The time a document has."""

    def __init__(self) -> None:
        self._end = time.monotonic() + MOST_SECONDS

    def check(self) -> None:
        """Raises:
        TooMuch: the time is up.
        """
        if time.monotonic() > self._end:
            raise TooMuch(f"it took longer than {MOST_SECONDS / 60:.0f} minutes")


class TimedDocument(PDFDocument):
    """A document that looks at the clock whenever one of its objects is asked for: their numbers may have no end."""

    clock: Clock | None = None

    def getobj(self, objid: int) -> object:
        """An object of the document."""
        if self.clock is not None:
            self.clock.check()
        return super().getobj(objid)


@contextmanager
def limits() -> Iterator[None]:
    """Keep pdfminer from taking more than there is, and from writing to the log."""
    budget = _Budget()
    replaced: list[tuple[object, str, object]] = [
        (pdftypes, "zlib", SimpleNamespace(decompress=budget.inflated, error=zlib.error)),
        (pdftypes, "lzwdecode", budget.unpacked),
        (pdftypes, "rldecode", budget.measured(pdftypes.__dict__["rldecode"])),
        (pdftypes, "ccittfaxdecode", _refused),
        (pdftypes, "apply_png_predictor", _predicting(pdftypes.__dict__["apply_png_predictor"])),
        (pdftypes, "apply_tiff_predictor", _predicting(pdftypes.__dict__["apply_tiff_predictor"])),
        (pdffont, "get_widths", _ranging(pdffont.get_widths, 3)),
        (pdffont, "get_widths2", _ranging(pdffont.get_widths2, 5)),
        (cmapdb.FileUnicodeMap, "add_cid2unichr", _counting(cmapdb.FileUnicodeMap.add_cid2unichr)),
    ]
    log = logging.getLogger("pdfminer")
    with _LOCK:
        level = log.level
        originals = [(owner, name, getattr(owner, name)) for owner, name, _ in replaced]
        log.setLevel(logging.CRITICAL + 1)
        try:
            for owner, name, new in replaced:
                setattr(owner, name, new)
            yield
        finally:
            for owner, name, original in originals:
                setattr(owner, name, original)
            log.setLevel(level)


class _Budget:
    """The bytes that the streams of a document may have."""

    def __init__(self) -> None:
        self._left = MOST_BYTES

    def inflated(self, data: bytes) -> bytes:
        """A stream decompressed, damaged as far as it goes."""
        decompressor = zlib.decompressobj()
        try:
            return self._spent([decompressor.decompress(data, min(self._left, MOST_BYTES_A_STREAM) + 1)])
        except zlib.error:
            return self._spent(_undamaged(data))

    def unpacked(self, data: bytes) -> bytes:
        """The LZW method."""
        return self._spent(LZWDecoder(BytesIO(data)).run())

    def measured(self, decode: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
        """Another method, that makes less than a hundred bytes of one."""
        return lambda data: self._spent([decode(data)])

    def _spent(self, pieces: Iterable[bytes]) -> bytes:
        most = min(self._left, MOST_BYTES_A_STREAM)
        out = bytearray()
        for piece in pieces:
            out += piece
            if len(out) > most:
                raise TooMuch("a part of it grows beyond all measure")
        self._left -= len(out)
        return bytes(out)


def _undamaged(data: bytes) -> Iterator[bytes]:
    decompressor = zlib.decompressobj()
    try:
        for start in range(0, len(data), 64):
            yield decompressor.decompress(data[start : start + 64])
    except zlib.error:
        return  # the rest is lost


def _refused(*_: object) -> bytes:
    """A method for pictures, which have no text."""
    raise ValueError("text compressed as a facsimile")


def _predicting(predict: Callable[..., bytes]) -> Callable[..., bytes]:
    def bounded(*arguments: Any) -> bytes:
        # Both have colours, columns and bits before the data; the first has another number in front.
        *_, colors, columns, bits, data = arguments
        if len(data) > MOST_BYTES_PREDICTED or not 0 < colors * columns * bits <= 8 * MOST_BYTES_PREDICTED:
            raise TooMuch("a part of it is too large")
        return predict(*arguments)

    return bounded


def _ranging(widths: Callable[..., Any], size: int) -> Callable[[Iterable[object]], Any]:
    """Widths of characters: lists, and ranges of ``size`` numbers, the first two of which may be far apart."""

    def bounded(values: Iterable[object]) -> Any:
        values = [pdftypes.resolve1(value) for value in values]
        numbers: list[float] = []
        count = 0.0
        for value in values:
            if isinstance(value, (int, float)):
                numbers.append(value)
            if isinstance(value, list) or len(numbers) == size:
                count += max(0.0, numbers[1] - numbers[0]) if len(numbers) == size else 0
                numbers = []
        if count > _MOST_WIDTHS:
            raise TooMuch("a font has more characters than there are")
        return widths(values)

    return bounded


def _counting(add: Callable[..., None]) -> Callable[..., None]:
    count = 0

    def bounded(*arguments: object) -> None:
        nonlocal count
        count += 1
        if count > _MOST_CHARACTERS:
            raise TooMuch("its fonts have more characters than there are")
        add(*arguments)

    return bounded
