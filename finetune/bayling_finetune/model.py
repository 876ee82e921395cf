"""The model that is trained: from scratch, or a base's, with or without an adapter."""

from __future__ import annotations

import contextlib

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.utils.logging import disable_progress_bar

from bayling_finetune.adapters import add_adapter, four_bits
from bayling_finetune.base import Base
from bayling_finetune.config import ModelConfig, Recipe
from bayling_finetune.sentencepiece_tokenizer import BOS, EOS
from bayling_lite.errors import RecipeError


def make_model(recipe: Recipe, *, vocab_size: int, base: Base | None, device: torch.device) -> nn.Module:
    """The model of a recipe before its first step, a ``LlamaForCausalLM`` or a ``PeftModel`` around one; the same
    everywhere, by the recipe's seed.

    On the device ``meta`` it has shapes only: divide it between processes, give it memory with ``to_empty``, then call
    :func:`~bayling_finetune.loading.load_weights`.

    Raises:
        RecipeError: the base is damaged, does not fit its tokenizer, or cannot be trained on that way here.
    """
    if base is None:
        if recipe.model is None:
            raise RecipeError("The recipe names neither a base nor a [model].")
        with torch.device("meta") if device.type == "meta" else contextlib.nullcontext():
            made: nn.Module = from_scratch(recipe.model, vocab_size, seed=recipe.schedule.seed)
        return made.to(device)
    model: nn.Module = from_base(base, recipe, vocab_size=vocab_size, device=device)
    if recipe.adapter is not None:
        model = add_adapter(model, recipe.adapter, base=base.place, seed=recipe.schedule.seed)
    return model


def from_scratch(config: ModelConfig, vocab_size: int, *, seed: int) -> LlamaForCausalLM:
    """A randomly initialized model in float32.

    The matrices that write into the residual stream start at zero, so that every layer begins as the identity.
    """
    torch.manual_seed(seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocab_size,
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            num_key_value_heads=config.kv_heads,
            max_position_embeddings=config.context,
            rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
            rms_norm_eps=1e-5,
            tie_word_embeddings=True,
            bos_token_id=BOS,
            eos_token_id=EOS,
        )
    )
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
    return model


def from_base(base: Base, recipe: Recipe, *, vocab_size: int, device: torch.device) -> LlamaForCausalLM:
    """A checkpoint's model; of its weights those that are trained are held in the type that the recipe asks for.

    Raises:
        RecipeError: the checkpoint is damaged, or has fewer rows than its tokenizer has tokens.
    """
    config = LlamaConfig.from_pretrained(base.folder)
    if config.vocab_size < vocab_size:
        raise RecipeError(
            f"The base {base.place} has embeddings for {config.vocab_size} tokens, its tokenizer has {vocab_size}: "
            "they do not belong together."
        )
    if recipe.data.max_tokens > config.max_position_embeddings:
        raise RecipeError(
            f"data.max_tokens is {recipe.data.max_tokens}, but the base {base.place} has a context of "
            f"{config.max_position_embeddings} tokens."
        )
    dtype = weight_dtype(recipe)
    if device.type == "meta":
        with torch.device("meta"):
            return LlamaForCausalLM(config).to(dtype)
    options = {}
    if recipe.adapter is not None and recipe.adapter.method == "qlora":
        compute = torch.float32 if recipe.hardware.precision == "fp32" else torch.bfloat16
        options = {"quantization_config": four_bits(device, compute), "device_map": {"": device}}
    disable_progress_bar()
    try:
        model, found = LlamaForCausalLM.from_pretrained(
            base.folder,
            config=config,
            dtype=dtype,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
            **options,
        )
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise RecipeError(f"The base {base.place} cannot be loaded: {str(error).splitlines()[0]}") from error
    missing = sorted(set(found["missing_keys"]))
    if missing:
        raise RecipeError(f"The base {base.place} lacks the weights {missing[0]}: fetch it again.")
    return model if options else model.to(device)


def weight_dtype(recipe: Recipe) -> torch.dtype:
    """In which type weights are held: what an adapter leaves frozen needs no more than products are computed in."""
    precision = recipe.hardware.precision
    narrow = precision == "bf16-pure" or (precision == "bf16" and recipe.adapter is not None)
    return torch.bfloat16 if narrow else torch.float32


def llama(model: nn.Module) -> LlamaForCausalLM:
    """The LLaMA model itself, inside of an adapter or not."""
    return next(module for module in model.modules() if isinstance(module, LlamaForCausalLM))


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that are trained, by name; one that is used twice is there once."""
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
