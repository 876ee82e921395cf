"""The pointwise parts of LLaMA as fused functions, compiled or as they are.

On a CPU with bfloat16 units the matrix products of a small model are so quick that reading and writing activations
takes most of a step; on a GPU it is a good part of it. Fused by torch.compile, RMSNorm, rotary embedding, SwiGLU,
softmax and cross-entropy each read and write once. :mod:`bayling_finetune.kernels` puts them into a model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional

from bayling_lite.errors import RecipeError


def rms_norm(hidden: Tensor, weight: Tensor, eps: float, dtype: torch.dtype) -> Tensor:
    """hidden: (..., d) of any float type, normalized in float32 (arXiv 1910.07467), returned as ``dtype``."""
    wide = hidden.float()
    return (weight.float() * (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps))).to(dtype)


def rotate(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding (arXiv 2104.09864), halves convention. states: (N, heads, d); cos, sin: (N, d), float32."""
    wide = states.float()
    first, second = wide.chunk(2, dim=-1)
    turned = torch.cat((-second, first), dim=-1)
    return (wide * cos.unsqueeze(1) + turned * sin.unsqueeze(1)).to(states.dtype)


def swiglu(gate: Tensor, up: Tensor) -> Tensor:
    """silu(gate) * up (arXiv 2002.05202), in float32."""
    return (functional.silu(gate.float()) * up.float()).to(gate.dtype)


def exponentials(scores: Tensor, bias: Tensor, scale: float) -> tuple[Tensor, Tensor, Tensor]:
    """What softmax divides, and by what. scores: (..., T, S); bias: (T, S), far below zero where nothing is seen.

    Returns exponentials (..., T, S), their sums (..., T, 1), both of the scores' type, and the logarithms of the
    normalizers (..., T, 1), float32, as :func:`attention_gradient` wants them.
    """
    wide = scores.float() * scale + bias
    largest = wide.amax(-1, keepdim=True)
    weights = torch.exp(wide - largest)
    sums = weights.sum(-1, keepdim=True)
    return weights.to(scores.dtype), sums.to(scores.dtype), largest + torch.log(sums)


def attention_gradient(
    scores: Tensor, bias: Tensor, normalizers: Tensor, given: Tensor, products: Tensor, scale: float
) -> tuple[Tensor, Tensor]:
    """Probabilities, and the gradient of the scores, both (..., T, S).

    ``given``: (..., T, S), gradient of the probabilities. ``products``: (..., T, 1), of output and its gradient.
    """
    probabilities = torch.exp(scores.float() * scale + bias - normalizers)
    return probabilities.to(scores.dtype), (scale * probabilities * (given.float() - products)).to(scores.dtype)


def products(first: Tensor, second: Tensor) -> Tensor:
    """(..., d) and (..., d) to their scalar products (..., 1), float32."""
    return (first.float() * second.float()).sum(-1, keepdim=True)


def softmax_gradient(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy and its gradient. logits: (T, vocab); targets: (T,). Returns losses (T,), and (T, vocab)."""
    wide = logits.float()
    normalizer = torch.logsumexp(wide, dim=-1, keepdim=True)
    chosen = torch.arange(wide.shape[1], device=wide.device)[None] == targets[:, None]
    losses = normalizer[:, 0] - torch.where(chosen, wide, 0.0).sum(-1)
    return losses, (torch.exp(wide - normalizer) - chosen.float()).to(logits.dtype)


@dataclass(frozen=True, slots=True)
class Kernels:
    """The fused functions, compiled or as they are."""

    rms_norm: Callable[[Tensor, Tensor, float, torch.dtype], Tensor]
    rotate: Callable[[Tensor, Tensor, Tensor], Tensor]
    swiglu: Callable[[Tensor, Tensor], Tensor]
    exponentials: Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor, Tensor]]
    attention_gradient: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor, float], tuple[Tensor, Tensor]]
    products: Callable[[Tensor, Tensor], Tensor]
    softmax_gradient: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]

    @classmethod
    def load(cls, *, compiled: bool) -> Kernels:
        """``compiled`` needs a C++ compiler (CPU) or Triton (CUDA); shapes stay dynamic, so it compiles once.

        Raises:
            RecipeError: there is no C++ compiler.
        """
        plain = cls(rms_norm, rotate, swiglu, exponentials, attention_gradient, products, softmax_gradient)
        if not compiled:
            return plain
        _check_compiler()
        return cls(**{entry.name: torch.compile(getattr(plain, entry.name), dynamic=True) for entry in fields(cls)})


def _check_compiler() -> None:
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler as error:
        raise RecipeError(
            "hardware.compile needs a C++ compiler, and there is none here: install g++ or clang, "
            "or set compile = false."
        ) from error
