"""Checkpoints to go on from: weights, optimizer and where the run stands, in one folder that is whole or not there.

The folder is the same whether one process trained or many: weights and optimizer state are gathered by the names of the
parameters. So a run can go on with another number of processes. Frozen weights (those beside an adapter) are not kept:
they are the base's. Random states need no keeping either, because dropout is seeded by step and row.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

from bayling_finetune.distributed import Processes, reshard
from bayling_finetune.optimization import Optimizers
from bayling_finetune.rundir import RunFolder
from bayling_lite.errors import OutputError, RecipeError

_UNREADABLE = (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, SafetensorError, UnpicklingError)
_GATHERED = StateDictOptions(full_state_dict=True, cpu_offload=True, ignore_frozen_params=True)


class CheckpointMismatch(RecipeError):
    """A checkpoint is whole, but of another run."""


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoints of a run: of this model and these optimizers, trained on the data of this ``fingerprint``.

    ``say`` is told of one that is damaged and passed over.
    """

    run: RunFolder
    processes: Processes
    model: nn.Module
    optimizers: Optimizers
    fingerprint: str
    say: Callable[[str], None] = lambda _: None

    def save(self, state: dict[str, Any], *, keep: int) -> None:
        """Write a checkpoint of ``state["step"]``; all processes take part, the first one writes.

        Raises:
            OutputError: it cannot be written; older ones stay. FirstProcessFailed in the other processes.
        """
        weights = trained_weights(self.model)
        optimizers = [
            get_optimizer_state_dict(self.model, optimizer, options=_GATHERED)
            for optimizer in self.optimizers.optimizers
        ]

        def write() -> None:
            step = state["step"]
            try:
                with self.run.writing_step(step, keep=keep) as folder:
                    save_file(weights, folder / "model.safetensors")
                    torch.save(optimizers, folder / "optimizers.pt")
                    values = state | {"fingerprint": self.fingerprint}
                    (folder / "state.json").write_text(json.dumps(values) + "\n", encoding="utf-8")
            except (OSError, SafetensorError, RuntimeError) as error:  # a full disk comes as any of them
                raise OutputError(
                    f"The checkpoint of step {step} cannot be written into {self.run.path}: {_reason(error)}. "
                    f"{self.run.last_good()} Make room and give the same command again: it goes on from there."
                ) from error

        self.processes.after_first(write, others=lambda: None)

    def load(self) -> dict[str, Any] | None:
        """Take up the newest checkpoint that can be read; None without any.

        Raises:
            RecipeError: they are all damaged, or of another run.
        """
        damaged: list[str] = []
        for step in reversed(self.run.steps()):
            folder = self.run.step_folder(step)
            try:
                state = self._load(folder)
            except _UNREADABLE:
                damaged.append(str(folder))
                continue
            if damaged:
                self.say(f"Damaged, so the one before is taken: {', '.join(damaged)}.")
            return state
        if damaged:
            raise RecipeError(
                f"The checkpoints are damaged, or of another version: {', '.join(damaged)}. "
                "To begin anew, name another folder with --run."
            )
        return None

    def _load(self, folder: Path) -> dict[str, Any]:
        state: dict[str, Any] = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        weights = load_file(folder / "model.safetensors")
        # memory-mapped: each process of a sharded run copies its own share only
        optimizers = torch.load(folder / "optimizers.pt", weights_only=True, mmap=True)
        if self._shapes() != {name: value.shape for name, value in weights.items()}:
            raise _mismatch(folder, "as a model of another shape")
        if state["fingerprint"] != self.fingerprint:
            raise _mismatch(folder, "on other data")
        if len(optimizers) != len(self.optimizers.optimizers):
            raise _mismatch(folder, "with another optimizer")
        given = StateDictOptions(full_state_dict=True, strict=False)
        set_model_state_dict(self.model, _with_ties(self.model, weights), options=given)
        for optimizer, values in zip(self.optimizers.optimizers, optimizers, strict=True):
            # What the recipe says counts, should it have been changed since.
            settings = [
                {key: value for key, value in group.items() if key != "params"} for group in optimizer.param_groups
            ]
            set_optimizer_state_dict(self.model, optimizer, values, options=StateDictOptions(full_state_dict=True))
            for group, setting in zip(optimizer.param_groups, settings, strict=True):
                group.update(setting)
        return state

    def _shapes(self) -> dict[str, torch.Size]:
        named = self.model.named_parameters()
        return {name: parameter.shape for name, parameter in named if parameter.requires_grad}


def trained_weights(model: nn.Module) -> dict[str, Tensor]:
    """The weights that are trained, by name, on the CPU and in one piece; one that is used twice is there once.

    All processes take part; of several, only the first one gets them.
    """
    reshard(model)
    names = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    gathered = cast("dict[str, Tensor]", get_model_state_dict(model, options=_GATHERED))
    return {name: value.contiguous() for name, value in gathered.items() if name in names}


def _with_ties(model: nn.Module, weights: dict[str, Tensor]) -> dict[str, Any]:
    """The weights with those that are used twice under both names."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    every = model.named_parameters(remove_duplicate=False)
    return {name: weights[names[id(value)]] for name, value in every if names[id(value)] in weights}


def _mismatch(folder: Path, how: str) -> CheckpointMismatch:
    return CheckpointMismatch(f"{folder} was trained {how}. Name another folder with --run.")


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).split("\n")[0].rstrip(".")
