"""The engine at a server that means harm: what it costs, and that the user is told so in words."""

from __future__ import annotations

import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from bayling_lite.engine import Completion, GenerationRequest
from bayling_lite.engine.remote import RemoteEngine, reply
from bayling_lite.errors import EngineError, RequestRefused
from bayling_lite.prompts import user_turn
from tests.engine.chat_server import Exchange, chat_server

Behaviour = Callable[[Exchange], object]


def answer(behave: Behaviour, model: str = "", *, models: object = None, **options: Any) -> Completion:
    def behave_so(exchange: Exchange) -> None:
        behave(exchange)

    with chat_server(behave_so) as server:
        server.models = models or server.models
        with RemoteEngine.open(server.url, model, timeout=20, retries=0) as engine:
            return engine.submit(GenerationRequest(user_turn("hello"), **options)).result(timeout=30)


def zeros(megabytes: int) -> bytes:
    """So many, in a thousandth of the bytes."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(megabytes)), packer.flush()])


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("status", [200, 500])
def test_a_few_bytes_that_unpack_to_gigabytes(layers: int, status: int) -> None:
    bomb = zeros(64)
    for _ in range(layers - 1):
        bomb = zlib.compress(bomb, wbits=31)
    tracemalloc.start()
    with pytest.raises(EngineError):
        answer(lambda exchange: exchange.status(status, bomb, Content_Encoding=", ".join(["gzip"] * layers)))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 50_000_000


def test_an_answer_that_is_packed_though_nobody_asked_is_read() -> None:
    whole = b'{"choices": [{"message": {"content": "fine"}, "finish_reason": "stop"}]}'
    packed = zlib.compress(whole, wbits=31)
    assert answer(lambda exchange: exchange.status(200, packed, Content_Encoding="gzip")).text == "fine"
    with pytest.raises(EngineError, match="broke off"):
        answer(lambda exchange: exchange.status(200, b"no such thing", Content_Encoding="gzip"))


def test_log_probabilities_without_end_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply, "LONGEST_ANSWER", 100_000)
    entry = {"token": "a", "logprob": -1.0, "top_logprobs": [{"token": "a" * 100, "logprob": -1.0}] * 30}
    chunk = {"choices": [{"index": 0, "delta": {"content": "a"}, "logprobs": {"content": [entry]}}]}

    def behave(exchange: Exchange) -> None:
        exchange.begin()
        for _ in range(60):
            exchange.event(chunk)
        exchange.end()

    assert answer(behave).logprobs == (), "nobody asked for them"
    assert {len(token.top) for token in answer(behave, logprobs=1).logprobs} == {1}
    with pytest.raises(EngineError, match="has no end"):
        answer(behave, logprobs=20)


def test_numbers_that_no_computer_has() -> None:
    def behave(exchange: Exchange) -> None:
        exchange.begin()
        entry = {"token": "a", "logprob": -(10**400)}
        exchange.event({"choices": [{"delta": {"content": "a"}, "logprobs": {"content": [entry]}}]})
        exchange.end(usage={"prompt_tokens": 10**30, "completion_tokens": 1.5})

    completion = answer(behave, logprobs=1)
    assert (completion.text, completion.logprobs, completion.n_prompt, completion.n_generated) == ("a", (), 9, 1)


def test_names_that_have_no_bytes() -> None:
    asked: list[str] = []

    def behave(exchange: Exchange) -> None:
        asked.append(exchange.body["model"])
        exchange.say(["fine"])

    assert answer(behave, "its\udcff").text == answer(behave, models={"data": [{"id": "\ud800"}]}).text == "fine"
    assert asked == ["its\ufffd", "\ufffd"]


def test_a_head_without_end() -> None:
    def behave(exchange: Exchange) -> None:
        exchange.handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            exchange.handler.wfile.write(b"X: " + b"y" * 1000 + b"\r\n")

    with pytest.raises(EngineError, match="cannot be reached"):
        answer(behave)


@pytest.mark.parametrize("depth", [500, 5000])
@pytest.mark.parametrize("frame", [b'{"error": {"message": %s}}', b'{"detail": [{"loc": %s, "msg": %s}]}', b"%s"])
def test_a_deep_error(frame: bytes, depth: int) -> None:
    deep = b"[" * depth + b"]" * depth
    with pytest.raises(RequestRefused) as failure:
        answer(lambda exchange: exchange.status(400, frame.replace(b"%s", deep)))
    assert len(str(failure.value)) < 500


def test_nothing_is_fetched_from_elsewhere() -> None:
    for there in ("file:///etc/passwd", "http://169.254.169.254/", "//elsewhere.example/\x9b31m"):
        with pytest.raises(EngineError, match="sends us elsewhere") as failure:
            answer(lambda exchange, there=there: exchange.error(307, "", Location=there))  # type: ignore[misc]
        assert str(failure.value).isprintable()
