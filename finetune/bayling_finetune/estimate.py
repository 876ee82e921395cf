"""What a recipe is going to take, before anything is trained: parameters, steps, memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from bayling_finetune.base import Base, find_base
from bayling_finetune.checkpoint_files import read_json
from bayling_finetune.config import Recipe
from bayling_finetune.dataset import Dataset
from bayling_finetune.job import Job
from bayling_finetune.model import llama, make_model, weight_dtype
from bayling_finetune.rows import count_steps
from bayling_finetune.rundir import RunFolder
from bayling_lite.errors import HubError
from bayling_lite.units import bytes_text, count_text

_HUB = "hf://"
_OTHER = 300_000_000
"""Bytes that Python and torch take themselves."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Sizes of a run. ``memory``: bytes on one device, for one process; ``steps`` is None where data would tell."""

    parameters: int
    trained: int
    step_tokens: int
    steps: int | None
    memory: int

    def lines(self, recipe: Recipe) -> list[str]:
        """The estimate in words."""
        schedule = recipe.schedule
        method = recipe.adapter.method if recipe.adapter else "all weights"
        rows = f"{schedule.rows} row{'s' if schedule.rows > 1 else ''} of {schedule.batch_tokens:,}"
        passes = f"{schedule.epochs:g} pass{'es' if schedule.epochs != 1 else ''} over the data"
        steps = f"{self.steps:,}" if self.steps is not None else f"{passes}; --prepare-only makes the data to count"
        return [
            f"recipe             {recipe.name}",
            f"parameters         {count_text(self.parameters)}",
            f"trained            {count_text(self.trained)} ({method})",
            f"tokens a step      {self.step_tokens:,} ({rows})",
            f"steps              {steps}",
            f"memory, estimated  {bytes_text(self.memory)} for one process that trains alone",
        ]


def estimate(job: Job) -> tuple[Recipe, Estimate]:
    """Look at a recipe; of a base on the hub only the configuration is fetched, and nothing is written elsewhere.

    Raises:
        RecipeError: the recipe or its base cannot be used.
        HubError: the base's configuration cannot be fetched.
    """
    recipe = job.load()
    base = _shape_of_base(job, recipe)
    vocab_size = base.config.get("vocab_size", 0) if base else recipe.tokenizer.vocab_size if recipe.tokenizer else 8000
    model = make_model(recipe, vocab_size=vocab_size, base=base, device=torch.device("meta"))
    every = sum(parameter.numel() for parameter in model.parameters())
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    config = llama(model).config
    memory = _OTHER + _weights(recipe, every, trained) + _activations(recipe, config)
    return recipe, Estimate(every, trained, recipe.schedule.step_tokens, _steps(job, recipe), memory)


def _shape_of_base(job: Job, recipe: Recipe) -> Base | None:
    place = str(job.base) if job.base is not None else recipe.base
    if not place.startswith(_HUB):
        return find_base(recipe, job.base)
    name, _, revision = place.removeprefix(_HUB).partition("@")
    try:
        config = Path(hf_hub_download(name, "config.json", revision=revision or None))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().split("\n")[0]
        raise HubError(f"The configuration of {place} cannot be fetched: {reason}") from error
    return Base(config.parent, place, read_json(config), ())


def _weights(recipe: Recipe, every: int, trained: int) -> int:
    """Bytes of weights, gradients and the optimizer's state."""
    size = weight_dtype(recipe).itemsize
    frozen = every - trained
    if recipe.adapter is not None:
        kept = frozen // 2 if recipe.adapter.method == "qlora" else frozen * size
        return kept + trained * 4 * 4  # float32: weight, gradient, two moments
    state = 2 if recipe.optimizer.kind == "adamw" else 1
    return trained * size * (2 + state)


def _activations(recipe: Recipe, config: Any) -> int:
    """Bytes that one row keeps for the backward pass: in each layer, of each token, what products are taken of."""
    width, inner, layers = int(config.hidden_size), int(config.intermediate_size), int(config.num_hidden_layers)
    kv_width = width * int(config.num_key_value_heads) // int(config.num_attention_heads)
    size = 4 if recipe.hardware.precision == "fp32" else 2
    residual = 4 * width
    layer = 2 * residual + size * (2 * width + 2 * kv_width + 2 * inner)
    tokens = recipe.schedule.batch_tokens
    if recipe.hardware.activation_checkpointing:
        return tokens * (residual * layers + layer)
    return tokens * layer * layers


def _steps(job: Job, recipe: Recipe) -> int | None:
    if recipe.schedule.steps:
        return recipe.schedule.steps
    run = RunFolder(job.run if job.run is not None else Path("runs") / recipe.name)
    if not run.is_prepared:
        return None
    try:
        return count_steps(Dataset.load(run.path / "train"), recipe.schedule)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # damaged: training makes them again
