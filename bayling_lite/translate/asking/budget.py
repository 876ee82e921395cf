"""Tokens: how many a text has, and how many its translation may have."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bayling_lite.engine.base import Engine, ModelInfo
from bayling_lite.prompts import user_turn

# A translation has at most a few times the tokens of its source; a model that makes more goes round in circles.
_TOKENS_PER_SOURCE_TOKEN = 3
_FEWEST_TOKENS = 64
# Hypotheses of a search for required words, at least: with fewer they are there as surely, but less well placed.
BEAMS_FOR_WORDS = 5
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def encodable(text: str) -> str:
    """A text without lone surrogates, which are no characters and have no tokens."""
    return _SURROGATE.sub("\ufffd", text)


class TokenBudget:
    """Counts with an engine's tokenizer, also after another model has taken its place. Safe to use from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._counted: tuple[ModelInfo, int] | None = None

    def tokens(self, text: str) -> int:
        """Tokens of a text as a user's turn, without what stands around it."""
        return self._engine.count_tokens(user_turn(encodable(text))) - self._frame

    def most(self, sources: Iterable[str], words: Iterable[str] = ()) -> int:
        """The most tokens that the translation of the longest of some texts may have, with these words in it."""
        longest = max(map(self.tokens, sources), default=0)
        return max(_FEWEST_TOKENS, _TOKENS_PER_SOURCE_TOKEN * longest) + sum(map(self.tokens, words))

    @property
    def _frame(self) -> int:
        """Tokens of a request that says nothing, counted once for each model."""
        info, counted = self._engine.info, self._counted
        if counted is None or counted[0] is not info:
            counted = self._counted = (info, self._engine.count_tokens(user_turn("")))
        return counted[1]
