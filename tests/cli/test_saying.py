"""Sentences on standard error: where a terminal ends, they are broken between words."""

from __future__ import annotations

import os
import sys

import pytest

from bayling_lite.cli.saying import say


def test_only_a_terminal_has_an_end(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    text = "word " * 50 + "end"
    say(text)
    assert capsys.readouterr().err == f"{text}\n"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((40, 24)))
    say(text + "\x1b[2J")
    lines = capsys.readouterr().err.splitlines()
    assert max(map(len, lines)) <= 40
    assert " ".join(lines) == text
