"""The pointwise parts of LLaMA as fused functions, and a cross-entropy that never holds the full logits.

On a CPU with bfloat16 units the matrix products of a small model are so quick that reading and writing activations
takes most of a step. Fused by torch.compile, RMSNorm, rotary embedding, SwiGLU and softmax each read and write once.
:func:`accelerate` puts them into a model's own modules; nothing in transformers is changed for anybody else.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.models.llama.modeling_llama import LlamaAttention, LlamaForCausalLM, LlamaMLP, LlamaRMSNorm

from bayling_finetune.packing import Layout, packed_attention


def rms_norm(hidden: Tensor, weight: Tensor, eps: float, dtype: torch.dtype) -> Tensor:
    """hidden: (..., d) of any float type, normalized in float32 (arXiv 1910.07467), returned as ``dtype``."""
    wide = hidden.float()
    return (weight * (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps))).to(dtype)


def rotate(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding, halves convention. states: (1, heads, N, head_dim); cos, sin: (1, N, head_dim)."""
    wide = states.float()
    first, second = wide.chunk(2, dim=-1)
    turned = torch.cat((-second, first), dim=-1)
    return (wide * cos.unsqueeze(1) + turned * sin.unsqueeze(1)).to(states.dtype)


def swiglu(gate: Tensor, up: Tensor) -> Tensor:
    """silu(gate) * up, in float32."""
    return (functional.silu(gate.float()) * up.float()).to(gate.dtype)


def masked_softmax(scores: Tensor, mask: Tensor, scale: float) -> Tensor:
    """Softmax of scaled scores (..., T, S) where ``mask`` (T, S) is true."""
    return torch.softmax(torch.where(mask, scores.float() * scale, -1e30), dim=-1).to(scores.dtype)


def softmax_gradient(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy and its gradient. logits: (T, vocab); targets: (T,). Returns the summed loss and (T, vocab)."""
    wide = logits.float()
    normalizer = torch.logsumexp(wide, dim=-1, keepdim=True)
    chosen = torch.arange(wide.shape[1], device=wide.device)[None] == targets[:, None]
    loss = (normalizer[:, 0] - torch.where(chosen, wide, 0.0).sum(-1)).sum()
    return loss, (torch.exp(wide - normalizer) - chosen.float()).to(logits.dtype)


@dataclass(frozen=True, slots=True)
class Kernels:
    """The fused functions, compiled or as they are."""

    rms_norm: Callable[[Tensor, Tensor, float, torch.dtype], Tensor]
    rotate: Callable[[Tensor, Tensor, Tensor], Tensor]
    swiglu: Callable[[Tensor, Tensor], Tensor]
    masked_softmax: Callable[[Tensor, Tensor, float], Tensor]
    softmax_gradient: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]

    @classmethod
    def load(cls, *, compiled: bool) -> Kernels:
        """``compiled`` needs a C++ compiler (CPU) or Triton (CUDA); shapes stay dynamic, so it compiles once."""
        plain = cls(rms_norm, rotate, swiglu, masked_softmax, softmax_gradient)
        if not compiled:
            return plain
        return cls(**{entry.name: torch.compile(getattr(plain, entry.name), dynamic=True) for entry in fields(cls)})


class _LinearCrossEntropy(torch.autograd.Function):
    """Summed cross-entropy of ``hidden @ weight.T``; gradients are made in the forward pass, a chunk at a time."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, kernels: Kernels, chunk: int) -> Tensor:
        narrow = weight.to(hidden.dtype)
        hidden_gradient = torch.empty_like(hidden)
        weight_gradient = torch.zeros_like(weight)
        total = hidden.new_zeros((), dtype=torch.float32)
        for start in range(0, len(targets), chunk):
            part = hidden[start : start + chunk]
            loss, gradient = kernels.softmax_gradient(part @ narrow.T, targets[start : start + chunk])
            total += loss
            hidden_gradient[start : start + chunk] = gradient @ narrow
            weight_gradient += gradient.T @ part
        ctx.save_for_backward(hidden_gradient, weight_gradient)
        return total

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        hidden_gradient, weight_gradient = ctx.saved_tensors
        return hidden_gradient * outputs[0], weight_gradient * outputs[0], None, None, None


def linear_cross_entropy(
    hidden: Tensor, weight: Tensor, targets: Tensor, kernels: Kernels, *, chunk: int = 1024
) -> Tensor:
    """Summed cross-entropy of the next tokens. hidden: (T, d); weight: (vocab, d); targets: (T,). Returns a scalar."""
    loss: Tensor = _LinearCrossEntropy.apply(hidden, weight, targets, kernels, chunk)  # type: ignore[no-untyped-call]
    return loss


def accelerate(model: LlamaForCausalLM, kernels: Kernels, dtype: torch.dtype) -> None:
    """Let a model's own modules compute with these kernels; matrix products run in ``dtype`` under autocast."""

    def norm(module: LlamaRMSNorm, hidden: Tensor) -> Tensor:
        return kernels.rms_norm(hidden, module.weight, module.variance_epsilon, dtype)

    def feed_forward(module: LlamaMLP, hidden: Tensor) -> Tensor:
        output: Tensor = module.down_proj(kernels.swiglu(module.gate_proj(hidden), module.up_proj(hidden)))
        return output

    def attention(
        module: LlamaAttention,
        hidden_states: Tensor,
        position_embeddings: tuple[Tensor, Tensor],
        *,
        layout: Layout,
        **_: object,
    ) -> tuple[Tensor, None]:
        # hidden_states: (1, N, d)
        shape = (*hidden_states.shape[:-1], -1, module.head_dim)
        query, key, value = (
            projection(hidden_states).view(shape).transpose(1, 2)
            for projection in (module.q_proj, module.k_proj, module.v_proj)
        )
        query, key = (kernels.rotate(states, *position_embeddings) for states in (query, key))
        mixed, _weights = packed_attention(
            module, query, key, value, None, layout=layout, scaling=module.scaling, softmax=kernels.masked_softmax
        )
        return module.o_proj(mixed.flatten(2)), None

    for module in model.modules():
        replacement: Callable[..., Any] | None = None
        if isinstance(module, LlamaRMSNorm):
            replacement = norm
        elif isinstance(module, LlamaMLP):
            replacement = feed_forward
        elif isinstance(module, LlamaAttention):
            replacement = attention
        if replacement is not None:
            module.forward = types.MethodType(replacement, module)


def hidden_states(model: nn.Module, input_ids: Tensor, position_ids: Tensor, layout: Layout) -> Tensor:
    """The last layer's states of one packed row, (N, d), without the head."""
    body: Any = model.get_submodule("model")
    states: Tensor = body(
        input_ids=input_ids, position_ids=position_ids, layout=layout, use_cache=False
    ).last_hidden_state
    return states[0]
