"""From a recipe to prepared data: tokenizer, training and development dialogues. Done once for a run."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from bayling_finetune.config import Recipe
from bayling_finetune.dataset import Dataset, tokenize
from bayling_finetune.dialogues import DialogueBuilder, directions
from bayling_finetune.parallel import Corpus, Pair, data_digest, load_corpus
from bayling_finetune.rundir import RunFolder, write_whole
from bayling_finetune.tokenizer import Tokenizer, train_tokenizer
from bayling_lite.errors import RecipeError
from bayling_lite.prompts import TEMPLATES, translation_instruction, user_turn

_DEVELOPMENT_PAIRS = 600


@dataclass(frozen=True, slots=True)
class Prepared:
    """What training needs of the data. ``data_sha256`` covers the files' contents, in the recipe's order.

    ``fingerprint`` stands for all that decides tokens and dialogues: checkpoints of another one cannot be gone on from.
    """

    tokenizer: Tokenizer
    train: Dataset
    development: Dataset
    data_sha256: str
    fingerprint: str


def prepare(
    recipe: Recipe,
    root: Path,
    run: RunFolder,
    *,
    base: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Prepared:
    """Load what an earlier call left in the run's folder, or make it.

    Without the data files, what was prepared from them still serves. ``base`` is the checkpoint folder that training
    begins from; its tokenizer is taken.

    Raises:
        RecipeError: the data cannot be used, or differ from what the run's checkpoints were trained on.
    """
    settings = _settings_digest(recipe, base)
    stamp = _read_stamp(run.path / "prepared.json")
    try:
        data = data_digest(recipe, root)
    except RecipeError:
        if stamp.get("recipe_data") != settings:
            raise
        say("The data files are not there; what was prepared from them is used.")
        data = stamp["data_sha256"]
    fingerprint = hashlib.sha256(f"{settings}{data}".encode()).hexdigest()
    if stamp == {"recipe_data": settings, "data_sha256": data}:
        try:
            return _load(run, data, fingerprint)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile, RuntimeError):
            say("The prepared data are damaged; they are made again.")
    elif stamp and run.steps():
        raise RecipeError(
            f"The checkpoints in {run.path} were trained on other data, or with another tokenizer or seed, than the "
            "recipe and --data name now. Name another folder with --run."
        )
    prepared = _make(recipe, root, run, base, data, fingerprint)
    # The stamp comes last: without it everything above is made again.
    text = json.dumps({"recipe_data": settings, "data_sha256": data}) + "\n"
    write_whole(run.path / "prepared.json", text.encode())
    return prepared


def _settings_digest(recipe: Recipe, base: Path | None) -> str:
    values: list[Any] = [asdict(recipe.data), asdict(recipe.tokenizer), recipe.template, recipe.schedule.seed]
    if base is not None:
        files = (base / name for name in ("tokenizer.model", "model.safetensors"))
        values.extend(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _read_stamp(path: Path) -> dict[str, str]:
    try:
        stamp = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _load(run: RunFolder, data: str, fingerprint: str) -> Prepared:
    return Prepared(
        Tokenizer.load(run.path / "tokenizer.model"),
        Dataset.load(run.path / "train.npz"),
        Dataset.load(run.path / "development.npz"),
        data,
        fingerprint,
    )


def _make(recipe: Recipe, root: Path, run: RunFolder, base: Path | None, data: str, fingerprint: str) -> Prepared:
    corpus = load_corpus(recipe, root)
    if base is not None:
        model = (base / "tokenizer.model").read_bytes()
    else:
        model = train_tokenizer(_tokenizer_lines(recipe, corpus), recipe.tokenizer, seed=recipe.schedule.seed)
    write_whole(run.path / "tokenizer.model", model)
    tokenizer = Tokenizer(model)
    template = TEMPLATES[recipe.template]
    seed, limit = recipe.schedule.seed, recipe.data.max_tokens
    train = tokenize(
        DialogueBuilder(corpus.train, recipe.data, seed=seed).build(), template, tokenizer, max_tokens=limit
    )
    held_out = DialogueBuilder(_development(corpus.development), recipe.data, seed=seed).build()
    development = tokenize(held_out, template, tokenizer, max_tokens=limit)
    _check_room(recipe, train)
    train.save(run.path / "train.npz")
    development.save(run.path / "development.npz")
    return Prepared(tokenizer, train, development, data, fingerprint)


def _check_room(recipe: Recipe, train: Dataset) -> None:
    """A batch and the model's context must hold the longest dialogue and the prefix before it."""
    longest = len(train.prefix) + int(np.diff(train.offsets).max())
    for name, room in (
        ("schedule.batch_tokens", recipe.schedule.batch_tokens),
        ("model.context", recipe.model.context),
    ):
        if room < longest:
            raise RecipeError(
                f"{name} is {room}, but the longest dialogue has {longest} tokens: raise it to that or more."
            )


def _development(pairs: list[Pair]) -> list[Pair]:
    everyday = [pair for pair in pairs if pair.text.everyday] or pairs
    return random.Random(0).sample(everyday, min(_DEVELOPMENT_PAIRS, len(everyday)))  # noqa: S311


def _tokenizer_lines(recipe: Recipe, corpus: Corpus) -> list[str]:
    """Both sides of every training pair as often as an epoch passes over them, and some whole prompts."""
    template = TEMPLATES[recipe.template]
    lines: list[str] = []
    for number, pair in enumerate(corpus.train):
        repeats = max(1, round(pair.text.weight))
        lines.extend((pair.source, pair.target) * repeats)
        if number % 100 == 0:
            for direction in directions(pair):
                request = user_turn(translation_instruction(direction.source, direction.target_language))
                lines.extend(template.text(request).splitlines())
    return lines
