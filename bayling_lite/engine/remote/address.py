"""Where a server is, and the key that it wants, which no message ever holds."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from bayling_lite.errors import UsageError
from bayling_lite.terminal import printable

KEY = "BAYLING_SERVER_KEY"
_OPENAI_KEY = "OPENAI_API_KEY"
_OPENAI = "api.openai.com"
_ENDPOINT = "/chat/completions"
_LONGEST_SAYING = 300  # characters of what a server says, in a message


@dataclass(frozen=True, slots=True)
class Address:
    """The base of a server's interface, without a slash at its end, and the key, empty where there is none."""

    url: str
    key: str = field(default="", repr=False)

    @classmethod
    def of(cls, url: str, key: str | None = None) -> Address:
        """Check an address. One without a path means ``/v1`` there, as nearly all servers have it.

        ``key`` None is the one in BAYLING_SERVER_KEY; for OpenAI's own server, also the one in OPENAI_API_KEY, which is
        nobody else's business.

        Raises:
            UsageError: it is no address of the web, holds a key, or the key cannot be sent. No message repeats a key.
        """
        try:
            parts = urlsplit(url.strip())
            host, usable = parts.hostname or "", parts.scheme in ("http", "https") and (parts.port or 1) > 0
        except ValueError:
            host, usable = "", False
        if not usable or not host or not url.isprintable():
            raise UsageError("A server's address should look like http://HOST:PORT/v1 or https://HOST/v1.")
        if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
            # It would be told wherever the address is: on the screen, in results, in the shell's history.
            raise UsageError(f"Give the server's key in {KEY}, not in its address, which ends with its path.")
        path = parts.path.rstrip("/").removesuffix(_ENDPOINT) or "/v1"
        if key is None:
            key = os.environ.get(KEY) or (_openai_key() if (parts.scheme, host) == ("https", _OPENAI) else "")
        return cls(urlunsplit((parts.scheme, parts.netloc, path, "", "")), _sendable(key))

    @property
    def host(self) -> str:
        """The host, with its port where one is named."""
        return urlsplit(self.url).netloc

    @property
    def is_here(self) -> bool:
        """Whether it is this machine, which no proxy should be asked for."""
        name = urlsplit(self.url).hostname or ""
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return name == "localhost" or name.endswith(".localhost")
        return address.is_loopback or address.is_unspecified  # 0.0.0.0, as servers say where they listen

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    def __str__(self) -> str:
        return f"The server {self.url}"

    def clean(self, text: str) -> str:
        """What a server said, fit for a message: short, one line, without the key, which some repeat."""
        line = " ".join(printable(text[:100_000]).split())
        if self.key:
            line = line.replace(self.key, "…")
        return line if len(line) <= _LONGEST_SAYING else f"{line[:_LONGEST_SAYING]}…"


def _openai_key() -> str:
    return os.environ.get(_OPENAI_KEY, "")


def _sendable(key: str) -> str:
    key = key.strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError(
            f"The server's key ({KEY}) cannot be one: a key has no spaces, only letters, digits and signs."
        )
    return key
