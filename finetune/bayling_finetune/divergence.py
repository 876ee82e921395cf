"""When a loss is no longer believed to come down again."""

from __future__ import annotations

import math
from dataclasses import dataclass

_MEMORY = 20
_PATIENCE = 50


@dataclass(slots=True)
class DivergenceWatch:
    """The rule: the loss, smoothed over about 20 steps, is more than twice its lowest level and 0.5 nats above it, for
    50 steps on end.

    A hard batch passes through the smoothed loss within a few steps; a run that has left its valley does not come back
    from twice the loss. While the loss is ``suspect``, no checkpoint should take the place of an older one.
    ``smoothed`` and ``lowest`` are in nats a target token, ``count`` in steps.
    """

    smoothed: float = math.nan
    lowest: float = math.inf
    count: int = 0
    steps: int = 0

    @property
    def suspect(self) -> bool:
        """Whether the loss is above the limit now."""
        return self.count > 0

    @property
    def diverged(self) -> bool:
        """Whether it has been for too long."""
        return self.count >= _PATIENCE

    def add(self, loss: float) -> None:
        """Take note of a step's loss."""
        self.steps += 1
        # the mean of the first steps, then exponentially fading
        share = max(1 / self.steps, 1 / _MEMORY)
        self.smoothed = loss if self.steps == 1 else self.smoothed + share * (loss - self.smoothed)
        self.count = self.count + 1 if self.smoothed > max(2 * self.lowest, self.lowest + 0.5) else 0
        if self.steps >= _MEMORY:
            self.lowest = min(self.lowest, self.smoothed)
