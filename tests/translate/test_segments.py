"""Layout: what is split comes together again, exactly, and what is wrapped is joined."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bayling_lite.languages import find_language
from bayling_lite.translate.segments import Segment, gap, split, unwrap
from tests.translate.texts import LAYOUTS, WRAPPED, random_text

CHINESE, GERMAN = find_language("zh"), find_language("de")


def texts(text: str) -> list[str]:
    return [segment.text for segment in split(text).segments]


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_split_keeps_every_character(text: str) -> None:
    assert split(text).source == text


def test_split_keeps_every_character_of_random_text() -> None:
    for seed in range(4000):
        random_ = random.Random(seed)
        text, limit = random_text(random_), random_.choice([8, 40, 400])
        result = split(text, limit)
        assert result.source == text, (seed, ascii(text))
        for segment in result.segments:
            assert segment.raw == segment.raw.strip(), (seed, segment)
            assert segment.raw, seed
            assert "\n" not in segment.text, (seed, segment)
            assert "\r" not in segment.text, (seed, segment)


def test_split_keeps_every_character_of_this_package() -> None:
    for path in sorted(Path(__file__).parents[2].glob("bayling_lite/**/*.py")):
        text = path.read_text(encoding="utf-8")
        assert split(text).source == text, path


def test_markers_and_columns_are_layout() -> None:
    assert texts("- one\n 2. two\n> three") == ["one", "two", "three"]
    assert texts("Anna Schmidt\tBerlin\n- a - b") == ["Anna Schmidt", "Berlin", "a - b"]
    assert texts("3. Mai ist Feiertag.\n3. Milch") == ["3. Mai ist Feiertag.", "Milch"]
    assert texts("一、早上好。\n1.再见") == ["早上好。", "再见"]


def test_a_wrapped_paragraph_is_joined() -> None:
    assert texts(WRAPPED) == [
        "My dear friend, I am writing to you because there is something that I would like to tell you.",
        "It is not very important, but it might make you laugh when you hear it.",
    ]


def test_a_wrapped_paragraph_may_be_indented_or_a_list_item() -> None:
    item = "- " + WRAPPED.strip().replace("\n", "\n  ")
    assert texts(item) == texts(WRAPPED)
    assert split(item).source == item


def test_a_wrapped_chinese_paragraph_is_joined_without_a_space() -> None:
    line = "我们昨天下午一起去了城外的那个很大的公园里面散步并且看见了许多" + "\n" + "漂亮的花。"
    assert texts(line) == [line.replace("\n", "")]


@pytest.mark.parametrize(
    "text",
    [
        "Roses are red\nViolets are blue\nSugar is sweet\nAnd so are you",
        "Anna Schmidt\nMain Street 5\n12345 Berlin",
        "Shall I compare thee to a summer's day in the month of May\nThou art more lovely and more temperate than it",
        "A first line that is long enough to be at a margin of text.\nand a second that goes on in lower case letters",
    ],
    ids=["verse", "address", "long verse", "ended by a full stop"],
)
def test_lines_that_are_not_wrapped_stay_lines(text: str) -> None:
    assert texts(text) == text.split("\n")


def test_unwrap() -> None:
    assert unwrap("one  \r\n  two") == "one two"
    assert unwrap("well-\nknown and x -\ny") == "well-known and x - y"
    assert unwrap("你\n好 A\n好") == "你好 A 好"


def test_what_holds_no_word_is_not_translatable() -> None:
    def translatable(text: str) -> bool:
        return Segment(text, text, "").translatable

    assert not any(map(translatable, ["123", "--- 5 %", "https://example.com/a", "anna@example.com", "!?", "🎉"]))
    assert all(map(translatable, ["a", "好", "see https://example.com", "5 km"]))


def test_spaces_between_sentences_follow_the_target() -> None:
    english, more = Segment("A.", "A.", ""), Segment("B.", "B.", " ", inside=True)
    chinese, weiter = Segment("好。", "好。", ""), Segment("行。", "行。", "", inside=True)
    assert gap(more, english, "。", "乙", CHINESE) == ""
    assert gap(more, english, ".", "B", CHINESE) == " "
    assert gap(more, english, ".", "B", GERMAN) == " "
    assert gap(weiter, chinese, ".", "B", GERMAN) == " "
    assert gap(weiter, chinese, "。", "行", GERMAN) == ""
    assert gap(Segment("B", "B", "\n\n"), english, "。", "乙", CHINESE) == "\n\n"
    assert gap(Segment("B", "B", "\n  ", inside=True), english, ".", "B", GERMAN) == " "
    assert gap(Segment("b", "b", "", inside=True), Segment("a", "a", ""), "a", "b", GERMAN) == ""
