"""What a server says instead of an answer, in our own errors."""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bayling_lite.engine.remote.address import KEY, Address
from bayling_lite.engine.remote.overflow import find_overflow
from bayling_lite.errors import EngineError, RequestRefused

_RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
_FILTER = re.compile(
    r"content[ _-]?(?:filter|policy|management|exists risk)|responsible ?ai|moderation|flagged|usage polic"
    r"|safety (?:system|filter|polic|setting)|inappropriate content|data_inspection|敏感",
    re.I,
)
_NO_CREDIT = re.compile(
    r"insufficient[_ ](?:quota|credit|balance)|exceeded your current quota|credit balance|payment required|billing"
    r"|budget[_ ](?:has been )?exceeded|exceeded ?budget|over budget|余额不足|欠费",
    re.I,
)
_UNKNOWN = re.compile(
    r"model.{0,120}(?:does not exist|not found|not exist|unknown)|model_not_found|server is pinned to"
    r"|unexpected endpoint",  # LM Studio's, with status 200
    re.I | re.S,
)
# The parameters that we send, by which a server says that it takes none of our requests.
_PARAMETER = re.compile(
    r"\b(temperature|top_p|top_k|min_p|repeat_penalty|repetition_penalty|seed|stop|top_logprobs|logprobs"
    r"|max_tokens|max_completion_tokens|stream_options|stream)\b"
)
_UNSUPPORTED = re.compile(r"unsupported|unrecogni[sz]ed|unknown|not supported|unexpected|extra|not permitted", re.I)
_LONGEST_NUMBER = 12
_LONGEST_MESSAGE = 20_000  # characters that are looked at


@dataclass(frozen=True, slots=True)
class Saying:
    """What a server said of a failure: its status, its words, and what it calls the kind of it."""

    status: int
    message: str
    kind: str = ""
    parameter: str = ""
    details: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, status: int, body: Any, text: str = "") -> Saying:
        """Read a failure's JSON: ``{"error": {"message": ..., "code": ...}}`` and what else servers make of it.

        ``text`` is the body as it came, where it is no JSON.
        """
        error = body.get("error") or body if isinstance(body, dict) else body
        if not isinstance(error, dict):
            said = error if isinstance(error, str) else text
            said = "" if said.lstrip().startswith("<") else said[:_LONGEST_MESSAGE]  # no pages of HTML
            return cls(_failed(status, None, ""), said)
        said = next((error[name] for name in ("message", "detail", "error", "msg") if error.get(name)), "")
        code, parameter = error.get("code"), error.get("param")
        if isinstance(said, list):
            said, parameter = _of_fastapi(said)
        metadata = error.get("metadata")
        if isinstance(metadata, dict) and isinstance(metadata.get("raw"), str):  # OpenRouter: what its provider said
            said = f"{said}: {metadata['raw']}"
        kind = " ".join(value for value in (error.get("type"), code) if isinstance(value, str))
        return cls(
            _failed(status, code, kind),
            (said if isinstance(said, str) else str(said))[:_LONGEST_MESSAGE],
            kind,
            parameter if isinstance(parameter, str) else "",
            error,
        )

    @property
    def filtered(self) -> bool:
        """Whether a content filter speaks."""
        return bool(_FILTER.search(f"{self.kind} {self.message}"))

    @property
    def lacks_scope(self) -> bool:
        """Whether the key is right, but not for this."""
        return "missing scopes" in self.message.casefold()

    @property
    def refused_parameter(self) -> str:
        """The parameter of ours that the server does not take, empty where it speaks of none."""
        if self.status not in (400, 422):
            return ""
        named = _PARAMETER.fullmatch(self.parameter)
        if named is None and _UNSUPPORTED.search(f"{self.kind} {self.message}"):
            named = _PARAMETER.search(self.message)
        return named[1] if named else ""


class Refusal(Exception):
    """A failure of one try: the error it is, and whether another try may go well (after ``wait`` seconds, if given)."""

    def __init__(
        self, error: EngineError, *, again: bool = False, wait: float | None = None, parameter: str = ""
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.again = again
        self.wait = wait
        self.parameter = parameter


def is_failure(chunk: Any) -> bool:
    """Whether a piece of an answer tells of a failure instead: ``{"error": ...}``, or what stands in there alone."""
    if not isinstance(chunk, dict):
        return False
    return bool(chunk.get("error")) or ("choices" not in chunk and isinstance(chunk.get("message"), str))


def refusal(address: Address, model: str, saying: Saying, headers: Mapping[str, str]) -> Refusal:
    """What a server's failure means for the request."""
    overflow = find_overflow(saying.status, f"{saying.kind} {saying.message}", saying.details or {})
    if overflow is not None:
        return Refusal(overflow)
    said = address.clean(saying.message)
    colon = f": {said.rstrip('.')}." if said else "."
    status = saying.status
    if saying.filtered and status not in (401, 404, 429):
        return Refusal(RequestRefused(f"{address} refuses the text{colon}", said or "content filter"))
    if status == 402 or (status in (400, 403, 429) and _NO_CREDIT.search(f"{saying.kind} {saying.message}")):
        return Refusal(EngineError(f"{address} wants to be paid first{colon}"))
    if status in (401, 403):
        return Refusal(EngineError(_about_the_key(address, saying, said)))
    if status == 407:
        return Refusal(EngineError(_about_the_proxy(address)))
    if status in (404, 405) or _UNKNOWN.search(f"{saying.kind} {saying.message}"):
        return Refusal(EngineError(_about_the_address(address, model, said)))
    if 300 <= status < 400:
        return Refusal(EngineError(_about_moving(address, headers)))
    if status in _RETRIED:
        return _busy(address, saying, headers, colon)
    if parameter := saying.refused_parameter:
        message = f"{address} does not take {parameter} as it is asked for{colon}"
        return Refusal(EngineError(message), parameter=parameter)
    if 400 <= status < 500:
        return Refusal(RequestRefused(f"{address} does not take the request ({status}){colon}", said or str(status)))
    return Refusal(EngineError(f"{address} fails ({status}){colon}"), again=status >= 500)


def _of_fastapi(faults: list[Any]) -> tuple[str, str]:
    """What FastAPI finds wrong with a request: in words, and the last parameter of it. It repeats what was sent."""
    found = [(str(fault.get("loc", "")), str(fault.get("msg", ""))) for fault in faults if isinstance(fault, dict)]
    named = (_PARAMETER.search(place) for place, _ in found)
    return "; ".join(f"{place} {words}" for place, words in found), next((name[1] for name in named if name), "")


def _failed(status: int, code: object, kind: str) -> int:
    """The status of a failure, which a stream that has begun with 200 tells in its ``code``, or not at all."""
    if status != 200:
        return status
    if isinstance(code, str) and re.fullmatch("[0-9]{3}", code):
        code = int(code)
    if isinstance(code, int) and 400 <= code < 600:
        return code
    return 400 if "invalid" in kind.casefold() else 500


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to be left alone (``Retry-After`` of RFC 9110: seconds or a date), None if not."""
    milliseconds = headers.get("retry-after-ms", "")
    if _is_number(milliseconds):
        return float(milliseconds) / 1000
    after = headers.get("retry-after", "")
    if _is_number(after):
        return float(after)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(after).timestamp() - time.time()) if after else None
    except (ValueError, OverflowError):
        return None


def _is_number(text: str) -> bool:
    return len(text) <= _LONGEST_NUMBER and bool(re.fullmatch(r"[0-9]+(\.[0-9]+)?", text))


def _busy(address: Address, saying: Saying, headers: Mapping[str, str], colon: str) -> Refusal:
    wait = asked_wait(headers)
    if saying.status == 429:
        later = f" in {wait:.0f} seconds" if wait else " later"
        message = f"{address} says that its limit is reached{colon} Run the same command again{later}."
    else:
        log = " Its log may say why." if saying.status == 500 else ""
        message = f"{address} keeps failing ({saying.status}){colon}{log} Run the same command again when it is well."
    return Refusal(EngineError(message), again=True, wait=wait)


def _about_the_key(address: Address, saying: Saying, said: str) -> str:
    if saying.status == 401 and not address.key:
        return f"{address} wants a key. Set {KEY} to yours."
    # A 403 may be about the country or the network, and not the key at all. A 401 mostly repeats half of the key.
    telling = said and (saying.status == 403 or saying.lacks_scope)
    quoted = f": {said.rstrip('.')}." if telling else "."
    what = "refuses the key" if address.key else "refuses access"
    return f"{address} {what} ({saying.status}){quoted} Set {KEY} to one that may use the model."


def _about_the_proxy(address: Address) -> str:
    return (
        f"A proxy on the way to {address.url} wants a name and a password (407). Put them into HTTPS_PROXY and "
        "HTTP_PROXY (http://NAME:PASSWORD@HOST:PORT), or name the server's host in NO_PROXY."
    )


def _about_the_address(address: Address, model: str, said: str) -> str:
    quoted = f" ({said})" if said else ""
    if not model:
        return f"{address} is not the base of an OpenAI interface{quoted}. Most addresses end in /v1."
    return (
        f"{address} does not know the model {address.clean(model)!r}, or the address is not that of its interface"
        f"{quoted}. Most addresses end in /v1; --server-model names the model."
    )


def _about_moving(address: Address, headers: Mapping[str, str]) -> str:
    there = address.clean(headers.get("location", ""))
    return f"{address} sends us elsewhere{f' ({there})' if there else ''}. Give the address that it means."
