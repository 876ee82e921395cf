"""Placeholders are replaced however the text is cut."""

from __future__ import annotations

import random

import pytest

from bayling_lite.engine.placeholders import Replacer
from bayling_lite.prompts import V1_PLACEHOLDERS


def replaced(text: str, replacements: dict[str, str], seed: int) -> str:
    chance, replacer, seen = random.Random(seed), Replacer(replacements), ""
    while text:
        size = chance.randint(1, 4)
        seen += replacer.feed(text[:size])
        text = text[size:]
    return seen + replacer.finish()


@pytest.mark.parametrize("seed", range(25))
def test_what_the_published_weights_write(seed: int) -> None:
    text = r"I am [NAME] ([名字]),\nmade [CREATE_TIME] by [INSTITUTE].\\n[机构] [开发时间] [NAME [NAM][NAME]\ [" + "\\"
    assert replaced(text, V1_PLACEHOLDERS, seed) == (
        "I am BayLing (百聆),\nmade 2023 by NLP group of Institute of Computing Technology, Chinese Academy of "
        "Sciences (ICT/CAS).\\\n中国科学院计算技术研究所自然语言处理研究组 2023年 [NAME [NAM]BayLing\\ [\\"
    )


@pytest.mark.parametrize("seed", range(25))
def test_the_longest_counts_and_what_is_put_in_is_not_replaced_again(seed: int) -> None:
    replacements = {"ab": "1", "abc": "2", "abcde": "3", "cd": "ab", "[[x]y": "4", "[x]": "5"}
    assert replaced("ab abc abcd abcde cd [[x]y [[x]z [[x] aab abab", replacements, seed) == (
        "1 2 2d 3 ab 4 [5z [5 a1 11"
    )


def test_text_is_held_back_no_longer_than_needed() -> None:
    replacer = Replacer({"[NAME]": "x"})
    pieces = ("a [", "NAM", "b", "[NAME", "]", "\n")
    assert [replacer.feed(piece) for piece in pieces] == [
        "a ",
        "",
        "[NAMb",
        "",
        "x",
        "\n",
    ]
    assert replacer.feed("[NA\n") == "[NA\n"
    assert replacer.finish() == ""


def test_without_placeholders_nothing_is_held() -> None:
    assert Replacer({}).feed("a [N") == "a [N"
    assert Replacer({"x": "yy"}).feed("axx") == "ayyyy"


def test_an_empty_placeholder_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        Replacer({"": "x"})
