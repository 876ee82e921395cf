"""Why training stops before its end, and how it is asked to."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from types import FrameType

from bayling_lite.errors import BaylingError

_ONE_KEYPRESS = 2.0
"""Seconds: a terminal sends Ctrl-C to all processes, and a launcher passes it on to them once more."""


class TrainingDiverged(BaylingError):
    """The loss or a gradient is no number, or the loss has risen and stays high; names the last good checkpoint."""


class TrainingInterrupted(BaylingError):
    """Training was asked to stop and has saved where it stands."""

    exit_status = 130


class TrainingTerminated(TrainingInterrupted):
    """It was asked to by SIGTERM, as a cluster does with a job that has to go."""

    exit_status = 143


class DeviceFailed(BaylingError):
    """The device, its memory or another process of the run is gone; names the last good checkpoint."""


class Stop(IntEnum):
    """What asked for the end; of several, the largest counts."""

    NOTHING = 0
    TIME = 1
    SIGUSR1 = 2
    SIGINT = 3
    SIGTERM = 4

    def error(self, text: str) -> TrainingInterrupted:
        """What to raise once everything is saved."""
        reason = "The time is up. " if self is Stop.TIME else ""
        kind = TrainingTerminated if self is Stop.SIGTERM else TrainingInterrupted
        return kind(reason + text)


class StopRequests:
    """Signals and a time limit, looked at after every step. ``stop_after``: seconds from now on, or None."""

    def __init__(self, stop_after: float | None = None) -> None:
        self._deadline = None if stop_after is None else time.monotonic() + stop_after
        self._asked = Stop.NOTHING
        self._asked_at = 0.0

    @property
    def asked(self) -> Stop:
        """What has asked for the end so far."""
        if not self._asked and self._deadline is not None and time.monotonic() >= self._deadline:
            return Stop.TIME
        return self._asked

    @contextmanager
    def listening(self) -> Iterator[None]:
        """While inside, SIGINT, SIGTERM and SIGUSR1 ask to stop after the current step; a second one stops at once."""
        if threading.current_thread() is not threading.main_thread():
            yield  # signals belong to the main thread, which here is another program's
            return
        before = {
            number: signal.signal(number, self._ask)
            for name in ("SIGINT", "SIGTERM", "SIGUSR1")
            if (number := getattr(signal, name, None)) is not None
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._asked and now - self._asked_at > _ONE_KEYPRESS:
            raise KeyboardInterrupt
        if not self._asked:
            self._asked, self._asked_at = Stop[signal.Signals(number).name], now
