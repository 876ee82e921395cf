"""The engine at a server, against one on the loopback: what is asked, what comes back, and when it ends."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from bayling_lite.engine import Engine, GenerationRequest, Revision, SamplingParams, SearchParams
from bayling_lite.engine.remote import RemoteEngine
from bayling_lite.errors import EngineClosed, EngineError, UsageError
from bayling_lite.messages import Conversation
from bayling_lite.prompts import user_turn
from tests.engine.chat_server import ChatServer, Exchange, chat_server, endless, hanging, slowly

USAGE = {"prompt_tokens": 11, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 3}}


def ask(text: str = "hello", **options: Any) -> GenerationRequest:
    return GenerationRequest(user_turn(text), **options)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.delenv("BAYLING_SERVER_KEY", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with chat_server(lambda exchange: exchange.say(["Guten", " Mor", "gen"], usage=USAGE)) as running:
        yield running


@pytest.fixture
def engine(server: ChatServer) -> Iterator[RemoteEngine]:
    with RemoteEngine.open(server.url, timeout=20, retries=2) as opened:
        yield opened


def test_an_answer_comes_in_pieces_with_the_servers_counts(engine: RemoteEngine) -> None:
    assert isinstance(engine, Engine)
    generation = engine.submit(ask())
    assert list(generation) == ["Guten", " Mor", "gen"]
    completion = generation.result()
    assert (completion.text, completion.finish_reason) == ("Guten Morgen", "stop")
    assert (completion.n_prompt, completion.n_cached, completion.n_generated) == (11, 3, 4)
    assert completion.prompt_seconds > 0
    assert completion.generation_seconds > 0


def test_pieces_arrive_while_the_server_still_writes(server: ChatServer, engine: RemoteEngine) -> None:
    go_on = threading.Event()

    def behave(exchange: Exchange) -> None:
        exchange.begin()
        exchange.delta(content="first")
        assert go_on.wait(10)
        exchange.delta(content=" last")
        exchange.end()

    server.behave = behave
    pieces = iter(engine.submit(ask()))
    assert next(pieces) == "first"
    go_on.set()
    assert list(pieces) == [" last"]


def test_nothing_is_sent_that_was_not_asked_for(server: ChatServer, engine: RemoteEngine) -> None:
    engine.submit(ask()).result()
    assert server.bodies[-1] == {
        "model": "loopback",
        "messages": [{"role": "user", "content": "hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.0,
    }
    sampling = SamplingParams(temperature=0.7, top_k=5, top_p=0.9, min_p=0.1, repeat_penalty=1.2, seed=3)
    talk = Conversation().with_system("Be brief.").user("a").assistant("b").user("\ud800?")
    engine.submit(
        GenerationRequest(talk, sampling=sampling, max_tokens=9, stop=("1", "2", "3", "4", "5"), logprobs=2)
    ).result()
    sent = server.bodies[-1]
    assert [message["role"] for message in sent["messages"]] == ["system", "user", "assistant", "user"]
    assert sent["messages"][-1]["content"] == "\ufffd?"
    assert {name: sent[name] for name in ("temperature", "top_k", "top_p", "min_p", "repeat_penalty", "seed")} == {
        "temperature": 0.7, "top_k": 5, "top_p": 0.9, "min_p": 0.1, "repeat_penalty": 1.2, "seed": 3,
    }  # fmt: skip
    assert (sent["max_tokens"], sent["logprobs"], sent["top_logprobs"]) == (9, True, 2)
    assert sent["stop"] == ["1", "2", "3", "4"]


@pytest.mark.parametrize(("make", "off"), [("vllm", -1), ("llamacpp", 0), ("me", 0)])
def test_makes_with_defaults_of_their_own_are_told_what_is_off(server: ChatServer, make: str, off: int) -> None:
    server.models = {"data": [{"id": "m", "owned_by": make}]}
    with RemoteEngine.open(server.url) as engine:
        engine.submit(ask(sampling=SamplingParams(temperature=1))).result()
    sent = server.bodies[-1]
    assert (sent["top_k"], sent["top_p"], sent["min_p"], sent["repetition_penalty"]) == (off, 1.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        (SamplingParams(), {"do_sample": False, "repetition_penalty": 1.0}),
        (
            SamplingParams(temperature=0.7, top_p=0.9, seed=1),
            {"do_sample": True, "repetition_penalty": 1.0, "top_k": 0, "min_p": 0.0},
        ),
        (
            SamplingParams(temperature=1, top_k=5, min_p=0.1, repeat_penalty=1.2),
            {"do_sample": True, "repetition_penalty": 1.2, "top_k": 5, "min_p": 0.1},
        ),
    ],
)
def test_transformers_serve_is_known_by_its_answers_and_told_all_of_the_sampling(
    server: ChatServer, sampling: SamplingParams, expected: dict[str, Any]
) -> None:
    taken = {"model", "messages", "stream", "stream_options", "temperature", "top_p", "seed", "generation_config"}

    def behave(exchange: Exchange) -> None:
        exchange.begin()
        choice = {"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}
        exchange.event({"model": f"{exchange.body['model']}@main", "choices": [choice]})
        exchange.delta(content="sampled as asked" if "generation_config" in exchange.body else "as the checkpoint says")
        exchange.end()

    server.models = (500, b"Internal Server Error")
    server.behave = behave
    with RemoteEngine.open(server.url, "a/model") as engine:
        # It refuses fields that it does not know, so that the first request has only what all servers take.
        assert engine.submit(ask(sampling=SamplingParams(temperature=sampling.temperature))).result(10).text == (
            "sampled as asked"
        )
        assert ["generation_config" in body for body in server.bodies] == [False, True]
        assert engine.submit(ask(sampling=sampling)).result(10).text == "sampled as asked"
    assert len(server.bodies) == 3
    assert all(set(body) <= taken for body in server.bodies)
    assert json.loads(server.bodies[-1]["generation_config"]) == expected


def test_a_stop_string_ends_the_answer_wherever_it_stands(server: ChatServer, engine: RemoteEngine) -> None:
    server.behave = endless("one ", "E", "N", "D two ")
    generation = engine.submit(ask(stop=("a", "b", "c", "d", "END")))
    assert generation.result(timeout=10).text == "one "
    assert generation.result().finish_reason == "stop"
    assert server.left.wait(10), "the server goes on writing"


def test_length_and_a_missing_count(server: ChatServer, engine: RemoteEngine) -> None:
    server.behave = lambda exchange: exchange.say(["a", "", "b", "c"], "length")
    completion = engine.submit(ask("你好")).result()
    assert (completion.finish_reason, completion.n_generated) == ("length", 3)
    assert completion.n_prompt == engine.count_tokens(user_turn("你好")) == 9


def test_a_server_that_streams_nothing(server: ChatServer, engine: RemoteEngine) -> None:
    def behave(exchange: Exchange) -> None:
        message = {"role": "assistant", "content": "all at once", "reasoning_content": "hm"}
        body = {"choices": [{"index": 0, "message": message, "finish_reason": "length"}], "usage": USAGE}
        exchange.status(200, b"\r\n" + json.dumps(body, indent=2).encode())

    server.behave = behave
    completion = engine.submit(ask()).result()
    assert (completion.text, completion.reasoning, completion.finish_reason) == ("all at once", "hm", "length")
    assert completion.n_generated == 4


def test_thoughts_are_no_part_of_the_answer(server: ChatServer, engine: RemoteEngine) -> None:
    def parsed(exchange: Exchange) -> None:
        exchange.begin()
        exchange.delta(role="assistant", content=None)
        exchange.delta(reasoning_content="I th")
        exchange.delta(reasoning="ink", content="")
        exchange.delta(content="So.")
        exchange.end()

    server.behave = parsed
    completion = engine.submit(ask()).result()
    assert (completion.text, completion.reasoning, completion.n_generated) == ("So.", "I think", 3)
    server.behave = lambda exchange: exchange.say(["<th", "ink>I thi", "nk</think>\n\nSo", " <think>."])
    generation = engine.submit(ask())
    assert "".join(generation) == "So <think>."
    assert generation.result().reasoning == "I think"


def test_log_probabilities(server: ChatServer, engine: RemoteEngine) -> None:
    entry = {"token": "Hi", "logprob": -0.25, "top_logprobs": [{"token": "Hi", "logprob": -0.25}, {"token": 7}]}
    odd = [None, {"token": "x"}, {"token": "y", "logprob": True}, {"token": "z", "logprob": float("nan")}]

    def behave(exchange: Exchange) -> None:
        exchange.begin()
        choice = {"index": 0, "delta": {"content": "Hi"}, "logprobs": {"content": [entry, *odd]}}
        exchange.event({"choices": [choice]})
        exchange.end()

    server.behave = behave
    (token,) = engine.submit(ask(logprobs=2)).result().logprobs
    assert (token.token, token.logprob, token.top) == ("Hi", -0.25, (("Hi", -0.25),))


def test_a_search_needs_an_engine_that_has_one(engine: RemoteEngine) -> None:
    assert not engine.info.can_search
    with pytest.raises(UsageError, match="--greedy"):
        engine.submit(ask(search=SearchParams()))
    with pytest.raises(UsageError, match="greedy"):
        engine.submit(ask(revision=Revision("a b", "c")))


def test_cancelling_before_the_first_word_of_the_server(server: ChatServer, engine: RemoteEngine) -> None:
    asked = threading.Event()
    server.behave = hanging(asked=asked)
    generation = engine.submit(ask())
    assert asked.wait(10)
    began = time.monotonic()
    generation.cancel()
    assert generation.result(timeout=5).finish_reason == "cancelled"
    assert time.monotonic() - began < 2
    assert server.left.wait(10), "the server is not told"


def test_cancelling_in_the_middle_keeps_what_there_was(server: ChatServer, engine: RemoteEngine) -> None:
    server.behave = slowly(["word "] * 1000, 0.01)
    generation = engine.submit(ask())
    pieces = iter(generation)
    first = [next(pieces), next(pieces)]
    generation.cancel()
    completion = generation.result(timeout=5)
    assert completion.finish_reason == "cancelled"
    assert completion.text == "".join([*first, *pieces])
    assert completion.n_generated >= 2
    assert server.left.wait(10)


def test_no_more_at_once_than_wanted_and_all_get_their_own(server: ChatServer) -> None:
    def echo(exchange: Exchange) -> None:
        time.sleep(0.02)
        exchange.say([exchange.text, "!"])

    server.behave = echo
    with RemoteEngine.open(server.url, n_parallel=3) as engine:
        assert engine.info.n_parallel == 3
        generations: list[tuple[int, Any]] = []
        lock = threading.Lock()

        def submit(start: int) -> None:
            for n in range(start, start + 10):
                generation = engine.submit(ask(str(n)))
                with lock:
                    generations.append((n, generation))

        threads = [threading.Thread(target=submit, args=(start,)) for start in (0, 10, 20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(generation.result(timeout=20).text == f"{n}!" for n, generation in generations)
        assert server.most_at_once == 3
        assert len(server.connections) <= 6, "connections are used again"


def test_a_request_that_waits_ends_at_once_when_cancelled(server: ChatServer) -> None:
    server.behave = hanging()
    with RemoteEngine.open(server.url, n_parallel=1) as engine:
        first, second = engine.submit(ask("1")), engine.submit(ask("2"))
        while not server.bodies:
            time.sleep(0.005)
        second.cancel()
        assert second.result(timeout=2).finish_reason == "cancelled"
        first.cancel()
        first.result(timeout=5)
        server.behave = lambda exchange: exchange.say(["3"])
        assert engine.submit(ask("3")).result(timeout=5).text == "3"
    assert len(server.bodies) == 2, "what was cancelled is not sent"


def test_closing_ends_everything(server: ChatServer) -> None:
    server.behave = hanging("so far")
    engine = RemoteEngine.open(server.url, n_parallel=1)
    running, waiting = engine.submit(ask()), engine.submit(ask())
    assert next(iter(running)) == "so far"
    threads = [threading.Thread(target=engine.close) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (running.result(timeout=1).finish_reason, running.result().text) == ("cancelled", "so far")
    with pytest.raises(EngineClosed):
        waiting.result(timeout=1)
    with pytest.raises(EngineClosed):
        engine.submit(ask())
    with pytest.raises(EngineClosed):
        engine.count_tokens(user_turn("a"))
    running.cancel()
    assert not remote_threads()


def remote_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "remote-engine"]


def test_a_forgotten_engine_is_closed(server: ChatServer) -> None:
    engine = RemoteEngine.open(server.url)
    assert engine.submit(ask()).result().text == "Guten Morgen"
    reference = weakref.ref(engine)
    del engine
    deadline = time.monotonic() + 5
    while (reference() or remote_threads()) and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.01)
    assert not remote_threads()


def test_a_program_that_ends_does_not_hang(server: ChatServer) -> None:
    server.behave = hanging("so far")
    program = (
        "import sys\nfrom bayling_lite.engine.remote import RemoteEngine\n"
        "from bayling_lite.engine import GenerationRequest\nfrom bayling_lite.prompts import user_turn\n"
        "engine = RemoteEngine.open(sys.argv[1])\n"
        "generation = engine.submit(GenerationRequest(user_turn('hello')))\nprint('asked')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, server.url], check=True, timeout=30, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("asked\n", "")


def test_asyncio(server: ChatServer, engine: RemoteEngine) -> None:
    async def main() -> None:
        generation = engine.submit(ask())
        assert [piece async for piece in generation] == ["Guten", " Mor", "gen"]
        both = await asyncio.gather(engine.submit(ask()), engine.submit(ask()))
        assert {completion.text for completion in both} == {"Guten Morgen"}
        server.behave = lambda exchange: exchange.error(404, "no such thing")
        with pytest.raises(EngineError, match="does not know the model"):
            await engine.submit(ask())

    asyncio.run(main())


@pytest.mark.parametrize(
    ("entry", "n_ctx", "n_ctx_train"),
    [
        ({"id": "m", "max_model_len": 2048, "owned_by": "vllm"}, 2048, 0),
        ({"id": "m", "owned_by": "llamacpp", "meta": {"n_ctx_train": 8192}}, 1024, 8192),
        ({"id": "m", "meta": {"n_ctx_train": 8192, "n_ctx": "x"}}, 8192, 8192),
        ({"id": "m", "max_model_len": -5, "meta": None, "owned_by": 3}, 1 << 20, 0),
    ],
)
def test_the_context_is_what_the_server_says(
    server: ChatServer, entry: dict[str, Any], n_ctx: int, n_ctx_train: int
) -> None:
    server.models = {"data": [entry]}
    server.props = {"default_generation_settings": {"n_ctx": 1024}}
    with RemoteEngine.open(server.url) as engine:
        info = engine.info
    assert (info.name, info.template, info.n_ctx, info.n_ctx_train) == ("m", "server", n_ctx, n_ctx_train)
    assert info.device == f"server {server.url.split('/')[2]}"


def test_the_fingerprint_tells_models_and_servers_apart(server: ChatServer) -> None:
    def fingerprint(model: str = "", **meta: int) -> str:
        server.models = {"data": [{"id": "m", "created": time.time_ns(), "meta": meta}]}
        with RemoteEngine.open(server.url, model) as engine:
            return engine.info.fingerprint

    assert fingerprint(size=7) == fingerprint(size=7), "what changes with every answer is no part of it"
    with chat_server(server.behave) as other:
        other.models = {"data": [{"id": "m", "meta": {"size": 7}}]}
        with RemoteEngine.open(other.url) as engine:
            elsewhere = engine.info.fingerprint
    assert len({fingerprint(size=7), fingerprint(size=8), fingerprint("n", size=7), elsewhere}) == 4


def test_nothing_heavy_is_imported_for_it() -> None:
    program = (
        "import sys, bayling_lite.engine.remote\n"
        "assert not {'llama_cpp', 'torch', 'numpy', 'openai', 'httpx', 'httpx2', 'huggingface_hub'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
