"""Writing plain text: piece by piece or whole, the same text; with equal translations, the source."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from bayling_lite.languages import Language, find_language
from bayling_lite.translate.formats import plain
from tests.translate.texts import LAYOUTS, WRAPPED, random_text

CHINESE, GERMAN = find_language("zh"), find_language("de")


def written(
    text: str, target: Language, translate: Callable[[str], str], *, seed: int | None = None, limit: int = 400
) -> str:
    """The text with each segment translated; with a ``seed``, the translations are fed in pieces of random sizes."""
    document = plain.cut(text, limit)
    writer, out = document.writer(target), []
    random_ = random.Random(seed)
    for segment in document.segments:
        answer, at = translate(segment.text), 0
        while seed is not None and at < len(answer):
            size = random_.randint(1, 6)
            out.append(writer.feed(answer[at : at + size]))
            at += size
        out.append(writer.end(plain.on_one_line(answer) or segment.raw))
    return "".join(out) + writer.finish()


def same(text: str) -> str:
    return text


@pytest.mark.parametrize("target", [CHINESE, GERMAN], ids=str)
@pytest.mark.parametrize("seed", [None, 1])
@pytest.mark.parametrize("text", [*LAYOUTS.values(), WRAPPED])
def test_equal_translations_give_the_source_back(text: str, seed: int | None, target: Language) -> None:
    assert written(text, target, same, seed=seed) == text


@pytest.mark.slow
def test_equal_translations_give_random_text_back() -> None:
    for seed in range(3000):
        random_ = random.Random(seed)
        text, limit = random_text(random_), random_.choice([8, 40, 400])
        for target in (CHINESE, GERMAN):
            assert written(text, target, same, seed=seed, limit=limit) == text, (seed, ascii(text))
            assert written(text, target, same, limit=limit) == text, (seed, ascii(text))


@pytest.mark.slow
def test_pieces_and_whole_give_the_same() -> None:
    changes: list[Callable[[str], str]] = [
        str.upper,
        lambda text: f"  {text}…\n",
        lambda text: text[:3] + "，好\n\n好 ",
        lambda text: "" if len(text) % 3 == 0 else text,
        lambda text: text + "x",
    ]
    for seed in range(1500):
        random_ = random.Random(seed)
        text, change = random_text(random_), random_.choice(changes)
        for target in (CHINESE, GERMAN):
            assert written(text, target, change, seed=seed) == written(text, target, change), (seed, ascii(text))


def test_layout_stays_around_translations() -> None:
    text = "\ufeffDear Anna,\r\n\r\n  - One. Two.\r\n\t* Three\tfour\r\n\r\n123\r\n"
    expected = "\ufeffDEAR ANNA,\r\n\r\n  - ONE. TWO.\r\n\t* THREE\tFOUR\r\n\r\n123\r\n"
    assert written(text, GERMAN, str.upper) == expected


def test_no_space_between_chinese_sentences() -> None:
    words = {"Good morning.": "早上好。", "How are you?": "你好吗？", "OK.": "OK."}
    text = "Good morning. How are you?\nGood morning. OK. How are you?"
    assert written(text, CHINESE, words.__getitem__) == "早上好。你好吗？\n早上好。OK.你好吗？"


def test_a_space_between_sentences_that_had_none() -> None:
    words = {"早上好。": "Good morning.", "你好吗？": "How are you?"}
    assert written("早上好。你好吗？\n", GERMAN, words.__getitem__, seed=3) == "Good morning. How are you?\n"


def test_a_wrapped_paragraph_comes_out_on_one_line() -> None:
    assert written(WRAPPED, GERMAN, str.upper) == WRAPPED.upper().replace("\n", " ").rstrip() + "\n"


def test_an_answer_of_several_lines_stays_on_its_line() -> None:
    assert written("One.\nTwo.", GERMAN, lambda _: "\n a \n\n b\n", seed=5) == "a b\na b"
