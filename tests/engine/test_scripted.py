"""The scripted engine keeps the same contract, without a model."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from bayling_lite.engine import Completion, Engine, GenerationRequest, ModelInfo
from bayling_lite.engine.generation import StreamedGeneration
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import ContextOverflow, EngineClosed, EngineError
from bayling_lite.prompts import user_turn


def ask(text: str = "hello", *, max_tokens: int | None = None, stop: tuple[str, ...] = ()) -> GenerationRequest:
    return GenerationRequest(user_turn(text), max_tokens=max_tokens, stop=stop)


def test_answers_come_in_order_and_in_pieces() -> None:
    with ScriptedEngine(["Guten Morgen, Welt!", "早上好"]) as engine:
        assert isinstance(engine, Engine)
        first = engine.submit(ask("one"))
        assert list(first) == ["Guten", " Morgen", ",", " Welt", "!"]
        assert first.result().text == "Guten Morgen, Welt!"
        assert list(engine.submit(ask("two"))) == ["早", "上", "好"]
        assert [request.conversation.messages[-1].content for request in engine.requests] == ["one", "two"]


def test_a_function_sees_the_conversation_and_may_fail() -> None:
    with ScriptedEngine(lambda conversation: conversation.messages[-1].content.upper()) as engine:
        assert engine.submit(ask("abc")).result().text == "ABC"
    with ScriptedEngine(lambda conversation: str(1 // 0)) as engine, pytest.raises(ZeroDivisionError):
        engine.submit(ask()).result(timeout=5)


def test_errors_and_the_end_of_the_script() -> None:
    with ScriptedEngine([EngineError("broken"), "fine"]) as engine:
        with pytest.raises(EngineError, match="broken"):
            list(engine.submit(ask()))
        assert engine.submit(ask()).result().text == "fine"
        with pytest.raises(EngineError, match="no answer left for 'x'"):
            engine.submit(ask("x")).result()
        engine.enqueue("more")
        assert engine.submit(ask()).result().text == "more"


def test_limits_and_stop_strings() -> None:
    small = ModelInfo(name="small", template="bayling", n_ctx=12)
    with ScriptedEngine(lambda _: "a b c d e f g", info=small) as engine:
        assert engine.count_tokens(user_turn("one two")) == 7
        short = engine.submit(ask("one two")).result()
        assert (short.text, short.finish_reason, short.n_generated) == ("a b c d e", "length", 5)
        assert engine.submit(ask("one", max_tokens=2)).result().text == "a b"
        stopped = engine.submit(ask("one", stop=("c d",))).result()
        assert (stopped.text, stopped.finish_reason) == ("a b ", "stop")
        with pytest.raises(ContextOverflow):
            engine.submit(ask("one two three four five six seven")).result()


def test_cancelling_and_closing_interrupt_a_delay() -> None:
    engine = ScriptedEngine(["a b c", "a b c", "a b c"], delay=60)
    first = engine.submit(ask())
    with pytest.raises(TimeoutError, match=r"0\.01 seconds"):
        first.result(timeout=0.01)
    first.cancel()
    assert first.result(timeout=5).finish_reason == "cancelled"
    second = engine.submit(ask())
    engine.close()
    assert second.result(timeout=5).finish_reason == "cancelled"
    with pytest.raises(EngineClosed):
        engine.submit(ask())
    assert not [thread for thread in threading.enumerate() if thread.name == "scripted-engine"]


def test_pieces_can_be_read_again_and_by_several_readers() -> None:
    with ScriptedEngine(["one two three"], delay=0.01) as engine:
        generation = engine.submit(ask())
        seen: list[list[str]] = []
        readers = [threading.Thread(target=lambda: seen.append(list(generation))) for _ in range(3)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(10)
        assert seen == [["one", " two", " three"]] * 3
        assert generation.result().text == "one two three"
        assert list(generation) == ["one", " two", " three"]


def test_asyncio_iterates_awaits_and_meets_errors() -> None:
    async def main(engine: ScriptedEngine) -> None:
        generation = engine.submit(ask())
        assert [piece async for piece in generation] == ["one", " two"]
        assert (await generation).text == "one two"
        with pytest.raises(EngineError, match="broken"):
            await engine.submit(ask())
        with pytest.raises(EngineError, match="broken"):
            async for _ in engine.submit(ask()):
                pass
        slow = engine.submit(ask())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(_read(slow), 0.05)
        slow.cancel()
        assert (await slow).finish_reason == "cancelled"

    with ScriptedEngine(["one two", EngineError("broken"), EngineError("broken"), "x " * 1000], delay=0.01) as engine:
        asyncio.run(main(engine))


async def _read(generation: StreamedGeneration) -> list[str]:
    return [piece async for piece in generation]


def test_a_generation_outlives_the_loop_that_read_it() -> None:
    """A piece that arrives for a closed event loop is dropped there and kept for the others."""
    generation = StreamedGeneration(ask(), lambda _: None)
    generation.begin()
    loop = asyncio.new_event_loop()
    reader = loop.create_task(_read(generation))
    loop.run_until_complete(asyncio.sleep(0))
    generation.push("a")
    reader.cancel()
    loop.run_until_complete(asyncio.gather(reader, return_exceptions=True))
    loop.close()
    generation.push("b")
    generation.finish(Completion("ab", "stop", 1, 0, 2, 0.0, 0.0))
    assert list(generation) == ["a", "b"]


def test_neither_contract_nor_script_import_llama_cpp() -> None:
    program = (
        "import sys, bayling_lite.engine, bayling_lite.engine.base, bayling_lite.engine.scripted, "
        "bayling_lite.catalogue, bayling_lite.settings\n"
        "assert not {'llama_cpp', 'torch', 'numpy', 'gguf'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
