"""Asking a server that speaks OpenAI's chat protocol (vLLM, llama-server, Ollama, OpenAI and others)."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bayling_lite.errors import BaylingError, EngineError, UsageError

if TYPE_CHECKING:
    from openai import OpenAI

_ENVIRONMENT = "BAYLING_WRITER_KEY"
_OPENAI = "openai.com"
_LONGEST_ANSWER = 100_000  # characters: no sentence has a translation of this length


@dataclass(frozen=True, slots=True)
class Question:
    """One request. ``max_tokens`` bounds the answer."""

    system: str
    user: str
    max_tokens: int
    temperature: float = 0.7

    def key(self, model: str) -> str:
        """A fingerprint (32 hexadecimal digits) of the request and who is asked."""
        text = json.dumps([model, asdict(self)], ensure_ascii=False, sort_keys=True)
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. Token counts are the server's own, 0 where it gives none.

    ``refused``: why the server did not take the request (a content filter, too long a text); empty where it did.
    """

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    refused: str = ""


@dataclass(frozen=True)
class Endpoint:
    """A server and one of its models.

    ``url`` is the base of the interface, usually ending in ``/v1``. ``model`` may be empty: the server's first. The key
    is read from BAYLING_WRITER_KEY, for OpenAI's own server also from OPENAI_API_KEY, which is nobody else's business;
    servers at home need none. ``timeout`` in seconds.
    """

    url: str
    model: str = ""
    timeout: float = 300.0
    retries: int = 5

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise UsageError(f"The writer's address should begin with http:// or https://, not {self.url!r}.")
        try:
            secret = urlsplit(self.url).username is not None
        except ValueError as error:
            raise UsageError(f"The writer's address is none: {error}.") from error
        if secret:
            # It would be told wherever the address is: on the screen, in the report, in the shell's history.
            raise UsageError(f"Give the writer's key in {_ENVIRONMENT}, not in its address.")

    @cached_property
    def _client(self) -> OpenAI:
        try:
            from openai import OpenAI
        except ImportError as error:
            raise UsageError("A writer needs the openai package: pip install 'bayling-lite[writer]'") from error
        return OpenAI(
            base_url=self.url, api_key=_key(self.url) or "none", timeout=self.timeout, max_retries=self.retries
        )

    @cached_property
    def name(self) -> str:
        """The model that is asked.

        Raises:
            EngineError: the server cannot be reached, or has no model.
        """
        if self.model:
            return self.model
        with _failures(self.url):
            for model in self._client.models.list():
                if isinstance(model.id, str) and model.id:
                    return model.id
        raise EngineError(f"The server {self.url} names no model. Name one with --writer-model.")

    def ask(self, question: Question) -> Reply:
        """One answer. Overload and short failures are waited out (the server's ``Retry-After`` is obeyed).

        A request that the server refuses for its own sake is no error: the reply says so, and the others may go well.

        Raises:
            EngineError: the server cannot be reached, keeps failing, refuses the key, does not know the model, or does
                not speak the protocol.
        """
        try:
            with _failures(self.url):
                return self._asked(question)
        except _Refused as reason:
            return Reply("", refused=str(reason))

    def _asked(self, question: Question) -> Reply:
        completion = self._client.chat.completions.create(
            model=self.name,
            messages=[
                {"role": "system", "content": question.system},
                {"role": "user", "content": question.user},
            ],
            max_tokens=question.max_tokens,
            temperature=question.temperature,
        )
        # The client does not check what comes back against its own types.
        text = completion.choices[0].message.content if completion.choices else None
        text = text.encode("utf-8", "replace").decode() if isinstance(text, str) else ""
        usage = completion.usage
        read, written = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
        refused = "" if text.strip() else "an empty answer"
        return Reply(text[:_LONGEST_ANSWER], _count(read), _count(written), refused)


class _Refused(Exception):
    """The server does not take this request."""


def _key(url: str) -> str:
    host = urlsplit(url).hostname or ""
    own = os.environ.get(_ENVIRONMENT, "")
    return own or (os.environ.get("OPENAI_API_KEY", "") if host == _OPENAI or host.endswith(f".{_OPENAI}") else "")


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 2**31 else 0


class _failures:  # noqa: N801 - a context manager that reads as a clause
    """Turns the client's failures into ours."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or not isinstance(error, Exception) or isinstance(error, BaylingError):
            return
        import openai

        where = f"The writer at {self._url}"
        if isinstance(error, ValueError | AttributeError | TypeError | LookupError):
            raise EngineError(
                f"{where} does not speak OpenAI's protocol. Does the address end as its manual says, mostly in /v1?"
            ) from error
        if not isinstance(error, openai.OpenAIError):
            return
        if isinstance(error, openai.APITimeoutError):
            raise EngineError(f"{where} did not answer in time. Run the same command to go on.") from error
        if isinstance(error, openai.APIConnectionError):
            raise EngineError(f"{where} cannot be reached ({error.__cause__ or error}). Is it running?") from error
        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            raise EngineError(f"{where} refuses the key. Set {_ENVIRONMENT} to a valid one.") from error
        if isinstance(error, openai.NotFoundError):
            raise EngineError(
                f"{where} does not know the model or the address ({self._short(error)}). Most addresses end in /v1; "
                "--writer-model names the model."
            ) from error
        if isinstance(error, openai.RateLimitError):
            raise EngineError(
                f"{where} says that the limit is reached: {self._short(error)} Run the same command later."
            ) from error
        if isinstance(error, openai.APIStatusError) and error.status_code < 500:
            raise _Refused(self._short(error)) from error
        raise EngineError(f"{where} keeps failing: {self._short(error)} Run the same command to go on.") from error

    def _short(self, error: Exception) -> str:
        """What the server said, without the key, which some repeat."""
        text = " ".join(str(error).split())
        if key := _key(self._url):
            text = text.replace(key, "…")
        return text if len(text) <= 200 else f"{text[:200]}…"
