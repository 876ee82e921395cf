"""A server on the loopback that speaks OpenAI's chat protocol, and fails in all the ways servers do."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODELS = {"object": "list", "data": [{"id": "loopback", "object": "model"}]}


@dataclass
class ChatServer:
    """What a test decides of it, and what it saw.

    ``behave`` answers a request; ``models`` is the list of models, or (status, body).
    """

    behave: Callable[[Exchange], None]
    url: str = ""
    models: Any = field(default_factory=lambda: MODELS)
    props: Any = None
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    connections: set[Any] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    at_once: int = 0
    most_at_once: int = 0
    left: threading.Event = field(default_factory=threading.Event)  # someone hung up before the end


class Exchange:
    """One request at the server, and the ways to answer it."""

    def __init__(self, handler: BaseHTTPRequestHandler, body: dict[str, Any], number: int) -> None:
        self.handler = handler
        self.body = body
        self.number = number  # of requests, the first is 1

    @property
    def text(self) -> str:
        """What the user said."""
        return str(self.body["messages"][-1]["content"])

    def status(self, status: int, body: object = b"", **headers: str) -> None:
        """Answer with a status and a body (bytes, or JSON)."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.handler.send_response(status)
        self.handler.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.end_headers()
        self.handler.wfile.write(data)

    def error(self, status: int, message: object, **more: object) -> None:
        """Answer as OpenAI does when it fails."""
        headers = {name: str(more.pop(name)) for name in ("Retry_After", "Retry_After_Ms", "Location") if name in more}
        self.status(status, {"error": {"message": message, **more}}, **headers)

    def begin(self) -> None:
        """Begin a stream."""
        self.handler.send_response(200)
        self.handler.send_header("Content-Type", "text/event-stream")
        self.handler.send_header("Transfer-Encoding", "chunked")
        self.handler.end_headers()

    def raw(self, data: bytes) -> None:
        """Send bytes of a stream."""
        self.handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.handler.wfile.flush()

    def event(self, value: object) -> None:
        """Send an event."""
        self.raw(b"data: " + (value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n\n")

    def delta(self, finish: str | None = None, **delta: object) -> None:
        """Send a piece of an answer."""
        self.event({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    def end(self, finish: str | None = "stop", usage: dict[str, Any] | None = None) -> None:
        """End a stream as it should."""
        if finish:
            self.delta(finish)
        if usage is not None:
            self.event({"choices": [], "usage": usage})
        self.event(b"[DONE]")
        self.raw(b"")

    def say(self, pieces: Iterable[str], finish: str | None = "stop", usage: dict[str, Any] | None = None) -> None:
        """A whole stream."""
        self.begin()
        for piece in pieces:
            self.delta(content=piece)
        self.end(finish, usage)

    def hang_up(self) -> None:
        """Break off, as a process that is killed."""
        self.handler.wfile.flush()
        self.handler.close_connection = True
        self.handler.connection.close()

    def wait_for_leaving(self, seconds: float = 10.0) -> None:
        """Wait until the other side hangs up."""
        self.handler.connection.settimeout(seconds)
        with contextlib.suppress(OSError):
            if not self.handler.connection.recv(1):
                server_of(self.handler).left.set()
        self.handler.close_connection = True


def server_of(handler: BaseHTTPRequestHandler) -> ChatServer:
    found: ChatServer = handler.server.chat  # type: ignore[attr-defined]
    return found


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits 40 ms for an acknowledgement

    def do_GET(self) -> None:
        chat = server_of(self)
        chat.headers.append(dict(self.headers))
        value = chat.models if self.path.endswith("/models") else chat.props
        status, body = value if isinstance(value, tuple) else (404, {}) if value is None else (200, value)
        Exchange(self, {}, 0).status(status, body)

    def do_POST(self) -> None:
        chat = server_of(self)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with chat.lock:
            chat.bodies.append(body)
            chat.headers.append(dict(self.headers))
            chat.connections.add(self.client_address)
            chat.at_once += 1
            chat.most_at_once = max(chat.most_at_once, chat.at_once)
            number = len(chat.bodies)
        try:
            chat.behave(Exchange(self, body, number))
        except (ConnectionError, ValueError):
            chat.left.set()
            self.close_connection = True
        finally:
            with chat.lock:
                chat.at_once -= 1

    def log_message(self, *args: Any) -> None:
        pass

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError, ValueError, OSError):
            super().handle()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:  # who asked may be gone
        pass


@contextlib.contextmanager
def chat_server(behave: Callable[[Exchange], None]) -> Iterator[ChatServer]:
    """A server that runs."""
    http = _Server(("127.0.0.1", 0), _Handler)
    chat = ChatServer(behave, f"http://127.0.0.1:{http.server_address[1]}/v1")
    http.chat = chat  # type: ignore[attr-defined]
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield chat
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def slowly(pieces: Iterable[str], seconds: float) -> Callable[[Exchange], None]:
    """A server that says so, with a pause before each piece."""

    def behave(exchange: Exchange) -> None:
        exchange.begin()
        for piece in pieces:
            time.sleep(seconds)
            exchange.delta(content=piece)
        exchange.end()

    return behave


def hanging(*pieces: str, asked: threading.Event | None = None) -> Callable[[Exchange], None]:
    """A server that says so, and then nothing until the other side hangs up; without pieces, not even a status."""

    def behave(exchange: Exchange) -> None:
        if asked is not None:
            asked.set()
        if pieces:
            exchange.begin()
        for piece in pieces:
            exchange.delta(content=piece)
        exchange.wait_for_leaving()

    return behave


def endless(*pieces: str) -> Callable[[Exchange], None]:
    """A server that says so, again and again."""

    def behave(exchange: Exchange) -> None:
        exchange.begin()
        while True:
            for piece in pieces:
                exchange.delta(content=piece)
            time.sleep(0.001)

    return behave
