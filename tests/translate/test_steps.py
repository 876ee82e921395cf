"""Asking in several steps: what is asked for at once, what comes of refusals, errors and cancelling."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator, Sequence

import pytest

from bayling_lite.engine.base import GenerationRequest
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import ContextOverflow, EngineError, PhrasesDoNotFit
from bayling_lite.prompts import user_turn
from bayling_lite.translate.asking.steps import Reply, SteppedGeneration, SteppedWork, Steps


def asking(*rounds: Sequence[str]) -> Steps[str]:
    """Ask the texts of each round, and come to all that was said."""
    said: list[str] = []
    for texts in rounds:
        replies = yield [GenerationRequest(user_turn(text)) for text in texts]
        said += [type(reply).__name__ if isinstance(reply, Exception) else reply.text for reply in replies]
    return " ".join(said)


def test_rounds_follow_one_another_and_the_first_begins_at_once() -> None:
    engine = ScriptedEngine(lambda conversation: conversation.messages[-1].content.upper())
    work = SteppedWork(engine, asking(["a", "b"], ["c"]))
    assert len(engine.requests) == 2
    assert work.wait() == work.wait() == work.outcome == "A B C"
    assert len(engine.requests) == 3


def test_waiting_without_holding_up_the_event_loop_gives_the_same() -> None:
    engine = ScriptedEngine(lambda conversation: conversation.messages[-1].content.upper())
    assert asyncio.run(SteppedWork(engine, asking(["a", "b"], ["c"])).await_outcome()) == "A B C"


def test_steps_that_ask_nothing_are_done() -> None:
    assert SteppedWork(ScriptedEngine(), asking()).wait() == ""


def test_a_refusal_is_a_reply() -> None:
    engine = ScriptedEngine([PhrasesDoNotFit("x"), "b", ContextOverflow(9, 8)])
    assert SteppedWork(engine, asking(["1", "2"], ["3"])).wait() == "PhrasesDoNotFit b ContextOverflow"


def test_an_error_ends_the_steps() -> None:
    engine = ScriptedEngine(["a", EngineError("broken"), "c"])
    work = SteppedWork(engine, asking(["1"], ["2"], ["3"]))
    with pytest.raises(EngineError, match="broken"):
        work.wait()
    assert len(engine.requests) == 2
    assert (work.wait(), work.outcome) == (None, None)


def test_cancelling_stops_what_runs_and_asks_no_more() -> None:
    engine = ScriptedEngine(lambda _: "word " * 1000, delay=0.01)
    closed = threading.Event()

    def steps() -> Generator[Sequence[GenerationRequest], list[Reply], str]:
        try:
            return (yield from asking(["1", "2"], ["3"]))
        finally:
            closed.set()

    work = SteppedWork(engine, steps())
    threading.Timer(0.05, work.cancel).start()
    assert work.wait() is None
    assert work.cancelled
    assert closed.is_set()
    assert len(engine.requests) == 2
    engine.close()


def test_cancelling_what_is_done_changes_nothing() -> None:
    work = SteppedWork(ScriptedEngine(["a"]), asking(["1"]))
    assert work.wait() == "a"
    work.cancel()
    assert (work.outcome, work.cancelled) == ("a", False)


def test_as_a_generation_the_outcome_is_one_piece() -> None:
    async def run() -> tuple[list[str], str]:
        generation = SteppedGeneration(ScriptedEngine(["c", "d"]), asking(["1", "2"]))
        return [piece async for piece in generation], (await generation).text

    generation = SteppedGeneration(ScriptedEngine(["a", "b"]), asking(["1"], ["2"]))
    assert list(generation) == ["a b"]
    assert (generation.result().text, generation.result().finish_reason) == ("a b", "stop")
    assert asyncio.run(run()) == (["c d"], "c d")


def test_a_generation_that_comes_to_nothing_is_empty() -> None:
    engine = ScriptedEngine(lambda _: "word " * 1000, delay=0.01)
    generation = SteppedGeneration(engine, asking(["1"]))
    generation.cancel()
    assert list(generation) == []
    assert (generation.result().text, generation.result().finish_reason) == ("", "cancelled")
    engine.close()
