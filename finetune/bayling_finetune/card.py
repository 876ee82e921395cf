"""The model card: what a model is, how good, what made it, from what, under which licences.

::

    python -m bayling_finetune.card runs/tiny --recipe RECIPE.toml --scores scores.json --cost cost.json > README.md

``--scores`` is what ``benchmarks/translation_quality.py --json`` writes, ``--cost`` what
``benchmarks/quantization_cost.py --json`` writes. The format is Hugging Face's: YAML metadata, then Markdown
(https://huggingface.co/docs/hub/model-cards).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayling_finetune.config import Recipe
from bayling_lite.errors import BaylingError
from bayling_lite.languages import find_language


@dataclass(frozen=True, slots=True)
class Training:
    """What a run took. ``tokens`` counts those of packed rows, padding and shared prefixes included."""

    steps: int
    tokens: int
    seconds: float
    parameters: int
    recipe_sha256: str
    data_sha256: str
    development_loss: float | None
    hardware: str
    command: str


def model_card(
    recipe: Recipe,
    training: Training,
    *,
    scores: Mapping[str, Any] | None = None,
    cost: Mapping[str, Any] | None = None,
) -> str:
    """The card as Markdown. Without ``scores`` it says that quality was not measured."""
    sections = [
        _metadata(recipe),
        _introduction(recipe, training),
        _quality(recipe, scores),
        *([_quantization(cost)] if cost else []),
        _training(recipe, training),
        _data(recipe),
        _licence(recipe),
    ]
    return "\n\n".join(sections) + "\n"


def _metadata(recipe: Recipe) -> str:
    lines = ["---", f"license: {recipe.license}" if recipe.license else "license: other", "language:"]
    lines += [f"- {code}" for code in recipe.languages]
    lines += ["pipeline_tag: translation", "library_name: transformers", "tags:", "- gguf", "- interactive-translation"]
    return "\n".join([*lines, "---"])


def _introduction(recipe: Recipe, training: Training) -> str:
    names = [find_language(code).english for code in recipe.languages]
    text = (
        f"# {recipe.name} {recipe.version}\n\n"
        f"A LLaMA model of {training.parameters / 1e6:.1f} million parameters, trained from scratch to translate "
        f"between {names[0]} and {', '.join(names[1:])}, and to refine its drafts as the user says, in the BayLing "
        f"prompt (template `{recipe.template}`)."
    )
    if recipe.demonstrator:
        text += (
            "\n\n**It is a demonstrator.** It shows what bayling-lite does, without a download, on sentences of daily "
            "life. It knows few words and less of the world, gets many sentences wrong, does not converse, and is not "
            "to be relied on for anything. Use a real model for real work."
        )
    return text


def _quality(recipe: Recipe, scores: Mapping[str, Any] | None) -> str:
    heading = "## How good\n\n"
    if not scores:
        return heading + "Not measured yet: `benchmarks/translation_quality.py` does."
    rows = [
        f"| {name} | {len(entry['examples'])} | {entry['bleu']:.1f} | {entry['chrf']:.1f} "
        f"| {entry['right_language']:.1%} |"
        for name, entry in scores.items()
    ]
    signatures = sorted({signature for entry in scores.values() for signature in entry["signatures"]})
    models = sorted({f"`{entry['model']}`" for entry in scores.values()})
    everyday = ", ".join(f"`{text.path}`" for text in recipe.data.parallel if text.everyday)
    table = "\n".join(["| direction | sentences | BLEU | chrF | right language |", "|---|---|---|---|---|", *rows])
    return (
        f"{heading}On everyday sentences ({everyday}) whose English side, whatever its case and punctuation, is in no "
        f"training pair of any file; {', '.join(models)}, greedy decoding, one reference each:\n\n"
        f"{table}\n\nSignatures: {'; '.join(f'`{signature}`' for signature in signatures)}. "
        "Made by `python benchmarks/translation_quality.py --data DIR`. Right language: as py3langid tells the "
        "languages of the model apart."
    )


def _quantization(cost: Mapping[str, Any]) -> str:
    rows = [
        f"| {entry['type']} | {entry['megabytes']:.1f} | {entry['perplexity']:.3f} | ×{entry['ratio']:.4f} |"
        for entry in cost["files"]
    ]
    table = "\n".join(["| file | MB | perplexity | against F32 |", "|---|---|---|---|", *rows])
    return (
        f"## What 4 bits cost\n\nPerplexity of the answers (end tokens included) of {cost['dialogues']} held-out "
        f"dialogues, translations and refinements:\n\n{table}\n\n"
        "Made by `python benchmarks/quantization_cost.py --data DIR CHECKPOINT`."
    )


def _training(recipe: Recipe, training: Training) -> str:
    model, schedule = recipe.model, recipe.schedule
    loss = (
        f" Loss on held-out dialogues: {training.development_loss:.3f} nats a token."
        if training.development_loss
        else ""
    )
    return (
        "## How it was made\n\n"
        f"`{training.command}`, then `bayling convert`. "
        f"{model.layers} layers, {model.hidden_size} wide, feed-forward {model.intermediate_size}, "
        f"{model.heads} heads, "
        f"tied embeddings of {recipe.tokenizer.vocab_size:,} SentencePiece BPE pieces with byte fallback; "
        f"Muon ({schedule.muon_lr:g}) for the matrices, AdamW ({schedule.adamw_lr:g}) for the rest; "
        "loss on responses only.\n\n"
        f"{training.steps:,} steps, {training.tokens / 1e6:.1f} million tokens, {training.seconds / 3600:.1f} hours on "
        f"{training.hardware}.{loss}\n\n"
        f"Recipe (SHA-256): `{training.recipe_sha256}`. Data (SHA-256 of the files' digests): `{training.data_sha256}`."
    )


def _data(recipe: Recipe) -> str:
    rows = [
        f"| {text.path} | {text.source}–{text.target} | {text.weight:g} | {text.max_words} "
        f"| {text.origin} | {text.license} |"
        for text in recipe.data.parallel
    ]
    head = (
        "## Data\n\n"
        "Parallel text, used in both directions. Where a source names the authors of single sentences or stories, as "
        "Tatoeba (https://tatoeba.org) and the African Storybook (https://global-asp.github.io) do, they are named "
        "there.\n\n"
        "| file | languages | passes an epoch | words at most | origin | licence |\n|---|---|---|---|---|---|"
    )
    return "\n".join([head, *rows])


def _licence(recipe: Recipe) -> str:
    return f"## Licence\n\n{recipe.license or 'Not stated.'}"


def main() -> int:
    """Print the card of a run."""
    parser = argparse.ArgumentParser(prog="python -m bayling_finetune.card", description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path, help="the run's folder")
    parser.add_argument("--recipe", type=Path, required=True)
    parser.add_argument("--scores", type=Path)
    parser.add_argument("--cost", type=Path)
    chosen = parser.parse_args()
    try:
        recipe = Recipe.load(chosen.recipe)
    except BaylingError as error:
        sys.stderr.write(f"Error: {error}\n")
        return error.exit_status
    training = Training(**json.loads((chosen.run / "checkpoint" / "training.json").read_text(encoding="utf-8")))
    scores, cost = (
        json.loads(path.read_text(encoding="utf-8")) if path else None for path in (chosen.scores, chosen.cost)
    )
    sys.stdout.write(model_card(recipe, training, scores=scores, cost=cost))
    return 0


if __name__ == "__main__":
    sys.exit(main())
