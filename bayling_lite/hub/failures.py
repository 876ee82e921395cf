"""What huggingface-hub raises, in our own errors: every message names what is missing and what to do about it."""

from __future__ import annotations

import contextlib
import importlib
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from huggingface_hub import hf_raise_for_status
from huggingface_hub.errors import (
    DisabledRepoError,
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from bayling_lite.errors import BaylingError, HubError, ModelNotFound
from bayling_lite.hub.patience import Transient
from bayling_lite.terminal import printable

# The base of all that the HTTP client raises: httpx's in huggingface-hub 1, httpx2's in 2.
HttpError: type[Exception] = next(base for base in HfHubHTTPError.__mro__ if base.__name__ == "HTTPError")
_InvalidURL: type[Exception] = importlib.import_module(HttpError.__module__.partition(".")[0]).InvalidURL

_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
_RATE_LIMIT = re.compile(r"\br\s*=\s*0\s*;\s*t\s*=\s*(\d+)")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, for messages."""

    endpoint: str
    repository: str
    revision: str | None = None
    name: str | None = None

    @property
    def host(self) -> str:
        """The hub's, without what is no business of a screen."""
        return printable(urlsplit(self.endpoint).hostname or self.endpoint, keep="")

    def __str__(self) -> str:
        if self.name is None:
            return f"{self.repository} at {self.endpoint}"
        return f"{self.name} of {self.repository}"


@contextlib.contextmanager
def translated(asked: Asked) -> Iterator[None]:
    """Turn huggingface-hub's errors into ours.

    Raises:
        Transient: another try may succeed.
        HubError: none will.
        ModelNotFound: huggingface-hub is in offline mode.
    """
    try:
        yield
    except OfflineModeIsEnabled as error:
        raise not_here(asked) from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status in _RETRIED:
            wait = asked_wait(error.response.headers)
            raise Transient(f"the server answers {status}", wait, answered=True) from error
        raise _refused(error, status, asked) from error
    except HttpError as error:
        raise Transient(printable(str(error), keep="") or type(error).__name__) from error
    except ImportError as error:  # the HTTP client needs one more package for such a proxy
        raise HubError(
            f"{asked} cannot be asked for through the SOCKS proxy in ALL_PROXY or HTTPS_PROXY without one more "
            "package: pip install socksio, or set an HTTP proxy."
        ) from error
    except (_InvalidURL, ValueError, OSError) as error:  # what comes over the network is none of these
        raise HubError(
            f"{asked} cannot be asked for: {printable(str(error), keep='')}. Check HF_ENDPOINT, HF_TOKEN, the proxy "
            "(HTTPS_PROXY, ALL_PROXY) and the certificates (SSL_CERT_FILE), those of them that are set."
        ) from error


def refuse_errors(response: Any) -> None:
    """Raise huggingface-hub's error for an answer that is one, without reading its body.

    huggingface-hub reads it whole, however long it is, and takes it for an object of JSON.
    """
    if response.status_code >= 400:
        hf_raise_for_status(type(response)(response.status_code, headers=response.headers, request=response.request))


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to be left alone: ``Retry-After`` (RFC 9110), or the hub's ``RateLimit``."""
    after = headers.get("retry-after", "").strip()
    if after.isdecimal() and after.isascii() and len(after) < 10:
        return float(after)
    limit = _RATE_LIMIT.search(headers.get("ratelimit", "")[:1000])
    return float(limit[1][:9]) if limit else None


def not_here(asked: Asked) -> ModelNotFound:
    """The error when something would have to be fetched, and may not be."""
    fetch = ""
    if asked.name is not None:  # all files of a repository may be every quantization of a model
        revision = ["--revision", asked.revision] if asked.revision else []
        fetch = f", or fetch it: {shlex.join(['hf', 'download', asked.repository, asked.name, *revision])}"
    return ModelNotFound(
        f"{asked} is not in the shared cache, and nothing may be fetched offline. Where there is a connection, run the "
        f"same command without BAYLING_OFFLINE and HF_HUB_OFFLINE (or offline in config.toml){fetch or '.'}"
    )


def _refused(error: HfHubHTTPError, status: int, asked: Asked) -> BaylingError:
    page = f"{asked.endpoint}/{asked.repository}"
    log_in = "log in with `hf auth login`, or set HF_TOKEN"
    if isinstance(error, GatedRepoError):
        return HubError(f"{asked.repository} is only for those who accept its licence: do so at {page}, then {log_in}.")
    if isinstance(error, RevisionNotFoundError):
        return HubError(f"{asked.repository} has no revision {asked.revision!r}; its branches and tags are at {page}.")
    if isinstance(error, EntryNotFoundError):
        return HubError(f"{asked.repository} has no file {asked.name} any more; what it has is at {page}.")
    if isinstance(error, DisabledRepoError):
        return HubError(f"{asked.repository} has been disabled by the hub; {page} may say why.")
    if isinstance(error, RepositoryNotFoundError):
        return HubError(f"There is no repository {page}, or it is private: check its name, or {log_in}.")
    if status == 401:
        return HubError(f"{asked.endpoint} does not accept the access token: {log_in} anew, or unset HF_TOKEN.")
    if status == 403:
        return HubError(f"{asked.endpoint} refuses access to {asked}: see {page}, and {log_in} of one who may read it.")
    if status == 404:
        return HubError(f"{asked.endpoint} has no {asked}: check the name, and HF_ENDPOINT if it is set.")
    return HubError(f"{asked.endpoint} answers {status} for {asked}. Check HF_ENDPOINT if it is set, or try later.")
