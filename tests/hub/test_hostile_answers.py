"""What a hub that is broken, or means harm, may answer: always one of our errors, never more memory than a bound."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from huggingface_hub import constants

import bayling_lite.hub.client
from bayling_lite.errors import HubError
from bayling_lite.hub import Hub
from tests.hub.conftest import QUICK

SHA256 = "0" * 64
Answer = tuple[int, dict[str, str], bytes]


class Scripted:
    """A server that gives the same answer to all that begins with a path."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Callable[[BaseHTTPRequestHandler], None]] = {}
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                answer = next(value for path, value in scripted.answers.items() if self.path.startswith(path))
                if callable(answer):
                    answer(self)
                    return
                status, headers, body = answer
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET  # noqa: N815 - as http.server calls it

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"

    def lists(self, *files: dict[str, object], **more: object) -> None:
        """Answer as a hub that has these files."""
        said = {"sha": "a" * 40, "siblings": files, **more}
        self.answers["/api/"] = (200, {}, json.dumps(said).encode())


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    scripted = Scripted()
    thread = threading.Thread(target=scripted.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield scripted
    scripted.server.shutdown()
    scripted.server.server_close()
    thread.join()


@pytest.fixture
def hub(scripted: Scripted) -> Hub:
    return Hub(scripted.endpoint, patience=QUICK)


def large(name: object, size: object = 10) -> dict[str, object]:
    return {"rfilename": name, "size": size, "lfs": {"sha256": SHA256, "size": size}}


@pytest.mark.parametrize("said", [b"[" * 200_000, b"[]", b'"text"', b"\xff\xfe{", b'{"siblings": {"a": 1}}', b""])
def test_listings_that_are_none(scripted: Scripted, hub: Hub, said: bytes) -> None:
    scripted.answers["/"] = (200, {}, said)
    with pytest.raises(HubError, match="does not answer as a hub does"):
        hub.repository("owner/name")


def test_a_listing_without_an_end_is_not_read_to_it(
    scripted: Scripted, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bayling_lite.hub.client, "_LARGEST_LISTING", 10_000)
    left = threading.Event()

    def pour(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(bytes(10_000))
        except OSError:
            left.set()

    scripted.answers["/"] = pour
    with pytest.raises(HubError, match="does not answer as a hub does"):
        hub.repository("owner/name")
    assert left.wait(10)


def test_what_cannot_be_a_file_is_not_one(scripted: Scripted, hub: Hub) -> None:
    wrong = [large("\ud800.gguf"), large(7), large("size", "10"), large("negative", -1), large("true", True)]
    odd = {"rfilename": "odd", "size": 5, "lfs": [], "blobId": ["x"]}
    scripted.lists(*wrong, odd, large("right"), cardData={"model-index": 7})
    assert set(hub.repository("owner/name").files) == {"odd", "right"}


@pytest.mark.parametrize("body", [b"[]", b'"Internal Error"', b"null", b"\xff"])
@pytest.mark.parametrize("status", [416, 500])
def test_an_error_whose_body_is_no_object(scripted: Scripted, hub: Hub, body: bytes, status: int) -> None:
    scripted.lists({"rfilename": "a", "size": 5, "blobId": "0" * 40})
    repository = hub.repository("owner/name")
    scripted.answers["/owner/"] = (status, {"Content-Type": "application/json"}, body)
    with pytest.raises(HubError, match=f"answers {status}"):
        repository.read("a", 100)
    scripted.answers["/api/"] = scripted.answers["/owner/"]
    with pytest.raises(HubError, match=f"answers {status}"):
        hub.repository("owner/name")


def test_the_body_of_an_error_is_not_read(scripted: Scripted, hub: Hub) -> None:
    left = threading.Event()

    def pour(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(403)
        handler.end_headers()
        try:
            for _ in range(4000):
                handler.wfile.write(bytes(100_000))
        except OSError:
            left.set()

    scripted.answers["/"] = pour
    with pytest.raises(HubError, match="refuses access"):
        hub.repository("owner/name")
    assert left.wait(10)


@pytest.mark.parametrize("place", ["http://[::1/x", "http://\x7f/", "ftp://host/x", "file:///etc/passwd", "http:///x"])
def test_storage_at_an_impossible_address(scripted: Scripted, hub: Hub, place: str, tmp_path: Path) -> None:
    scripted.lists(large("model.gguf"))
    scripted.answers["/owner/"] = (302, {"Location": place, "X-Linked-Size": "x"}, b"")
    with pytest.raises(HubError, match=r"model\.gguf of owner/name"):
        hub.repository("owner/name").download("model.gguf", tmp_path)


@pytest.mark.parametrize("endpoint", ["http://\u3000x", "http://127.0.0.1:9/\x01x", "https://a..b"])
def test_endpoints_that_the_http_client_refuses(endpoint: str) -> None:
    with pytest.raises(HubError, match="HF_ENDPOINT"):
        Hub(endpoint, patience=QUICK).repository("owner/name")


def test_a_token_that_fits_no_header(scripted: Scripted) -> None:
    scripted.lists(large("right"))
    with pytest.raises(HubError, match="HF_TOKEN"):
        Hub(scripted.endpoint, "hf_é", patience=QUICK).repository("owner/name")


_ASK = """
import sys
from bayling_lite.errors import BaylingError
try:
    from bayling_lite.hub import Hub
    Hub().repository("owner/name")
except BaylingError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:9", "pip install socksio"),
        ("ALL_PROXY", "smoke://127.0.0.1:9", "the proxy"),
        ("ALL_PROXY", "http://[::1", "the proxy"),
        ("SSL_CERT_FILE", "/nowhere.pem", "SSL_CERT_FILE"),
        ("HF_ENDPOINT", "http://[::1", "HF_ENDPOINT"),
        ("HF_ENDPOINT", "http://host:99999", "HF_ENDPOINT"),
        ("HF_HUB_DOWNLOAD_TIMEOUT", "soon", "HF_HUB_DOWNLOAD_TIMEOUT"),
    ],
)
def test_settings_that_cannot_be(variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://127.0.0.1:9")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("TRANSFORMERS_OFFLINE", "0")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    run = subprocess.run([sys.executable, "-c", _ASK], capture_output=True, text=True, check=False, timeout=60)
    assert run.stderr == ""
    assert said in run.stdout


def test_the_hubs_silence_is_no_offline_mode(scripted: Scripted, hub: Hub, tmp_path: Path) -> None:
    commit = "a" * 40
    snapshot = Path(constants.HF_HUB_CACHE) / "models--owner--name" / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text(commit)
    scripted.answers["/"] = (503, {}, b"")
    repository = hub.repository("owner/name")
    assert repository.read("config.json", 10) == b"{}"
    with pytest.raises(HubError, match=r"answers 503\. The hub has trouble of its own") as caught:
        repository.download("model.safetensors", tmp_path)
    assert caught.value.exit_status == 1
