"""The HTTP client that huggingface-hub brings with it: httpx, or its successor under another name."""

from __future__ import annotations

import importlib
import json
import os
import socket
import ssl
import zlib
from collections.abc import AsyncIterator
from typing import Any

from bayling_lite.engine.remote.address import Address
from bayling_lite.errors import UsageError
from bayling_lite.reasons import reason

_LONGEST_ERROR = 1 << 16  # bytes of an answer that is none
_PORTION = 1 << 16  # bytes that are unpacked at once
_SECONDS_TO_CONNECT = 30.0


def open_client(address: Address, n_parallel: int, timeout: float) -> Any:
    """A client for a server. Nothing is followed elsewhere: where a key goes is what the user said.

    Waiting is for the caller to bound, but for connecting.

    Raises:
        UsageError: the proxy or the certificates in the environment cannot be used.
    """
    httpx = _httpx()
    # To this machine without TLS, nothing is ever encrypted: the certificates need not be read.
    plain = address.is_here and address.url.startswith("http://")
    try:
        return httpx.AsyncClient(
            headers={**address.headers, "Accept-Encoding": "identity"},
            timeout=httpx.Timeout(None, connect=min(timeout, _SECONDS_TO_CONNECT)),
            limits=httpx.Limits(max_connections=n_parallel + 1, max_keepalive_connections=n_parallel + 1),
            mounts={"http://": None, "https://": None} if address.is_here else None,
            verify=not plain,
            follow_redirects=False,
        )
    except ImportError as error:  # the HTTP client needs one more package for such a proxy
        raise UsageError(
            "The SOCKS proxy in ALL_PROXY, HTTPS_PROXY or HTTP_PROXY needs one more package: pip install socksio, or "
            "set an HTTP proxy."
        ) from error
    except OSError as error:
        raise UsageError(
            f"The certificates in SSL_CERT_FILE or SSL_CERT_DIR cannot be used ({words_of(error)}). Unset it, or set "
            "another."
        ) from error
    except (ValueError, httpx.InvalidURL) as error:  # which may quote a part of the proxy's password
        raise UsageError(
            "The proxy in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY cannot be used. It should look like http://HOST:PORT, "
            "with signs like / and @ in a password as %2F and %40."
        ) from error


def failures() -> tuple[type[Exception], ...]:
    """What the client raises where a server cannot be reached, or breaks off."""
    httpx = _httpx()
    return httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError


def is_slow_connection(error: Exception) -> bool:
    """Whether it took too long to connect."""
    return isinstance(error, _httpx().TimeoutException)


async def pieces_of(response: Any) -> AsyncIterator[bytes]:
    """The body as it comes.

    One that is compressed, though we ask for none such, is unpacked in small portions: a few bytes can hold gigabytes,
    and who reads must be able to leave off in time. What is compressed otherwise than by gzip comes as it is.
    """
    packed = response.headers.get("content-encoding", "").strip().casefold() in ("gzip", "x-gzip", "deflate")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32) if packed else None  # either header
    async for piece in response.aiter_raw():
        if unpacker is None:
            yield piece
            continue
        rest, portion = piece, b"?"
        while rest or len(portion) == _PORTION:
            try:
                portion = unpacker.decompress(rest, _PORTION)
            except zlib.error as error:
                raise _httpx().DecodingError(str(error)) from error
            rest = unpacker.unconsumed_tail
            if portion:
                yield portion


async def read_some(response: Any, most: int = _LONGEST_ERROR) -> bytes:
    """The first bytes of a body, at most so many and a piece."""
    body = bytearray()
    async for piece in pieces_of(response):
        body += piece
        if len(body) > most:
            break
    return bytes(body)


def parse(text: str | bytes) -> Any:
    """JSON, None where it is none (or means None)."""
    try:
        return json.loads(text if isinstance(text, str) else text.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return None


def words_of(error: OSError) -> str:
    """What the system, or OpenSSL, calls a failure."""
    if isinstance(error, ssl.SSLError):  # its number is none of the system's
        return f"TLS: {(error.reason or str(error)).replace('_', ' ').lower()}"
    if isinstance(error, socket.gaierror) or not error.errno or error.errno < 0:
        return reason(error)
    return os.strerror(error.errno)  # asyncio puts words of its own in its place


def _httpx() -> Any:
    from huggingface_hub.errors import HfHubHTTPError  # not for --help

    base = next(base for base in HfHubHTTPError.__mro__ if base.__name__ == "HTTPError")
    return importlib.import_module(base.__module__.partition(".")[0])
