"""One line on stderr that says how many bytes of a long job are done; nothing where stderr is no terminal."""

from __future__ import annotations

import shutil
import sys
import time

from prompt_toolkit.utils import get_cwidth

from bayling_lite.terminal import printable
from bayling_lite.units import bytes_text

_SECONDS_BETWEEN = 0.1


class ByteProgress:
    """Bytes done, per second, and the time left; redrawn in place, gone when it ends.

    Used as a callback, it is told the bytes done, the bytes in all, and what is being done.
    """

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown and sys.stderr.isatty()
        self._began: dict[str, tuple[float, int]] = {}
        self._drawn = 0.0

    def __call__(self, done: int, total: int, what: str) -> None:
        """Show how far it is, at most ten times a second."""
        now = time.monotonic()
        # What an earlier run had done says nothing of how fast this one is. Fetching and converting take turns.
        began, first = self._began.setdefault(what, (now, done))
        if not self._shown or (now - self._drawn < _SECONDS_BETWEEN and done < total):
            return
        self._drawn = now
        line = progress_line(what, done, total, done - first, now - began)
        self._write(_cut(line, shutil.get_terminal_size().columns - 1))

    def end(self) -> None:
        """Take the line away."""
        if self._drawn:
            self._write("")
            self._drawn = 0.0

    def _write(self, line: str) -> None:
        sys.stderr.write(f"\r{line}\x1b[K")
        sys.stderr.flush()


def progress_line(what: str, done: int, total: int, fresh: int, seconds: float) -> str:
    """``Checking  1.2 GB of 4.1 GB  29%  85.0 MB/s  0:34 left``; ``fresh`` bytes were done in these seconds."""
    parts = [printable(what, keep=""), f"{bytes_text(done)} of {bytes_text(total)}", f"{100 * done // max(total, 1)}%"]
    if fresh > 0 and seconds > 0:
        left = round((total - done) * seconds / fresh)
        parts += [f"{bytes_text(round(fresh / seconds))}/s", f"{left // 60}:{left % 60:02d} left"]
    return "  ".join(parts)


def _cut(line: str, width: int) -> str:
    while get_cwidth(line) > width:
        line = line[:-1]
    return line
