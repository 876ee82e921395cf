"""An engine that gives its place to another one."""

from __future__ import annotations

import threading

import pytest

from bayling_lite.chat.loading import BackgroundEngine
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.session import Session
from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import EngineClosed, ModelUnreadable
from bayling_lite.languages import find_language
from bayling_lite.messages import Conversation
from bayling_lite.prompts import user_turn
from bayling_lite.translate.asking.budget import TokenBudget


def scripted(name: str, *answers: str) -> ScriptedEngine:
    return ScriptedEngine(answers, info=ModelInfo(name, "bayling", n_ctx=512))


class Spacious(ScriptedEngine):
    """Every request takes seven tokens more, as with a wordier template."""

    def count_tokens(self, conversation: Conversation) -> int:
        return super().count_tokens(conversation) + 7


def is_closed(engine: ScriptedEngine) -> bool:
    try:
        engine.count_tokens(user_turn("Hi"))
    except EngineClosed:
        return True
    return False


def broken() -> ScriptedEngine:
    raise ModelUnreadable("broken")


def test_what_needs_the_model_waits_for_the_one_asked_for_last() -> None:
    first, second, never, third = scripted("first"), scripted("second"), scripted("never"), scripted("third")
    go, opened = threading.Event(), threading.Event()

    def open_slowly() -> ScriptedEngine:
        opened.set()
        go.wait()
        return second

    def open_never() -> ScriptedEngine:
        raise AssertionError("another one was asked for before it was its turn")

    with BackgroundEngine(lambda: first) as engine:
        assert engine.info.name == "first"
        engine.reopen(open_slowly)
        assert opened.wait(5)
        assert engine.loading
        assert not engine.ready
        assert not is_closed(first)
        engine.reopen(open_never)
        engine.reopen(lambda: third)
        threading.Timer(0.05, go.set).start()
        assert engine.info.name == "third"
        assert engine.refusal() is None
        assert [is_closed(each) for each in (first, second, third)] == [True, True, False]
    assert is_closed(third)
    assert not is_closed(never)


def test_one_that_cannot_be_opened_leaves_the_one_there_is() -> None:
    told = threading.Semaphore(0)
    first = scripted("first")
    with BackgroundEngine(lambda: first, when_ready=told.release) as engine:
        engine.reopen(broken)
        assert engine.info.name == "first"
        assert told.acquire(timeout=5)
        assert engine.ready
        assert engine.error is None
        assert isinstance(engine.refusal(), ModelUnreadable)
        assert engine.refusal() is None, "it is told once"


def test_one_takes_the_place_of_one_that_could_not_be_opened() -> None:
    go = threading.Event()

    def fail() -> ScriptedEngine:
        go.wait()
        return broken()

    with BackgroundEngine(fail) as engine:
        engine.reopen(lambda: scripted("second"))
        go.set()
        assert engine.info.name == "second"
        assert engine.error is None
    with BackgroundEngine(broken) as engine:
        engine.reopen(broken)
        with pytest.raises(ModelUnreadable):
            engine.wait()
        assert engine.error is not None


def test_one_that_arrives_after_the_end_is_closed() -> None:
    go, opened = threading.Event(), threading.Event()
    late = scripted("late")

    def open_slowly() -> ScriptedEngine:
        opened.set()
        go.wait()
        return late

    engine = BackgroundEngine(lambda: scripted("first"))
    engine.reopen(open_slowly)
    assert opened.wait(5)
    threading.Timer(0.05, go.set).start()
    engine.close()
    assert is_closed(late)
    with pytest.raises(EngineClosed):
        engine.reopen(lambda: late)


def test_tokens_are_counted_anew_for_another_model() -> None:
    target = Preferences(target=find_language("zh"), source=find_language("en"))
    with BackgroundEngine(lambda: scripted("first", "早上好。")) as engine:
        session, budget = Session(engine, target), TokenBudget(engine)
        session.start(session.plan("Good morning.")).finish()
        before, words = session.context_tokens(), budget.tokens("Good morning.")
        engine.reopen(lambda: Spacious(["您早。"], info=ModelInfo("second", "bayling", n_ctx=512)))
        engine.wait()
        assert session.context_tokens() == before + 7
        assert budget.tokens("Good morning.") == words
        turn = session.start(session.plan_refinement("more formal")).finish()
        assert turn is not None
        assert turn.answer == "您早。"
