"""The keyboard between prompts: on a real pseudo-terminal, and the seam to Windows."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from bayling_lite.chat.screens.keyboard import NoKeyboard, PosixKeyboard, WindowsKeyboard, keyboard_of

posix = pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is a POSIX thing")


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """The two ends of a terminal: what types, and what a program reads."""
    ends = os.openpty()
    yield ends
    for end in ends:
        os.close(end)


@posix
def test_keys_are_not_echoed_and_not_edited_and_the_terminal_is_as_before(terminal: tuple[int, int]) -> None:
    import termios

    typing, reading = terminal
    before = termios.tcgetattr(reading)
    keyboard = PosixKeyboard(reading, termios)
    with keyboard.quiet():
        os.write(typing, b"abc\x17\x04\r")  # Ctrl-W and Ctrl-D would edit and end a line
        assert os.read(reading, 100) == b"abc\x17\x04\r"
        os.set_blocking(typing, False)
        with pytest.raises(BlockingIOError):
            os.read(typing, 100)  # an echo
    assert termios.tcgetattr(reading) == before


@posix
def test_more_than_a_line_can_hold_is_kept(terminal: tuple[int, int]) -> None:
    import termios

    typing, reading = terminal
    with PosixKeyboard(reading, termios).quiet():
        read = b""
        for _ in range(4):
            os.write(typing, b"x" * 2000)
            read += os.read(reading, 4000)
        assert len(read) == 8000


@posix
def test_it_is_lent_as_it_was_and_comes_back_quiet(terminal: tuple[int, int]) -> None:
    import termios

    _, reading = terminal
    before = termios.tcgetattr(reading)
    keyboard = PosixKeyboard(reading, termios)
    with keyboard.lent():  # outside of quiet(): nothing to do
        assert termios.tcgetattr(reading) == before
    with keyboard.quiet():
        with keyboard.lent():
            assert termios.tcgetattr(reading) == before
        assert not termios.tcgetattr(reading)[3] & (termios.ECHO | termios.ICANON)
        assert termios.tcgetattr(reading)[3] & termios.ISIG, "Ctrl-C interrupts"


@posix
def test_keys_that_wait_can_be_forgotten(terminal: tuple[int, int]) -> None:
    import termios

    typing, reading = terminal
    keyboard = PosixKeyboard(reading, termios)
    with keyboard.quiet():
        assert not keyboard.waits()
        os.write(typing, b"early")
        assert keyboard.waits()
        keyboard.forget()
        assert not keyboard.waits()
        os.write(typing, b"late")
        assert os.read(reading, 100) == b"late"


@posix
def test_a_window_that_was_closed_is_no_error() -> None:
    import termios

    typing, reading = os.openpty()
    keyboard = PosixKeyboard(reading, termios)
    with keyboard.quiet():
        os.close(typing)
        os.close(reading)
        keyboard.forget()
        assert not keyboard.waits()
        with keyboard.lent():
            pass


# The first program of a terminal: it ends by a signal, which it may have been told to ignore.
ENDING = """
import fcntl, signal, sys, termios
from bayling_lite.chat.screens.keyboard import PosixKeyboard
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
number = signal.Signals[sys.argv[1]]
# Whatever nohup, or a shell that put the tests into the background, has handed down.
signal.signal(number, signal.SIG_IGN if len(sys.argv) > 2 else signal.SIG_DFL)
with PosixKeyboard(0, termios).quiet():
    assert not termios.tcgetattr(0)[3] & termios.ECHO
    signal.raise_signal(number)
"""


@posix
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGQUIT"])
def test_a_signal_that_ends_the_program_leaves_the_terminal_as_it_was(terminal: tuple[int, int], name: str) -> None:
    import termios

    _, reading = terminal
    before = termios.tcgetattr(reading)
    program = [sys.executable, "-c", ENDING, name]
    done = subprocess.run(program, stdin=reading, start_new_session=True, check=False, timeout=30)
    assert done.returncode == -signal.Signals[name]
    assert termios.tcgetattr(reading) == before
    done = subprocess.run([*program, "ignored"], stdin=reading, start_new_session=True, check=False, timeout=30)
    assert done.returncode == 0


def test_what_is_no_terminal_is_left_alone() -> None:
    for keyboard in (keyboard_of(io.StringIO()), NoKeyboard()):
        with keyboard.quiet(), keyboard.lent():
            assert not keyboard.waits()
            keyboard.forget()


def test_windows_needs_no_quiet_and_its_waiting_keys_are_taken_one_by_one() -> None:
    waiting = list("early")
    keyboard = WindowsKeyboard(lambda: bool(waiting), lambda: waiting.pop(0))
    with keyboard.quiet(), keyboard.lent():
        assert waiting == list("early")
        assert keyboard.waits()
        keyboard.forget()
    assert not keyboard.waits()
