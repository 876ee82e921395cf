"""An answer that arrives in chunks of OpenAI's form, or whole: its text, and all else that a Completion tells."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bayling_lite.engine.base import FinishReason, TokenLogprob
from bayling_lite.engine.text import StopScanner
from bayling_lite.engine.thinking import Block, Blocks

LONGEST_ANSWER = 4_000_000
"""Characters, thoughts counted: more than any context holds."""

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_MOST_TOKENS = 10**9
_LARGEST_LOGPROB = 1e300
_LENGTH = ("length", "max_tokens", "model_length")
_FILTERED = ("content_filter", "safety", "recitation", "prohibited_content")
_BROKEN = ("error", "abort")


class Nonsense(Exception):
    """What came is not of the protocol's form."""


@dataclass(slots=True)
class Reply:
    """One answer as it comes.

    ``finish`` is the server's own word for why it ended, empty before; ``refusal`` what the model says in place of an
    answer where the server tells the two apart. ``n_prompt``, ``n_cached`` and ``n_generated`` are the server's counts,
    -1 where it gives none; ``n_pieces`` counts what came instead. ``chosen``: there was a choice, ``whole``: not of a
    stream, but all at once. ``n_top``: so many alternatives to a token are kept; None for no log-probabilities at all.
    """

    scanner: StopScanner
    n_top: int | None = None
    finish: str = ""
    refusal: str = ""
    n_prompt: int = -1
    n_cached: int = 0
    n_generated: int = -1
    n_pieces: int = 0
    chosen: bool = False
    whole: bool = False
    logprobs: list[TokenLogprob] = field(default_factory=list)
    _reasoning: list[str] = field(default_factory=list)
    _thoughts: Blocks = field(default_factory=lambda: Blocks(Block("<think>", "</think>")))
    _held: str = ""
    _size: int = 0

    def feed(self, chunk: Any) -> str:
        """Take a chunk, or the whole answer; gives the text in it that is for the reader, whole characters only.

        Raises:
            Nonsense: it has not the protocol's form.
        """
        if not isinstance(chunk, dict):
            raise Nonsense
        self._count(chunk.get("usage"))
        choices = chunk.get("choices")
        if not isinstance(choices, list):
            if "usage" in chunk and choices is None:
                return ""
            raise Nonsense
        return "".join(self._choose(choice) for choice in choices)

    def end(self) -> str:
        """No more comes: the text that was held back."""
        text = self._scan(_SURROGATE.sub("\ufffd", self._held), last=True)
        self._held = ""
        return text + self.scanner.flush()

    @property
    def reasoning(self) -> str:
        """What the model thought before its answer."""
        return _SURROGATE.sub("\ufffd", "".join(self._reasoning)).strip() or self._thoughts.reasoning

    @property
    def enormous(self) -> bool:
        """Whether it is longer than an answer can be."""
        return self._size > LONGEST_ANSWER

    @property
    def reason(self) -> FinishReason:
        """Why it ended, in our words. ``stop`` where a string of ours, or the model's own end, ended it."""
        return "length" if self.finish in _LENGTH and not self.scanner.stopped else "stop"

    @property
    def filtered(self) -> bool:
        """Whether a content filter ended it."""
        return self.finish in _FILTERED

    @property
    def broken(self) -> bool:
        """Whether the server says that it failed."""
        return self.finish in _BROKEN

    def _choose(self, choice: Any) -> str:
        if not isinstance(choice, dict):
            raise Nonsense
        if choice.get("index") not in (0, None):
            return ""
        said = choice.get("delta") or choice.get("message") or {}
        self.whole = self.whole or ("message" in choice and "delta" not in choice)
        if not isinstance(said, dict):
            raise Nonsense
        self.chosen = True
        finish = choice.get("finish_reason")
        if isinstance(finish, str) and finish:
            self.finish = finish.casefold()
        content = _text(said.get("content"))
        thought = _text(said.get("reasoning_content")) or _text(said.get("reasoning"))
        refusal = _text(said.get("refusal"))
        self.refusal += refusal
        if thought:
            self._reasoning.append(thought)
        self._size += len(content) + len(thought) + len(refusal)
        self.n_pieces += bool(content or thought or refusal)
        self._note(choice.get("logprobs"))
        return self._show(content) if content else ""

    def _show(self, text: str) -> str:
        # A server may cut a character of the supplementary planes in two at JSON's surrogates.
        text = self._held + text
        cut = len(text) - ("\ud800" <= text[-1:] < "\udc00")
        text, self._held = text[:cut], text[cut:]
        joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return self._scan(joined)

    def _scan(self, text: str, *, last: bool = False) -> str:
        text = self._thoughts.feed(text)
        if last:
            text += self._thoughts.finish()
        return self.scanner.feed(text)

    def _count(self, usage: Any) -> None:
        if not isinstance(usage, dict):
            return
        self.n_prompt = _tokens(usage.get("prompt_tokens"), self.n_prompt)
        self.n_generated = _tokens(usage.get("completion_tokens"), self.n_generated)
        details = usage.get("prompt_tokens_details")
        if isinstance(details, dict):
            self.n_cached = _tokens(details.get("cached_tokens"), 0)

    def _note(self, logprobs: Any) -> None:
        wanted = self.n_top is not None and isinstance(logprobs, dict)
        entries = logprobs.get("content") if wanted else None
        for entry in entries if isinstance(entries, list) else ():
            token = _token(entry)
            if token is not None:
                alternatives = entry.get("top_logprobs")
                some = alternatives[: self.n_top] if isinstance(alternatives, list) else []
                top = tuple(other for other in map(_token, some) if other is not None)
                self.logprobs.append(TokenLogprob(*token, top))
                self._size += len(token[0]) + sum(len(other) for other, _ in top) + 1


def _token(entry: Any) -> tuple[str, float] | None:
    if not isinstance(entry, dict):
        return None
    token, logprob = entry.get("token"), entry.get("logprob")
    if not isinstance(token, str) or isinstance(logprob, bool) or not isinstance(logprob, int | float):
        return None
    if abs(logprob) > _LARGEST_LOGPROB or math.isnan(logprob):  # a whole number may be too large for a float
        return None
    return _SURROGATE.sub("\ufffd", token), float(logprob)


def _tokens(value: Any, otherwise: int) -> int:
    return value if type(value) is int and 0 <= value < _MOST_TOKENS else otherwise


def _text(content: Any) -> str:
    """Content is a text, nothing, or a list of parts of which some are text."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise Nonsense
    return "".join(_part(part) for part in content)


def _part(part: Any) -> str:
    text = part.get("text") if isinstance(part, Mapping) and part.get("type") == "text" else ""
    return text if isinstance(text, str) else ""
