"""A cross-entropy that never holds the full logits: a chunk at a time, gradients made on the way."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from bayling_finetune.fused import Kernels

_MULTIPLE = 16
_LOGITS = {"cpu": 2**22, "cuda": 2**26}
"""So many logits at a time: enough for the matrix products to run at full speed."""


class _LinearCrossEntropy(torch.autograd.Function):
    """Summed cross-entropy of ``hidden @ weight.T``.

    The gradients are made in the forward pass, while a chunk's probabilities are at hand, so that the backward pass
    needs neither these nor the weight (which FSDP may have given away by then). Sums are taken in float32.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, kernels: Kernels, chunk: int, learning: bool
    ) -> Tensor:
        narrow = weight.to(hidden.dtype)
        wants_hidden, wants_weight = (learning and wanted for wanted in ctx.needs_input_grad[:2])
        hidden_gradient = torch.empty_like(hidden) if wants_hidden else None
        weight_gradient = torch.zeros_like(weight, dtype=torch.float32) if wants_weight else None
        total = hidden.new_zeros((), dtype=torch.float32)
        for start in range(0, len(targets), chunk):
            real = len(targets[start : start + chunk])
            # Few shapes (see packing.pack): zeros, whose losses are left out, fill up the last chunk.
            part = functional.pad(hidden[start : start + real], (0, 0, 0, -real % _MULTIPLE))
            aims = functional.pad(targets[start : start + real], (0, -real % _MULTIPLE))
            losses, gradient = kernels.softmax_gradient(part @ narrow.T, aims)
            total += losses[:real].sum()
            if hidden_gradient is not None:
                hidden_gradient[start : start + real] = (gradient @ narrow)[:real]
            if weight_gradient is not None:
                weight_gradient += gradient.T @ part
        ctx.save_for_backward(
            hidden_gradient, weight_gradient if weight_gradient is None else weight_gradient.to(weight.dtype)
        )
        return total

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        # In place: the gradient of a large vocabulary is not held twice. A second backward pass is an error.
        scaled = (None if gradient is None else gradient.mul_(outputs[0]) for gradient in ctx.saved_tensors)
        return (*scaled, None, None, None, None)


def linear_cross_entropy(
    hidden: Tensor, weight: Tensor, targets: Tensor, kernels: Kernels, *, chunk: int | None = None
) -> Tensor:
    """Summed cross-entropy of the next tokens, in nats, float32.

    hidden: (T, d); weight: (vocab, d), which gets a gradient only if it requires one; targets: (T,). ``chunk`` tokens
    have their logits at a time; by default as many as keep the device busy.
    """
    if chunk is None:
        chunk = max(64, _LOGITS.get(hidden.device.type, 2**24) // len(weight))
    loss: Tensor = _LinearCrossEntropy.apply(  # type: ignore[no-untyped-call]
        hidden, weight, targets, kernels, chunk, torch.is_grad_enabled()
    )
    return loss
