"""The converted model is the same model: llama.cpp and transformers say the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import pytest
import sentencepiece
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from bayling_convert import convert
from bayling_convert.proof.scoring import Scorer
from tests.convert.small_checkpoints import CONFIG, corpus, train_tokenizer

# Two logits this near each other are a tie: float32 sums in another order differ by about 1e-5 here.
TIE = 1e-4
NEW_TOKENS = 16


def prompts(count: int) -> list[list[int]]:
    """Beginnings of sentences of different lengths, as token ids with BOS."""
    tokenizer = sentencepiece.SentencePieceProcessor(model_proto=train_tokenizer())
    lines = corpus()
    chosen = [lines[number * 7 % len(lines)] for number in range(count)]
    return [[1, *tokenizer.encode(line)[: 2 + number % 9]] for number, line in enumerate(chosen)]


def greedy_transformers(model: Any, prompt: list[int]) -> list[int]:
    """Greedy continuation, computed step by step without a cache."""
    ids = list(prompt)
    for _ in range(NEW_TOKENS):
        ids.append(int(model(torch.tensor([ids]), use_cache=False).logits[0, -1].argmax()))
    return ids[len(prompt) :]


def greedy_llama_cpp(llama: llama_cpp.Llama, prompt: list[int]) -> list[int]:
    """Greedy continuation under llama.cpp, with its key/value cache."""
    llama.reset()
    continuation = llama.generate(prompt, top_k=1, temp=0.0)
    return [token for token, _ in zip(continuation, range(NEW_TOKENS), strict=False)]


@torch.inference_mode()
def differences(folder: Path, gguf: Path, count: int) -> list[str]:
    """Prompts on which the two differ, ties left out. Fails the test if the key/value cache were not float32."""
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    llama = llama_cpp.Llama(
        str(gguf),
        n_ctx=256,
        n_threads=1,
        n_threads_batch=1,
        type_k=0,
        type_v=0,
        flash_attn=False,
        n_gpu_layers=0,
        verbose=False,
    )
    found = []
    try:
        for prompt in prompts(count):
            theirs, ours = greedy_transformers(model, prompt), greedy_llama_cpp(llama, prompt)
            if theirs == ours:
                continue
            first = next(at for at, (a, b) in enumerate(zip(theirs, ours, strict=True)) if a != b)
            logits = model(torch.tensor([prompt + theirs[:first]]), use_cache=False).logits[0, -1]
            margin = float(logits[theirs[first]] - logits[ours[first]])
            if margin > TIE:
                found.append(f"{prompt}: {theirs} != {ours}, apart by {margin} at token {first}")
    finally:
        llama.close()
    return found


@pytest.mark.slow
def test_greedy_output_on_100_prompts(trained: Path, tmp_path: Path) -> None:
    gguf = tmp_path / "f32.gguf"
    convert(trained, gguf, "F32")
    assert differences(trained, gguf, 100) == []


VARIANTS: dict[str, dict[str, Any]] = {
    "tied": {"tie_word_embeddings": True},
    "all heads": {"num_key_value_heads": 4, "num_hidden_layers": 3},
    "one key head, wide heads": {"num_key_value_heads": 1, "head_dim": 96},
    "llama 3 positions": {
        "rope_parameters": {
            "rope_type": "llama3",
            "rope_theta": 500000.0,
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 32,
        }
    },
    "stretched positions": {"rope_parameters": {"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}},
    "biases": {"attention_bias": True, "mlp_bias": True},
}


@pytest.mark.parametrize("variant", VARIANTS)
@torch.inference_mode()
@pytest.mark.slow
def test_variants_of_the_architecture(variant: str, tmp_path: Path) -> None:
    torch.manual_seed(3)
    keys = {key: value for key, value in CONFIG.items() if key not in ("architectures", "model_type", "dtype")}
    model = LlamaForCausalLM(LlamaConfig(**(keys | VARIANTS[variant]), initializer_range=0.1))
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            parameter.normal_(std=0.5)
    folder = tmp_path / "model"
    model.save_pretrained(folder)
    (folder / "tokenizer.model").write_bytes(train_tokenizer())
    gguf = tmp_path / "f32.gguf"
    convert(folder, gguf, "F32")
    assert differences(folder, gguf, 10) == []
    # Positions beyond a prompt's length tell one kind of scaling from another.
    ids = [1, *(np.arange(120) * 37 % 590 + 3).tolist()]
    with Scorer(gguf, n_ctx=256, n_threads=1) as scorer:
        ours = scorer.logits(ids)
    theirs = model(torch.tensor([ids]), use_cache=False).logits[0].numpy()
    assert np.abs(ours - theirs).max() < 2e-5 * np.abs(theirs).max()
