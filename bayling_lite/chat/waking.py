"""Ctrl-C heard at once on Windows.

Python runs a signal's handler in the main thread, between two of its steps. On Windows nothing ends a step that waits
for another thread, so while a model reads a long prompt the handler would wait with it. What is told of at once is the
wakeup file descriptor (see :func:`signal.set_wakeup_fd`), which on Windows can only be a socket.
"""

from __future__ import annotations

import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def heard_at_once(number: signal.Signals, act: Callable[[], None], platform: str = sys.platform) -> Iterator[None]:
    """Inside, a signal calls ``act`` on another thread, before its own handler runs. Does nothing but on Windows.

    To be used in the main thread, with a handler of Python's in force.
    """
    if platform != "win32":
        yield
        return
    hears, heard = socket.socketpair()
    heard.setblocking(False)
    before = signal.set_wakeup_fd(heard.fileno(), warn_on_full_buffer=False)
    listener = threading.Thread(target=_listen, args=(hears, number, act), name="bayling-ctrl-c", daemon=True)
    listener.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        heard.close()
        listener.join()
        hears.close()


def _listen(hears: socket.socket, number: signal.Signals, act: Callable[[], None]) -> None:
    while numbers := hears.recv(1):
        if numbers[0] == number:
            act()
