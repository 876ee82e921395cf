"""One line on stderr that says how far a job is: redrawn in place on a terminal, now and then a new one in a log."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable

from bayling_lite.cli.progress_line import Shown, Window, cells, plain_line, progress_line
from bayling_lite.terminal import is_dumb, printable

_SECONDS_BETWEEN = 0.1
_ROOM = len("^C")
"""Columns left free: a terminal shows Ctrl-C behind the line, which must not wrap it."""
_LOG_STEP = 0.1
_LOG_SOON, _LOG_LATE = 5.0, 30.0
"""Seconds between two lines of a log: at least, when a tenth more is done, and at most."""


class StatusLine:
    """Where progress is shown. Nothing is where it is not ``wanted``.

    Without a terminal there is a line for every tenth that is done or every half minute, if ``logged``; jobs of a few
    seconds say nothing. What the terminal and its user can read is asked of ``TERM``, ``NO_COLOR`` and the encoding.
    """

    def __init__(self, *, wanted: bool, logged: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        self._live = wanted and sys.stderr.isatty()
        self._logged = wanted and logged and not self._live
        self._clock = clock
        self._width = 0
        self._drawn = -_SECONDS_BETWEEN
        self._said, self._said_fraction = clock(), 0.0

    @property
    def shown(self) -> bool:
        """Whether anything is ever shown."""
        return self._live or self._logged

    def due(self) -> bool:
        """Whether it is time for another line; at most ten times a second."""
        return self.shown and self._clock() - self._drawn >= _SECONDS_BETWEEN

    def show(self, shown: Shown) -> None:
        """Show a line in place of the last one."""
        self._drawn = self._clock()
        if self._live:
            self._write(progress_line(shown, _columns() - _ROOM, ascii_only=_wants_ascii()))
        elif self._logged:
            self._log(shown)

    def end(self, *, interrupted: bool = False) -> None:
        """Take the line away, and, when ``interrupted``, what the terminal showed of Ctrl-C."""
        if interrupted:
            self._width += len("^C")
        if self._live and self._width:
            self._write("")
        self._width = 0

    def _log(self, shown: Shown) -> None:
        silent = self._drawn - self._said
        fraction = shown.fraction or 0.0
        if silent >= _LOG_LATE or (silent >= _LOG_SOON and fraction >= self._said_fraction + _LOG_STEP):
            self._said, self._said_fraction = self._drawn, fraction
            sys.stderr.write(f"{plain_line(shown)}\n")
            sys.stderr.flush()

    def _write(self, line: str) -> None:
        width = cells(line)
        # A terminal without control sequences is wiped with blanks.
        wipe = " " * max(0, self._width - width) if is_dumb() else "\x1b[K"
        sys.stderr.write(f"\r{line}{wipe}" + ("" if line else "\r"))
        sys.stderr.flush()
        self._width = width


class Progress:
    """So many of so many segments (or other units) done, and the time left; for terminals only."""

    def __init__(self, label: str, *, shown: bool, unit: str = "segments") -> None:
        self._label, self._unit = printable(label, keep=""), unit
        self._line = StatusLine(wanted=shown, logged=False)
        self._window = Window()

    def update(self, done: int, total: int) -> None:
        """Show where the job is, at most ten times a second."""
        self._window.add(done, time.monotonic())
        if self._line.due():
            self._line.show(counted(self._label, done, total, self._unit, self._window.rate))

    def end(self) -> None:
        """Take the line away."""
        self._line.end()


def counted(label: str, done: int, total: int, unit: str, rate: float | None) -> Shown:
    """``letter.txt ━━━━━━────  25 %  3 of 12 segments  2.0/s  0:05 left``."""
    return Shown(
        label,
        done / total if total else 0.0,
        amount=f"{done:,} of {total:,} {unit}",
        speed=f"{rate:,.1f}/s" if rate else "",
        left=(total - done) / rate if rate else None,
    )


def _columns() -> int:
    """Of the terminal that stderr is; standard output may be another, or none."""
    try:
        own = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        own = 0
    # What COLUMNS says goes first, by old custom.
    return shutil.get_terminal_size((own or 80, 24)).columns if "COLUMNS" in os.environ else own or 80


def _wants_ascii() -> bool:
    """Whether a bar is drawn with what every terminal and every reader has."""
    try:
        "━─".encode(sys.stderr.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return True
    return is_dumb() or bool(os.environ.get("NO_COLOR"))
