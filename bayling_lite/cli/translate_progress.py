"""How far a job of several documents is: one line, for terminals only."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

from bayling_lite.cli.progress import StatusLine
from bayling_lite.cli.progress_line import Shown, Window
from bayling_lite.terminal import printable


class JobProgress:
    """The segments of the document that is worked at, and the part of all documents, by their ``sizes`` in bytes."""

    def __init__(self, sizes: Sequence[int], *, shown: bool) -> None:
        # An empty document is a document.
        self._sizes = [size + 1 for size in sizes]
        self._starts = list(itertools.accumulate(self._sizes, initial=0))
        self._line = StatusLine(wanted=shown, logged=False)
        self._segments, self._parts = Window(), Window(seconds=60.0)
        self._label = ""
        self._before = self._size = 0

    def begin(self, number: int, name: str) -> None:
        """Another document; the first is number 0."""
        several = f" ({number + 1:,} of {len(self._sizes):,})" if len(self._sizes) > 1 else ""
        self._label = printable(name, keep="") + several
        self._before, self._size = self._starts[number], self._sizes[number]

    def update(self, done: int, total: int) -> None:
        """So many of the document's segments are done."""
        now = time.monotonic()
        if done == 0:
            self._segments.clear()
        self._segments.add(done, now)
        fraction = (self._before + self._size * (done / total if total else 1.0)) / self._starts[-1]
        self._parts.add(fraction, now)
        if self._line.due():
            rate, speed = self._parts.rate, self._segments.rate
            shown = Shown(
                self._label,
                fraction,
                amount=f"{done:,} of {total:,} segments",
                speed=f"{speed:,.1f}/s" if speed else "",
                left=(1.0 - fraction) / rate if rate else None,
            )
            self._line.show(shown)

    def end(self, *, interrupted: bool = False) -> None:
        """Take the line away."""
        self._line.end(interrupted=interrupted)
