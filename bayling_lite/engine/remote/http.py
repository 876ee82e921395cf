"""The HTTP client that huggingface-hub brings with it: httpx, or its successor under another name."""

from __future__ import annotations

import importlib
import json
import os
from typing import Any

from bayling_lite.engine.remote.address import Address
from bayling_lite.errors import UsageError
from bayling_lite.reasons import reason

_LONGEST_ERROR = 1 << 16  # bytes of an answer that is none
_SECONDS_TO_CONNECT = 30.0


def open_client(address: Address, n_parallel: int, timeout: float) -> Any:
    """A client for a server. Nothing is followed elsewhere: where a key goes is what the user said.

    Waiting is for the caller to bound, but for connecting.

    Raises:
        UsageError: the proxy in the environment cannot be used.
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
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise UsageError(
            f"The proxy in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY cannot be used: {error}. Unset it, or set another."
        ) from error


def failures() -> tuple[type[Exception], ...]:
    """What the client raises where a server cannot be reached, or breaks off."""
    httpx = _httpx()
    return httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError


def is_slow_connection(error: Exception) -> bool:
    """Whether it took too long to connect."""
    return isinstance(error, _httpx().TimeoutException)


def why(error: BaseException) -> str:
    """The system's words for what the client could not do, where it passes them on; else the client's."""
    said, cause = str(error) or type(error).__name__, error.__cause__ or error.__context__
    while cause is not None:
        if isinstance(cause, BaseExceptionGroup):  # of one host's several addresses
            cause = cause.exceptions[0]
        if isinstance(cause, OSError) and cause.strerror:
            # asyncio puts words of its own there.
            said = os.strerror(cause.errno) if cause.errno and cause.errno > 0 else reason(cause)
        cause = cause.__cause__ or cause.__context__
    return said


async def read_some(response: Any, most: int = _LONGEST_ERROR) -> bytes:
    """The first bytes of a body, at most so many and a piece."""
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > most:
            break
    return bytes(body)


def parse(text: str | bytes) -> Any:
    """JSON, None where it is none (or means None)."""
    try:
        return json.loads(text if isinstance(text, str) else text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def _httpx() -> Any:
    from huggingface_hub.errors import HfHubHTTPError  # not for --help

    base = next(base for base in HfHubHTTPError.__mro__ if base.__name__ == "HTTPError")
    return importlib.import_module(base.__module__.partition(".")[0])
