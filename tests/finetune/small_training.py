"""A trainer in miniature: dialogues of made-up tokens that can be learnt, and a model that learns them in seconds."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM

from bayling_finetune.base import open_base
from bayling_finetune.config import (
    Adapter,
    Checkpoints,
    Data,
    Evaluation,
    Hardware,
    ModelConfig,
    Optimizer,
    ParallelText,
    Recipe,
    Schedule,
)
from bayling_finetune.dataset import Dataset
from bayling_finetune.distributed import Processes
from bayling_finetune.prepare import Prepared
from bayling_finetune.rundir import RunFolder
from bayling_finetune.running import build_model
from bayling_finetune.sentencepiece_tokenizer import SentencePieceTokenizer
from bayling_finetune.trainer import Options, Progress, Trainer

CPU = torch.device("cpu")
VOCABULARY = 300


def ignore(_: Progress) -> None:
    """No display."""


def dataset(count: int = 200, *, seed: int = 0, prefix: int = 10, weights: float = 1.0) -> Dataset:
    """Dialogues whose second half counts on from their first token: nothing to remember, a rule to learn."""
    random = np.random.default_rng(seed)
    lengths = random.integers(8, 40, count)
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    ids = np.empty(offsets[-1], dtype=np.int32)
    targets = np.zeros(offsets[-1], dtype=np.bool_)
    for start, end in itertools.pairwise(offsets):
        ids[start:end] = 3 + (random.integers(0, 50) + np.arange(end - start)) % 250
        targets[(start + end) // 2 : end] = True
    return Dataset(
        np.arange(3, 3 + prefix, dtype=np.int32), ids, targets, offsets, np.full(count, weights, dtype=np.float32)
    )


def prepared(train: Dataset | None = None) -> Prepared:
    """What a run is given; the tokenizer is never asked."""
    tokenizer = SentencePieceTokenizer.__new__(SentencePieceTokenizer)
    return Prepared(tokenizer, train or dataset(), dataset(40, seed=1), "data", "fingerprint", [])


def recipe(**schedule: Any) -> Recipe:
    """Twelve steps of four rows; AdamW and a cosine."""
    values: dict[str, Any] = {"steps": 12, "batch_tokens": 256, "rows": 4, "warmup": 2.0, "shape": "cosine"}
    return Recipe(
        "mini",
        Data(parallel=(ParallelText("mini.tsv", "en", "de"),), max_tokens=64),
        Schedule(**values | schedule),
        Optimizer(learning_rate=3e-3, weight_decay=0.1),
        Hardware(precision="fp32", compile=False),
        Evaluation(every=4),
        Checkpoints(every=4),
        model=ModelConfig(64, 128, 2, 4, 2, context=128),
    )


def changed(of: Recipe, table: str, **values: Any) -> Recipe:
    """The recipe with other values in one of its tables."""
    return dataclasses.replace(of, **{table: dataclasses.replace(getattr(of, table), **values)})


def with_adapter(of: Recipe, **values: Any) -> Recipe:
    """The recipe with LoRA beside a base."""
    return dataclasses.replace(of, base="base", model=None, adapter=Adapter(rank=4, **values))


def write_base(folder: Path) -> None:
    """A checkpoint folder of a small LLaMA with random weights."""
    torch.manual_seed(3)
    shape = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
    )
    LlamaForCausalLM(shape).save_pretrained(folder)


def model_of(of: Recipe, base: Path | None = None, processes: Processes | None = None) -> nn.Module:
    """The recipe's model before its first step."""
    found = open_base(base, str(base)) if base is not None else None
    return build_model(of, vocab_size=VOCABULARY, base=found, processes=processes or Processes(CPU))


def trainer(
    of: Recipe,
    folder: Path,
    *,
    base: Path | None = None,
    data: Prepared | None = None,
    options: Options | None = None,
    processes: Processes | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Trainer:
    """A trainer in a run's folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    alone = processes or Processes(CPU)
    model = model_of(of, base, alone)
    return Trainer(of, data or prepared(), model, RunFolder(folder), processes=alone, options=options, say=say)
