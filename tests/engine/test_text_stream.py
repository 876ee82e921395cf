"""Whole characters and stop strings, however the bytes are cut."""

from __future__ import annotations

import random

import pytest

from bayling_lite.engine.text import StopScanner, TextStream
from bayling_lite.engine.thinking import Block, Blocks
from bayling_lite.prompts import V1_PLACEHOLDERS

TEXT = "Grüße, 早上好 🌊‍ ok"


@pytest.mark.parametrize("seed", range(20))
def test_any_cut_of_the_bytes_gives_the_text(seed: int) -> None:
    chance = random.Random(seed)
    data, stream, pieces = TEXT.encode(), TextStream(), []
    while data:
        size = chance.randint(1, 5)
        pieces.append(stream.feed(data[:size]))
        data = data[size:]
    pieces.append(stream.finish(cut=False))
    assert "".join(pieces) == TEXT
    assert "\ufffd" not in "".join(pieces)
    assert stream.whole


def test_half_a_character_at_the_end_is_replaced_or_dropped() -> None:
    for cut, end in ((False, "a\ufffd"), (True, "a")):
        stream = TextStream()
        assert stream.feed(b"a\xe6\x97") + stream.finish(cut=cut) == end
        assert stream.whole == (not cut)


def test_bytes_that_are_no_text_are_replaced_at_once() -> None:
    stream = TextStream()
    assert stream.feed(b"a\xffb") == "a\ufffdb"


@pytest.mark.parametrize("seed", range(30))
def test_a_stop_string_is_found_however_the_text_is_cut(seed: int) -> None:
    chance = random.Random(seed)
    text, stops = "aab#aa##b###rest", ("###", "##c", "zz")
    scanner, seen, left = StopScanner(stops), "", text
    while left and not scanner.stopped:
        size = chance.randint(1, 4)
        seen += scanner.feed(left[:size])
        left = left[size:]
        assert "###" not in seen
    assert scanner.stopped
    assert seen == "aab#aa##b"
    assert scanner.flush() == ""


def test_the_first_of_several_stop_strings_counts() -> None:
    scanner = StopScanner(("later", "first"))
    assert scanner.feed("x first later") == "x "


def test_what_only_looks_like_a_stop_string_is_given_back() -> None:
    scanner = StopScanner(("STOP",))
    assert scanner.feed("a ST") == "a "
    assert scanner.feed("AR STO") == "STAR "
    assert scanner.flush() == "STO"
    assert not scanner.stopped


def test_all_of_it_together_however_the_bytes_are_cut() -> None:
    data = "<think>[NAME] thinks STOP 早</think>\n\nI am [NAME]早,\\nof [INSTIT STOP no".encode()
    for seed in range(40):
        chance, left, seen = random.Random(seed), data, ""
        thinking = Blocks(Block("<think>", "</think>"))
        stream = TextStream((" STOP",), replacements=V1_PLACEHOLDERS, thinking=thinking)
        while left and not stream.stopped:
            size = chance.randint(1, 6)
            seen += stream.feed(left[:size])
            left = left[size:]
        seen += stream.finish(cut=False)
        assert seen == "I am BayLing早,\nof [INSTIT"
        assert stream.reasoning == "[NAME] thinks STOP 早"
        assert stream.stopped
        assert not stream.whole


def test_a_stop_string_may_come_out_of_a_placeholder() -> None:
    stream = TextStream(("\n",), replacements=V1_PLACEHOLDERS)
    assert stream.feed(b"one\\") + stream.feed(b"ntwo") == "one"
    assert stream.stopped


def test_the_end_gives_back_what_was_held_by_any_stage() -> None:
    stream = TextStream(("###",), replacements={"[NAME]": "x"}, thinking=Blocks(Block("<think>", "</think>")))
    assert stream.feed(b"<thi") == ""
    assert stream.finish(cut=True) == "<thi"
    stream = TextStream(("###",), replacements={"[NAME]": "x"})
    assert stream.feed(b"a##[NA") + stream.finish(cut=True) == "a##[NA"


def test_tokens_of_an_answer_may_be_remembered_unless_something_was_taken_away() -> None:
    replaced = TextStream((), replacements={"[NAME]": "x"})
    assert replaced.feed(b"[NAME]") + replaced.finish(cut=True) == "x"
    assert replaced.whole
    stopped = TextStream(("b",))
    assert stopped.feed(b"ab") == "a"
    assert not stopped.whole


def test_half_a_character_before_a_control_token_stays_one() -> None:
    stream = TextStream()
    assert stream.feed(b"a\xe6\x97") + stream.feed(b"", "<|x|>") + stream.feed(b"\xa9b") == "a\ufffd\ufffdb"
