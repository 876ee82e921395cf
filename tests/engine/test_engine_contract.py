"""What a program may count on whichever engine it was given: the scripted one of its tests, or one at a server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bayling_lite.engine import Engine, GenerationRequest, ModelInfo
from bayling_lite.engine.remote import RemoteEngine
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import ContextOverflow, EngineClosed
from bayling_lite.prompts import user_turn
from tests.engine.chat_server import Exchange, chat_server

N_CTX = 64
Opened = Callable[..., Engine]


def ask(text: str, **options: Any) -> GenerationRequest:
    return GenerationRequest(user_turn(text), **options)


def script(text: str) -> str:
    """What is answered: the words of the user, one by one; ``slowly`` without end."""
    return "so " * 1000 if text == "slowly" else text.removeprefix("say ")


@pytest.fixture(params=["scripted", "remote"])
def opened(request: pytest.FixtureRequest) -> Iterator[Opened]:
    if request.param == "scripted":

        def scripted(delay: float = 0.0) -> Engine:
            info = ModelInfo(name="m", template="bayling", n_ctx=N_CTX)
            return ScriptedEngine(lambda talk: script(talk.messages[-1].content), delay=delay, info=info)

        yield scripted
        return

    pause = threading.Event()  # never set: something to wait for
    delays = [0.0]

    def behave(exchange: Exchange) -> None:
        words = script(exchange.text).split(" ")
        if len(words) > N_CTX and exchange.text != "slowly":
            n = len(words)
            exchange.error(400, f"This model's maximum context length is {N_CTX} tokens. Your messages resulted in {n}")
            return
        most = exchange.body.get("max_tokens", len(words))
        exchange.begin()
        for n, word in enumerate(words[:most]):
            pause.wait(delays[0])
            exchange.delta(content=" " * (n > 0) + word)
        exchange.end("length" if most < len(words) else "stop")

    with chat_server(behave) as server:
        server.models = {"data": [{"id": "m", "max_model_len": N_CTX}]}

        def remote(delay: float = 0.0) -> Engine:
            delays[0] = delay
            return RemoteEngine.open(server.url, timeout=20, retries=0)

        yield remote


def test_a_model_is_told_of(opened: Opened) -> None:
    with opened() as engine:
        assert isinstance(engine, Engine)
        assert (engine.info.name, engine.info.n_ctx, engine.info.can_search) == ("m", N_CTX, False)
        assert 0 < engine.count_tokens(user_turn("one")) < engine.count_tokens(user_turn("one two three four"))


def test_pieces_and_result_agree_for_every_reader(opened: Opened) -> None:
    with opened() as engine:
        generation = engine.submit(ask("say 早上好 to all"))
        assert generation.result(timeout=10).text == "早上好 to all"
        assert "".join(generation) == "".join(generation) == "早上好 to all"
        assert generation.result().finish_reason == "stop"
        generation.cancel()
        assert generation.result().finish_reason == "stop", "it had ended"


def test_ends_before_the_model_would(opened: Opened) -> None:
    with opened() as engine:
        cut = engine.submit(ask("say one two three", max_tokens=2)).result(timeout=10)
        assert (cut.text, cut.finish_reason, cut.n_generated) == ("one two", "length", 2)
        stopped = engine.submit(ask("say one two three", stop=("wo th", "zero"))).result(timeout=10)
        assert (stopped.text, stopped.finish_reason) == ("one t", "stop")


def test_a_text_too_long(opened: Opened) -> None:
    with opened() as engine, pytest.raises(ContextOverflow) as failure:
        list(engine.submit(ask("word " * N_CTX)))
    assert failure.value.n_ctx == N_CTX
    assert failure.value.n_prompt >= N_CTX


def test_cancelled_from_another_thread(opened: Opened) -> None:
    with opened(delay=0.01) as engine:
        generation = engine.submit(ask("slowly"))
        pieces = iter(generation)
        first = next(pieces)
        with pytest.raises(TimeoutError, match="the generation goes on"):
            generation.result(timeout=0.01)
        threading.Thread(target=generation.cancel).start()
        rest = "".join(pieces)
        completion = generation.result(timeout=5)
    assert (completion.text, completion.finish_reason) == (first + rest, "cancelled")
    assert completion.n_generated < 1000


def test_asynchronous(opened: Opened) -> None:
    async def main() -> None:
        with opened() as engine:
            both = await asyncio.gather(engine.submit(ask("say a b")), engine.submit(ask("say c")))
            assert [completion.text for completion in both] == ["a b", "c"]
            assert "".join([piece async for piece in engine.submit(ask("say d e"))]) == "d e"
            with pytest.raises(ContextOverflow):
                await engine.submit(ask("word " * N_CTX))

    asyncio.run(main())


def test_closed(opened: Opened) -> None:
    engine = opened(delay=0.01)
    running = engine.submit(ask("slowly"))
    next(iter(running))
    engine.close()
    engine.close()
    assert running.result(timeout=5).finish_reason == "cancelled"
    running.cancel()
    with pytest.raises(EngineClosed):
        engine.submit(ask("say a"))
    with pytest.raises(EngineClosed):
        engine.count_tokens(user_turn("a"))
