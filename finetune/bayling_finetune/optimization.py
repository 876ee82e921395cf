"""Muon for the matrices, AdamW for embeddings and norms, and a schedule that can be prolonged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from bayling_finetune.config import Schedule


@dataclass(slots=True)
class Optimizers:
    """The two optimizers of a run, stepped together.

    Muon (Jordan et al. 2024; ``torch.optim.Muon``) orthogonalizes the update of each weight matrix. Embeddings and
    norms are no matrices in that sense and keep AdamW.
    """

    muon: torch.optim.Muon
    adamw: torch.optim.AdamW
    schedule: Schedule

    @classmethod
    def build(cls, model: nn.Module, schedule: Schedule) -> Optimizers:
        """Divide a model's parameters between the two."""
        matrices: list[nn.Parameter] = []
        others: list[nn.Parameter] = []
        for name, parameter in model.named_parameters():
            is_matrix = parameter.ndim == 2 and "embed_tokens" not in name and "lm_head" not in name
            (matrices if is_matrix else others).append(parameter)
        return cls(
            torch.optim.Muon(matrices, lr=schedule.muon_lr, momentum=0.95, weight_decay=0.0),
            torch.optim.AdamW(others, lr=schedule.adamw_lr, betas=(0.9, 0.95), eps=1e-10, weight_decay=0.0),
            schedule,
        )

    def step(self, number: int) -> float:
        """Take the optimizer step with this number (from 0) and clear the gradients; returns the schedule's factor."""
        factor = learning_rate_factor(number, self.schedule)
        for optimizer, rate in ((self.muon, self.schedule.muon_lr), (self.adamw, self.schedule.adamw_lr)):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
            optimizer.step()  # type: ignore[no-untyped-call]
            optimizer.zero_grad(set_to_none=True)
        return factor

    def state_dict(self) -> dict[str, Any]:
        """Both optimizers' states."""
        return {"muon": self.muon.state_dict(), "adamw": self.adamw.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up where :meth:`state_dict` left off."""
        self.muon.load_state_dict(state["muon"])
        self.adamw.load_state_dict(state["adamw"])


def learning_rate_factor(number: int, schedule: Schedule) -> float:
    """1 on the plateau; linear up over ``warmup`` steps, linear down to 0 over the last ``decay`` of all steps."""
    remaining = (schedule.steps - number) / max(1.0, schedule.decay * schedule.steps)
    return min(1.0, (number + 1) / max(1, schedule.warmup), remaining)
