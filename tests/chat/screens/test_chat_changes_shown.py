"""What /diff looks like in a terminal with colours, and in one without."""

from __future__ import annotations

import io
import sys

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.output.vt100 import Vt100_Output

from bayling_lite.chat.differences import changes
from bayling_lite.chat.screens.keyboard import keyboard_of
from bayling_lite.chat.screens.terminal_screen import TerminalScreen

RED, GREEN = "\x1b[0;31;9m", "\x1b[0;32m"


@pytest.mark.parametrize(
    ("no_color", "wanted"),
    [
        ("", f"\x1b[0mGuten {RED}Tag\x1b[0m {GREEN}Morgen\x1b[0m."),
        ("1", "\x1b[0mGuten [-Tag-]{+Morgen+}."),
    ],
)
def test_changes_are_coloured_or_marked(monkeypatch: pytest.MonkeyPatch, no_color: str, wanted: str) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.delenv("PROMPT_TOOLKIT_COLOR_DEPTH", raising=False)
    stream = io.StringIO()
    output = Vt100_Output(stream, lambda: Size(30, 100), term="xterm-256color")
    with create_app_session(output=output):
        TerminalScreen(keyboard_of(sys.stdin)).changes(changes("Guten\x1b[2J Tag.", "Guten\x1b[2J Morgen."))
    assert wanted in stream.getvalue()
    assert "\x1b[2J" not in stream.getvalue()
