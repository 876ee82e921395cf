"""Checkpoints with random weights to begin from, and recipes that do."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from bayling_finetune.base import Base, open_base
from bayling_finetune.config import Adapter, Data, DialogueFile, Hardware, Recipe, Schedule
from bayling_finetune.tokenizer import load_tokenizer
from tests.finetune.tokenizers_made_here import write_files


def make_base(folder: Path, kind: str = "llama", *, dtype: torch.dtype = torch.float32, shards: bool = False) -> Base:
    """A folder as a hub's: a tokenizer of some kind, weights with more rows than it has tokens."""
    write_files(kind, folder)
    tokenizer = load_tokenizer(folder)
    torch.manual_seed(5)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=tokenizer.vocab_size + 3,
            hidden_size=64,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=512,
            bos_token_id=tokenizer.bos,
            eos_token_id=tokenizer.eos,
            tie_word_embeddings=False,
        )
    )
    model.to(dtype).save_pretrained(folder, max_shard_size="150KB" if shards else "5GB")
    return open_base(folder, str(folder))


def recipe_on(base: Base, *, template: str = "bayling", adapter: Adapter | None = None, **values: Any) -> Recipe:
    """A recipe that begins from a base."""
    data = Data(dialogues=(DialogueFile("d.jsonl", languages=("en", "zh"), origin="made here", license="CC0"),))
    made = Recipe(
        name="made-here",
        data=data,
        schedule=Schedule(steps=3, batch_tokens=512),
        hardware=Hardware(precision="fp32", compile=False),
        base=base.place,
        template=template,
        adapter=adapter,
        license="cc0-1.0",
    )
    return dataclasses.replace(made, **values)


def disturb(model: torch.nn.Module) -> None:
    """Stand in for training: move every trained weight a little, the same way each time."""
    generator = torch.Generator().manual_seed(9)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.02)
