"""Tokenized dialogues in flat arrays, and the order in which training passes over them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bayling_finetune.dialogues import Dialogue
from bayling_finetune.packing import Document
from bayling_finetune.tokenizer import Tokenizer
from bayling_lite.errors import RecipeError
from bayling_lite.prompts import PromptTemplate

_CHUNK = 20_000


@dataclass(frozen=True)
class Dataset:
    """Dialogues without their common prefix.

    ``prefix``: (p,) token ids every dialogue begins with. ``ids``: (n,) tokens of all dialogues in a row;
    ``targets``: (n,)
    bool, what is to be learnt. ``offsets``: (m + 1,) where each dialogue begins. ``weights``: (m,) passes an epoch.
    """

    prefix: NDArray[np.int32]
    ids: NDArray[np.int32]
    targets: NDArray[np.bool_]
    offsets: NDArray[np.int64]
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def document(self, number: int) -> Document:
        """One dialogue."""
        part = slice(self.offsets[number], self.offsets[number + 1])
        return Document(self.ids[part], self.targets[part])

    def save(self, path: Path) -> None:
        """Write as one ``.npz``, whole or not at all."""
        temporary = path.with_name(path.name + ".part")
        with temporary.open("wb") as file:
            np.savez(
                file,
                prefix=self.prefix,
                ids=self.ids,
                targets=self.targets,
                offsets=self.offsets,
                weights=self.weights,
            )
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path) -> Dataset:
        """Read what :meth:`save` wrote."""
        with np.load(path) as arrays:
            return cls(**arrays)

    def epoch(self, number: int, *, seed: int) -> NDArray[np.int64]:
        """The order of one epoch: a shuffle in which a dialogue of weight 2.5 stands two or three times."""
        random = np.random.default_rng((seed, number))
        whole = np.floor(self.weights).astype(np.int64)
        repeats = whole + (random.random(len(self)) < self.weights - whole)
        order = np.repeat(np.arange(len(self), dtype=np.int64), repeats)
        random.shuffle(order)
        return order


def tokenize(
    dialogues: Iterable[Dialogue], template: PromptTemplate, tokenizer: Tokenizer, *, max_tokens: int
) -> Dataset:
    """Render, tokenize and cut off the common prefix. Dialogues longer than ``max_tokens`` without it are left out.

    Raises:
        RecipeError: there is no dialogue, or none that is short enough.
    """
    ids: list[NDArray[np.int32]] = []
    targets: list[NDArray[np.bool_]] = []
    weights: list[float] = []
    prefix: NDArray[np.int32] | None = None
    for chunk in _chunks(dialogues):
        encoded = tokenizer.encode_parts([template.render(dialogue.conversation) for dialogue in chunk])
        for dialogue, (tokens, responses) in zip(chunk, encoded, strict=True):
            learnt = np.array((*dialogue.learnt, False), dtype=np.bool_)  # response -1 is the last entry: never learnt
            ids.append(tokens)
            targets.append(learnt[responses])
            weights.append(dialogue.weight)
            prefix = tokens if prefix is None else prefix[: _common(prefix, tokens)]
    if prefix is None:
        raise RecipeError("The data hold no dialogue to train on.")
    kept = [number for number, tokens in enumerate(ids) if 1 < len(tokens) - len(prefix) <= max_tokens]
    if not kept:
        raise RecipeError(f"No dialogue has at most {max_tokens} tokens: raise data.max_tokens in the recipe.")
    lengths = [len(ids[number]) - len(prefix) for number in kept]
    start = len(prefix)
    return Dataset(
        prefix,
        np.concatenate([ids[number][start:] for number in kept]),
        np.concatenate([targets[number][start:] for number in kept]),
        np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
        np.array([weights[number] for number in kept], dtype=np.float32),
    )


def _chunks(dialogues: Iterable[Dialogue]) -> Iterator[Sequence[Dialogue]]:
    iterator = iter(dialogues)
    while chunk := list(itertools.islice(iterator, _CHUNK)):
        yield chunk


def _common(first: NDArray[np.int32], second: NDArray[np.int32]) -> int:
    length = min(len(first), len(second))
    different = np.flatnonzero(first[:length] != second[:length])
    return int(different[0]) if len(different) else length


def in_order(dataset: Dataset, *, batch_tokens: int) -> Iterator[list[Document]]:
    """Every dialogue once, in batches up to a token budget."""
    budget = batch_tokens - len(dataset.prefix)
    documents: list[Document] = []
    tokens = 0
    for number in range(len(dataset)):
        document = dataset.document(number)
        if documents and tokens + len(document.ids) > budget:
            yield documents
            documents, tokens = [], 0
        documents.append(document)
        tokens += len(document.ids)
    if documents:
        yield documents


@dataclass(slots=True)
class Position:
    """Where training stands in the data: the epoch and how many of its dialogues were used."""

    epoch: int = 0
    used: int = 0


class BatchSource:
    """Endless batches of dialogues up to a token budget, from any position on; the same seed, the same batches."""

    def __init__(self, dataset: Dataset, *, batch_tokens: int, seed: int, position: Position) -> None:
        self._dataset = dataset
        self._budget = batch_tokens - len(dataset.prefix)
        self._seed = seed
        self.position = position
        self._order = dataset.epoch(position.epoch, seed=seed)

    def next(self) -> list[Document]:
        """The next batch: at least one dialogue."""
        documents: list[Document] = []
        tokens = 0
        while True:
            if self.position.used >= len(self._order):
                self.position.epoch += 1
                self.position.used = 0
                self._order = self._dataset.epoch(self.position.epoch, seed=self._seed)
            document = self._dataset.document(int(self._order[self.position.used]))
            if documents and tokens + len(document.ids) > self._budget:
                return documents
            documents.append(document)
            tokens += len(document.ids)
            self.position.used += 1
