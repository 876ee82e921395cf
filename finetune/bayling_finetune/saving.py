"""The result: a checkpoint folder, or an adapter's, that others load and ``bayling convert`` takes as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import save_torch_state_dict
from peft import PeftModel, get_peft_model_state_dict
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import GenerationConfig

from bayling_finetune.base import Base
from bayling_finetune.config import DialogueFile, ParallelText, Recipe
from bayling_finetune.model import llama, trainable
from bayling_finetune.tokenizer import Tokenizer, stop_ids
from bayling_lite.prompts import TEMPLATES

_LARGEST_SHARD = "5GB"


def save_checkpoint(
    model: nn.Module,
    tokenizer: Tokenizer,
    recipe: Recipe,
    folder: Path,
    *,
    data_sha256: str,
    steps: int,
    base: Base | None = None,
    weights: Mapping[str, Tensor] | None = None,
) -> None:
    """Write what training made into an empty folder, with tokenizer, template, stop tokens and provenance.

    A whole model becomes what ``from_pretrained`` reads, in the type of its base (float32 from scratch). An adapter
    becomes what peft reads; it names its base. ``bayling.json`` carries what no Hugging Face file has a place for:
    template, languages, digests of recipe and data.

    Args:
        model: what was trained.
        tokenizer: of the data it was trained on.
        recipe: what it was trained by.
        folder: empty.
        data_sha256: digest of the data.
        steps: how many were taken.
        base: what training began from.
        weights: the trained weights by name, in one piece, where the model's own are divided between processes.
    """
    trained = {name: value.detach() for name, value in (weights or trainable(model)).items()}
    if isinstance(model, PeftModel):
        _save_adapter(model, trained, folder, base)
    else:
        _save_model(model, trained, folder, base)
    template = TEMPLATES[recipe.template]
    stops = list(stop_ids(tokenizer, template))
    generation = GenerationConfig(
        bos_token_id=tokenizer.bos, eos_token_id=stops if len(stops) > 1 else stops[0], do_sample=False
    )
    generation.save_pretrained(folder)
    tokenizer.save_into(folder, template)
    said = provenance(recipe, base, data_sha256=data_sha256, steps=steps)
    (folder / "bayling.json").write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _save_model(model: nn.Module, weights: dict[str, Tensor], folder: Path, base: Base | None) -> None:
    dtype = _dtype(base)
    inner = llama(model)
    config = type(inner.config).from_dict(inner.config.to_dict())
    config.dtype, config.architectures = dtype, [type(inner).__name__]
    config.save_pretrained(folder)
    # contiguous, on the CPU and one copy each: what of a tied head is left is told by the configuration
    stored = {name: value.to("cpu", dtype).contiguous() for name, value in weights.items()}
    save_torch_state_dict(stored, folder, max_shard_size=_LARGEST_SHARD)


def _save_adapter(model: PeftModel, weights: dict[str, Tensor], folder: Path, base: Base | None) -> None:
    config = model.peft_config["default"]
    training, config.inference_mode = config.inference_mode, True
    if base is not None:
        config.base_model_name_or_path = _where(base)
    try:
        config.save_pretrained(folder)
    finally:
        config.inference_mode = training
    # "auto" would ask the hub about the base's vocabulary.
    named = get_peft_model_state_dict(model, state_dict=weights, save_embedding_layers=False)
    save_file(
        {name: value.to("cpu").contiguous() for name, value in named.items()}, folder / "adapter_model.safetensors"
    )


def _where(base: Base) -> str:
    """What an adapter calls its base: the repository, as everybody finds it, or the folder."""
    if base.place.startswith("hf://"):
        return base.place.removeprefix("hf://").partition("@")[0]
    return str(base.folder.resolve())


def _dtype(base: Base | None) -> torch.dtype:
    """The type of the base's own weights."""
    said = (base.config.get("dtype") or base.config.get("torch_dtype")) if base is not None else None
    found = getattr(torch, said, None) if isinstance(said, str) else None
    return found if isinstance(found, torch.dtype) else torch.float32


def provenance(recipe: Recipe, base: Base | None, *, data_sha256: str, steps: int) -> dict[str, Any]:
    """What ``bayling.json`` says of a model."""
    files: list[ParallelText | DialogueFile] = [*recipe.data.parallel, *recipe.data.dialogues]
    before = base.said if base is not None else {}
    languages = recipe.languages or tuple(before.get("languages", ()))
    return {
        "name": recipe.name,
        "version": recipe.version,
        "template": recipe.template,
        "languages": list(languages),
        "license": recipe.license,
        "demonstrator": recipe.demonstrator,
        "base": base.name if base is not None else None,
        "datasets": sorted({f"{file.origin} ({file.license})" for file in files if file.origin}),
        "recipe_sha256": recipe.digest(),
        "data_sha256": data_sha256,
        "steps": steps,
    }
