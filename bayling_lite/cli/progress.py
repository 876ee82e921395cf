"""One line on stderr that says how far a job is. Nothing is shown unless stderr is a terminal."""

from __future__ import annotations

import shutil
import sys
import time

from bayling_lite.terminal import printable

_SECONDS_BETWEEN = 0.1


class Progress:
    """Segments done, per second, and the time left; redrawn in place, gone when it ends."""

    def __init__(self, label: str, *, shown: bool) -> None:
        self._label = printable(label, keep="")
        self._shown = shown and sys.stderr.isatty()
        self._started = time.monotonic()
        self._drawn = 0.0

    def update(self, done: int, total: int) -> None:
        """Show where the job is, at most ten times a second."""
        now = time.monotonic()
        if not self._shown or now - self._drawn < _SECONDS_BETWEEN:
            return
        self._drawn = now
        width = shutil.get_terminal_size().columns - 1
        self._write(progress_line(self._label, done, total, now - self._started)[:width])

    def end(self) -> None:
        """Take the line away."""
        if self._drawn:
            self._write("")

    def _write(self, line: str) -> None:
        sys.stderr.write(f"\r{line}\x1b[K")
        sys.stderr.flush()


def progress_line(label: str, done: int, total: int, seconds: float) -> str:
    """``letter.txt  3/12 segments  2.0/s  0:05 left``."""
    parts = [label, f"{done}/{total} segments"]
    if done and seconds > 0:
        left = round((total - done) * seconds / done)
        parts += [f"{done / seconds:.1f}/s", f"{left // 60}:{left % 60:02d} left"]
    return "  ".join(parts)
