"""Dialogues as tokens, which of them are scored, and how likely a model finds those: its perplexity."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bayling_convert.proof.scoring import Scorer
from bayling_lite.errors import InputError, ModelError
from bayling_lite.messages import Conversation
from bayling_lite.prompts import BAYLING, TEMPLATES, AnyPart, Control, Markup, Special, Template, Text

NO_ANSWER = "The dialogues hold no answer to measure; they need turns of the role 'assistant'."
SMALLEST = 256
"""Tokens of the smallest context that llama.cpp makes."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """A rendered dialogue: ``ids`` and, for each, whether it is scored (the answers and the token that ends them)."""

    ids: tuple[int, ...]
    scored: tuple[bool, ...]

    @property
    def before_scored(self) -> npt.NDArray[np.bool_]:
        """For each token, whether the one after it is scored: there the next-token distribution is asked for."""
        return np.append(np.asarray(self.scored[1:], bool), False)


def template_of(scorer: Scorer) -> Template:
    """The template that the file names in ``bayling.template``; BayLing's where it names none that is known."""
    return TEMPLATES.get(scorer.metadata("bayling.template") or "", BAYLING)


def perplexity(
    gguf: Path, dialogues: Iterable[Conversation], *, n_ctx: int | None = None, template: Template | None = None
) -> float:
    """Exponential of the mean negative log-likelihood over all tokens of the answers, their end tokens included.

    Args:
        gguf: the model.
        dialogues: what it is measured on.
        n_ctx: longest dialogue in tokens; None makes room for whatever comes.
        template: how they are written; None takes :func:`template_of` the file.

    Raises:
        ModelError: the file cannot be opened.
        ContextOverflow: a dialogue is longer than ``n_ctx`` tokens.
        InputError: there is no answer in any dialogue.
    """
    total, count = 0.0, 0
    with Scorer(gguf, n_ctx=n_ctx or SMALLEST) as scorer:
        chosen = template or template_of(scorer)
        rendered = [tokenize(scorer, chosen, dialogue) for dialogue in dialogues]
        if n_ctx is None:
            scorer.resize(max([SMALLEST, *(len(tokens.ids) for tokens in rendered)]))
        for tokens in rendered:
            losses = negative_log_likelihoods(scorer, tokens)
            total += float(losses.sum())
            count += losses.size
    if not count:
        raise InputError(NO_ANSWER)
    return math.exp(total / count)


def tokenize(scorer: Scorer, template: Template, dialogue: Conversation) -> Tokens:
    """Token ids of a dialogue, each part of the prompt on its own as in training."""
    ids: list[int] = []
    scored: list[bool] = []
    answered = False
    for part in template.render(dialogue):
        response = isinstance(part, Text) and part.response
        part_ids = _part_ids(scorer, part, first=len(ids) < 2)
        ids += part_ids
        # The token that follows an answer is the one that ends it: stopping is part of what the model learnt.
        ends = answered and not isinstance(part, Text)
        scored += [response or (ends and place == 0) for place in range(len(part_ids))]
        answered = response
    return Tokens(tuple(ids), tuple(scored))


def stop_tokens(scorer: Scorer, template: Template) -> set[int]:
    """The tokens that end an answer, besides those that the model's tokenizer calls ends."""
    return {_part_ids(scorer, part, first=False)[0] for part in template.stop}


def _part_ids(scorer: Scorer, part: AnyPart, *, first: bool) -> list[int]:
    if isinstance(part, Text):
        return scorer.tokenize(part.content) if first else scorer.tokenize_on(part.content)
    if isinstance(part, Markup):
        read = scorer.tokenize if first else scorer.tokenize_on
        return read(part.content, special=True)
    if isinstance(part, Special):
        ids = scorer.tokenize(part.token, special=True)
        if len(ids) != 1:
            raise ModelError(f"The model's tokenizer has no token {part.token}, which its prompt template needs.")
        return ids
    return [scorer.bos if part in (Control.BOS, Control.TEMPLATE_BOS) else scorer.eos]


def log_softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Natural log-probabilities of each row, shape (n, n_vocab), in double precision."""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted


def negative_log_likelihoods(scorer: Scorer, tokens: Tokens) -> npt.NDArray[np.float64]:
    """-log p of each scored token given all before it, in nats, shape (number of scored tokens,)."""
    losses = [np.empty(0)]
    ids = np.asarray(tokens.ids)
    for positions, logits in scorer.blocks(tokens.ids, tokens.before_scored):
        losses.append(-log_softmax(logits)[np.arange(positions.size), ids[positions + 1]])
    return np.concatenate(losses)
