"""The keyboard while no prompt reads it: what is typed during an answer is not echoed, and waits for the prompt."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from types import FrameType
from typing import Any, Protocol, TextIO

# DEC private mode 2004, reset; as in xterm's "Control Sequences".
_NO_BRACKETED_PASTE = b"\x1b[?2004l"

# Signals that end a program: asked from outside, its window was closed, Ctrl-\. Windows does not know all of them.
_ENDING = tuple(
    number for name in ("SIGTERM", "SIGHUP", "SIGQUIT") if (number := getattr(signal, name, None)) is not None
)


class Keyboard(Protocol):
    """What a chat does with the keys that nobody is reading."""

    def quiet(self) -> AbstractContextManager[None]:
        """Keys are neither echoed nor held until Enter; Ctrl-C interrupts as ever. Prompts may run inside."""
        ...

    def lent(self) -> AbstractContextManager[None]:
        """Inside :meth:`quiet`, for another program: the keyboard as it was before."""
        ...

    def waits(self) -> bool:
        """Whether a key waits."""
        ...

    def forget(self) -> None:
        """Drop the keys that wait."""
        ...


def keyboard_of(stream: TextIO) -> Keyboard:
    """The keyboard behind a stream that is a terminal."""
    if sys.platform == "win32":
        return WindowsKeyboard()
    try:
        import termios

        return PosixKeyboard(stream.fileno(), termios)
    except (ImportError, OSError, ValueError):
        return NoKeyboard()


class NoKeyboard:
    """Where nothing is known of a keyboard, nothing is done to it."""

    def quiet(self) -> AbstractContextManager[None]:
        """See :class:`Keyboard`."""
        return nullcontext()

    def lent(self) -> AbstractContextManager[None]:
        """See :class:`Keyboard`."""
        return nullcontext()

    def waits(self) -> bool:
        """See :class:`Keyboard`."""
        return False

    def forget(self) -> None:
        """See :class:`Keyboard`."""


class PosixKeyboard:
    """A terminal's line discipline, by termios(3), on Linux and macOS.

    ``termios`` is that module, or what behaves like it.
    """

    def __init__(self, descriptor: int, termios: Any) -> None:
        self._descriptor = descriptor
        self._termios = termios
        self._before: list[Any] | None = None
        self._is_lent = False

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """See :class:`Keyboard`."""
        self._before = self._get()
        if self._before is None:
            yield
            return
        self._set(self._quietened(self._before))
        try:
            with self._told_of_signals():
                yield
        finally:
            self._set(self._before)
            self._before = None

    @contextmanager
    def lent(self) -> Iterator[None]:
        """See :class:`Keyboard`."""
        if self._before is None:
            yield
            return
        self._is_lent = True
        self._set(self._before)
        try:
            yield
        finally:
            self._is_lent = False
            self._set(self._quietened(self._before))

    @contextmanager
    def _told_of_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield  # signals are the main thread's affair
            return
        handlers = {signal.SIGCONT: self._go_on, **dict.fromkeys(_ENDING, self._end)}
        # What is ignored from outside, as by nohup(1), stays ignored.
        before = {
            number: signal.signal(number, handler)
            for number, handler in handlers.items()
            if signal.getsignal(number) is not signal.SIG_IGN
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _end(self, number: int, _frame: FrameType | None) -> None:
        """Leave the shell a terminal that it can be used in, and end as if nothing had been done.

        At once, and not by an exception: an answer that is interrupted so is kept as far as it came.
        """
        if self._before is not None and self._is_in_front():
            self._set(self._before)
            with suppress(OSError):  # the window was closed, or keys come from where nothing can be written
                os.write(self._descriptor, _NO_BRACKETED_PASTE + b"\r\n")
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)

    def _go_on(self, _number: int, _frame: FrameType | None) -> None:
        """After Ctrl-Z and ``fg``, the keyboard is as the shell uses it: make it quiet again."""
        # In the background (`bg`) the keyboard is somebody else's, and touching it would stop the program.
        if self._before is None or self._is_lent or not self._is_in_front():
            return
        self._set(self._quietened(self._before))

    def _is_in_front(self) -> bool:
        try:
            return os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except OSError:
            return False

    def waits(self) -> bool:
        """See :class:`Keyboard`."""
        try:
            return bool(select.select([self._descriptor], [], [], 0)[0])
        except OSError:
            return False

    def forget(self) -> None:
        """See :class:`Keyboard`."""
        try:
            self._termios.tcflush(self._descriptor, self._termios.TCIFLUSH)
        except self._termios.error:
            return  # it is no terminal any more: no key waits

    def _quietened(self, before: list[Any]) -> list[Any]:
        """Without ECHO; without ICANON and IEXTEN, or keys would edit a line nobody sees, and more than 4095 bytes of
        one be lost; without ICRNL, so that Enter still is the key it was when the prompt gets to see it.
        """
        constants = self._termios
        input_modes, output_modes, control_modes, local_modes, in_speed, out_speed, characters = before
        characters = list(characters)
        characters[constants.VMIN], characters[constants.VTIME] = 1, 0
        local_modes &= ~(constants.ECHO | constants.ICANON | constants.IEXTEN)
        return [
            input_modes & ~constants.ICRNL,
            output_modes,
            control_modes,
            local_modes,
            in_speed,
            out_speed,
            characters,
        ]

    def _get(self) -> list[Any] | None:
        try:
            attributes: list[Any] = self._termios.tcgetattr(self._descriptor)
        except self._termios.error:
            return None
        return attributes

    def _set(self, attributes: list[Any]) -> None:
        try:
            self._termios.tcsetattr(self._descriptor, self._termios.TCSADRAIN, attributes)
        except self._termios.error:
            return  # the terminal is gone: its window was closed


class WindowsKeyboard(NoKeyboard):
    """The Windows console echoes only where somebody reads, so there is nothing to quieten.

    ``pressed`` says whether a key waits, ``take`` takes it; the C runtime's by default.
    """

    def __init__(self, pressed: Callable[[], bool] | None = None, take: Callable[[], object] | None = None) -> None:
        if pressed is None or take is None:
            import msvcrt

            pressed, take = msvcrt.kbhit, msvcrt.getwch  # type: ignore[attr-defined]  # there on Windows only
        self._pressed, self._take = pressed, take

    def waits(self) -> bool:
        """See :class:`Keyboard`."""
        return self._pressed()

    def forget(self) -> None:
        """See :class:`Keyboard`."""
        while self._pressed():
            self._take()
