"""The model card: what a model is, how good, what made it, from what, under which licences.

::

    python -m bayling_finetune.card runs/tiny --recipe RECIPE.toml --scores scores.json --cost cost.json > README.md

``--scores``, ``--refinement`` and ``--cost`` are what ``translation_quality.py``, ``refinement.py`` and
``quantization_cost.py`` of ``benchmarks/`` write with ``--json``. The format is Hugging Face's: YAML metadata, then
Markdown (https://huggingface.co/docs/hub/model-cards).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayling_finetune.config import Recipe, TokenizerConfig
from bayling_lite.errors import BaylingError
from bayling_lite.languages import find_language

_AUTHORS = (
    " Where a source names the authors of single sentences or stories, as Tatoeba (https://tatoeba.org) and the "
    "African Storybook (https://global-asp.github.io) do, they are named there."
)


@dataclass(frozen=True, slots=True)
class Training:
    """What a run took. ``tokens`` counts those of packed rows, padding and shared prefixes included.

    ``earlier`` are the sentences of the runs that made its base.
    """

    steps: int
    tokens: int
    seconds: float
    parameters: int
    recipe_sha256: str
    data_sha256: str
    development_loss: float | None
    hardware: str
    command: str
    base: str | None = None
    earlier: tuple[str, ...] = ()

    def sentence(self) -> str:
        """What was done, in a sentence."""
        loss = ""
        if self.development_loss is not None:
            loss = f", loss on its held-out dialogues {self.development_loss:.3f} nats a token"
        return (
            f"`{self.command}`: {self.steps:,} steps, {self.tokens / 1e6:.1f} million tokens, "
            f"{self.seconds / 3600:.1f} hours on {self.hardware}{loss}. Recipe (SHA-256): `{self.recipe_sha256}`."
        )


def read_training(checkpoint: Path) -> Training:
    """What ``training.json`` of a checkpoint folder says."""
    values = json.loads((checkpoint / "training.json").read_text(encoding="utf-8"))
    return Training(**values | {"earlier": tuple(values.get("earlier", ()))})


def model_card(
    recipe: Recipe,
    training: Training,
    *,
    scores: Mapping[str, Any] | None = None,
    refinement: Mapping[str, Any] | None = None,
    cost: Mapping[str, Any] | None = None,
) -> str:
    """The card as Markdown. Without ``scores`` it says that quality was not measured."""
    sections = [
        _metadata(recipe, training),
        _introduction(recipe, training),
        _quality(recipe, scores),
        *([_refinement(refinement)] if refinement else []),
        *([_quantization(cost)] if cost else []),
        _training(recipe, training),
        _data(recipe),
        _licence(recipe),
    ]
    return "\n\n".join(sections) + "\n"


def _metadata(recipe: Recipe, training: Training) -> str:
    lines = ["---", f"license: {recipe.license}" if recipe.license else "license: other"]
    if recipe.languages:
        lines += ["language:", *(f"- {code}" for code in recipe.languages)]
    if training.base is not None and "/" in training.base:  # a repository; of a model of ours only the name is known
        lines += [f"base_model: {training.base.partition('@')[0]}"]
        lines += [f"base_model_relation: {'adapter' if recipe.adapter else 'finetune'}"]
    lines += ["pipeline_tag: translation", f"library_name: {'peft' if recipe.adapter else 'transformers'}"]
    lines += ["tags:", *([] if recipe.adapter else ["- gguf"]), "- interactive-translation"]
    return "\n".join([*lines, "---"])


def _introduction(recipe: Recipe, training: Training) -> str:
    names = [find_language(code).english for code in recipe.languages]
    between = f"between {names[0]} and {', '.join(names[1:])}" if len(names) > 1 else "as its dialogues do"
    size = f"{training.parameters / 1e6:,.1f} million parameters"
    if recipe.adapter is not None:
        what = f"A LoRA adapter for {training.base}, trained"
    else:
        what = f"A LLaMA model of {size}, trained {f'on from {training.base}' if training.base else 'from scratch'}"
    text = (
        f"# {recipe.name} {recipe.version}\n\n{what} to translate {between}, and to refine its drafts as the user "
        f"says, in the BayLing prompt (template `{recipe.template}`)."
    )
    if recipe.adapter is not None:
        text += (
            "\n\nIt is no model by itself: `bayling convert` with this folder and `--base` merges it into its base, "
            "and peft lays it over the base."
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


def _refinement(counts: Mapping[str, Any]) -> str:
    rows = [
        f"| {name} | {row['asked']} | {row['followed'] / max(1, row['asked']):.1%} "
        f"| {row['exact'] / max(1, row['asked']):.1%} |"
        for name, row in counts.items()
    ]
    table = "\n".join(["| refinement | asked | followed | exact |", "|---|---|---|---|", *rows])
    return (
        "## Does it do as told\n\nRefinements of held-out sentences. Followed: the wanted word is in the new draft. "
        f"Exact: the rest is as it should be, too.\n\n{table}\n\n"
        "Made by `python benchmarks/refinement.py --data DIR`."
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
    stages = [*training.earlier, training.sentence()]
    steps = [f"{number}. {stage}" for number, stage in enumerate(stages, start=1)]
    digest = f"Data (SHA-256 of the files' digests): `{training.data_sha256}`. Then `bayling convert`."
    return "\n\n".join(["## How it was made", f"{_shape(recipe)} {_method(recipe)}", "\n".join(steps), digest])


def _shape(recipe: Recipe) -> str:
    """What is trained."""
    model, adapter = recipe.model, recipe.adapter
    if model is not None:
        pieces = (recipe.tokenizer or TokenizerConfig()).vocab_size
        return (
            f"{model.layers} layers, {model.hidden_size} wide, feed-forward {model.intermediate_size}, "
            f"{model.heads} heads, tied embeddings of {pieces:,} SentencePiece BPE pieces with byte fallback."
        )
    if adapter is not None:
        frozen = "in 4 bits (NF4)" if adapter.method == "qlora" else "as they are"
        layers = ", ".join(f"`{name}`" for name in adapter.targets)
        return (
            f"LoRA of rank {adapter.rank}, alpha {adapter.alpha:g}, dropout {adapter.dropout:g} beside {layers}; the "
            f"base's weights {frozen}."
        )
    return "All weights of the base, with its own tokenizer."


def _method(recipe: Recipe) -> str:
    """How it is trained."""
    schedule, optimizer = recipe.schedule, recipe.optimizer
    rates = f"{optimizer.learning_rate:g} at most"
    kind = "AdamW"
    if optimizer.kind == "muon":
        kind = "Muon for the matrices, AdamW for the rest"
        rates = f"{optimizer.muon_learning_rate:g} and {rates}"
    how_long = f"{schedule.epochs:g} passes over the data" if schedule.epochs else f"{schedule.steps:,} steps"
    return (
        f"{kind}; learning rate {rates} ({schedule.shape}); {how_long}, a step of at most {schedule.step_tokens:,} "
        "tokens; loss on responses only."
    )


def _data(recipe: Recipe) -> str:
    parts = ["## Data"]
    if recipe.data.parallel:
        rows = [
            f"| {text.path} | {text.source}–{text.target} | {text.weight:g} | {text.max_words} "
            f"| {text.origin} | {text.license} |"
            for text in recipe.data.parallel
        ]
        head = "| file | languages | passes an epoch | words at most | origin | licence |\n|---|---|---|---|---|---|"
        parts += [f"Parallel text, used in both directions.{_AUTHORS}", "\n".join([head, *rows])]
    if recipe.data.dialogues:
        rows = [
            f"| {file.path} | {', '.join(file.languages)} | {file.weight:g} | {file.origin} | {file.license} |"
            for file in recipe.data.dialogues
        ]
        head = "| file | languages | passes an epoch | origin | licence |\n|---|---|---|---|---|"
        parts += ["Dialogues, as they are.", "\n".join([head, *rows])]
    return "\n\n".join(parts)


def _licence(recipe: Recipe) -> str:
    return f"## Licence\n\n{recipe.license or 'Not stated.'}"


def main() -> int:
    """Print the card of a run."""
    parser = argparse.ArgumentParser(prog="python -m bayling_finetune.card", description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path, help="the run's folder")
    parser.add_argument("--recipe", type=Path, required=True)
    parser.add_argument("--scores", type=Path)
    parser.add_argument("--refinement", type=Path)
    parser.add_argument("--cost", type=Path)
    chosen = parser.parse_args()
    try:
        recipe = Recipe.load(chosen.recipe)
    except BaylingError as error:
        sys.stderr.write(f"Error: {error}\n")
        return error.exit_status
    training = read_training(chosen.run / "checkpoint")
    scores, refinement, cost = (
        json.loads(path.read_text(encoding="utf-8")) if path else None
        for path in (chosen.scores, chosen.refinement, chosen.cost)
    )
    sys.stdout.write(model_card(recipe, training, scores=scores, refinement=refinement, cost=cost))
    return 0


if __name__ == "__main__":
    sys.exit(main())
