"""Sentences on standard error: where a terminal ends, they are broken between words."""

from __future__ import annotations

import os
import sys

import pytest

from bayling_lite.cli.saying import say, wrapped


def test_lines_are_broken_at_spaces_only() -> None:
    text = "one two https://example.org/a-long-address three"
    assert wrapped(text, 12).split("\n") == ["one two", "https://example.org/a-long-address", "three"]
    assert wrapped("翻译 翻译 翻译", 9) == "翻译 翻译\n翻译"
    assert wrapped("  indented\nshort", 80) == "  indented\nshort"


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("Get it: bayling models pull bayling-2-7b (about 4 GB).", "bayling models pull bayling-2-7b"),
        ("Fetch it: hf download some/model tiny.gguf", "hf download some/model tiny.gguf"),
        ("It does not know Japanese. /to zh changes the language.", "/to zh"),
        ("Use it: bayling-chat --model x, or bayling translate FILE --to zh", "bayling translate FILE --to zh"),
        ("then log in with `hf auth login`, or set HF_TOKEN.", "`hf auth login`"),
        ("say where it is: bayling models pull x --base FOLDER. (Or not.)", "bayling models pull x --base FOLDER"),
    ],
)
def test_a_command_stays_on_one_line(text: str, command: str) -> None:
    for width in range(5, len(text)):
        assert any(command in line for line in wrapped(text, width).split("\n"))
        assert wrapped(text, width).replace("\n", " ") == text


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
