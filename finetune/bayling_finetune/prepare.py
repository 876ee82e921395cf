"""From a recipe to prepared data: tokenizer, training and development dialogues. Done once for a run."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

from bayling_finetune.config import Recipe
from bayling_finetune.dataset import Dataset, tokenize
from bayling_finetune.dialogues import DialogueBuilder, directions
from bayling_finetune.parallel import Corpus, Pair, load_corpus
from bayling_finetune.rundir import RunFolder
from bayling_finetune.tokenizer import Tokenizer, train_tokenizer
from bayling_lite.prompts import TEMPLATES, translation_instruction, user_turn

_DEVELOPMENT_PAIRS = 600


@dataclass(frozen=True, slots=True)
class Prepared:
    """What training needs of the data. ``data_sha256`` covers the files' contents, in the recipe's order."""

    tokenizer: Tokenizer
    train: Dataset
    development: Dataset
    data_sha256: str


def prepare(recipe: Recipe, root: Path, run: RunFolder) -> Prepared:
    """Load what an earlier call left in the run's folder, or make it.

    Raises:
        RecipeError: the data cannot be used.
    """
    stamp = run.path / "prepared.json"
    parts = (recipe.data, recipe.tokenizer, recipe.template, recipe.schedule.seed)
    values = [asdict(recipe.data), asdict(recipe.tokenizer), *parts[2:]]
    wanted = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
    if stamp.exists():
        made = json.loads(stamp.read_text(encoding="utf-8"))
        if made["recipe_data"] == wanted:
            return Prepared(
                Tokenizer.load(run.path / "tokenizer.model"),
                Dataset.load(run.path / "train.npz"),
                Dataset.load(run.path / "development.npz"),
                made["data_sha256"],
            )
        stamp.unlink()
    corpus = load_corpus(recipe, root)
    model = train_tokenizer(_tokenizer_lines(recipe, corpus), recipe.tokenizer, seed=recipe.schedule.seed)
    (run.path / "tokenizer.model").write_bytes(model)
    tokenizer = Tokenizer(model)
    template = TEMPLATES[recipe.template]
    seed, limit = recipe.schedule.seed, recipe.data.max_tokens
    train = tokenize(
        DialogueBuilder(corpus.train, recipe.data, seed=seed).build(), template, tokenizer, max_tokens=limit
    )
    held_out = DialogueBuilder(_development(corpus.development), recipe.data, seed=seed).build()
    development = tokenize(held_out, template, tokenizer, max_tokens=limit)
    train.save(run.path / "train.npz")
    development.save(run.path / "development.npz")
    # The stamp comes last: without it everything above is made again.
    stamp.write_text(json.dumps({"recipe_data": wanted, "data_sha256": corpus.sha256}) + "\n", encoding="utf-8")
    return Prepared(tokenizer, train, development, corpus.sha256)


def _development(pairs: list[Pair]) -> list[Pair]:
    everyday = [pair for pair in pairs if pair.text.everyday] or pairs
    if not everyday:
        return pairs
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
                lines.extend(chain.from_iterable(line.splitlines() for line in (template.text(request),)))
    return lines
