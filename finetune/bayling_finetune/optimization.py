"""AdamW, or Muon for the matrices with AdamW for the rest, and the learning rate's way through a run."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from bayling_finetune.config import Optimizer, Schedule


@dataclass(frozen=True, slots=True)
class Optimizers:
    """The optimizers of a run, stepped together, each with its highest learning rate.

    Only parameters that are trained are given to them: with an adapter, the adapter's.
    """

    optimizers: tuple[torch.optim.Optimizer, ...]
    rates: tuple[float, ...]

    @classmethod
    def build(cls, model: nn.Module, config: Optimizer) -> Optimizers:
        """Divide a model's trainable parameters between the optimizers.

        Muon (Jordan et al. 2024; ``torch.optim.Muon``) orthogonalizes the update of each weight matrix. Embeddings and
        norms are no matrices in that sense and keep AdamW. Weights decay in matrices alone: a norm's scale has no
        reason to be small.
        """
        trainable = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
        if config.kind == "adamw":
            return cls((_adamw([parameter for _, parameter in trainable], config),), (config.learning_rate,))
        matrices: list[nn.Parameter] = []
        others: list[nn.Parameter] = []
        for name, parameter in trainable:
            is_matrix = parameter.ndim == 2 and "embed_tokens" not in name and "lm_head" not in name
            (matrices if is_matrix else others).append(parameter)
        muon = torch.optim.Muon(matrices, lr=config.muon_learning_rate, momentum=0.95, weight_decay=config.weight_decay)
        return cls((muon, _adamw(others, config)), (config.muon_learning_rate, config.learning_rate))

    def step(self, factor: float) -> None:
        """Take a step at this share of the highest learning rates, and clear the gradients."""
        for optimizer, rate in zip(self.optimizers, self.rates, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)


def _adamw(parameters: list[nn.Parameter], config: Optimizer) -> torch.optim.AdamW:
    decayed = [parameter for parameter in parameters if parameter.ndim >= 2]
    others = [parameter for parameter in parameters if parameter.ndim < 2]
    groups = [
        {"params": members, "weight_decay": decay}
        for members, decay in ((decayed, config.weight_decay), (others, 0.0))
        if members
    ]
    fused = all(parameter.device.type in ("cpu", "cuda") for parameter in parameters)
    first, second = config.betas
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(first, second), eps=config.eps, fused=fused)


def learning_rate_factor(number: int, steps: int, schedule: Schedule) -> float:
    """The share of the highest learning rate at the step with this number (from 0) of so many steps.

    It rises over the warm-up. Then ``plateau`` stays at 1 and falls linearly to 0 over the last ``decay`` of all
    steps; ``linear`` and ``cosine`` (arXiv 1608.03983, one period) fall to 0 from there on.
    """
    warmup = schedule.warmup_steps(steps)
    warm = min(1.0, (number + 1) / max(1, warmup))
    if schedule.shape == "plateau":
        return min(warm, (steps - number) / max(1.0, schedule.decay * steps))
    if number < warmup:
        return warm
    gone = min(1.0, (number - warmup) / max(1, steps - warmup))
    return 1.0 - gone if schedule.shape == "linear" else 0.5 * (1.0 + math.cos(math.pi * gone))
