"""Training on several devices: joined by ``torchrun`` or ``accelerate launch``, weights sharded by FSDP2.

Every process holds a share of each weight, of its gradient and of its optimizer state (arXiv 2304.11277), and works on
its own rows. Gradients are summed over the processes, not averaged: the loss is divided by the number of targets of the
whole step beforehand, so that a target counts the same in whichever process it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor
from transformers.models.llama.modeling_llama import LlamaDecoderLayer, LlamaForCausalLM

from bayling_lite.errors import BaylingError, RecipeError

Result = TypeVar("Result")

_PATIENCE = timedelta(days=7)
"""How long processes wait for the first one to prepare the data, or to write a checkpoint."""


class FirstProcessFailed(BaylingError):
    """The first process could not do what all wait for, and says so itself."""


@dataclass(frozen=True, slots=True)
class Processes:
    """The processes of a run, seen from one of them: ``rank`` of ``count``; ``local`` are on this machine.

    ``waiting``: a group with patience for work of hours; that of the others is for a reduction.
    """

    device: torch.device
    rank: int = 0
    count: int = 1
    local: int = 1
    waiting: dist.ProcessGroup | None = None

    @property
    def first(self) -> bool:
        """Whether this is the process that prints, logs and writes."""
        return self.rank == 0

    @classmethod
    @contextmanager
    def joined(cls, device: str | None) -> Iterator[Processes]:
        """This process alone, or together with those that a launcher has started beside it.

        ``device``: cpu, cuda, cuda:1 …; None takes CUDA where there is one. Under a launcher each process takes the
        CUDA device of its local rank.

        Raises:
            RecipeError: the device cannot be used.
        """
        count = int(os.environ.get("WORLD_SIZE", "1"))
        if count == 1:
            yield cls(find_device(device))
            return
        kind = (device or ("cuda" if torch.cuda.is_available() else "cpu")).partition(":")[0]
        local_rank = int(os.environ.get("LOCAL_RANK", "0"))
        found = find_device(f"cuda:{local_rank}" if kind == "cuda" else kind)
        if kind == "cuda":
            torch.cuda.set_device(found)
        dist.init_process_group("cpu:gloo,cuda:nccl" if kind == "cuda" else "gloo")
        try:
            local = int(os.environ.get("LOCAL_WORLD_SIZE", str(count)))
            waiting = dist.new_group(backend="gloo", timeout=_PATIENCE)
            yield cls(found, dist.get_rank(), dist.get_world_size(), local, waiting)
        finally:
            dist.destroy_process_group()

    def after_first(self, work: Callable[[], Result], *, others: Callable[[], Result]) -> Result:
        """Let the first process work, then the others; what the first made must be on a disk that all see.

        Raises:
            FirstProcessFailed: in the other processes, when the work failed in the first one.
        """
        if self.count == 1:
            return work()
        done = [False]
        try:
            if self.first:
                result = work()
                done = [True]
        finally:
            dist.broadcast_object_list(done, src=0, group=self.waiting, device=torch.device("cpu"))
        if not done[0]:
            raise FirstProcessFailed("The first process has stopped.")
        return result if self.first else others()

    def sum(self, *values: float | Tensor) -> list[float]:
        """Sums over all processes."""
        totals = self._stacked(values)
        if self.count > 1:
            dist.all_reduce(totals)
        return [float(total) for total in totals.tolist()]

    def largest(self, value: int) -> int:
        """The largest over all processes."""
        if self.count == 1:
            return value
        total = torch.tensor(value, device=self.device)
        dist.all_reduce(total, op=dist.ReduceOp.MAX)
        return int(total)

    def gather(self, value: Result) -> list[Result]:
        """The value of every process, in each of them."""
        if self.count == 1:
            return [value]
        values: list[Result | None] = [None] * self.count
        dist.all_gather_object(values, value, group=self.waiting)
        return cast(list[Result], values)

    def _stacked(self, values: tuple[float | Tensor, ...]) -> Tensor:
        return torch.stack([torch.as_tensor(value, dtype=torch.float64, device=self.device) for value in values])

    def share(self, number: int) -> list[int | None]:
        """This process's part of so many rows, by turns; None where others have one more.

        All processes get lists of the same length, because they must call a sharded model equally often.
        """
        slots = -(-number // self.count)
        mine = (self.rank + slot * self.count for slot in range(slots))
        return [row if row < number else None for row in mine]

    def check_rows(self, rows: int) -> None:
        """Refuse a step that cannot be dealt out evenly.

        Raises:
            RecipeError: the rows of a step are no multiple of the processes.
        """
        if rows % self.count:
            raise RecipeError(
                f"schedule.rows is {rows}, which cannot be dealt evenly to {self.count} processes: "
                f"make it a multiple of {self.count} in the recipe."
            )

    def shard(self, model: nn.Module, dtype: torch.dtype) -> None:
        """Divide a model's weights between the processes, layer by layer.

        Matrix products are computed in ``dtype``, gradients are reduced in float32.
        """
        mesh = init_device_mesh(self.device.type, (self.count,))
        # Inputs are left as they are: autocast narrows them where a product is taken.
        policy = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32, cast_forward_inputs=False)
        for module in (*decoder_layers(model), language_model(model)):
            sharded = fully_shard(module, mesh=mesh, mp_policy=policy)
            sharded.set_gradient_divide_factor(1.0)
            sharded.set_force_sum_reduction_for_comms(enable=True)


def language_model(model: nn.Module) -> LlamaForCausalLM:
    """The LLaMA model itself, inside of an adapter or not."""
    return next(module for module in model.modules() if isinstance(module, LlamaForCausalLM))


def decoder_layers(model: nn.Module) -> list[LlamaDecoderLayer]:
    """Its layers, the first one first."""
    return [module for module in model.modules() if isinstance(module, LlamaDecoderLayer)]


def reshard(model: nn.Module) -> None:
    """Let go of whole weights that a forward pass without a backward pass has left behind."""
    for module in model.modules():
        if isinstance(module, FSDPModule):
            module.reshard()


def whole(value: Tensor) -> Tensor:
    """A tensor that may be divided between the processes, put together in each of them."""
    return value.full_tensor() if isinstance(value, DTensor) else value


def find_device(name: str | None) -> torch.device:
    """The device of this name, tried out; None: CUDA where there is one, else the CPU.

    Raises:
        RecipeError: it cannot be used.
    """
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise RecipeError(f"The device {name!r} cannot be used: {error}".split("\n")[0]) from error
    return device
