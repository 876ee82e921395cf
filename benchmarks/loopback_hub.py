"""A Hugging Face hub on this machine: enough of its HTTP interface for huggingface-hub's own client, and faults.

It lists repositories, checks access tokens, leads from a large file's address to a storage host (this server under its
other name, with signed addresses that can expire), answers range requests, and can be told to fail. Every byte it sends
of a file is counted, before it is sent.

The interface is documented at https://huggingface.co/docs/hub/api; what the answers look like was learned from the
client, which reads them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import sys
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import parse_qs, quote, unquote, urlsplit

_CHUNK = 16 * 1024
_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one answer for a file's bytes.

    ``status``: this answer instead, perhaps with ``retry_after``. ``truncate``: the connection ends ``after`` so many
    bytes. ``stall``: silence after them. ``flip``: a bit of the byte after them is another. ``whole``: no ranges, all
    is sent. ``shift``: a range that was not asked for. ``grown``: the storage says that the file is larger.
    """

    kind: Literal["status", "truncate", "stall", "flip", "whole", "shift", "grown"]
    after: int = 0
    status: int = 503
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that came."""

    method: str
    path: str
    host: str
    authorization: str | None
    range: str | None


@dataclass(slots=True)
class _Stored:
    content: bytes
    large: bool
    sha256: str = ""
    git_id: str = ""

    def __post_init__(self) -> None:
        self.sha256 = hashlib.sha256(self.content).hexdigest()
        blob = self.content
        if self.large:
            blob = f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\n".encode()
        self.git_id = git_blob_id(blob)


@dataclass(slots=True)
class _Repository:
    commits: dict[str, dict[str, _Stored]] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    access: Literal["open", "gated", "private"] = "open"


def git_blob_id(content: bytes) -> str:
    """The identifier that git gives to a file's content."""
    return hashlib.sha1(b"blob %d\x00" % len(content) + content, usedforsecurity=False).hexdigest()


class LoopbackHub:
    """The server, running while the ``with`` block does.

    ``rate`` is bytes per second and connection, None for no limit. ``fault`` is asked, with the file's name and the
    range, what goes wrong with each answer; :meth:`inject` sets it up for single faults. ``pouring`` counts the answers
    that are being sent just now.
    """

    token = "hf_of_the_loopback"

    def __init__(self, *, rate: float | None = None) -> None:
        self.rate = rate
        self.fault: Callable[[str, int, int], Fault | None] = self._next_fault
        self.always: dict[str, Fault] = {}
        self.seen: list[Seen] = []
        self.sent: dict[str, int] = defaultdict(int)
        self.broken: str | None = None
        self.tickets = 0
        self.pouring = 0
        self.closing = threading.Event()
        self.lock = threading.Lock()
        self._queued: dict[str, deque[Fault]] = defaultdict(deque)
        self._repositories: dict[str, _Repository] = {}
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> LoopbackHub:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def endpoint(self) -> str:
        """The hub's address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def storage(self) -> str:
        """The address of large files' bytes, another host to a client."""
        return f"http://localhost:{self._server.server_port}"

    def add(
        self,
        repository: str,
        files: dict[str, bytes],
        *,
        revision: str = "main",
        large: int = 10_000,
        access: Literal["open", "gated", "private"] = "open",
    ) -> str:
        """Commit files, as the whole content of a revision; those of ``large`` bytes and more are stored apart."""
        stored = {name: _Stored(content, len(content) >= large) for name, content in files.items()}
        text = json.dumps([repository, *((name, file.sha256) for name, file in stored.items())])
        commit = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        place = self._repositories.setdefault(repository, _Repository())
        place.commits[commit] = stored
        place.references[revision] = commit
        place.access = access
        return commit

    def inject(self, name: str, *faults: Fault) -> None:
        """Let the next answers for a file's bytes go wrong, one after the other."""
        self._queued[name].extend(faults)

    def expire(self) -> None:
        """Make all signed addresses given so far invalid."""
        self.tickets += 1

    def _next_fault(self, name: str, _start: int, _end: int) -> Fault | None:
        with self.lock:
            queue = self._queued[name]
            return queue.popleft() if queue else self.always.get(name)

    def find(self, repository: str, revision: str) -> tuple[_Repository, str, dict[str, _Stored]] | str:
        """The repository, commit and files; or the code of the error."""
        place = self._repositories.get(repository)
        if place is None:
            return "RepoNotFound"
        commit = place.references.get(revision, revision)
        return (place, commit, place.commits[commit]) if commit in place.commits else "RevisionNotFound"

    def stored(self, sha256: str) -> _Stored | None:
        """The large file of a digest."""
        files = (
            file for place in self._repositories.values() for one in place.commits.values() for file in one.values()
        )
        return next((file for file in files if file.sha256 == sha256), None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that are killed leave in the middle of a sentence; anything else is our own mistake."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    hub: LoopbackHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        host, authorization = self.headers.get("Host", ""), self.headers.get("Authorization")
        self.hub.seen.append(Seen(self.command, self.path, host, authorization, self.headers.get("Range")))
        with contextlib.suppress(ConnectionError):
            parts = urlsplit(self.path)
            api = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/([^/]+))?", parts.path)
            file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", parts.path)
            storage = re.fullmatch(r"/storage/([0-9a-f]{64})/(.+)", parts.path)
            if self.hub.broken is not None:
                self._send(200, self.hub.broken.encode(), {"Content-Type": "text/html"})
            elif api:
                self._list(api[1], unquote(api[2] or "main"))
            elif storage:
                self._store(storage[1], unquote(storage[2]), parse_qs(parts.query))
            elif file:
                self._resolve(file[1], unquote(file[2]), unquote(file[3]))
            else:
                self._send(404, b"{}", {})

    def _list(self, name: str, revision: str) -> None:
        found = self.hub.find(name, revision)
        fault = self.hub.fault(f"{name}/", 0, 0)
        if fault:
            self._refuse(fault)
        elif isinstance(found, str):
            self._send(404, b"{}", {"X-Error-Code": found})
        elif found[0].access == "private" and not self._may_enter():
            self._send(401, b"{}", {"X-Error-Code": "RepoNotFound"})
        else:
            siblings = [_listed(file_name, file) for file_name, file in found[2].items()]
            listing = {"id": name, "sha": found[1], "private": False, "tags": [], "siblings": siblings}
            self._send(200, json.dumps(listing).encode(), {"Content-Type": "application/json"})

    def _resolve(self, name: str, revision: str, file_name: str) -> None:
        found = self.hub.find(name, revision)
        if isinstance(found, str):
            self._send(404, b"{}", {"X-Error-Code": found})
        elif found[0].access != "open" and not self._may_enter():
            code = "GatedRepo" if found[0].access == "gated" else "RepoNotFound"
            self._send(401, b"{}", {"X-Error-Code": code})
        elif file_name not in found[2]:
            self._send(404, b"{}", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": found[1]})
        else:
            file, headers = found[2][file_name], {"X-Repo-Commit": found[1]}
            if not file.large:
                self._bytes(file, file_name, headers | {"ETag": f'"{file.git_id}"'})
                return
            address = f"{self.hub.storage}/storage/{file.sha256}/{quote(file_name)}?ticket={self.hub.tickets}"
            headers |= {"X-Linked-ETag": f'"{file.sha256}"', "X-Linked-Size": str(len(file.content))}
            self._send(302, b"", headers | {"Location": address})

    def _store(self, sha256: str, name: str, query: dict[str, list[str]]) -> None:
        file = self.hub.stored(sha256)
        if file is None or query.get("ticket") != [str(self.hub.tickets)]:
            self._send(403, b"expired", {})
        else:
            self._bytes(file, name, {"ETag": f'"{sha256}"'})

    def _may_enter(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {self.hub.token}"

    def _refuse(self, fault: Fault) -> None:
        self._send(fault.status, b"{}", {"Retry-After": fault.retry_after} if fault.retry_after else {})

    def _bytes(self, file: _Stored, name: str, headers: dict[str, str]) -> None:
        size = len(file.content)
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        start, end = (int(asked[1]), min(int(asked[2]) + 1, size)) if asked else (0, size)
        fault = self.hub.fault(name, start, end) if self.command == "GET" else None
        kind = fault.kind if fault else None
        if fault and kind == "status":
            self._refuse(fault)
            return
        if kind == "whole":
            asked, start, end = None, 0, size
        if kind == "shift":
            start, end = start + 1, min(end + 1, size)
        if asked and start >= end:
            self._send(416, b"", {"Content-Range": f"bytes */{size}"})
            return
        content = file.content[start:end]
        if fault and kind == "flip":
            at = min(fault.after, len(content) - 1)
            content = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        if asked:
            total = size + 1 if kind == "grown" else size
            headers = headers | {"Content-Range": f"bytes {start}-{end - 1}/{total}"}
        self.send_response(206 if asked else 200)
        for key, value in (headers | {"Content-Length": str(end - start)}).items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self._pour(name, content[: fault.after] if fault and kind in ("truncate", "stall") else content)
            if kind == "stall":
                self.hub.closing.wait(30)
            self.close_connection |= kind in ("truncate", "stall")

    def _pour(self, name: str, content: bytes) -> None:
        with self.hub.lock:
            self.hub.pouring += 1
        try:
            for position in range(0, len(content), _CHUNK):
                chunk = content[position : position + _CHUNK]
                with self.hub.lock:
                    self.hub.sent[name] += len(chunk)
                self.wfile.write(chunk)
                if self.hub.rate:
                    time.sleep(len(chunk) / self.hub.rate)
        finally:
            with self.hub.lock:
                self.hub.pouring -= 1

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _listed(name: str, file: _Stored) -> dict[str, object]:
    listed: dict[str, object] = {"rfilename": name, "size": len(file.content), "blobId": file.git_id}
    if file.large:
        listed["lfs"] = {"sha256": file.sha256, "size": len(file.content), "pointerSize": 134}
    return listed
