"""Parallel text: reading it, and keeping sentences for development and tests out of training."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bayling_finetune.config import ParallelText, Recipe
from bayling_finetune.dialogues.sources import ParallelSource, open_source
from bayling_finetune.dialogues.values import Direction
from bayling_finetune.dialogues.values import fingerprint as fingerprint
from bayling_lite.errors import InputError, RecipeError, UsageError
from bayling_lite.languages import find_language


class Split(StrEnum):
    """What a pair may be used for."""

    TRAIN = "train"
    DEVELOPMENT = "dev"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence and its translation."""

    source: str
    target: str
    text: ParallelText

    @property
    def pivot(self) -> str:
        """The side that decides the split: English, whichever side of the file it is on."""
        return self.target if self.text.target == "en" else self.source

    @property
    def other(self) -> str:
        """The side that does not."""
        return self.source if self.text.target == "en" else self.target


def split_of(sentence: str, held_out: float) -> Split:
    """The split of a source sentence: a hash of its fingerprint decides, so that it is the same in every file."""
    digest = hashlib.blake2b(fingerprint(sentence).encode(), digest_size=8).digest()
    position = int.from_bytes(digest, "big") / 2**64
    if position >= held_out:
        return Split.TRAIN
    return Split.DEVELOPMENT if position < held_out / 2 else Split.TEST


def directions(pair: Pair) -> tuple[Direction, Direction]:
    """Both directions of a pair, its source to its target first."""
    text = pair.text
    source, target = find_language(text.source), find_language(text.target)
    forward = Direction(pair.source, pair.target, source, target, text.weight, text.origin)
    return forward, forward.reversed()


def read_pairs(text: ParallelText, path: Path) -> Iterator[Pair]:
    """The pairs of one file of any format (``dialogues/sources``), up to its limit of words of the source.

    Raises:
        RecipeError: the file cannot be read, or is malformed; the message names the place.
    """
    try:
        for direction in open_source(_source(text, path)):
            yield Pair(direction.source, direction.reference, text)
    except (InputError, UsageError) as error:
        raise RecipeError(f"The recipe's data cannot be read: {error}") from error


def _source(text: ParallelText, path: Path) -> ParallelSource:
    return ParallelSource(
        (path,),
        find_language(text.source),
        find_language(text.target),
        origin=text.origin,
        weight=text.weight,
        max_words=text.max_words,
    )


@dataclass(frozen=True, slots=True)
class Corpus:
    """All pairs of a recipe by split."""

    train: list[Pair]
    development: list[Pair]
    test: list[Pair]


def load_corpus(recipe: Recipe, root: Path) -> Corpus:
    """Read every file of a recipe and split it.

    A pair goes by its English sentence, where it has one. A training pair whose *other* side equals a held-out pair's
    is dropped as well: otherwise the reverse direction would have been trained on its reference.

    Raises:
        RecipeError: a file is missing or malformed, or there is too little text to hold any out.
    """
    by_split: dict[Split, list[Pair]] = {split: [] for split in Split}
    for text in recipe.data.parallel:
        for pair in read_pairs(text, _path(text, root)):
            by_split[split_of(pair.pivot, recipe.data.held_out)].append(pair)
    development, test = by_split[Split.DEVELOPMENT], by_split[Split.TEST]
    if not development:
        raise RecipeError("So little text leaves nothing held out for evaluation: raise data.held_out in the recipe.")
    kept_out = {fingerprint(pair.other) for pair in development + test} - {""}
    train = [pair for pair in by_split[Split.TRAIN] if fingerprint(pair.other) not in kept_out]
    if 0 < recipe.data.max_pairs < len(train):
        train = random.Random(recipe.schedule.seed).sample(train, recipe.data.max_pairs)  # noqa: S311
    return Corpus(train, development, test)


def _path(text: ParallelText, root: Path) -> Path:
    path = root / text.path
    if not path.is_file():
        raise RecipeError(f"The recipe's data file {path} is missing. Name the folder of the data with --data.")
    return path


def data_digest(recipe: Recipe, root: Path) -> str:
    """SHA-256 over the SHA-256 of every data file, in the recipe's order.

    Raises:
        RecipeError: a file is missing or cannot be read.
    """
    digest = hashlib.sha256()
    for text in recipe.data.parallel:
        path = _path(text, root)
        try:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise RecipeError(f"The data file {path} cannot be read: {error}") from error
    return digest.hexdigest()
