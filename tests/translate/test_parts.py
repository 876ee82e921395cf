"""Segments cut into parts and joined again; requests listened to while they are answered."""

from __future__ import annotations

import threading
import time

import pytest

from bayling_lite.engine.base import GenerationRequest
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import EngineError
from bayling_lite.languages import find_language
from bayling_lite.prompts import user_turn
from bayling_lite.translate.asking.listening import Listener
from bayling_lite.translate.asking.parts import cut_in_parts, joined
from bayling_lite.translate.asking.values import Problem, ProblemKind
from bayling_lite.translate.markup import plain_text

ENGLISH, CHINESE = find_language("en"), find_language("zh")


def parts(text: str) -> list[str]:
    return [part.source.text for part in cut_in_parts(plain_text(text))]


def test_sentences_are_parts_and_a_single_one_is_cut_at_a_clause() -> None:
    assert parts("One is here. Two is there.") == ["One is here.", "Two is there."]
    assert parts("When the rain had stopped at last, the children went out.") == [
        "When the rain had stopped at last,",
        "the children went out.",
    ]
    assert parts("雨终于停了以后，孩子们走进了花园里，玩了很久。") == [
        "雨终于停了以后，",
        "孩子们走进了花园里，玩了很久。",
    ]


@pytest.mark.parametrize("text", ["Short, this is.", "word", "Say it. " * 30])
def test_where_nothing_is_gained_nothing_is_cut(text: str) -> None:
    assert parts(text.strip()) == []


@pytest.mark.parametrize("text", ["One is here. Two is there.", "雨停了。孩子们出去了，玩得很开心。他们回家了。"])
def test_parts_that_are_not_translated_make_the_text_again(text: str) -> None:
    cut = cut_in_parts(plain_text(text))
    language = ENGLISH if text.isascii() else CHINESE
    assert joined(cut, [part.source.text for part in cut], language) == text


def test_spaces_and_marks_between_parts_are_those_of_the_target() -> None:
    english = cut_in_parts(plain_text("When the rain had stopped at last, the children went out."))
    assert joined(english, ["雨停了。", "孩子们出去了。"], CHINESE) == "雨停了，孩子们出去了。"
    chinese = cut_in_parts(plain_text("雨停了。孩子们出去了。"))
    assert joined(chinese, ["The rain stopped.", "The children went out."], ENGLISH) == (
        "The rain stopped. The children went out."
    )


def ask(engine: ScriptedEngine, cancelled: threading.Event | None = None, stop_at: str = "") -> tuple[str, str, float]:
    def watch(text: str) -> Problem | None:
        return Problem(ProblemKind.REPETITION) if stop_at and stop_at in text else None

    started = time.monotonic()
    answer = Listener(engine).ask(GenerationRequest(user_turn("Hello.")), cancelled or threading.Event(), watch)
    return answer.text, answer.reason, time.monotonic() - started


def test_an_answer_that_goes_wrong_is_cut_short() -> None:
    engine = ScriptedEngine(["word " * 20 + "wrong " + "word " * 2000], delay=0.001)
    text, reason, seconds = ask(engine, stop_at="wrong")
    assert reason == "cancelled"
    assert len(text) < 2000
    assert seconds < 1


def test_a_request_is_cancelled_before_its_first_word() -> None:
    cancelled = threading.Event()
    threading.Timer(0.05, cancelled.set).start()
    text, reason, seconds = ask(ScriptedEngine(["never said"], delay=30), cancelled)
    assert (text, reason) == ("", "cancelled")
    assert seconds < 1


def test_an_error_reaches_who_asked() -> None:
    with pytest.raises(EngineError, match="no memory"):
        ask(ScriptedEngine([EngineError("no memory")]))
