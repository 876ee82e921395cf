"""What stands between the engine and its server in offices: certificates, proxies, keys for one thing only; forks."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bayling_lite.engine import GenerationRequest
from bayling_lite.engine.remote import RemoteEngine
from bayling_lite.errors import BaylingError, ContextOverflow, EngineError, RequestRefused, UsageError
from bayling_lite.prompts import user_turn
from tests.engine.chat_server import ChatServer, Exchange, chat_server


class _Quiet(HTTPServer):
    def handle_error(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.delenv("BAYLING_SERVER_KEY", raising=False)
    with chat_server(lambda exchange: exchange.say(["fine"])) as running:
        yield running


def said(server: ChatServer, model: str = "") -> str:
    """What one request to it comes to: the answer, or the error and its kind."""
    with RemoteEngine.open(server.url, model, timeout=10, retries=0) as engine:
        try:
            return engine.submit(GenerationRequest(user_turn("hello"))).result(timeout=20).text
        except BaylingError as error:
            return f"{type(error).__name__}: {error}"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_certificate_that_nobody_knows(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-subj", "/CN=localhost", "-days", "2", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    http = _Quiet(("127.0.0.1", 0), BaseHTTPRequestHandler)
    http.socket = context.wrap_socket(http.socket, server_side=True)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        with pytest.raises(EngineError, match=r"cannot be trusted: .*self-signed.* in SSL_CERT_FILE"):
            RemoteEngine.open(f"https://localhost:{http.server_port}/v1", timeout=10)
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def test_https_where_http_is_meant(server: ChatServer) -> None:
    with pytest.raises(EngineError, match=r"cannot be reached \(TLS: ") as failure:
        RemoteEngine.open(server.url.replace("http:", "https:"), timeout=10)
    assert os.strerror(1) not in str(failure.value), "OpenSSL's numbers are not the system's"


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("SSL_CERT_FILE", "no-such-file.pem", r"SSL_CERT_FILE or SSL_CERT_DIR cannot be used"),
        ("SSL_CERT_FILE", __file__, r"SSL_CERT_FILE or SSL_CERT_DIR cannot be used \(TLS: no certificate"),
        ("HTTPS_PROXY", "http://user:hidden/word@127.0.0.1:9", "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY cannot be used"),
        ("HTTPS_PROXY", "odd://user:hidden@127.0.0.1:9", "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY cannot be used"),
    ],
)
def test_what_cannot_be_used(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError, match=expected) as failure:
        RemoteEngine.open("https://host.invalid/v1", "m")
    assert "hidden" not in str(failure.value)


def test_a_proxy_or_a_gateway_in_between(server: ChatServer) -> None:
    server.behave = lambda exchange: exchange.status(407, b"<html>Proxy Authentication Required")
    assert said(server).startswith("EngineError: A proxy on the way to")
    server.behave = lambda exchange: exchange.error(403, "Country, region, or territory not supported")
    assert "refuses access (403): Country, region, or territory not supported. Set" in said(server)


def test_a_key_that_may_not_see_the_list(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAYLING_SERVER_KEY", "sk-1")
    for status, message in ((403, "no"), (401, "You have insufficient permissions. Missing scopes: api.model.read.")):
        server.models = (status, {"error": {"message": message}})
        assert said(server, "its-model") == "fine"
        with pytest.raises(EngineError, match="refuses the key"):
            said(server)
    server.models = (401, {"error": {"message": "Incorrect API key"}})
    with pytest.raises(EngineError, match=r"refuses the key \(401\)\. Set"):
        said(server, "its-model")


def test_an_address_that_says_200_to_everything(server: ChatServer) -> None:
    server.models = {"error": "Unexpected endpoint or method. (GET /models)"}
    with pytest.raises(EngineError, match=r"not the base .* \(Unexpected endpoint or method"):
        said(server)
    server.behave = lambda exchange: exchange.status(200, {"error": "Unexpected endpoint or method. (POST /x)"})
    server.models = {"data": [{"id": "m"}]}
    assert "Most addresses end in /v1" in said(server)
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (b'event:error\n:HTTP_STATUS/400\ndata:{"code":"InvalidParameter","message":"Too odd"}\n\n', RequestRefused),
        (b'event: error\ndata: {"error":{"message":"Context size has been exceeded."}}\n\n', ContextOverflow),
        (b'data: {"error":"Reached context length of 512 tokens with model (arch: x)"}\n\n', ContextOverflow),
        (
            b'data: {"error":{"code":400,"message":"Provider error","metadata":{"raw":"prompt is too long"}}}\n\n',
            ContextOverflow,
        ),
        (b'data: {"type":"error","code":"404","message":"no model"}\n\n', EngineError),
        (b'\xef\xbb\xbfdata: {"object":"error","message":"bad","code":400}\n\n', RequestRefused),
    ],
)
def test_errors_within_a_stream_in_the_words_of_several_makes(
    server: ChatServer, lines: bytes, kind: type[EngineError]
) -> None:
    def behave(exchange: Exchange) -> None:
        exchange.begin()
        exchange.raw(lines)
        exchange.raw(b"")

    server.behave = behave
    assert said(server).startswith(f"{kind.__name__}: "), said(server)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_is_told_that_it_has_no_engine(server: ChatServer) -> None:
    program = (
        "import os, sys\nfrom bayling_lite.engine.remote import RemoteEngine\n"
        "from bayling_lite.engine import GenerationRequest\nfrom bayling_lite.prompts import user_turn\n"
        "def ask():\n    return engine.submit(GenerationRequest(user_turn('hello'))).result(timeout=10).text\n"
        "engine = RemoteEngine.open(sys.argv[1])\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    try:\n        ask()\n"
        "    except Exception as error:\n        print(type(error).__name__, flush=True)\n"
        "    engine.close()\n    sys.exit()\n"
        "os.waitpid(child, 0)\nprint(ask())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, server.url], check=True, timeout=30, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("EngineClosed\nfine\n", "")
