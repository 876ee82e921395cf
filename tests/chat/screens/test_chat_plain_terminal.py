"""The plain chat at a terminal: nothing but text ever reaches it."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

pty = pytest.importorskip("pty")
# As a shell does it: the terminal is the program's own, so that Ctrl-C reaches it.
CHAT = (
    "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\nfrom bayling_lite.cli import chat_main; chat_main()"
)


class Typist:
    """Types into a program at a terminal of its own, and reads what comes."""

    def __init__(self, *arguments: str) -> None:
        self.seen = b""
        self._terminal, its_end = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", CHAT, *arguments],
            stdin=its_end,
            stdout=its_end,
            stderr=its_end,
            start_new_session=True,
        )
        os.close(its_end)

    def type(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def wait_for(self, text: str) -> None:
        """Until it has come, after what was waited for before."""
        begin, end = len(self.seen), time.monotonic() + 60
        while text.encode() not in self.seen[begin:]:
            assert time.monotonic() < end, self.seen
            if select.select([self._terminal], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self._terminal, 65536)
                except OSError:  # how Linux says that nobody is at the other end any more
                    break

    def status(self) -> int:
        os.close(self._terminal)
        return self._process.wait(60)


@pytest.mark.slow
def test_a_person_at_a_plain_screen(chain_model: Path) -> None:
    typist = Typist("--plain", "--model", str(chain_model))
    typist.wait_for("> ")
    typist.type("Hi\n")
    typist.wait_for("> ")
    typist.type("/to de\n")
    typist.wait_for("de> ")
    typist.type("\x03")
    typist.wait_for("Ctrl-D or /bye leaves.")
    typist.type("\x04")
    typist.wait_for("no such text: this reads to the end")
    assert typist.status() == 0
    shown = typist.seen.decode()
    assert "Answer:\r\n早 good day</\r\n> " in shown
    assert "\x1b" not in shown
