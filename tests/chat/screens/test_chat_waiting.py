"""The sign that an answer is on its way."""

from __future__ import annotations

import io
import time

import pytest
from prompt_toolkit.data_structures import Size
from prompt_toolkit.output.vt100 import Vt100_Output

from bayling_lite.chat.screens import waiting
from bayling_lite.chat.screens.waiting import WaitingSign

ERASE = "\r\x1b[K"


class Shown:
    """What a terminal of some width gets."""

    def __init__(self, columns: int = 80) -> None:
        self.stream = io.StringIO()
        self.sign = WaitingSign(Vt100_Output(self.stream, lambda: Size(24, columns)))

    def wait_for(self, text: str) -> None:
        end = time.monotonic() + 10
        while text not in self.stream.getvalue():
            assert time.monotonic() < end, self.stream.getvalue()
            time.sleep(0.005)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_PATIENCE_SECONDS", 0.03)
    monkeypatch.setattr(waiting, "_TICK_SECONDS", 0.03)


def test_an_answer_at_once_needs_no_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_PATIENCE_SECONDS", 0.2)
    shown = Shown()
    shown.sign.start()
    shown.sign.stop()
    time.sleep(0.3)
    assert shown.stream.getvalue() == ""


def test_it_comes_counts_and_goes_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_LONG_SECONDS", 0.1)
    shown = Shown()
    shown.sign.start()
    shown.wait_for("… 0 s · Ctrl-C stops")
    shown.sign.stop()
    written = shown.stream.getvalue()
    assert written.startswith("…")
    assert written.endswith(ERASE)
    assert "\n" not in written
    time.sleep(0.1)
    assert shown.stream.getvalue() == written


def test_it_makes_room_for_what_is_said_meanwhile_and_comes_back() -> None:
    shown = Shown()
    shown.sign.start()
    shown.wait_for("…")
    with shown.sign.hidden():
        shown.stream.write("|notice|")
    said = shown.stream.getvalue()
    assert said.endswith(ERASE + "|notice|")
    shown.wait_for("|notice|…")
    shown.sign.stop()


def test_it_never_takes_two_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_LONG_SECONDS", 0.0)
    shown = Shown(columns=8)
    shown.sign.start()
    shown.wait_for("…")
    shown.sign.stop()
    assert shown.stream.getvalue().split(ERASE)[0] == "… 0 s …"
