"""How a run is computed on its device: precision, kernels, memory and how much of the device is used."""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch
from torch import nn

from bayling_finetune.config import Hardware
from bayling_finetune.distributed import decoder_layers
from bayling_finetune.kernels import Kernels
from bayling_lite.errors import RecipeError

# Dense bfloat16 products with sums in float32, floating point operations a second, from NVIDIA's data sheets. The first
# name that occurs in the device's counts.
_PEAKS = (
    ("H200", 989e12),
    ("H100 PCIe", 756e12),
    ("H100", 989e12),
    ("B200", 2250e12),
    ("A100", 312e12),
    ("A800", 312e12),
    ("L40S", 362e12),
    ("A10G", 70e12),
    ("A10", 125e12),
    ("L4", 121e12),
    ("RTX 4090", 165e12),
    ("RTX 3090", 71e12),
)


def compute_dtype(hardware: Hardware) -> torch.dtype:
    """The type matrix products are computed in."""
    return torch.float32 if hardware.precision == "fp32" else torch.bfloat16


def load_kernels(hardware: Hardware, device: torch.device, say: Callable[[str], None]) -> Kernels:
    """The fused functions, compiled if the recipe wants it and this machine can.

    Whether it can shows only when it does: a compiler may lack Python's headers, or Triton a driver. So one of them is
    tried, and without a compiler the plain functions compute the same, which is said.
    """
    if hardware.compile:
        try:
            kernels = Kernels.load(compiled=True)
            kernels.swiglu(torch.ones(2, 2, device=device), torch.ones(2, 2, device=device))
        except (RecipeError, RuntimeError) as error:  # what torch.compile raises are RuntimeErrors
            reason = str(error).strip().split("\n")[0]
            say(f"Nothing can be compiled here, so training is slower than it could be: {reason}")
        else:
            return kernels
    return Kernels.load(compiled=False)


def keep_one_activation_a_layer(model: nn.Module) -> None:
    """Let the backward pass compute each layer again from its input (arXiv 1604.06174)."""
    for layer in decoder_layers(model):
        layer.gradient_checkpointing = True


def operations_per_token(model: nn.Module) -> float:
    """Floating point operations that a token takes in all decoder layers, forward and backward.

    Two for each weight forward, two for the gradient of its input, two for its own if it is trained. Attention, the
    output head (computed for targets only) and whatever is computed twice do not count.
    """
    total = 0.0
    for layer in decoder_layers(model):
        for parameter in layer.parameters():
            if parameter.ndim == 2:
                total += (6.0 if parameter.requires_grad else 4.0) * parameter.numel()
    return total


def peak_operations(device: torch.device, dtype: torch.dtype) -> float | None:
    """What the device could do at best, in operations a second; None where that is not known."""
    if device.type != "cuda" or dtype is not torch.bfloat16:
        return None
    name = torch.cuda.get_device_name(device)
    return next((peak for part, peak in _PEAKS if part in name), None)


def peak_memory(device: torch.device) -> int:
    """The most bytes in use so far: of the GPU by tensors, else of the main memory by this process; 0: not known."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def device_text(device: torch.device) -> str:
    """The device in words: ``NVIDIA H200``, ``4 CPU cores``."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{threads} CPU core{'s' if threads > 1 else ''}"
