"""A small LLaMA, documents, and what transformers gives for each of them alone: what every fast way is held to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM

from bayling_finetune.packing import Document

COMPILING = pytest.mark.filterwarnings(
    "ignore:`torch.jit.script_method` is deprecated:DeprecationWarning",
    "ignore:The .grad attribute of a Tensor that is not a leaf Tensor:UserWarning",
)
"""What PyTorch's compiler says of its own doing."""

VOCABULARY = 97
PREFIX = np.array([1, 17, 33, 8, 60, 2, 11], dtype=np.int32)

SHAPES: dict[str, dict[str, Any]] = {
    "GQA, tied": {"num_key_value_heads": 2, "tie_word_embeddings": True},
    "MHA": {"num_key_value_heads": 4},
    "MQA, biases": {"num_key_value_heads": 1, "attention_bias": True, "mlp_bias": True},
    "wide heads": {"num_key_value_heads": 2, "head_dim": 24, "rms_norm_eps": 1e-3},
    "llama3 rope": {
        "num_key_value_heads": 2,
        "max_position_embeddings": 64,
        "rope_parameters": {
            "rope_type": "llama3",
            "rope_theta": 500.0,
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 16,
        },
    },
}


def small_model(shape: str = "GQA, tied", **more: Any) -> LlamaForCausalLM:
    """The same weights for the same shape. Norms and biases are not where they begin: mistakes shall show."""
    torch.manual_seed(5)
    values = {
        "vocab_size": VOCABULARY,
        "hidden_size": 48,
        "intermediate_size": 80,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "attn_implementation": "eager",
    }
    model = LlamaForCausalLM(LlamaConfig(**(values | SHAPES[shape] | more)))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name or name.endswith("bias"):
                parameter.add_(torch.randn_like(parameter) * 0.2)
            else:
                parameter.mul_(3)  # far from linear
    return model


def some_documents(lengths: tuple[int, ...] = (5, 9, 9, 10, 14, 23, 23, 40, 41, 7)) -> list[Document]:
    """Random tokens, of which about half are to be learnt; the first one's first token is, too."""
    random = np.random.default_rng(3)
    made: list[Document] = []
    for length in lengths:
        targets = random.random(length) < 0.5
        targets[0] = not made
        targets[-1] = True
        made.append(Document(random.integers(1, VOCABULARY, length).astype(np.int32), targets))
    return made


def alone(model: nn.Module, documents: list[Document]) -> tuple[float, dict[str, torch.Tensor]]:
    """Every document by itself, through transformers' own forward pass: the loss, summed, and all gradients."""
    total = torch.zeros((), device=next(model.parameters()).device)
    for document in documents:
        ids = torch.from_numpy(np.concatenate((PREFIX, document.ids))).long()[None].to(total.device)
        logits = model(input_ids=ids, use_cache=False).logits[0]
        positions = torch.from_numpy(np.flatnonzero(document.targets)) + len(PREFIX)
        total = total + functional.cross_entropy(logits[positions - 1].float(), ids[0, positions], reduction="sum")
    total.backward()  # type: ignore[no-untyped-call]
    return total.item(), gradients(model)


def gradients(model: nn.Module) -> dict[str, torch.Tensor]:
    """Those there are, by name, on the CPU in float32; the model's own are cleared."""
    found = {
        name: parameter.grad.cpu().float().clone()
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }
    model.zero_grad(set_to_none=True)
    return found


def assert_same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor], *, tolerance: float = 1e-4) -> None:
    """Every gradient within ``tolerance`` of the largest entry of the one expected."""
    assert found.keys() == expected.keys()
    for name, wanted in expected.items():
        difference = (found[name] - wanted).abs().max().item()
        assert difference <= tolerance * wanted.abs().max().item() + 1e-7, f"{name} is off by {difference}"
