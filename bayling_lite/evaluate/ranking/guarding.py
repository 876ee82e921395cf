"""Who may use the ranking page: whoever is at this machine, or has the address with its token; and no other page."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit


class Guard:
    """Decides on requests. ``token`` empty: the page is for this machine alone.

    Without a token the name that was asked for (``Host``) has to be one of this machine's own, so that no page in the
    web can lead its own name here (DNS rebinding). What changes anything has to come from the ranking page itself
    (``Origin``, https://www.rfc-editor.org/rfc/rfc6454), with or without a token.
    """

    def __init__(self, token: str) -> None:
        self._token = token
        # Cookies know no ports: two studies on one machine have cookies of their own.
        self.cookie = f"ranking-{hashlib.blake2b(token.encode(), digest_size=4).hexdigest()}"

    @property
    def wants_token(self) -> bool:
        """Whether the page is open to a network."""
        return bool(self._token)

    def is_token(self, given: str) -> bool:
        """Whether this is the token, found out in the same time for every wrong one."""
        return bool(self._token) and hmac.compare_digest(given.encode("utf-8", "replace"), self._token.encode())

    def lets_in(self, host: str, cookies: Mapping[str, str]) -> bool:
        """Whether a request to ``Host`` with these cookies may see anything."""
        return self.is_token(cookies.get(self.cookie, "")) if self._token else is_loopback(_name(host))

    def is_own(self, headers: Mapping[str, str]) -> bool:
        """Whether a request that changes something was made by the ranking page."""
        scheme, _, host = headers.get("origin", "").partition("://")
        return scheme != "" and host != "" and host.casefold() == headers.get("host", "").casefold()


def is_loopback(name: str) -> bool:
    """Whether a host's name or address is always that of the machine itself."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.casefold() == "localhost"


def _name(host: str) -> str:
    """A ``Host`` header without its port and brackets."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
