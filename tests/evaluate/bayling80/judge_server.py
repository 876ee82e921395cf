"""A server on this machine that speaks OpenAI's protocol, and judges, or fails, as a test wants."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Failure:
    """An answer that is none."""

    status: int
    message: str = "it went wrong"
    headers: Mapping[str, str] = field(default_factory=dict)


class Silence:
    """No answer, until the server is closed or the other side gives up."""


Reply = str | Failure | Silence
Behaviour = Callable[[str, dict[str, Any]], Reply]
"""What is said to a prompt and the whole request."""


class JudgeServer:
    """Serves a model, ``judge`` by default.

    ``asked`` holds the prompts in the order in which they came, ``keys`` the keys that were shown, empty for none.
    """

    def __init__(self, behaviour: Behaviour, models: Sequence[str] = ("judge",), port: int = 0) -> None:
        self.behaviour = behaviour
        self.asked: list[str] = []
        self.keys: set[str] = set()
        self.lock = threading.Lock()
        self.closing = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or each answer waits 40 ms for an acknowledgement

            def do_GET(self) -> None:
                self._note_key()
                self._json(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in models]})

            def do_POST(self) -> None:
                self._note_key()
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                prompt = body["messages"][-1]["content"]
                with server.lock:
                    server.asked.append(prompt)
                reply = server.behaviour(prompt, body)
                if isinstance(reply, Silence):
                    server.closing.wait()
                    self.close_connection = True
                elif isinstance(reply, Failure):
                    self._json(reply.status, {"error": {"message": reply.message}}, reply.headers)
                else:
                    self._stream(reply)

            def _note_key(self) -> None:
                with server.lock:
                    server.keys.add(self.headers.get("Authorization", "").removeprefix("Bearer "))

            def _stream(self, text: str) -> None:
                chunks: list[dict[str, Any]] = [
                    {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None},
                    {"index": 0, "delta": {}, "finish_reason": "stop"},
                ]
                events = [{"id": "1", "object": "chat.completion.chunk", "choices": [chunk]} for chunk in chunks]
                data = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
                self._send(200, "text/event-stream", data.encode(), {})

            def _json(self, status: int, value: object, headers: Mapping[str, str] | None = None) -> None:
                self._send(status, "application/json", json.dumps(value).encode(), headers or {})

            def _send(self, status: int, kind: str, data: bytes, headers: Mapping[str, str]) -> None:
                with contextlib.suppress(ConnectionError):  # who asked has given up
                    self.send_response(status)
                    for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="judge-server")

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/v1"

    def open(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def close(self) -> None:
        """End all that is silent, and serve no more."""
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextlib.contextmanager
def judge_server(behaviour: Behaviour, models: Sequence[str] = ("judge",), port: int = 0) -> Iterator[JudgeServer]:
    """A server for the length of a test."""
    server = JudgeServer(behaviour, models, port)
    server.open()
    try:
        yield server
    finally:
        server.close()
