"""Servers' words for a request that does not fit the model's context: every make has its own, most with the numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bayling_lite.errors import ContextOverflow

_STATUSES = frozenset({200, 400, 413, 422, 500})
_SIGN = re.compile(
    r"context_length_exceeded|context_?window_?exceeded|exceed_context_size|context_exceeded"
    r"|maximum (?:context|model) length|(?:longer|larger|greater) than the (?:model'?s )?context"
    r"|exceeds? (?:the |its |model'?s )*(?:maximum |available |allowed )?(?:context|n_ctx)"
    r"|context length of only|input tokens exceed|prompt is too long|max_new_tokens`? must be <="
    r"|context (?:size|length|window) (?:has been |was |is )?exceeded|reached context length"
    r"|input length exceeds|too (?:long|large) for (?:the |its |this )?(?:available |model's )?(?:context|model with)",
    re.I,
)
_N_CTX = (
    r"context (?:length|size|window)(?: of| is| \()?(?: only)? ?\(?(\d+)",
    r"(\d+) maximum context",
    r"maximum model length of (\d+)",
    r"configured limit of (\d+)",
    r"> ?(\d+)",
    r"must be <= (\d+)",
)
_N_PROMPT = (
    r"(\d+) in (?:the |your )?(?:messages|prompt)",
    r"(\d+) (?:`inputs`|input|prompt) tokens",
    r"(\d+) tokens from the input",
    r"messages resulted in (\d+)",
    r"prompt \(length (\d+)\)",
    r"(?:request|inputs?|prompt|[Rr]equested tokens) \((\d+)",
    r"[Pp]rompt contains (?:at least )?(\d+)",
    r"too long: (\d+)",
    r"n_ctx: (\d+)",
    r"the first (\d+) tokens",
)
_ESTIMATED = re.compile(r"at least (\d+)")
_MOST = 10**9


def find_overflow(status: int, text: str, details: Mapping[str, Any]) -> ContextOverflow | None:
    """The error that a server's failure is; None where it speaks of something else.

    ``n_prompt`` and ``n_ctx`` are 0 where the server does not tell them. A prompt that is smaller than the context does
    not leave room for as many tokens as were asked for.
    """
    text = text[:20_000]
    if status not in _STATUSES or not _SIGN.search(text):
        return None
    n_ctx = _number(details.get("n_ctx")) or _first(_N_CTX, text)
    n_prompt = _number(details.get("n_prompt_tokens")) or _first(_N_PROMPT, text)
    if _ESTIMATED.search(text) and n_prompt < n_ctx:
        n_prompt = 0  # the server has not counted to the end
    if n_prompt and n_ctx and n_prompt >= n_ctx:
        return ContextOverflow(n_prompt, n_ctx)
    counted = f" of {n_ctx} tokens" if n_ctx else ""
    return ContextOverflow(
        n_prompt,
        n_ctx,
        f"The text does not fit the context{counted} of the model at the server. Shorten the text, drop older turns, "
        "or have the server open the model with a larger context.",
    )


def _first(patterns: tuple[str, ...], text: str) -> int:
    found = (re.search(pattern, text) for pattern in patterns)
    return next((_number(match[1]) for match in found if match), 0)


def _number(value: object) -> int:
    if isinstance(value, str) and len(value) <= 10 and value.isdecimal():
        value = int(value)
    return value if isinstance(value, int) and 0 < value < _MOST else 0
