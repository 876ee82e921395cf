"""Our engine with its model's choices steered: answers that never end by themselves, or that were decided before.

Everything is computed as always; only the logits are changed before the engine reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack
from unittest import mock

import llama_cpp.llama_cpp as lib
import numpy as np

from bayling_lite.engine.base import Completion, GenerationRequest
from bayling_lite.engine.decoder import Chunk, Outcome
from bayling_lite.engine.llama import LlamaEngine, engine
from bayling_lite.engine.llama.context import LlamaContext
from bayling_lite.engine.llama.vocabulary import LlamaVocabulary
from bayling_lite.engine.plan import ContextPlan, EngineOptions


class SteeredContext(LlamaContext):
    """A context in which no answer ends by itself, and in which one request's answer can be decided."""

    def __init__(self, model: Any, plan: ContextPlan) -> None:
        super().__init__(model, plan)
        vocabulary = LlamaVocabulary(model, space_prefix=False)
        n_tokens = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(model))
        self._ends = np.array([token for token in range(n_tokens) if vocabulary.is_end(token)], np.intp)
        self._model = model
        self.plan = plan
        self.answer: Sequence[int] = ()
        self._prompt_end: int | None = None  # position of the prompt's last token

    def tokens_of(self, text: str) -> list[int]:
        """The tokens of a text in the middle of others."""
        vocabulary = LlamaVocabulary(self._model, space_prefix=False)
        return vocabulary.tokenize("\n" + text)[len(vocabulary.tokenize("\n")) :]

    def decide(self, answer: Sequence[int]) -> None:
        """The next request, served alone, shall get this answer; none again with an empty one."""
        self.answer, self._prompt_end = answer, None

    def decode(self, chunks: Sequence[Chunk]) -> Outcome:
        """Evaluate as always, then change the logits."""
        outcome = super().decode(chunks)
        rows = sum(chunk.n_logits for chunk in chunks)
        if outcome is Outcome.DONE and rows:
            self.logits[:rows, self._ends] = -np.inf
            if self.answer:
                self._write_answer(chunks)
        return outcome

    def _write_answer(self, chunks: Sequence[Chunk]) -> None:
        row = 0
        for chunk in chunks:
            first = chunk.position + len(chunk.tokens) - chunk.n_logits
            for position in range(first, first + chunk.n_logits):
                if self._prompt_end is None:
                    self._prompt_end = position
                place = position - self._prompt_end
                if place < len(self.answer):
                    self.logits[row, self.answer[place]] = 1e9
                row += 1


def open_steered(path: Path, **options: Unpack[EngineOptions]) -> tuple[LlamaEngine, SteeredContext]:
    """An engine as :meth:`LlamaEngine.open` makes it, but on a :class:`SteeredContext`."""
    made: list[SteeredContext] = []

    def make(model: Any, plan: ContextPlan) -> SteeredContext:
        made.append(SteeredContext(model, plan))
        return made[-1]

    with mock.patch.object(engine, "LlamaContext", make):
        opened = LlamaEngine.open(path, **options)
    return opened, made[0]


def replayed(
    opened: LlamaEngine, context: SteeredContext, request: GenerationRequest, answer: Sequence[int]
) -> Completion:
    """Serve a request that nothing else runs beside, with a decided answer."""
    context.decide(answer)
    try:
        completion = opened.submit(request).result()
    finally:
        context.decide(())
    return completion
