"""Measure an importance matrix: run a GGUF in llama.cpp on calibration text and see what enters its weights.

What is summed, and over which tokens, is what llama-imatrix sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bayling_convert.importance.activations import BATCH, FEWEST_ROWS, Collector, Run
from bayling_convert.importance.ggml_tensors import tensor_reader
from bayling_convert.importance.imatrix import Imatrix
from bayling_convert.proof.perplexity import template_of, tokenize
from bayling_convert.proof.scoring import Scorer
from bayling_lite.errors import InputError, UsageError
from bayling_lite.messages import Conversation
from bayling_lite.prompts import Template

Progress = Callable[[int, int], None]
"""Called after every piece of work with the tokens done and the tokens in all, in the calling thread."""

N_CTX = 512
"""Tokens in a chunk where nobody asks for another number; llama-imatrix's too."""


@dataclass(frozen=True, slots=True)
class Amount:
    """How much is measured: chunks of ``n_ctx`` tokens, at most ``max_chunks`` of them; None takes all there is.

    Raises:
        UsageError: chunks of fewer than 16 tokens, or none at all.
    """

    n_ctx: int = N_CTX
    max_chunks: int | None = None

    def __post_init__(self) -> None:
        if self.n_ctx < FEWEST_ROWS:
            raise UsageError(f"A chunk of {self.n_ctx} tokens is too short to measure; take {FEWEST_ROWS} or more.")
        if self.max_chunks is not None and self.max_chunks < 1:
            raise UsageError(f"{self.max_chunks} chunks measure nothing; take 1 or more.")


def measure_text(
    gguf: Path, text: str, *, dataset: str, amount: Amount | None = None, progress: Progress | None = None
) -> Imatrix:
    """Measure on plain text, cut into chunks as llama-imatrix cuts it.

    Args:
        gguf: the model, best in F16, BF16 or Q8_0.
        text: the calibration text. A name of a special token in it is just text.
        dataset: what the text is called, for the record.
        amount: None takes chunks of 512 tokens, as many as there are.
        progress: told after every chunk.

    Raises:
        ModelError: the file cannot be opened, or is of a kind that cannot be measured.
        InputError: the text has fewer tokens than two chunks.
        EngineError: the model computes infinite values.
    """
    wanted = amount or Amount()
    with Scorer(gguf, n_ctx=FEWEST_ROWS) as scorer:
        start = [scorer.bos] if scorer.adds_bos else []
        ids = start + scorer.tokenize(text)
    if len(ids) < 2 * wanted.n_ctx:
        raise InputError(
            f"The text has {len(ids)} tokens; chunks of {wanted.n_ctx} need {2 * wanted.n_ctx}. "
            "Take a longer text, or shorter chunks (--n-ctx)."
        )
    whole = len(ids) // wanted.n_ctx * wanted.n_ctx
    chunks = list(_chunks(ids[:whole], wanted.n_ctx, start))[: wanted.max_chunks]
    return _measure(gguf, chunks, dataset, wanted, progress)


def measure_dialogues(
    gguf: Path,
    dialogues: Iterable[Conversation],
    *,
    dataset: str,
    amount: Amount | None = None,
    template: Template | None = None,
    progress: Progress | None = None,
) -> Imatrix:
    """Measure on dialogues, each written as the model's template says and evaluated on its own.

    Args:
        gguf: the model, best in F16, BF16 or Q8_0.
        dialogues: the calibration dialogues; those longer than a chunk go in several.
        dataset: what they are called, for the record.
        amount: ``max_chunks`` counts full chunks' worth of tokens; None takes all dialogues.
        template: how they are written; None takes the one the file names, else BayLing's.
        progress: told after every piece of work.

    Raises:
        ModelError: the file cannot be opened, or is of a kind that cannot be measured.
        InputError: no dialogue has 16 tokens.
        EngineError: the model computes infinite values.
    """
    wanted = amount or Amount()
    sequences: list[list[int]] = []
    n_left = float("inf") if wanted.max_chunks is None else wanted.max_chunks * wanted.n_ctx
    with Scorer(gguf, n_ctx=FEWEST_ROWS) as scorer:
        chosen = template or template_of(scorer)
        start = [scorer.bos] if scorer.adds_bos else []
        for dialogue in dialogues:
            for ids in _chunks(tokenize(scorer, chosen, dialogue).ids, wanted.n_ctx, start):
                if len(ids) >= FEWEST_ROWS and n_left > 0:
                    sequences.append(ids)
                    n_left -= len(ids)
    if not sequences:
        raise InputError(f"There is nothing to measure: no dialogue has {FEWEST_ROWS} tokens.")
    return _measure(gguf, sequences, dataset, wanted, progress)


def _chunks(ids: Sequence[int], n_ctx: int, start: Sequence[int]) -> Iterator[list[int]]:
    """Pieces of at most ``n_ctx`` tokens, the first of each replaced by BOS where the model wants one."""
    for begin in range(0, len(ids), n_ctx):
        yield [*start, *ids[begin + len(start) : begin + n_ctx]]


def _measure(
    gguf: Path, sequences: Sequence[Sequence[int]], dataset: str, amount: Amount, progress: Progress | None
) -> Imatrix:
    collector = Collector(tensor_reader())
    total, done = sum(map(len, sequences)), 0
    with Run(gguf, amount.n_ctx, collector) as run:
        for sequence in sequences:
            run.forget()
            for begin in range(0, len(sequence), BATCH):
                piece = sequence[begin : begin + BATCH]
                run.evaluate(piece, begin)
                done += len(piece)
                if progress is not None:
                    progress(done, total)
    return collector.result(dataset, amount.n_ctx)
