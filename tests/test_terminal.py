"""Hostile text must not steer a terminal, whole or in pieces."""

from __future__ import annotations

import random

import pytest

from bayling_lite.terminal import PrintableStream, printable

HOSTILE = {
    "colour": ("a\x1b[31mred\x1b[0m", "ared"),
    "clear screen": ("\x1b[2J\x1b[Hx", "x"),
    "title, BEL": ("\x1b]0;evil title\x07x", "x"),
    "title, ST": ("\x1b]0;evil title\x1b\\x", "x"),
    "clipboard": ("\x1b]52;c;ZXZpbA==\x07x", "x"),
    "hyperlink": ("\x1b]8;;http://evil/\x1b\\link\x1b]8;;\x1b\\", "link"),
    "device string": ("\x1bPq#0;2;0;0;0\x1b\\x", "x"),
    "application command": ("\x1b_Gf=24;AAAA\x1b\\x", "x"),
    "8-bit CSI": ("\x9b31mx", "x"),
    "8-bit OSC": ("\x9d0;evil\x9cx", "x"),
    "reset": ("\x1bcx", "x"),
    "charset": ("\x1b(0x", "x"),
    "carriage return": ("safe\rEVIL", "safeEVIL"),
    "backspace": ("abc\b\b\bevil", "abcevil"),
    "bell, NUL, DEL": ("\x07a\x00b\x7fc", "abc"),
    "next line": ("a\x85b", "ab"),
    "bidi override": ("user\u202etxt.exe", "usertxt.exe"),
    "bidi isolate": ("\u2066a\u2069", "a"),
    "lone surrogate": ("a\ud800b", "ab"),
    "nested": ("\x1b\x1b[31m[31mx", "[31mx"),
    "sequence in a string": ("\x1b]0;a\x1b[31mb\x07c", "0;abc"),
    "unterminated string": ("\x1b]0;all of this stays readable", "0;all of this stays readable"),
    "unterminated CSI": ("x\x1b[12", "x12"),
    "escape before a letter that ends nothing": ("\x1b好", "好"),
}
HARMLESS = ("", "plain", "Grüße,\n\tzwei Zeilen", "早上好。👩‍👩‍👧 ok", "مرحبا\u200f!", "𠀀 e\u0301")


@pytest.mark.parametrize(("text", "shown"), HOSTILE.values(), ids=HOSTILE.keys())
def test_control_sequences_go(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_stays(text: str) -> None:
    assert printable(text) == text


def test_keep_decides_over_single_controls() -> None:
    assert printable("a\nb\tc", keep="") == "abc"
    assert printable("a\r\nb", keep="\r\n") == "a\r\nb"


def _in_pieces(text: str, random_: random.Random, longest: int) -> str:
    stream, shown, at = PrintableStream(), [], 0
    while at < len(text):
        size = random_.randint(1, longest)
        shown.append(stream.feed(text[at : at + size]))
        at += size
    return "".join(shown) + stream.flush()


@pytest.mark.parametrize("text", [text for text, _ in HOSTILE.values()])
def test_stream_one_character_at_a_time(text: str) -> None:
    assert _in_pieces(text, random.Random(0), 1) == printable(text)


def test_stream_equals_whole_on_random_text() -> None:
    alphabet = "ab0;[]PX^_\\m\x1b\x1b\x1b\x9b\x9c\x9d\x90\x07\x18 (\n\u202e\ud800好"
    for seed in range(3000):
        random_ = random.Random(seed)
        text = "".join(random_.choices(alphabet, k=random_.randint(0, 40)))
        whole = printable(text)
        assert _in_pieces(text, random_, 5) == whole, ascii(text)
        assert not any(c in whole for c in "\x1b\x9b\x9d\x90\x07\u202e\ud800"), ascii(text)


def test_stream_holds_back_only_a_bounded_amount() -> None:
    stream = PrintableStream()
    shown = "".join(stream.feed(piece) for piece in ["\x1b]0;", *["x" * 100] * 100])
    assert len(shown) > 5000
    assert shown + stream.flush() == printable("\x1b]0;" + "x" * 10_000)


def test_stream_can_be_used_again_after_a_flush() -> None:
    stream = PrintableStream()
    assert stream.feed("a\x1b[") == "a"
    assert stream.flush() == ""
    assert stream.feed("31m") == "31m"


@pytest.mark.slow
def test_much_hostile_text_takes_linear_time() -> None:
    # A quadratic search over two million openings would not end within the test run.
    for opening in ("\x1b]", "\x9d", "\x1b[", "\x9b", "\x1bP"):
        assert len(printable(opening * 1_000_000)) <= 1_000_000
