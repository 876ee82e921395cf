"""Weights for a model that was made without any, so that no process ever holds all of a large one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, set_model_state_dict
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from bayling_finetune.base import Base
from bayling_finetune.config import Recipe
from bayling_finetune.model import from_scratch, llama
from bayling_lite.errors import RecipeError

_GIVEN = StateDictOptions(full_state_dict=True, broadcast_from_rank0=True, strict=False)


def load_weights(model: nn.Module, recipe: Recipe, base: Base | None) -> None:
    """Fill a model that was made on ``meta`` and has memory now, whole or divided between processes (FSDP2).

    All processes call it. Only the first one's values count, a tensor at a time; every process keeps its own share.

    Raises:
        RecipeError: the base lacks a tensor, or has one of another shape.
    """
    _retie(model)
    _compute_buffers(model)
    own = dict(model.named_parameters())
    wanted = {_stored_name(name): name for name in own if ".lora_" not in name}
    for name, tensor in _weights(model, recipe, base):
        target = wanted.pop(name, None)
        if target is None:
            continue
        if tensor.shape != own[target].shape:
            raise RecipeError(
                f"The weights {name} have the shape {list(tensor.shape)}, the model's {list(own[target].shape)}."
            )
        _put(model, target, tensor.to(own[target].dtype))
    if wanted:
        raise RecipeError(f"The base lacks the weights {min(wanted)}: fetch it again.")
    _begin_adapter(model, own, seed=recipe.schedule.seed)


def _weights(model: nn.Module, recipe: Recipe, base: Base | None) -> Iterator[tuple[str, Tensor]]:
    if base is None:
        if recipe.model is None:
            raise RecipeError("The recipe names neither a base nor a [model].")
        made = from_scratch(recipe.model, llama(model).config.vocab_size, seed=recipe.schedule.seed)
        yield from made.state_dict().items()
        return
    for path in base.weights:
        try:
            with safe_open(path, framework="pt") as file:
                for name in file.keys():  # noqa: SIM118 - no mapping
                    yield name, file.get_tensor(name)
        except (OSError, SafetensorError) as error:
            raise RecipeError(f"{path} cannot be read: {error}") from error


def _begin_adapter(model: nn.Module, own: dict[str, nn.Parameter], *, seed: int) -> None:
    """As LoRA begins: the first matrix random, the second zero, so that the product is."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in own.items():
        if ".lora_" not in name:
            continue
        values = torch.zeros(parameter.shape)
        if ".lora_A" in name:
            nn.init.kaiming_uniform_(values, a=math.sqrt(5), generator=generator)
        _put(model, name, values.to(parameter.dtype))


def _put(model: nn.Module, name: str, value: Tensor) -> None:
    if not torch.distributed.is_initialized():
        with torch.no_grad():
            model.get_parameter(name).copy_(value)
        return
    given: dict[str, Any] = {name: value} if torch.distributed.get_rank() == 0 else {}
    set_model_state_dict(model, given, options=_GIVEN)


def _stored_name(name: str) -> str:
    """What a checkpoint calls a parameter that an adapter's wrappers have renamed."""
    return name.removeprefix("base_model.model.").replace(".base_layer.", ".")


def _retie(model: nn.Module) -> None:
    """``to_empty`` gives a weight that is used twice two memories."""
    inner = llama(model)
    if inner.config.tie_word_embeddings:
        inner.lm_head.weight = inner.model.embed_tokens.weight


def _compute_buffers(model: nn.Module) -> None:
    """The angles of rotary embeddings stand in no checkpoint; they come from the configuration."""
    for module in list(model.modules()):
        if isinstance(module, LlamaRotaryEmbedding):
            fresh = LlamaRotaryEmbedding(module.config)
            for name, value in fresh.named_buffers():
                module.register_buffer(name, value.to(module.inv_freq.device), persistent=False)
