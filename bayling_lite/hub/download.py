"""A file fetched whole: over a few connections, resumed where an earlier run stopped, checked at the end.

Each connection asks for a share of a part, writes it, puts it on record, and only then asks for the next. So the bytes
on the way, and those written but not on record, are never more than one part, which is what a killed process has to
fetch again. Whoever stops in an orderly way (Ctrl-C, an error) puts everything on record that came.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import filelock

from bayling_lite.errors import HubError, OutputError
from bayling_lite.hub.part import Part, Spans, discard
from bayling_lite.hub.patience import Transient, gave_up
from bayling_lite.hub.ranges import RangesIgnored, RangeSource
from bayling_lite.units import bytes_text

Progress = Callable[[int, int, str], None]
"""Called with bytes done, bytes in all, and the file's name; ``checking NAME`` while its digest is computed.

While nothing comes, the name is ``waiting for HOST, attempt 2 of 8``.
"""

_TICK = 0.1
_QUIET = 3.0
"""Seconds without a byte after which that is said."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def download(source: RangeSource, target: Path, progress: Progress | None = None) -> Path:
    """Fetch a file; see :meth:`bayling_lite.hub.repository.Repository.download`."""
    file, name = source.file, target.name
    show = progress or _silent
    with _disk_errors(target, file.size):
        if target.is_dir():
            raise OutputError(f"{target} is a folder, where a file of that name would have to be.")
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target):
            if file.agrees(target, lambda read: show(read, file.size, f"checking {name}")):
                discard(target)
                return target
            part = Part(source, target)
            _Crew(source, part).run(lambda done, waiting: show(done, file.size, waiting or name))
            part.check(name, lambda read: show(read, file.size, f"checking {name}"))
            part.publish()
    return target


def _silent(_done: int, _total: int, _name: str) -> None:
    """Nobody wants to know."""


@contextlib.contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Keep other processes from fetching the same file meanwhile."""
    place = target.with_name(f"{target.name}.part.lock")
    lock = filelock.FileLock(place)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise HubError(f"{target} is just being fetched by another process; wait for it, or stop it.") from None
    try:
        yield
        with contextlib.suppress(OSError):  # Windows does not remove an open file; an empty one does no harm
            place.unlink()
    finally:
        lock.release()


@contextlib.contextmanager
def _disk_errors(target: Path, size: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise OutputError(
                f"{target} could not be written: the disk, or the limit on file sizes, is full. The file has "
                f"{bytes_text(size)}. Free some space and run the same command again; what has come is kept."
            ) from error
        raise OutputError(f"{target} could not be written: {error.strerror or error}.") from error


class _StopError(Exception):
    """Somebody else ended the work."""


@dataclass(slots=True)
class _Share:
    """A range that one connection is fetching: ``start`` to before ``end``, there up to ``position``."""

    start: int
    end: int
    position: int


class _Crew:
    """The connections of a download, a thread for each."""

    def __init__(self, source: RangeSource, part: Part) -> None:
        self._source = source
        self._part = part
        self._patience = source.patience
        self._changed = threading.Condition()
        self._shares: list[_Share] = []
        self._fetched = 0
        self._last_byte = time.monotonic()
        self._idle = 0
        self._whole = False
        self._stopped = threading.Event()
        self._working = 0
        self._failure: Exception | None = None

    def run(self, report: Callable[[int, str | None], None]) -> None:
        """Fetch what is missing; ``report`` hears, in this thread, how many bytes are there, and what is waited for.

        Raises:
            HubError: it cannot be fetched.
            OSError: it cannot be written.
        """
        missing = self._source.file.size - self._part.done.total
        self._working = min(self._patience.connections, -(-missing // self._patience.share))
        report(self._there(), None)  # what an earlier run had fetched
        try:
            for _ in range(self._working):
                # Daemons, because one that waits for a silent server must not keep the program from ending.
                threading.Thread(target=self._work, name="download", daemon=True).start()
            while self._going_on():
                report(self._there(), self._waiting())
        finally:
            self._stop()
        if self._failure is not None:
            raise self._failure
        report(self._there(), None)

    def _going_on(self) -> bool:
        with self._changed:
            if self._working and self._failure is None:
                self._changed.wait(_TICK)
            return bool(self._working) and self._failure is None

    def _there(self) -> int:
        with self._changed:
            return self._part.done.total + sum(share.position - share.start for share in self._shares)

    def _waiting(self) -> str | None:
        """What to say where nothing comes; None while something does."""
        with self._changed:
            if time.monotonic() - self._last_byte < _QUIET:
                return None
            return self._patience.waiting(self._source.asked.host, self._idle)

    def _stop(self) -> None:
        """From here on nothing is written. What came of unfinished shares goes on record."""
        with self._changed:
            self._stopped.set()
            unfinished = [share for share in self._shares if share.position > share.start]
            self._shares.clear()
            if not unfinished:
                return
            # On a full disk the older record stays, which is true as well.
            with contextlib.suppress(OSError):
                with self._part.open() as file:
                    os.fsync(file.fileno())
                for share in unfinished:
                    self._part.done.add(share.start, share.position)
                self._part.save()

    def _work(self) -> None:
        try:
            with self._part.open() as file:
                while (share := self._take()) is not None:
                    self._fetch(share, file)
                    self._put_on_record(share, file)
        except _StopError:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller's thread raises it
            self._fail(error)
        finally:
            with self._changed:
                self._working -= 1
                self._changed.notify_all()

    def _fail(self, error: Exception) -> None:
        with self._changed:
            self._failure = self._failure or error

    def _take(self) -> _Share | None:
        """The next share to fetch; None when there is nothing left to do for this connection."""
        with self._changed:
            if self._stopped.is_set() or (self._whole and self._shares):
                return None
            held = Spans([*self._part.done, *((share.start, share.end) for share in self._shares)])
            gaps = list(held.gaps(self._source.file.size))
            if not gaps:
                return None
            start = gaps[0][0]
            # A server without ranges sends everything anyway, so one connection takes all.
            end = gaps[-1][1] if self._whole else min(gaps[0][1], start + self._patience.share)
            share = _Share(start, end, position=start)
            self._shares.append(share)
            return share

    def _fetch(self, share: _Share, file: BinaryIO) -> None:
        """Fetch a share, in as many tries as it takes while anything still comes on any connection."""
        failures = idle = 0
        fetched = position = -1
        while share.position < share.end:
            try:
                self._stream(share, file)
            except RangesIgnored:
                with self._changed:
                    self._whole = True
                    share.end = share.position
            except Transient as error:
                idle = idle + 1 if fetched == self._fetched else 1
                failures = failures + 1 if position == share.position else 1
                fetched, position = self._fetched, share.position
                if self._patience.ends(idle, error.wait):
                    raise gave_up(str(self._source.asked), error, kept=True) from error
                with self._changed:
                    self._idle = max(self._idle, idle)
                if self._stopped.wait(self._patience.wait(failures, error.wait)):
                    raise _StopError from error

    def _stream(self, share: _Share, file: BinaryIO) -> None:
        with contextlib.closing(self._source.chunks(share.position, share.end, whole=self._whole)) as chunks:
            for chunk in chunks:
                with self._changed:
                    if self._stopped.is_set():
                        raise _StopError
                    file.seek(share.position)
                    _write(file, chunk)
                    share.position += len(chunk)
                    self._fetched += len(chunk)
                    self._last_byte, self._idle = time.monotonic(), 0
        if share.position < share.end:
            raise Transient("the connection ended too soon")

    def _put_on_record(self, share: _Share, file: BinaryIO) -> None:
        os.fsync(file.fileno())
        with self._changed:
            if self._stopped.is_set():
                raise _StopError
            self._part.done.add(share.start, share.position)
            self._shares.remove(share)
            self._part.save()


def _write(file: BinaryIO, chunk: bytes) -> None:
    """Write all of it; an unbuffered file may take less at once, when the disk is nearly full."""
    rest = memoryview(chunk)
    while rest:
        rest = rest[file.write(rest) :]
