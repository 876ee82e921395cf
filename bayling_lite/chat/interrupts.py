"""Ctrl-C while an answer arrives: it stops the answer, not the program."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from bayling_lite.chat.waking import heard_at_once


class Cancellable(Protocol):
    """What can be stopped from any thread."""

    def cancel(self) -> None:
        """Stop as soon as possible."""
        ...


class Interrupt:
    """What Ctrl-C does: cancels ``running``, and ``asked`` says so; before there is any, it interrupts as usual."""

    def __init__(self) -> None:
        self.running: Cancellable | None = None
        self.asked = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        """See :func:`signal.signal`."""
        if self.running is None:
            raise KeyboardInterrupt
        self.asked = True
        # On a thread, for the interrupted code may hold the very lock that cancelling needs.
        threading.Thread(target=self.running.cancel, daemon=True).start()

    def cancel(self) -> None:
        """Cancel what runs, if anything does."""
        if self.running is not None:
            self.asked = True
            self.running.cancel()


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Ctrl-C goes to the :class:`Interrupt`; one that came before anything ran ends the block and is ``asked`` too."""
    interrupt = Interrupt()
    try:
        with _handling(interrupt):
            yield interrupt
    except KeyboardInterrupt:  # while the model was loading
        interrupt.asked = True


@contextmanager
def _handling(interrupt: Interrupt) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        with heard_at_once(signal.SIGINT, interrupt.cancel):
            yield
    finally:
        signal.signal(signal.SIGINT, before)
