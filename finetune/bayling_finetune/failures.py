"""What a run dies of that is nobody's bug, in words: memory, the device, the other processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist

from bayling_finetune.rundir import RunFolder
from bayling_finetune.stopping import DeviceFailed

_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "CUBLAS_STATUS_ALLOC_FAILED")
_DEVICE = ("CUDA error", "CUDA driver", "cuBLAS", "CUBLAS_STATUS", "cuDNN", "NVML", "device-side")
_PEER = ("Connection closed by peer", "Connection reset by peer", "Broken pipe", "NCCL", "gloo")


@contextmanager
def told_failures(run: RunFolder, device: torch.device) -> Iterator[None]:
    """While inside, what the device and the network do to the run is raised with the checkpoint to go on from.

    Raises:
        DeviceFailed: memory is full, or the device or another process is gone.
    """
    try:
        yield
    except MemoryError as error:
        raise DeviceFailed(_told("", run, device, memory=True)) from error
    except RuntimeError as error:  # torch raises all of them as RuntimeErrors
        text = str(error)
        first_line = text.strip().split("\n")[0].rstrip(".")
        if isinstance(error, torch.OutOfMemoryError) or any(part in text for part in _NO_MEMORY):
            raise DeviceFailed(_told(first_line, run, device, memory=True)) from error
        if _is_accelerator_error(error) or any(part in text for part in _DEVICE):
            raise DeviceFailed(_told(first_line, run, device, memory=False)) from error
        if isinstance(error, dist.DistError) or (dist.is_initialized() and any(part in text for part in _PEER)):
            raise DeviceFailed(
                f"Another process of this run has ended, so this one cannot go on ({first_line}). {run.last_good()}"
            ) from error
        raise


def _is_accelerator_error(error: RuntimeError) -> bool:
    kind = getattr(torch, "AcceleratorError", None)  # of PyTorch 2.8 and later
    return kind is not None and isinstance(error, kind)


def _told(reason: str, run: RunFolder, device: torch.device, *, memory: bool) -> str:
    good = run.last_good()
    if memory:
        return (
            f"The memory of {device} is full. Lower schedule.batch_tokens (and raise schedule.rows, to learn from as "
            "much in a step), set hardware.activation_checkpointing = true, or train an [adapter] (method = "
            f'"lora", or "qlora" for still less). {good}'
        )
    return f"The device {device} failed: {reason}. Training cannot go on in this process. {good}"
