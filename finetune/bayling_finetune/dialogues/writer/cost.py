"""What asking a writer will take, before anything is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bayling_finetune.dialogues.writer.client import Question

_WIDE = re.compile(r"[\u3000-\u9fff\uac00-\ud7a3\uff00-\uffef]")
# Rules of thumb for the tokenizers of today: a little under one token a Chinese character, four letters a token else.
_WIDE_TOKENS, _NARROW_TOKENS = 0.9, 0.25
_OVERHEAD = 12  # tokens of roles and separators a request


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost, in whatever currency the user thinks in."""

    prompt: float = 0.0
    completion: float = 0.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """Requests still to be made, their tokens, and the cost (None without prices). ``kept``: answered before."""

    requests: int
    prompt_tokens: int
    completion_tokens: int
    kept: int
    cost: float | None

    def sentence(self) -> str:
        """For a user to decide by."""
        text = (
            f"{self.requests:,} requests, about {self.prompt_tokens:,} tokens to read and {self.completion_tokens:,} "
            "to write"
        )
        if self.cost is not None:
            text += f", about {self.cost:,.2f} at the prices given"
        return f"{text}; {self.kept:,} are answered already." if self.kept else f"{text}."


def count_tokens(text: str) -> int:
    """Roughly, the tokens of a text."""
    wide = len(_WIDE.findall(text))
    return round(wide * _WIDE_TOKENS + (len(text) - wide) * _NARROW_TOKENS)


def estimate(questions: Iterable[tuple[Question, int]], *, kept: int, prices: Prices | None) -> Estimate:
    """Add up questions, each with the characters that its answer is expected to have.

    A rating follows each answer: it reads the conversation again and writes a score.
    """
    requests = prompt = completion = 0
    for question, characters in questions:
        asked = count_tokens(question.system) + count_tokens(question.user) + _OVERHEAD
        written = round(characters * _NARROW_TOKENS) + 30
        requests += 2
        prompt += 2 * asked + written
        completion += written + 10
    cost = None
    if prices is not None:
        cost = (prompt * prices.prompt + completion * prices.completion) / 1e6
    return Estimate(requests, prompt, completion, kept, cost)
