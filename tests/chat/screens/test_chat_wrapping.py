"""Where lines of our own are broken."""

from __future__ import annotations

import pytest
from prompt_toolkit.utils import get_cwidth

from bayling_lite.chat.screens.wrapping import wrapped


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
