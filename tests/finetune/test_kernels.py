"""The fused functions compute what transformers and torch compute."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRMSNorm, LlamaRotaryEmbedding, apply_rotary_pos_emb

from bayling_finetune import kernels


def test_rms_norm_and_rotary_embedding_equal_those_of_transformers() -> None:
    torch.manual_seed(0)
    hidden = torch.randn(1, 11, 32)
    norm = LlamaRMSNorm(32, eps=1e-5)
    torch.nn.init.normal_(norm.weight)
    torch.testing.assert_close(kernels.rms_norm(hidden, norm.weight, 1e-5, torch.float32), norm(hidden))
    rotary = LlamaRotaryEmbedding(LlamaConfig(hidden_size=32, num_attention_heads=4, num_key_value_heads=2))
    cos, sin = rotary(hidden, torch.arange(11)[None])
    query, key = torch.randn(1, 4, 11, 8), torch.randn(1, 2, 11, 8)
    expected = apply_rotary_pos_emb(query, key, cos, sin)
    torch.testing.assert_close(kernels.rotate(query, cos, sin), expected[0])
    torch.testing.assert_close(kernels.rotate(key, cos, sin), expected[1])


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_chunked_cross_entropy_equals_that_of_torch(chunk: int) -> None:
    torch.manual_seed(0)
    hidden, weight = torch.randn(23, 16, requires_grad=True), torch.randn(50, 16, requires_grad=True)
    targets = torch.randint(50, (23,))
    expected = functional.cross_entropy(hidden @ weight.T, targets, reduction="sum")
    expected_gradients = torch.autograd.grad(expected * 3, (hidden, weight))
    loss = kernels.linear_cross_entropy(hidden, weight, targets, kernels.Kernels.load(compiled=False), chunk=chunk)
    torch.testing.assert_close(loss, expected)
    for gradient, wanted in zip(torch.autograd.grad(loss * 3, (hidden, weight)), expected_gradients, strict=True):
        torch.testing.assert_close(gradient, wanted, rtol=1e-4, atol=1e-5)
