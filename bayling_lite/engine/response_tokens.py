"""The tokens of an answer that is given: those it was generated as, or those its text would have."""

from __future__ import annotations

from collections.abc import Sequence

from bayling_lite.engine.tokens import Recall, Tokenizer, Vocabulary
from bayling_lite.prompts import AnyPart, Text


class ResponseTokens:
    """Tokenizes what may answer one prompt.

    Args:
        tokenizer: the template's.
        vocabulary: the model's.
        parts: the rendered prompt.
        prompt: its ids.
        recall: knows the ids of answers that were generated.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        vocabulary: Vocabulary,
        parts: Sequence[AnyPart],
        prompt: list[int],
        recall: Recall,
    ) -> None:
        self._tokenizer = tokenizer
        self._vocabulary = vocabulary
        self._parts = parts
        self._prompt = prompt
        self._recall = recall

    def whole(self, text: str) -> list[int]:
        """The ids of a whole answer: those it was generated as, where they say its text as it stands."""
        known = self._recall(self._prompt, text)
        if known is not None and b"".join(map(self._vocabulary.piece, known)) == text.encode(errors="replace"):
            return list(known)
        return self.piece(text, first=True)

    def piece(self, text: str, *, first: bool) -> list[int]:
        """The ids of a text within an answer; the ``first`` one begins it."""
        if not first:
            return self._tokenizer.continuation(text)
        n_prompt = len(self._prompt)

        def before(ids: list[int], said: str) -> tuple[int, ...] | None:
            return self._recall(ids, said) if len(ids) < n_prompt else None

        return self._tokenizer.encode([*self._parts, Text(text, response=True)], before)[n_prompt:]
