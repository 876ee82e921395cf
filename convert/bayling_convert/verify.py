"""What does quantizing cost? The perplexity of GGUF files on the answers of the same dialogues.

::

    python -m bayling_convert.verify model.F32.gguf model.Q4_K_M.gguf --dialogues dialogues.jsonl

Each line of the file is ``{"messages": [{"role": "user", "content": "..."}, {"role": "assistant", ...}]}``.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bayling_convert.scoring import Scorer
from bayling_lite.errors import BaylingError, InputError, ModelError, UsageError
from bayling_lite.messages import Conversation
from bayling_lite.prompts import BAYLING, TEMPLATES, Control, Part, PromptTemplate, Special, Text


@dataclass(frozen=True, slots=True)
class Tokens:
    """A rendered dialogue: ``ids`` and, for each, whether it is scored (the answers and the token that ends them)."""

    ids: tuple[int, ...]
    scored: tuple[bool, ...]


def perplexity(gguf: Path, dialogues: Iterable[Conversation], *, n_ctx: int = 2048) -> float:
    """Exponential of the mean negative log-likelihood over all tokens of the answers, their end tokens included.

    The prompt is the template's that the file names (``bayling.template``), else BayLing's.

    Raises:
        ModelError: the file cannot be opened.
        ContextOverflow: a dialogue is longer than ``n_ctx`` tokens.
        InputError: there is no answer in any dialogue.
    """
    total, count = 0.0, 0
    with Scorer(gguf, n_ctx=n_ctx) as scorer:
        template = TEMPLATES.get(scorer.metadata("bayling.template") or "", BAYLING)
        for dialogue in dialogues:
            tokens = tokenize(scorer, template, dialogue)
            losses = negative_log_likelihoods(scorer, tokens)
            total += float(losses.sum())
            count += losses.size
    if not count:
        raise InputError("The dialogues hold no answer to measure; they need turns of the role 'assistant'.")
    return math.exp(total / count)


def tokenize(scorer: Scorer, template: PromptTemplate, dialogue: Conversation) -> Tokens:
    """Token ids of a dialogue, each part of the prompt on its own as in training."""
    ids: list[int] = []
    scored: list[bool] = []
    answered = False
    for part in template.render(dialogue):
        response = isinstance(part, Text) and part.response
        part_ids = _part_ids(scorer, part, first=len(ids) < 2)
        ids += part_ids
        # The token that follows an answer is the one that ends it: stopping is part of what the model learnt.
        scored += [response or (answered and not isinstance(part, Text))] * len(part_ids)
        answered = response
    return Tokens(tuple(ids), tuple(scored))


def _part_ids(scorer: Scorer, part: Part, *, first: bool) -> list[int]:
    if isinstance(part, Text):
        return scorer.tokenize(part.content) if first else scorer.tokenize_on(part.content)
    if isinstance(part, Special):
        ids = scorer.tokenize(part.token, special=True)
        if len(ids) != 1:
            raise ModelError(f"The model's tokenizer has no token {part.token}, which its prompt template needs.")
        return ids
    return [scorer.bos if part is Control.BOS else scorer.eos]


def negative_log_likelihoods(scorer: Scorer, tokens: Tokens) -> npt.NDArray[np.float64]:
    """-log p of each scored token given all before it, in nats, shape (number of scored tokens,)."""
    at = np.flatnonzero(tokens.scored)
    at = at[at > 0]
    if not at.size:
        return np.empty(0)
    # Nothing before the first scored token's predecessor needs its logits.
    first = int(at[0]) - 1
    logits = scorer.logits(tokens.ids, last=len(tokens.ids) - first).astype(np.float64)[at - 1 - first]
    top = logits.max(axis=1, keepdims=True)
    normalizer = top[:, 0] + np.log(np.exp(logits - top).sum(axis=1))
    targets = np.asarray(tokens.ids)[at]
    return np.asarray(normalizer - logits[np.arange(at.size), targets], dtype=np.float64)


def read_dialogues(path: Path) -> list[Conversation]:
    """Dialogues from a file of JSON lines.

    Raises:
        InputError: the file cannot be read, or a line is not a dialogue; the message names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as UTF-8 text: {error}.") from error
    dialogues = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                dialogues.append(Conversation.of(json.loads(line)["messages"]))
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(f'{path}, line {number}: not a dialogue {{"messages": [...]}} ({error}).') from error
    return dialogues


def main(arguments: list[str] | None = None) -> int:
    """Print the perplexity of each file, and its ratio to the first."""
    parser = argparse.ArgumentParser(prog="python -m bayling_convert.verify", description=__doc__.split("\n")[0])
    parser.add_argument("gguf", nargs="+", type=Path, help="GGUF files; the first is what the others are compared with")
    parser.add_argument("--dialogues", required=True, type=Path, help="JSON lines of dialogues")
    parser.add_argument("--n-ctx", type=int, default=2048, help="longest dialogue in tokens (default: 2048)")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.n_ctx < 1:
            raise UsageError("--n-ctx must be 1 or more.")
        dialogues = read_dialogues(chosen.dialogues)
        reference: float | None = None
        for path in chosen.gguf:
            value = perplexity(path, dialogues, n_ctx=chosen.n_ctx)
            reference = value if reference is None else reference
            sys.stdout.write(f"{value:10.4f}  x{value / reference:.4f}  {path.name}\n")
    except BaylingError as error:
        sys.stderr.write(f"Error: {error}\n")
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
