"""Ctrl-C as it must be heard on Windows; the mechanism is tried where it is not needed."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator

import pytest

from bayling_lite.chat.interrupts import Interrupt
from bayling_lite.chat.waking import heard_at_once


class Running:
    def __init__(self) -> None:
        self.cancelled_on: list[threading.Thread] = []
        self.cancelled = threading.Event()

    def cancel(self) -> None:
        self.cancelled_on.append(threading.current_thread())
        self.cancelled.set()


@pytest.fixture(autouse=True)
def _nothing_comes_of_the_signal() -> Iterator[None]:
    """As on Windows, where the handler has to wait."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    yield
    signal.signal(signal.SIGINT, before)


def test_what_runs_is_cancelled_from_another_thread() -> None:
    interrupt, running = Interrupt(), Running()
    interrupt.running = running
    with heard_at_once(signal.SIGINT, interrupt.cancel, "win32"):
        signal.raise_signal(signal.SIGINT)
        assert running.cancelled.wait(10)
        assert interrupt.asked
    assert running.cancelled_on[0] is not threading.main_thread()
    assert not running.cancelled_on[0].is_alive()


def test_before_anything_runs_the_handler_has_it() -> None:
    interrupt = Interrupt()
    with heard_at_once(signal.SIGINT, interrupt.cancel, "win32"):
        signal.raise_signal(signal.SIGINT)
    assert not interrupt.asked


def test_other_signals_are_none_of_its_business_and_all_is_as_before() -> None:
    hears, heard = socket.socketpair()
    heard.setblocking(False)
    before = signal.set_wakeup_fd(heard.fileno())
    acted = threading.Event()
    handler = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        with heard_at_once(signal.SIGINT, acted.set, "win32"):
            signal.raise_signal(signal.SIGTERM)
        assert not acted.is_set()
        assert signal.set_wakeup_fd(before) == heard.fileno()
    finally:
        signal.signal(signal.SIGTERM, handler)
        signal.set_wakeup_fd(before)
        hears.close()
        heard.close()


def test_elsewhere_the_handler_suffices() -> None:
    acted = threading.Event()
    with heard_at_once(signal.SIGINT, acted.set, "linux"):
        signal.raise_signal(signal.SIGINT)
    assert not acted.is_set()
