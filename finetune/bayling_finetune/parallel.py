"""Parallel text: reading it, and keeping sentences for development and tests out of training."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bayling_finetune.config import ParallelText, Recipe
from bayling_lite.errors import RecipeError

_NOT_A_WORD = re.compile(r"[\W_]+")


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


def fingerprint(sentence: str) -> str:
    """What two sentences share that differ in case, spaces and punctuation only."""
    return _NOT_A_WORD.sub(" ", sentence.casefold()).strip()


def split_of(sentence: str, held_out: float) -> Split:
    """The split of a source sentence: a hash of its fingerprint decides, so that it is the same in every file."""
    digest = hashlib.blake2b(fingerprint(sentence).encode(), digest_size=8).digest()
    position = int.from_bytes(digest, "big") / 2**64
    if position >= held_out:
        return Split.TRAIN
    return Split.DEVELOPMENT if position < held_out / 2 else Split.TEST


def read_pairs(text: ParallelText, path: Path) -> Iterator[Pair]:
    """The pairs of one TSV file, up to its limit of words (of the source; 2.5 characters a word where there are no
    spaces).

    Raises:
        RecipeError: the file cannot be read, or a line has not two columns.
    """
    try:
        with path.open(encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(lines, start=1):
                columns = line.rstrip("\n").split("\t")
                if len(columns) != 2:
                    raise RecipeError(
                        f"{path}, line {number}: expected source TAB target, found {len(columns)} columns."
                    )
                source, target = (column.strip() for column in columns)
                if source and target and len(source.split()) <= text.max_words:
                    yield Pair(source, target, text)
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"The data file {path} cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class Corpus:
    """All pairs of a recipe by split, and the digest of the files they came from."""

    train: list[Pair]
    development: list[Pair]
    test: list[Pair]
    sha256: str


def load_corpus(recipe: Recipe, root: Path) -> Corpus:
    """Read every file of a recipe and split it.

    A pair goes by its source sentence. A training pair whose *target* equals a held-out pair's target is dropped as
    well: otherwise the reverse direction would have been trained on its reference.

    Raises:
        RecipeError: a file is missing or malformed.
    """
    by_split: dict[Split, list[Pair]] = {split: [] for split in Split}
    digest = hashlib.sha256()
    for text in recipe.data.parallel:
        path = root / text.path
        if not path.is_file():
            raise RecipeError(f"The recipe's data file {path} is missing. Name the folder of the data with --data.")
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
        for pair in read_pairs(text, path):
            by_split[split_of(pair.source, recipe.data.held_out)].append(pair)
    kept_out = {fingerprint(pair.target) for split in (Split.DEVELOPMENT, Split.TEST) for pair in by_split[split]} - {
        ""
    }
    train = [pair for pair in by_split[Split.TRAIN] if fingerprint(pair.target) not in kept_out]
    return Corpus(train, by_split[Split.DEVELOPMENT], by_split[Split.TEST], digest.hexdigest())
