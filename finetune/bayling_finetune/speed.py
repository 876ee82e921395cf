"""How fast training is, and its mean loss, from one line of the log to the next."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """The mean loss of some steps, in nats a target token, and how fast they were."""

    loss: float
    tokens_per_second: float
    steps_per_second: float


class Meter:
    """Takes note of steps; pauses for all that is not training."""

    def __init__(self) -> None:
        self._losses: list[float] = []
        self._tokens = 0
        self._began = time.monotonic()

    def add(self, loss: float, tokens: int) -> None:
        """A step is done."""
        self._losses.append(loss)
        self._tokens += tokens

    def close(self) -> Pace:
        """The pace of the steps since the last time, at least one."""
        now = time.monotonic()
        seconds = max(now - self._began, 1e-9)
        steps = len(self._losses)
        pace = Pace(sum(self._losses) / steps, self._tokens / seconds, steps / seconds)
        self._losses, self._tokens, self._began = [], 0, now
        return pace

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While inside, time does not count."""
        before = time.monotonic()
        yield
        self._began += time.monotonic() - before
