"""One file on the hub, read by range requests (RFC 9110, section 14).

A large file's address on the hub leads on to a storage host, by a signed address that is good for an hour or so. It is
looked up once and kept until it is refused, because the hub counts such requests. The access token is for the hub
only.
"""

from __future__ import annotations

import contextlib
import io
import re
import threading
from collections.abc import Generator, Iterator
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

from huggingface_hub import get_hf_file_metadata, get_session
from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

from bayling_lite.errors import HubError
from bayling_lite.hub.failures import Asked, asked_wait, refuse_errors, translated
from bayling_lite.hub.patience import Patience, Transient
from bayling_lite.hub.remote_file import RemoteFile

READ_AHEAD = 1024 * 1024
"""Bytes that :func:`open_range` asks for at least: enough for most headers at once."""

_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_EXPIRED = frozenset({400, 401, 403, 404, 410})


class RangesIgnored(Exception):
    """The server answers a request for a range with the whole file."""


class RangeSource:
    """A file at ``url``; ``token`` is what huggingface-hub takes: an access token, or None for the one of the user."""

    def __init__(self, url: str, file: RemoteFile, asked: Asked, *, token: str | None, patience: Patience) -> None:
        self.file = file
        self.asked = asked
        self.patience = patience
        self._url = url
        self._token = token
        # Small files come from the hub itself.
        self._address: str | None = None if file.sha256 else url
        self._lock = threading.Lock()

    def chunks(self, start: int, end: int, *, whole: bool = False) -> Generator[bytes, None, None]:
        """The bytes from ``start`` to before ``end``, as they come, perhaps not all.

        With ``whole``, for servers without ranges, the file is asked for from its beginning, and what is before
        ``start`` is read and dropped.

        Raises:
            Transient: the connection failed, or was silent for too long; what came before is good.
            RangesIgnored: the server sends the whole file, and that was not asked for.
            HubError: there is no use in trying again.
        """
        address = self._located()
        # What is compressed on the way cannot be continued in the middle.
        headers = self._headers(address) | {"Accept-Encoding": "identity"}
        if not whole:
            headers["Range"] = f"bytes={start}-{end - 1}"
        with (
            translated(self.asked),
            get_session().stream(
                "GET", address, headers=headers, timeout=self.patience.stall, follow_redirects=True
            ) as response,
        ):
            status = response.status_code
            if status in _EXPIRED and address != self._url:
                self._forget(address)
                raise Transient(f"the storage answers {status}", asked_wait(response.headers), answered=True)
            refuse_errors(response)
            encoding = response.headers.get("content-encoding", "identity")
            if status not in (200, 206) or encoding != "identity":
                raise Transient(f"the server answers {status} with content encoding {encoding!r}")
            if status == 206:
                self._check_range(response.headers.get("content-range", ""), start, end)
            elif not whole and (start, end) != (0, self.file.size):
                raise RangesIgnored
            yield from _clipped(response.iter_raw(), skip=start if status == 200 else 0, length=end - start)

    def _check_range(self, given: str, start: int, end: int) -> None:
        found = _CONTENT_RANGE.fullmatch(given.strip())
        if found and found[3] not in ("*", str(self.file.size)):
            raise HubError(
                f"{self.asked} has {self.file.size:,} bytes on record, but {found[3]} where it is stored. "
                "It may have just been changed: run the same command again."
            )
        if not found or int(found[1]) != start or int(found[2]) >= end:
            raise Transient("the server answers with another range than the one it was asked for")

    def _located(self) -> str:
        """Where the bytes are."""
        with self._lock:
            if self._address is None:
                with translated(self.asked):
                    metadata = get_hf_file_metadata(self._url, token=self._token, timeout=self.patience.stall)
                    self._address = urljoin(self._url, metadata.location)
            return self._address

    def _forget(self, address: str) -> None:
        with self._lock:
            if self._address == address:
                self._address = None

    def _headers(self, address: str) -> dict[str, str]:
        at_the_hub = urlsplit(address)[:2] == urlsplit(self._url)[:2]
        return build_hf_headers(token=self._token if at_the_hub else False)


def _clipped(pieces: Iterator[bytes], *, skip: int, length: int) -> Iterator[bytes]:
    """Drop the first ``skip`` bytes, and all after the ``length`` that follow."""
    for piece in pieces:
        wanted = piece[skip : skip + length]
        skip = max(0, skip - len(piece))
        length -= len(wanted)
        if wanted:
            yield wanted
        if length <= 0:
            return


def read_range(source: RangeSource, start: int, end: int) -> bytes:
    """The bytes of a range, however many tries it takes.

    Raises:
        HubError: too many.
    """
    data = bytearray()
    whole = False

    def attempt() -> None:
        nonlocal whole
        if start + len(data) >= end:
            return
        try:
            with contextlib.closing(source.chunks(start + len(data), end, whole=whole)) as chunks:
                for chunk in chunks:
                    data.extend(chunk)
        except RangesIgnored:
            whole = True
            raise Transient("the server sends no ranges") from None
        if start + len(data) < end:
            raise Transient("the connection ended too soon")

    source.patience.tell(f"reading {source.asked.name}")
    source.patience.persist(attempt, str(source.asked), source.asked.host)
    return bytes(data)


def open_range(source: RangeSource) -> BinaryIO:
    """The file for reading with ``seek``; each read that its buffer cannot answer is a request."""
    return io.BufferedReader(_RangeFile(source), buffer_size=READ_AHEAD)


class _RangeFile(io.RawIOBase):
    def __init__(self, source: RangeSource) -> None:
        self._source = source
        self._position = 0
        self.name = str(source.asked)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._source.file.size}[whence]
        if base + offset < 0:
            raise OSError("a position before the beginning of the file")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        end = min(self._position + len(buffer), self._source.file.size)
        if end <= self._position:
            return 0
        data = read_range(self._source, self._position, end)
        buffer[: len(data)] = data
        self._position = end
        return len(data)
