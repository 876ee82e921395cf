"""The sign that an answer is on its way: it comes when the first word takes its time, and goes without a trace."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from prompt_toolkit.output import Output

from bayling_lite.localization import _
from bayling_lite.terminal import fit

# An answer that begins before this is at once; after it, somebody wonders.
_PATIENCE_SECONDS = 0.4
_TICK_SECONDS = 1.0
# From here on it says how long it has been, and how it can be ended.
_LONG_SECONDS = 2.0


class WaitingSign:
    """A sign on the line of the cursor, which must be empty. Safe to use from any thread."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._lock = threading.RLock()
        self._over: threading.Event | None = None
        self._drawn = False

    def start(self) -> None:
        """Show it after a while, if it has not been stopped by then."""
        self.stop()
        over = self._over = threading.Event()
        threading.Thread(target=self._run, args=(over,), name="bayling-waiting-sign", daemon=True).start()

    def stop(self) -> None:
        """Take it away, for good."""
        with self._lock:
            if self._over is not None:
                self._over.set()
                self._over = None
            self._erase()

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Take it away while something else is written, which ends its last line."""
        with self._lock:
            self._erase()
            yield

    def _run(self, over: threading.Event) -> None:
        began = time.monotonic()
        pause = _PATIENCE_SECONDS
        while not over.wait(pause):
            with self._lock:
                if not over.is_set():
                    self._draw(time.monotonic() - began)
            pause = _TICK_SECONDS

    def _draw(self, seconds: float) -> None:
        self._erase()
        self._drawn = True
        text = _("… {seconds} s · Ctrl-C stops", seconds=int(seconds)) if seconds >= _LONG_SECONDS else "…"
        # Below the width of any window, so that it never takes two lines.
        self._output.write(fit(text, self._output.get_size().columns - 1))
        self._output.flush()

    def _erase(self) -> None:
        if self._drawn:
            self._drawn = False
            self._output.write_raw("\r")
            self._output.erase_end_of_line()
            self._output.flush()
