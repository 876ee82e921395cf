"""The engine at a server that fails, and what the user is told."""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from email.utils import formatdate
from typing import Any

import pytest

from bayling_lite.engine import GenerationRequest
from bayling_lite.engine.remote import RemoteEngine, reply, sending
from bayling_lite.engine.remote.address import Address
from bayling_lite.engine.remote.refusals import asked_wait
from bayling_lite.errors import BaylingError, ContextOverflow, EngineError, RequestRefused, ServerTimeout, UsageError
from bayling_lite.prompts import user_turn
from tests.engine.chat_server import ChatServer, Exchange, chat_server, endless, hanging

KEY = "sk-secret-0123456789"


def ask(text: str = "hello", **options: Any) -> GenerationRequest:
    return GenerationRequest(user_turn(text), **options)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.setenv("BAYLING_SERVER_KEY", KEY)
    monkeypatch.setattr(sending, "_BACKOFF", 0.01)
    with chat_server(lambda exchange: exchange.say(["fine"])) as running:
        yield running


@pytest.fixture
def engine(server: ChatServer) -> Iterator[RemoteEngine]:
    with RemoteEngine.open(server.url, timeout=20, retries=1) as opened:
        yield opened


def failing(engine: RemoteEngine, **options: Any) -> EngineError:
    """What a request fails with; it never holds the key."""
    with pytest.raises(EngineError) as failure:
        engine.submit(ask(**options)).result(timeout=20)
    error: BaseException | None = failure.value
    assert isinstance(error, BaylingError)
    while error is not None:
        assert KEY not in f"{error} {error!r}"
        error = error.__cause__ or error.__context__
    return failure.value


def says(status: int, message: Any, **more: Any) -> Callable[[Exchange], None]:
    return lambda exchange: exchange.error(status, message, **more)


def once(first: Callable[[Exchange], None]) -> Callable[[Exchange], None]:
    """A server that fails at its first request only."""
    return lambda exchange: first(exchange) if exchange.number == 1 else exchange.say(["fine"])


@pytest.mark.parametrize(
    ("status", "message", "more", "expected"),
    [
        (401, f"Incorrect API key {KEY}", {}, "refuses the key"),
        (403, "You may not", {}, "refuses the key"),
        (404, "The model `loopback` does not exist", {}, "does not know the model 'loopback'"),
        (400, "no", {"code": "model_not_found"}, "does not know the model"),
        (405, "", {}, "Most addresses end in /v1"),
        (402, "Add credit", {}, "wants to be paid first: Add credit"),
        (429, "You exceeded your current quota", {"code": "insufficient_quota"}, "wants to be paid first"),
        (
            400,
            "Budget has been exceeded! Current cost: 0.4",
            {"code": "400"},
            "wants to be paid first: Budget has been",
        ),
        (400, "", {"code": "billing_hard_limit_reached"}, r"wants to be paid first\."),
        (307, "", {"Location": "https://elsewhere.example/v1"}, "elsewhere.example"),
        (400, "Unsupported value: 'temperature' does not support 0", {"param": "temperature"}, "not take temperature"),
        (422, "Extra inputs are not permitted: top_logprobs", {}, "does not take top_logprobs"),
        (
            422,
            [{"loc": ["body", "seed"], "msg": "too large", "input": 5}],
            {},
            r"not take seed .*: \['body', 'seed'\] too",
        ),
        (418, "teapot \x1b[31m" + KEY, {}, r"\(418\): teapot …\."),
    ],
)
def test_what_no_other_try_would_mend(
    server: ChatServer, engine: RemoteEngine, status: int, message: Any, more: dict[str, Any], expected: str
) -> None:
    server.behave = says(status, message, **more)
    error = failing(engine)
    assert re.search(expected, str(error)), str(error)
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": {"message": "The response was filtered", "code": "content_filter"}}),
        (403, {"error": {"message": "Your input was flagged", "code": 403}}),
        (400, {"error": {"message": "Content Exists Risk"}}),
        (413, b"<html><b>413 Request Entity Too Large"),
        (422, {"detail": [{"loc": ["body", "messages", 0], "msg": "bad text"}]}),
        (400, {"object": "error", "message": "roles must alternate"}),
    ],
)
def test_a_request_that_is_refused_for_its_own_sake(
    server: ChatServer, engine: RemoteEngine, status: int, body: object
) -> None:
    server.behave = lambda exchange: exchange.status(status, body)
    error = failing(engine)
    assert isinstance(error, RequestRefused)
    assert error.reason
    assert "<" not in str(error)


def test_a_content_filter_that_ends_the_answer(server: ChatServer, engine: RemoteEngine) -> None:
    server.behave = lambda exchange: exchange.say(["half an"], "content_filter")
    assert isinstance(failing(engine), RequestRefused)

    def refusing(exchange: Exchange) -> None:
        exchange.begin()
        exchange.delta(refusal="I'd rather ")
        exchange.delta(refusal="not.")
        exchange.end()

    server.behave = refusing
    error = failing(engine)
    assert isinstance(error, RequestRefused)
    assert error.reason == "I'd rather not."


OVERFLOWS = [
    ("This model's maximum context length is 4097 tokens. However, your messages resulted in 5000 tokens.", 5000, 4097),
    (
        "This model's maximum context length is 4096 tokens. However, you requested 6000 tokens (5000 in the messages)",
        5000,
        4096,
    ),
    (
        "This model's maximum context length is 512 tokens, however you requested 700 tokens (600 in your prompt; 100",
        600,
        512,
    ),
    ("This model's maximum context length is 2048 tokens. However, your request has 3000 input tokens.", 3000, 2048),
    (
        "maximum context length is 1000 tokens. However, your prompt contains at least 1001 input tokens, for a total",
        1001,
        1000,
    ),
    ("The decoder prompt (length 2500) is longer than the maximum model length of 2048.", 2500, 2048),
    ("Requested tokens (2285) exceed context window of 2048", 2285, 2048),
    ("request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it", 5000, 4096),
    ("The input (5000 tokens) is longer than the model's context length (4096 tokens).", 5000, 4096),
    ("`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 512", 5000, 4096),
    ("prompt is too long: 210000 tokens > 200000 maximum", 210000, 200000),
    ("Prompt contains 40000 tokens, too large for model with 32768 maximum context length", 40000, 32768),
    ("Input tokens exceed the configured limit of 2720 tokens. Your messages resulted in 2800 tokens.", 2800, 2720),
    ("Prompt exceeds n_ctx: 2892 > 2048", 2892, 2048),
    ("the input length exceeds the context length", 0, 0),
    ("input length exceeds maximum context length", 0, 0),
    ("Please reduce the length of the messages. context_length_exceeded", 0, 0),
    ("maximum context length is 2048 tokens. Your request has 2100 input tokens plus 5 'max_tokens'", 2100, 2048),
    ("ContextWindowExceededError: AnthropicError - prompt is too long: 209303 tokens > 200000 maximum", 209303, 200000),
]  # fmt: skip


@pytest.mark.parametrize(("message", "n_prompt", "n_ctx"), OVERFLOWS)
def test_a_prompt_too_long_in_the_words_of_several_makes(
    server: ChatServer, engine: RemoteEngine, message: str, n_prompt: int, n_ctx: int
) -> None:
    server.behave = says(400, message)
    error = failing(engine, max_tokens=10)
    assert isinstance(error, ContextOverflow)
    assert (error.n_prompt, error.n_ctx) == (n_prompt, n_ctx)
    assert "context" in str(error)
    assert "Shorten the text" in str(error)


def test_a_prompt_too_long_with_the_numbers_beside_the_words(server: ChatServer, engine: RemoteEngine) -> None:
    body = {"code": 500, "message": "the request exceeds the available context size. try increasing it",
            "type": "exceed_context_size_error", "n_prompt_tokens": 1407, "n_ctx": 256}  # fmt: skip
    server.behave = lambda exchange: exchange.status(500, {"error": body})
    error = failing(engine)
    assert isinstance(error, ContextOverflow)
    assert (error.n_prompt, error.n_ctx) == (1407, 256)
    assert len(server.bodies) == 1, "it is as long another time"


@pytest.mark.parametrize(
    ("said", "then"),
    [
        ("(900 in the messages, 200 in the completion)", 100),
        ("200 output tokens and your prompt contains at least 801 input tokens", None),
    ],
)
def test_a_prompt_that_fits_is_answered_with_the_room_there_is(
    server: ChatServer, engine: RemoteEngine, said: str, then: int | None
) -> None:
    server.behave = once(
        says(400, f"This model's maximum context length is 1000 tokens. However, you requested {said}")
    )
    assert engine.submit(ask(max_tokens=200)).result(timeout=10).text == "fine"
    assert [body.get("max_tokens") for body in server.bodies] == [200, then]


def test_a_server_that_wants_it_said_otherwise(server: ChatServer, engine: RemoteEngine) -> None:
    def choosy(exchange: Exchange) -> None:
        if "max_tokens" in exchange.body:
            exchange.error(400, "Unsupported parameter: use 'max_completion_tokens' instead.", param="max_tokens")
        elif "stream_options" in exchange.body:
            exchange.error(422, "Extra inputs are not permitted: stream_options")
        else:
            exchange.say(["fine"])

    server.behave = choosy
    both = [engine.submit(ask(max_tokens=9)) for _ in range(4)]
    assert [generation.result(timeout=10).text for generation in both] == ["fine"] * 4
    n_sent = len(server.bodies)
    engine.submit(ask(max_tokens=9)).result(timeout=10)
    assert len(server.bodies) == n_sent + 1, "what was learnt is remembered"
    assert server.bodies[-1]["max_completion_tokens"] == 9


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 529])
def test_what_passes_is_waited_out(server: ChatServer, engine: RemoteEngine, status: int) -> None:
    server.behave = once(says(status, "busy", Retry_After_Ms=10))
    assert engine.submit(ask()).result(timeout=10).text == "fine"
    server.behave = says(status, "busy", Retry_After="0")
    assert "busy" in str(failing(engine))
    assert len(server.bodies) == 4


def test_all_wait_as_long_as_the_server_asks(server: ChatServer) -> None:
    moments: list[float] = []

    def behave(exchange: Exchange) -> None:
        moments.append(time.monotonic())
        if exchange.number == 1:
            exchange.error(429, "slow down", Retry_After_Ms=400)
        else:
            exchange.say(["fine"])

    server.behave = behave
    with RemoteEngine.open(server.url, n_parallel=1) as engine:
        both = [engine.submit(ask()), engine.submit(ask())]
        assert [generation.result(timeout=10).text for generation in both] == ["fine", "fine"]
    assert moments[1] - moments[0] >= 0.4


def test_a_wait_may_be_told_as_a_date() -> None:
    def wait(value: str) -> float | None:
        return asked_wait({"retry-after": value})

    assert 58 < (wait(formatdate(time.time() + 60, usegmt=True)) or 0) <= 60
    assert wait(formatdate(time.time() - 60, usegmt=True)) == 0
    assert wait("2.5") == 2.5
    for odd in ("", "1e9", "-3", "soon", "9" * 400, "Fri, 31 Dec 99999 23:59:59 GMT"):
        assert wait(odd) is None


def test_nobody_waits_for_hours(server: ChatServer, engine: RemoteEngine) -> None:
    server.behave = says(429, "come back tomorrow", Retry_After=80000)
    assert "again in 80000 seconds" in str(failing(engine))
    assert len(server.bodies) == 1


def test_waiting_for_another_try_can_be_cancelled(server: ChatServer, engine: RemoteEngine) -> None:
    asked = threading.Event()

    def behave(exchange: Exchange) -> None:
        exchange.error(503, "loading", Retry_After=60)
        asked.set()

    server.behave = behave
    generation = engine.submit(ask())
    assert asked.wait(10)
    time.sleep(0.05)
    generation.cancel()
    assert generation.result(timeout=2).finish_reason == "cancelled"


def test_a_server_that_dies_in_the_middle(server: ChatServer, engine: RemoteEngine) -> None:
    def dying(exchange: Exchange) -> None:
        exchange.begin()
        exchange.delta(content="one ")
        exchange.delta(content="two")
        exchange.hang_up()

    server.behave = dying
    generation = engine.submit(ask())
    with pytest.raises(EngineError, match="broke off in the middle"):
        generation.result(timeout=10)
    pieces: list[str] = []
    with pytest.raises(EngineError):
        pieces.extend(generation)
    assert generation.text == "one two", "the second try said the same, and nothing twice"
    server.bodies.clear()
    server.behave = lambda exchange: dying(exchange) if exchange.number == 1 else exchange.say(["one", " two three"])
    assert list(engine.submit(ask())) == ["one ", "two", " three"]
    server.bodies.clear()
    server.behave = lambda exchange: dying(exchange) if exchange.number == 1 else exchange.say(["one more"])
    assert "broke off" in str(failing(engine))
    server.bodies.clear()
    server.behave = lambda exchange: dying(exchange) if exchange.number == 1 else exchange.say(["one"])
    assert "broke off" in str(failing(engine)), "the second answer is shorter than what was said"


def test_a_stream_without_an_end_mark(server: ChatServer, engine: RemoteEngine) -> None:
    def stopping(exchange: Exchange) -> None:
        exchange.begin()
        exchange.delta(content="half")
        exchange.raw(b"")

    server.behave = stopping
    assert "broke off" in str(failing(engine))

    def unmarked(exchange: Exchange) -> None:
        exchange.begin()
        exchange.delta("stop", content="whole")
        exchange.raw(b"")

    server.behave = unmarked
    assert engine.submit(ask()).result(timeout=10).text == "whole"
    server.behave = lambda exchange: exchange.say(["half"], None)
    assert "broke off" in str(failing(engine)), "an end without a reason is none"


def test_what_a_stream_does_not_tell_comes_at_once(server: ChatServer, engine: RemoteEngine) -> None:
    """llama-cpp-python ends a stream without a word when the prompt is too long, or another request comes in."""

    def behave(exchange: Exchange) -> None:
        if not exchange.body["stream"]:
            message = {"role": "assistant", "content": "half and half"}
            exchange.status(200, {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
        else:
            exchange.say(["half"], None)

    server.behave = behave
    assert list(engine.submit(ask())) == ["half", " and half"]
    overflow = says(
        400, "This model's maximum context length is 256 tokens. However, you requested (999 in the messages"
    )
    server.behave = lambda exchange: exchange.status(200, b"") if exchange.body["stream"] else overflow(exchange)
    error = failing(engine)
    assert isinstance(error, ContextOverflow)
    assert (error.n_prompt, error.n_ctx) == (999, 256)


def test_a_server_that_keeps_the_line_after_the_end(
    server: ChatServer, engine: RemoteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_AFTER_THE_END", 0.2)

    def behave(exchange: Exchange) -> None:
        exchange.begin()
        exchange.delta("stop", content="whole")
        exchange.wait_for_leaving()

    server.behave = behave
    assert engine.submit(ask()).result(timeout=5).text == "whole"


@pytest.mark.parametrize("slow", [(), ("a", "b")])
def test_a_server_that_says_no_more(server: ChatServer, slow: tuple[str, ...]) -> None:
    server.behave = hanging(*slow)
    with RemoteEngine.open(server.url, timeout=0.4, retries=3) as engine:
        error = failing(engine)
    assert isinstance(error, ServerTimeout)
    assert ("more for 0.4 seconds" if slow else "gave nothing for 0.4 seconds") in str(error)
    assert server.left.wait(5)


def test_signs_of_life_are_no_answer(server: ChatServer) -> None:
    """Comments and empty pieces keep a connection alive, and could for ever; a head that drips in is no better."""

    def lively(exchange: Exchange) -> None:
        exchange.begin()
        while True:
            exchange.raw(b": still here\n\n")
            exchange.delta(content="")
            time.sleep(0.02)

    def dripping(exchange: Exchange) -> None:
        exchange.handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            exchange.handler.wfile.write(b"X: y\r\n")
            exchange.handler.wfile.flush()
            time.sleep(0.02)

    with RemoteEngine.open(server.url, timeout=0.25) as engine:
        for behave in (lively, dripping):
            server.behave = behave
            assert isinstance(failing(engine), ServerTimeout)


def test_each_piece_has_its_time(server: ChatServer) -> None:
    def behave(exchange: Exchange) -> None:
        exchange.begin()
        for _ in range(6):
            time.sleep(0.15)
            exchange.delta(content="x")
        exchange.end()

    server.behave = behave
    with RemoteEngine.open(server.url, timeout=0.6) as engine:
        assert engine.submit(ask()).result(timeout=10).text == "xxxxxx"


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Welcome</html>",
        b"data: <html>\n\n",
        b"data: []\n\n",
        b'data: {"choices": 3}\n\n',
        b'data: {"choices": ["x"]}\n\n',
        b'data: {"choices": [{"delta": "x"}]}\n\n',
        b'data: {"choices": [{"delta": {"content": 7}}]}\n\n',
        b'{"message": {"content": "of another interface"}, "done": true}\n',
        b"[" * 100_000,
        b"data: " + b"[" * 100_000 + b"\n\n",
    ],
)
def test_what_is_not_of_the_protocol(server: ChatServer, engine: RemoteEngine, body: bytes) -> None:
    server.behave = lambda exchange: exchange.status(200, body)
    assert "does not speak OpenAI's protocol" in str(failing(engine))


@pytest.mark.parametrize(
    "body", [b"", b"data: [DONE]\n\n", b'data: {"choices": []}\n\ndata: [DONE]\n\n', b'{"choices": []}']
)
def test_answers_with_nothing_in_them(server: ChatServer, engine: RemoteEngine, body: bytes) -> None:
    server.behave = lambda exchange: exchange.status(200, body)
    assert "nothing in them" in str(failing(engine))
    assert [sent["stream"] for sent in server.bodies] == [True, False, False]


def test_an_error_within_the_stream(server: ChatServer, engine: RemoteEngine) -> None:
    def telling(*lines: bytes) -> Callable[[Exchange], None]:
        def behave(exchange: Exchange) -> None:
            exchange.begin()
            for line in lines:
                exchange.raw(line)
            exchange.raw(b"")

        return behave

    server.behave = once(telling(b'data: {"error": {"message": "GPU lost", "code": 500}}\n\n'))
    assert engine.submit(ask()).result(timeout=10).text == "fine"
    server.behave = telling(b'data: {"error": {"message": "GPU lost"}}\n\n')
    assert "GPU lost" in str(failing(engine))
    server.behave = telling(b'error: {"code":400,"message":"exceeds the available context size","n_ctx":9}\n\n')
    error = failing(engine)
    assert isinstance(error, ContextOverflow)
    assert error.n_ctx == 9
    server.behave = lambda exchange: exchange.say(["half"], "error")
    assert "broke off" in str(failing(engine))


def test_odd_but_understandable(server: ChatServer, engine: RemoteEngine) -> None:
    def behave(exchange: Exchange) -> None:
        exchange.begin()
        exchange.raw(b": hello\r\n\r\nevent: message\r\nid: 1\r\n")
        exchange.event({"choices": [], "prompt_filter_results": []})
        exchange.event({"choices": [{"index": 1, "delta": {"content": "another choice"}}]})
        exchange.delta(content=None, tool_calls=[{"function": {"name": "f"}}])
        exchange.delta(content=[{"type": "text", "text": "A"}, {"type": "thinking", "thinking": []}, 3])
        exchange.raw(b'data:{"choices":[{"delta":{"content":"caf\xc3')
        time.sleep(0.05)
        exchange.raw(b'\xa9 \xff"}}]}\r\n\r\n')
        exchange.event(b'{"choices":[{"delta":{"content":"\\ud83d"}}]}')
        exchange.event(b'{"choices":[{"delta":{"content":"\\ude00 \\udc00"}}]}')
        exchange.event(b'{"choices":[{"delta":{"content":"\\ud83d"}, "finish_reason": "tool_calls"}]}')
        exchange.event({"usage": {"prompt_tokens": "many", "completion_tokens": -3}})
        exchange.end(None)

    server.behave = behave
    generation = engine.submit(ask())
    assert list(generation) == ["A", "café \ufffd", "\U0001f600 \ufffd", "\ufffd"]
    assert generation.result().finish_reason == "stop"
    assert generation.result().n_generated == 5


def test_an_answer_without_end_is_left(
    server: ChatServer, engine: RemoteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reply, "LONGEST_ANSWER", 100_000)
    server.behave = endless("x" * 5000)
    assert "has no end" in str(failing(engine))
    assert server.left.wait(10)


@pytest.mark.parametrize("status", [200, 500])
def test_an_enormous_line_takes_no_enormous_memory(server: ChatServer, status: int) -> None:
    def behave(exchange: Exchange) -> None:
        exchange.handler.send_response(status)
        exchange.handler.send_header("Transfer-Encoding", "chunked")
        exchange.handler.end_headers()
        exchange.raw(b"data: ")
        while True:
            exchange.raw(b"x" * 1_000_000)

    server.behave = behave
    with RemoteEngine.open(server.url, retries=0, timeout=20) as engine:
        tracemalloc.start()
        error = failing(engine)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert ("has no end" if status == 200 else "keeps failing (500)") in str(error)
    assert most < 100_000_000


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(EngineError, match=r"cannot be reached \(Connection refused\)\. Is it running"):
        RemoteEngine.open(f"http://127.0.0.1:{port}")


def test_a_server_that_is_started_again(server: ChatServer, engine: RemoteEngine) -> None:
    server.behave = once(lambda exchange: exchange.hang_up())
    assert engine.submit(ask()).result(timeout=10).text == "fine"


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        ((401, {"error": {"message": f"bad {KEY}"}}), "refuses the key"),
        ((200, b"<html>"), "does not speak OpenAI's protocol"),
        ((200, {"data": {}}), "does not speak OpenAI's protocol"),
        ((200, {"data": None}), "names no model"),
        ((200, {"data": [{"id": ""}, {"id": 3}, "x"]}), "names no model"),
        ((404, {}), "Most addresses end in /v1"),
        ((302, {}), "sends us elsewhere"),
        ((200, {"data": [{"id": f"m{n}\x1b"} for n in range(7)]}), "m0, m1, m2, m3, m4 and 2 more"),
    ],
)
def test_opening(server: ChatServer, models: object, expected: str) -> None:
    server.models = models
    with pytest.raises((EngineError, UsageError), match=expected) as failure:
        RemoteEngine.open(server.url)
    assert KEY not in str(failure.value)
    assert not [thread for thread in threading.enumerate() if thread.name == "remote-engine"]


def test_a_server_without_a_list_is_asked_by_name(server: ChatServer) -> None:
    server.models = (404, {})
    with RemoteEngine.open(server.url, "its-model") as engine:
        assert engine.info.name == "its-model"
        engine.submit(ask()).result(timeout=10)
    assert server.bodies[0]["model"] == "its-model"


def test_a_list_that_fails(server: ChatServer) -> None:
    # Of transformers serve, where nothing was ever downloaded.
    server.models = (500, b"Internal Server Error")
    with pytest.raises(EngineError, match=r"fails to list its models \(500\)\. Name the one to ask"):
        RemoteEngine.open(server.url)
    with RemoteEngine.open(server.url, "its-model") as engine:
        assert engine.submit(ask()).result(timeout=10).text == "fine"


def test_an_error_in_a_stream_that_is_no_json(server: ChatServer, engine: RemoteEngine) -> None:
    def behave(exchange: Exchange) -> None:
        exchange.begin()
        exchange.delta(role="assistant")
        exchange.event(b'{"error": "cannot allocate "4 GiB""}')
        exchange.raw(b"")

    server.behave = behave
    assert "cannot allocate" in str(failing(engine))


def test_a_server_of_another_model_and_one_that_refuses_a_field(server: ChatServer, engine: RemoteEngine) -> None:
    detail = {"detail": "Server is pinned to '/checkpoint'; requested 'other'."}
    server.behave = lambda exchange: exchange.status(400, detail)
    assert "pinned to '/checkpoint'" in (said := str(failing(engine)))
    assert "--server-model" in said
    server.behave = lambda exchange: exchange.status(422, {"detail": "Unexpected fields in the request: {'top_k'}"})
    assert "does not take top_k" in str(failing(engine))


def test_the_key_goes_to_the_server_and_nowhere_else(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with caplog.at_level(logging.DEBUG), RemoteEngine.open(server.url) as engine:
        engine.submit(ask()).result(timeout=10)
        assert KEY not in f"{engine.info} {vars(engine)}"
    assert {headers["Authorization"] for headers in server.headers} == {f"Bearer {KEY}"}
    assert KEY not in caplog.text
    monkeypatch.delenv("BAYLING_SERVER_KEY")
    server.headers.clear()
    RemoteEngine.open(server.url).close()
    assert "Authorization" not in server.headers[0]
    server.models = (401, {})
    with pytest.raises(EngineError, match=r"wants a key\. Set BAYLING_SERVER_KEY"):
        RemoteEngine.open(server.url)


def test_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BAYLING_SERVER_KEY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai\n")
    assert Address.of("https://api.openai.com/v1/").key == "sk-of-openai"
    for other in ("http://api.openai.com/v1", "https://api.openai.com.evil.example/v1", "http://localhost:8000"):
        assert Address.of(other).key == ""
    assert Address.of("http://localhost:8000").url == "http://localhost:8000/v1"
    assert Address.of(" https://host/api/v3/chat/completions ").url == "https://host/api/v3"
    assert all(Address.of(f"http://{host}").is_here for host in ("127.1.2.3", "[::1]:8080", "localhost", "0.0.0.0:8"))
    assert not Address.of("http://10.0.0.1").is_here
    for wrong in ("", "host:8000", "ftp://host/v1", "http://", "http://host:port", "http://[::1", "http://a\x1b[b/v1"):
        with pytest.raises(UsageError, match="should look like"):
            Address.of(wrong)
    for secret in (
        "https://user:sk-1@host/v1",
        "https://sk-1@host/v1",
        "https://host/v1?key=sk-1",
        "https://host/#sk-1",
    ):
        with pytest.raises(UsageError, match="BAYLING_SERVER_KEY") as failure:
            Address.of(secret)
        assert "sk-1" not in str(failure.value)
    for key in ("sk 1", "sk\r\nX: y", "ключ"):
        with pytest.raises(UsageError) as failure:
            Address.of("http://host", key)
        assert key not in str(failure.value)


@pytest.mark.parametrize("options", [{"timeout": 0}, {"timeout": 1e9}, {"retries": -1}, {"n_parallel": 0}])
def test_options_out_of_range(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        RemoteEngine.open("http://127.0.0.1:9", **options)


def test_an_unusable_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://127.0.0.1:9")
    with pytest.raises(UsageError, match="HTTPS_PROXY"):
        RemoteEngine.open("https://host.invalid/v1", "m")


def test_a_page_in_place_of_an_error(server: ChatServer, engine: RemoteEngine) -> None:
    server.behave = lambda exchange: exchange.status(404, b"<!doctype html><title>Not found</title>")
    assert "<" not in str(failing(engine))
    server.behave = lambda exchange: exchange.status(400, json.dumps(["x"]).encode())
    assert isinstance(failing(engine), RequestRefused)
