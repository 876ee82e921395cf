"""Run an unquantized and a quantized file of one model side by side, and say what quantizing changed.

Both are open at once and read the same dialogue, a batch of tokens at a time: no more logits than a batch of each are
ever held, whatever the length and the number of the dialogues.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bayling_convert.proof.comparison import Answers, Comparison, Divergence, Estimate
from bayling_convert.proof.perplexity import (
    NO_ANSWER,
    SMALLEST,
    Tokens,
    log_softmax,
    stop_tokens,
    template_of,
    tokenize,
)
from bayling_convert.proof.scoring import Scorer
from bayling_lite.errors import InputError, ModelError
from bayling_lite.messages import Conversation, Role
from bayling_lite.prompts import BAYLING, Template

Progress = Callable[[int, int, str], None]
"""Called after every step with the steps done, the steps in all, and what they are."""

N_TRANSLATIONS = 20
"""Answers to compare unless told: enough to see a trend, few enough for 8 billion parameters on a laptop."""
_MOST_TOKENS = 256
"""Of one answer; sentences need a quarter of it."""


def compare(
    reference: Path,
    quantized: Path,
    dialogues: Sequence[Conversation],
    *,
    n_ctx: int | None = None,
    n_translations: int = N_TRANSLATIONS,
    template: Template | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Perplexity, divergence and greedy answers of two files of one model.

    Args:
        reference: the unquantized file: F32, F16 or BF16.
        quantized: the file whose loss is in question.
        dialogues: ones that neither training nor the importance matrix has seen; their answers are scored.
        n_ctx: longest dialogue in tokens; None makes room for whatever comes.
        n_translations: to the first requests of so many dialogues, both files give their own answers.
        template: how dialogues are written; None takes the one the reference names.
        progress: told after every dialogue and every answer, in the calling thread.

    Raises:
        ModelError: a file cannot be opened, or the two are not of one model.
        ContextOverflow: a dialogue is longer than ``n_ctx`` tokens.
        InputError: there is no answer in any dialogue.
    """
    first = [request for dialogue in dialogues if (request := _first_request(dialogue)) is not None][:n_translations]
    steps = _Steps(len(dialogues) + len(first), progress)
    with Scorer(reference, n_ctx=n_ctx or SMALLEST) as base, Scorer(quantized, n_ctx=n_ctx or SMALLEST) as other:
        chosen = template or template_of(base)
        notes = _notes(base, chosen, given=template is not None)
        rendered = [_same_tokens(base, other, chosen, dialogue) for dialogue in dialogues]
        prompts = [tokenize(base, chosen, request).ids for request in first]
        if n_ctx is None:
            lengths = [len(tokens.ids) for tokens in rendered] + [len(ids) + _MOST_TOKENS for ids in prompts]
            for scorer in (base, other):
                scorer.resize(max([SMALLEST, *lengths]))
        scores = _Scores()
        for tokens in rendered:
            scores.add(base, other, tokens)
            steps.done("dialogues")
        if not scores.n_tokens:
            raise InputError(NO_ANSWER)
        answers = []
        for request, prompt in zip(first, prompts, strict=True):
            answers.append(_answers(base, other, chosen, request, prompt))
            steps.done("translations")
    return scores.comparison(reference.name, quantized.name, chosen.name, len(dialogues), tuple(answers), notes)


class _Steps:
    """Counts what is done."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done, self._total, self._progress = 0, total, progress

    def done(self, what: str) -> None:
        self._done += 1
        if self._progress:
            self._progress(self._done, self._total, what)


@dataclass(slots=True)
class _Scores:
    """One number of each kind per scored token, a block at a time."""

    reference_losses: list[npt.NDArray[np.float64]] = field(default_factory=list)
    quantized_losses: list[npt.NDArray[np.float64]] = field(default_factory=list)
    divergences: list[npt.NDArray[np.float64]] = field(default_factory=list)
    same_top: list[npt.NDArray[np.float64]] = field(default_factory=list)

    @property
    def n_tokens(self) -> int:
        return sum(block.size for block in self.divergences)

    def add(self, base: Scorer, other: Scorer, tokens: Tokens) -> None:
        """Score the answers of a dialogue. The memory that logits take is that of one block, twice."""
        ids, wanted = np.asarray(tokens.ids), tokens.before_scored
        blocks = zip(base.blocks(tokens.ids, wanted), other.blocks(tokens.ids, wanted), strict=True)
        for (positions, base_logits), (_, other_logits) in blocks:
            p, q = log_softmax(base_logits), log_softmax(other_logits)
            targets = np.arange(positions.size), ids[positions + 1]
            self.reference_losses.append(-p[targets])
            self.quantized_losses.append(-q[targets])
            self.same_top.append((p.argmax(axis=1) == q.argmax(axis=1)).astype(np.float64))
            # Never below 0, but for the last digit of the sums.
            self.divergences.append(np.maximum((np.exp(p) * (p - q)).sum(axis=1), 0.0))

    def comparison(
        self,
        reference: str,
        quantized: str,
        template: str,
        n_dialogues: int,
        answers: tuple[Answers, ...],
        notes: tuple[str, ...],
    ) -> Comparison:
        ours, theirs = np.concatenate(self.reference_losses), np.concatenate(self.quantized_losses)
        return Comparison(
            reference=reference,
            quantized=quantized,
            template=template,
            n_dialogues=n_dialogues,
            n_tokens=self.n_tokens,
            reference_perplexity=Estimate.exp_of_mean(ours),
            quantized_perplexity=Estimate.exp_of_mean(theirs),
            # Token by token: the two losses rise and fall together, so their difference is known far better than each.
            ratio=Estimate.exp_of_mean(theirs - ours),
            divergence=Divergence.of(np.concatenate(self.divergences)),
            same_top=Estimate.of_mean(np.concatenate(self.same_top)),
            answers=answers,
            notes=notes,
        )


def _notes(scorer: Scorer, template: Template, *, given: bool) -> tuple[str, ...]:
    """What a reader has to know of the template."""
    if given or scorer.metadata("bayling.template") == template.name:
        return ()
    return (f"The file names no prompt template that is known; the dialogues are in the form of {BAYLING.name!r}.",)


def _same_tokens(base: Scorer, other: Scorer, template: Template, dialogue: Conversation) -> Tokens:
    tokens = tokenize(base, template, dialogue)
    if base.n_vocab != other.n_vocab or tokens != tokenize(other, template, dialogue):
        raise ModelError(
            f"{base.path.name} and {other.path.name} have different tokenizers, so they are not two files of one "
            "model. Compare a quantized file with the unquantized one of the same checkpoint."
        )
    return tokens


def _first_request(dialogue: Conversation) -> Conversation | None:
    """The dialogue up to its first request."""
    for place, message in enumerate(dialogue.messages):
        if message.role is Role.USER:
            return Conversation(dialogue.messages[: place + 1])
    return None


def _answers(base: Scorer, other: Scorer, template: Template, request: Conversation, prompt: Sequence[int]) -> Answers:
    stop = stop_tokens(base, template)
    first, second = (scorer.greedy(prompt, max_tokens=_MOST_TOKENS, stop=stop) for scorer in (base, other))
    return Answers(
        request=request.messages[-1].content,
        reference=base.detokenize(first).strip(),
        quantized=other.detokenize(second).strip(),
        similarity=similarity(first, second),
    )


def similarity(first: Sequence[int], second: Sequence[int]) -> float:
    """1 less the Levenshtein distance over the longer one's length: 1 for the same, 0 for nothing in common."""
    longest = max(len(first), len(second))
    if not longest:
        return 1.0
    before = list(range(len(second) + 1))
    for row, left in enumerate(first, start=1):
        here = [row]
        for column, right in enumerate(second, start=1):
            here.append(min(before[column] + 1, here[-1] + 1, before[column - 1] + (left != right)))
        before = here
    return 1.0 - before[-1] / longest
