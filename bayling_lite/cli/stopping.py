"""Long work that Ctrl-C, or a SIGTERM, brings to a good end."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator

INTERRUPTED = 130
"""The exit status of an interrupted command."""
_PATIENCE = 3.0
"""Seconds in which another Ctrl-C has no effect: it may be the same one, held too long."""


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Take SIGTERM for Ctrl-C, and let the first of either come to its end.

    That takes moments; who cannot wait for it any longer ends the process at once, which costs what is under way.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stopped: list[float] = []

    def stop(_signal: int, _frame: object) -> None:
        if not stopped:
            stopped.append(time.monotonic())
            raise KeyboardInterrupt
        if time.monotonic() - stopped[0] > _PATIENCE:
            os._exit(INTERRUPTED)

    # What a shell has made a process ignore (nohup, a job in the background), it goes on ignoring.
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    # None is a handler that a program which embeds Python has set, and which could not be put back.
    before = {each: handler for each, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    for each in before:
        signal.signal(each, stop)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
