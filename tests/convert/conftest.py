"""Fixtures: checkpoints with random weights, and one of a model that was trained a little."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
import torch
from safetensors.torch import save

from bayling_convert.importance import activations
from bayling_convert.proof import scoring
from tests.convert.small_checkpoints import CONFIG, corpus, random_weights, train_tokenizer

MakeCheckpoint = Callable[..., Path]


@pytest.fixture
def make_checkpoint(tmp_path: Path) -> MakeCheckpoint:
    """Write a checkpoint folder: ``make_checkpoint(name, dtype=..., tensors=..., said=..., **config changes)``."""

    def make(
        name: str = "tiny",
        *,
        dtype: torch.dtype = torch.float32,
        tensors: dict[str, torch.Tensor] | None = None,
        said: dict[str, Any] | None = None,
        prefix: bool = False,
        **changes: Any,
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        config = CONFIG | changes
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        (folder / "tokenizer.model").write_bytes(train_tokenizer(prefix=prefix))
        weights = random_weights(config, dtype) if tensors is None else save(tensors)
        (folder / "model.safetensors").write_bytes(weights)
        if said is not None:
            (folder / "bayling.json").write_text(json.dumps(said), encoding="utf-8")
        return folder

    return make


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """These models are too small for several threads, which only wait for each other on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        for module in (activations, scoring):
            patch.setattr(module, "available_cores", lambda: 1)
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a model that has learnt the corpus a little, saved by transformers: grouped queries, untied."""
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("trained") / "bayling-trained"
    tokenizer = sentencepiece.SentencePieceProcessor(model_proto=train_tokenizer())
    torch.manual_seed(0)
    keys = {key: value for key, value in CONFIG.items() if key not in ("architectures", "model_type", "dtype")}
    model = LlamaForCausalLM(LlamaConfig(**keys, bos_token_id=1, eos_token_id=2))
    stream = torch.tensor([token for line in corpus() for token in (1, *tokenizer.encode(line), 2)])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(25):
        starts = torch.randint(0, len(stream) - 48, (8,), generator=generator)
        batch = torch.stack([stream[start : start + 48] for start in starts.tolist()])
        loss = model(input_ids=batch, labels=batch, use_cache=False).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval().save_pretrained(folder)
    (folder / "tokenizer.model").write_bytes(train_tokenizer())
    said = {"name": "bayling-trained", "template": "bayling", "languages": ["en", "zh", "de"], "demonstrator": True}
    (folder / "bayling.json").write_text(json.dumps(said), encoding="utf-8")
    return folder
