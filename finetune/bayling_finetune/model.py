"""A LLaMA model from scratch, and the Hugging Face checkpoint folder it is saved as."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import AddedToken
from torch import Tensor
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, LlamaTokenizer
from transformers.utils.logging import disable_progress_bar

from bayling_finetune.config import ModelConfig, Recipe
from bayling_finetune.packing import ATTENTION
from bayling_finetune.tokenizer import BOS, EOS, UNK, Tokenizer
from bayling_lite.errors import RecipeError
from bayling_lite.prompts import TEMPLATES


def new_model(config: ModelConfig, vocab_size: int, *, seed: int) -> LlamaForCausalLM:
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
            attn_implementation=ATTENTION,
        )
    )
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
    return model


def untied(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights by name without the output head, which is the embeddings once more."""
    return {name: value for name, value in weights.items() if "lm_head" not in name}


def fits(model: LlamaForCausalLM, weights: dict[str, Tensor]) -> bool:
    """Whether untied weights have the names and shapes of a model's own."""
    own = {name: value.shape for name, value in untied(model.state_dict()).items()}
    return {name: value.shape for name, value in weights.items()} == own


def load_base(model: LlamaForCausalLM, folder: Path) -> None:
    """Begin with the weights of a checkpoint folder (``model.safetensors``).

    Raises:
        RecipeError: they are of another shape than the recipe's model.
    """
    weights = untied(load_file(folder / "model.safetensors"))
    if not fits(model, weights):
        raise RecipeError(f"The base {folder} is of another shape than the recipe's [model].")
    model.load_state_dict(weights, strict=False)


def describe_base(folder: Path) -> str:
    """Name and version of a base, as its ``bayling.json`` says; else the folder's name."""
    try:
        said = json.loads((folder / "bayling.json").read_text(encoding="utf-8"))
        return f"{said['name']} {said['version']}"
    except (OSError, ValueError, KeyError, TypeError):
        return folder.name


def save_checkpoint(
    model: LlamaForCausalLM,
    tokenizer: Tokenizer,
    recipe: Recipe,
    folder: Path,
    *,
    data_sha256: str,
    steps: int,
    base: Path | None = None,
) -> None:
    """Write what ``from_pretrained`` and ``bayling convert`` read: weights in float32, tokenizer, template, provenance.

    ``folder`` is empty: LlamaTokenizer would read a ``tokenizer.json`` that lies there rather than the tokenizer given.
    ``bayling.json`` carries what no Hugging Face file has a place for: template, languages, digests of recipe and data.
    """
    disable_progress_bar()
    model.config._attn_implementation = "sdpa"  # what others load it with
    model.generation_config = GenerationConfig(bos_token_id=BOS, eos_token_id=EOS, do_sample=False)
    try:
        model.save_pretrained(folder)
    finally:
        model.config._attn_implementation = ATTENTION
    (folder / "tokenizer.model").write_bytes(tokenizer.model)
    template = TEMPLATES[recipe.template]
    special = [AddedToken(token, special=True, normalized=False) for token in ("<unk>", "<s>", "</s>")]
    fast = LlamaTokenizer.from_pretrained(
        folder, unk_token=special[UNK], bos_token=special[BOS], eos_token=special[EOS], add_prefix_space=False
    )
    fast.chat_template = template.jinja
    fast.save_pretrained(folder)
    provenance = {
        "name": recipe.name,
        "version": recipe.version,
        "template": template.name,
        "languages": list(recipe.languages),
        "license": recipe.license,
        "demonstrator": recipe.demonstrator,
        "base": describe_base(base) if base is not None else None,
        "datasets": sorted({f"{text.origin} ({text.license})" for text in recipe.data.parallel if text.origin}),
        "recipe_sha256": recipe.digest(),
        "data_sha256": data_sha256,
        "steps": steps,
    }
    (folder / "bayling.json").write_text(json.dumps(provenance, indent=2) + "\n", encoding="utf-8")
