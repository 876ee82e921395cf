"""The progress of fetching, converting and checking: one measure for all of it, from 0 to 100 % once.

Each kind of work is told in bytes of its own: fetched, written, read. The percentage is of the whole work; the label,
the amount and the speed are those of what is just being done, and the time left is that of all that is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bayling_lite.cli.progress import StatusLine, counted
from bayling_lite.cli.progress_line import Shown, Window, amount_of_bytes, speed_of_bytes

_COST = {"Checking": 0.1}
"""How long a byte takes beside one that is fetched or converted, roughly: a digest is quickly computed."""


@dataclass(slots=True)
class _Stage:
    """Work of one kind, in bytes."""

    done: int = 0
    total: int = 0
    window: Window = field(default_factory=Window)

    @property
    def left(self) -> float | None:
        """Seconds, as fast as it went lately; None where that is not known."""
        rate = self.window.rate
        return (self.total - self.done) / rate if rate else None


class ByteProgress:
    """Used as a callback, it is told the bytes done, the bytes in all, and what is being done.

    Behind a colon, what is being done may have a detail: ``Converting: tensor 91 of 291``. Work that will come later is
    announced by 0 bytes done. With 0 bytes in all there is nothing to count: then the words are shown instead of the
    label until something is done (``Waiting for HOST``), or, if there are none, the line goes.
    """

    def __init__(self, *, shown: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._line = StatusLine(wanted=shown, clock=clock)
        self._stages: dict[str, _Stage] = {}
        self._current = ""
        self._fraction = 0.0
        self._has_come = False

    @property
    def has_come(self) -> bool:
        """Whether anything was done so far that was not announced only."""
        return self._has_come

    def __call__(self, done: int, total: int, what: str) -> None:
        """Show how far it is, at most ten times a second."""
        label, _, detail = what.partition(": ")
        if not total:
            self._words(what)
        elif not done and label not in self._stages:
            self._stages[label] = _Stage(0, total)
        else:
            stage = self._at(label, done)
            stage.done, stage.total = min(done, total), total
            stage.window.add(done, self._clock())
            if done:
                self._has_come = True
            self._advance()
            if self._line.due() or (done >= total and self._line.shown):
                self._line.show(self._shown(label, stage, detail))

    def steps(self, done: int, total: int, label: str, unit: str) -> None:
        """Work that is not counted in bytes, by itself: told the steps done and the steps in all."""
        is_new = label != self._current
        if is_new:
            self.begin()
            self._current, self._stages[label] = label, _Stage()
        window = self._stages[label].window
        window.add(done, self._clock())
        if self._line.due() or (is_new and self._line.shown):
            self._line.show(counted(label, done, total, unit, window.rate))

    def begin(self) -> None:
        """Other work begins, with a measure of its own."""
        self._stages.clear()
        self._current, self._fraction = "", 0.0

    def end(self, *, interrupted: bool = False) -> None:
        """Take the line away."""
        self._line.end(interrupted=interrupted)

    def _at(self, label: str, done: int) -> _Stage:
        """The stage of that name; what is done of it when it is returned to is no measure of its speed."""
        if label != self._current and self._current in self._stages:
            self._stages[self._current].window.pause()
        self._current = label
        return self._stages.setdefault(label, _Stage(done))

    def _words(self, text: str) -> None:
        if self._current in self._stages:  # when it goes on, it is not slower for having waited
            self._stages[self._current].window.clear()
        if not text:
            self._line.end()
        elif self._line.shown:
            self._line.show(Shown(text, self._fraction if self._has_come else None))

    def _advance(self) -> None:
        costs = [(stage, _COST.get(name, 1.0)) for name, stage in self._stages.items()]
        whole = sum(cost * stage.total for stage, cost in costs)
        # A size that was estimated may turn out larger; the bar does not go back.
        self._fraction = max(self._fraction, sum(cost * stage.done for stage, cost in costs) / max(whole, 1))

    def _shown(self, label: str, stage: _Stage, detail: str) -> Shown:
        rate = stage.window.rate
        return Shown(
            label,
            self._fraction,
            amount_of_bytes(stage.done, stage.total),
            detail,
            speed=speed_of_bytes(rate) if rate else "",
            left=None if stage.left is None else sum(one.left or 0.0 for one in self._stages.values()),
        )
