"""The growing file of a download, and the record beside it of what is in it.

``NAME.part`` has its final size from the beginning; ``NAME.part.json`` lists the ranges that have come. A range is on
record only after its bytes are on the disk, so that the record is true whenever the process, or the machine, stops.
"""

from __future__ import annotations

import bisect
import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from bayling_lite.errors import ChecksumMismatch, OutputError
from bayling_lite.hub.ranges import RangeSource
from bayling_lite.units import bytes_text

_FORMAT = 1


class Spans:
    """Ranges ``[start, end)`` in order, none touching another."""

    def __init__(self, spans: Iterable[tuple[int, int]] = ()) -> None:
        self._spans: list[tuple[int, int]] = []
        for start, end in spans:
            self.add(start, end)

    def add(self, start: int, end: int) -> None:
        """Take a range in, joined with those it meets."""
        if start >= end:
            return
        first = bisect.bisect_left(self._spans, start, key=lambda span: span[1])
        last = bisect.bisect_right(self._spans, end, key=lambda span: span[0])
        met = self._spans[first:last]
        if met:
            start, end = min(start, met[0][0]), max(end, met[-1][1])
        self._spans[first:last] = [(start, end)]

    def gaps(self, size: int) -> Iterator[tuple[int, int]]:
        """What is missing of ``size`` bytes."""
        position = 0
        for start, end in self._spans:
            if start > position:
                yield position, start
            position = end
        if position < size:
            yield position, size

    @property
    def total(self) -> int:
        """Bytes in all ranges."""
        return sum(end - start for start, end in self._spans)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._spans)


class Part:
    """The growing file for ``target``; goes on with what an earlier run left, if that was of the same content.

    Raises:
        OutputError: the rest does not fit on the disk.
    """

    def __init__(self, source: RangeSource, target: Path) -> None:
        self._source = source
        self._target = target
        self.path = target.with_name(f"{target.name}.part")
        self._record = target.with_name(f"{target.name}.part.json")
        self.done = self._recorded()
        missing, free = source.file.size - self.done.total, shutil.disk_usage(target.parent).free
        if missing > free:
            raise OutputError(
                f"{target.name} needs {bytes_text(missing)} more in {target.parent}, but only {bytes_text(free)} are "
                "free there. Free some space, or choose another place."
            )
        with self.path.open("r+b" if self.path.exists() else "w+b") as file:
            file.truncate(source.file.size)
        # Before anything is written: a record of another content must not outlive it.
        self.save()

    def open(self) -> BinaryIO:
        """The file for writing anywhere; one for each thread."""
        return self.path.open("r+b", buffering=0)

    def save(self) -> None:
        """Put on record what is done; the bytes have to be on the disk already."""
        growing = self._record.with_suffix(".tmp")
        with growing.open("w", encoding="ascii") as file:
            json.dump({**self._content(), "done": list(self.done)}, file)
            file.flush()
            os.fsync(file.fileno())
        growing.replace(self._record)

    def check(self, name: str, advanced: Callable[[int], None]) -> None:
        """Compare the file with what the hub has on record; ``advanced`` hears how many bytes were read so far.

        Raises:
            ChecksumMismatch: it is something else; then it is removed, because nobody knows which of its bytes are bad.
        """
        try:
            with self.path.open("rb") as file:
                self._source.file.check(file, name, advanced)
        except ChecksumMismatch:
            discard(self._target)
            raise

    def publish(self) -> None:
        """Give the file its final name."""
        self.path.replace(self._target)
        discard(self._target)

    def _content(self) -> dict[str, object]:
        return {"format": _FORMAT, "digest": self._source.file.digest, "size": self._source.file.size}

    def _recorded(self) -> Spans:
        """What an earlier run fetched of the same content; nothing when that is not certain."""
        size = self._source.file.size
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            record = json.loads(self._record.read_text(encoding="ascii"))
            spans = Spans((int(start), int(end)) for start, end in record.pop("done"))
            inside = all(0 <= start < end <= size for start, end in spans)
            if record == self._content() and inside and self.path.stat().st_size == size:
                return spans
        return Spans()


def discard(target: Path) -> None:
    """Remove what an unfinished download of a file left behind."""
    # The record goes first: without its file it would be wrong, and a file without it is only begun again.
    for suffix in (".part.json", ".part.tmp", ".part"):
        target.with_name(f"{target.name}{suffix}").unlink(missing_ok=True)
