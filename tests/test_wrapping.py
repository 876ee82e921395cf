"""Where lines of our own are broken."""

from __future__ import annotations

import pytest
from prompt_toolkit.utils import get_cwidth

from bayling_lite.wrapping import wrapped


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("one two three", 13, "one two three"),
        ("one two three", 12, "one two\nthree"),
        ("one two\n\nthree four", 9, "one two\n\nthree\nfour"),
        ("a /long/path/without/spaces end", 12, "a\n/long/path/without/spaces\nend"),
        ("早上好，我的朋友。再见。", 8, "早上好，\n我的朋\n友。再\n见。"),
        ("请用 token 一词", 8, "请用\ntoken 一\n词"),
        ("", 8, ""),
    ],
)
def test_lines_break_between_words(text: str, width: int, shown: str) -> None:
    assert wrapped(text, width) == shown


def test_what_stands_in_a_column_stays_in_it() -> None:
    row = "  /drop [N]            the model no longer sees the oldest N turns (alone: all but the last)"
    assert wrapped(row, 60) == (
        "  /drop [N]            the model no longer sees the oldest N\n"
        "                       turns (alone: all but the last)"
    )
    narrow = wrapped(row, 30).split("\n")
    assert narrow[0].startswith("  /drop [N]")
    assert all(get_cwidth(line) <= 30 for line in narrow)
    assert " ".join(" ".join(narrow).split()) == " ".join(row.split())


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


def test_chinese_breaks_between_characters_but_not_before_a_mark_or_inside_a_command() -> None:
    text = "本机没有这个模型。获取方法：bayling models pull bayling-2-7b（下载约 13.5 GB）。"
    for width in range(34, 80):
        lines = wrapped(text, width).split("\n")
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        assert any("bayling models pull bayling-2-7b" in line for line in lines)
        assert [line for line in lines if line[0] in "。：）"] == []
        assert max(map(get_cwidth, lines)) <= width
    assert wrapped("不是文件夹，请另选", 10).split("\n") == ["不是文件", "夹，请另选"]
