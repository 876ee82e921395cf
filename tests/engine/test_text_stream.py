"""Whole characters and stop strings, however the bytes are cut."""

from __future__ import annotations

import random

import pytest

from bayling_lite.engine.text import StopScanner, TextStream

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
    assert stream.spells(TEXT)


def test_half_a_character_at_the_end_is_replaced_or_dropped() -> None:
    for cut, end in ((False, "a\ufffd"), (True, "a")):
        stream = TextStream()
        assert stream.feed(b"a\xe6\x97") + stream.finish(cut=cut) == end
        assert stream.spells(end) == (not cut)


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
