"""Which dialogues stand in which row of which step: decided from the data alone, the same in every process.

A step is ``schedule.rows`` packed rows. All processes plan all of its rows, by numbers of dialogues; each then lays out
its own. So the number of targets of a whole step is known to everybody without asking, and a run sees the same steps
however many processes share them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayling_finetune.config import Schedule
from bayling_finetune.dataset import Dataset
from bayling_lite.errors import RecipeError


@dataclass(frozen=True, slots=True)
class Position:
    """Where training stands in the data: the epoch and how many of its dialogues were used."""

    epoch: int = 0
    used: int = 0


@dataclass(frozen=True, slots=True)
class StepRows:
    """The rows of a step, each as numbers of dialogues. ``targets``: tokens to learn in all of them.

    ``after`` is the position in the data when the step is done.
    """

    rows: tuple[NDArray[np.int64], ...]
    targets: int
    after: Position


class RowSource:
    """The steps of a run from any position on; the same seed, the same steps.

    Dialogues fill a row in the order of the epoch until the next one has no room; rows go on over the end of an epoch.
    With ``schedule.epochs`` the last row ends where the last pass does, and the last step may have fewer rows.
    ``shared``: whether the prefix stands in a row once, or in every dialogue.

    Raises:
        RecipeError: no dialogue has a weight.
    """

    def __init__(
        self, dataset: Dataset, schedule: Schedule, *, shared: bool = True, position: Position | None = None
    ) -> None:
        if not dataset.weights.any():
            raise RecipeError("All dialogues have the weight 0: there is nothing to train on.")
        self._dataset = dataset
        self._schedule = schedule
        once, each = _prefix(dataset, shared=shared)
        self._budget = schedule.batch_tokens - once
        self._lengths = np.diff(dataset.offsets) + each
        self._targets = np.add.reduceat(dataset.targets, dataset.offsets[:-1], dtype=np.int64)
        self._last_epoch = math.ceil(schedule.epochs) - 1 if schedule.epochs else None
        self.position = position or Position()
        self._open_epoch(self.position.epoch)

    def next(self) -> StepRows | None:
        """The next step; None when the passes asked for are done."""
        rows = tuple(itertools.islice(self._rows(), self._schedule.rows))
        if not rows:
            return None
        targets = sum(int(self._targets[row].sum()) for row in rows)
        return StepRows(rows, targets, self.position)

    def _rows(self) -> Iterator[NDArray[np.int64]]:
        while len(row := self._row()):
            yield row

    def _row(self) -> NDArray[np.int64]:
        parts: list[NDArray[np.int64]] = []
        room = self._budget
        epoch, used = self.position.epoch, self.position.used
        while True:
            if used >= self._limit:
                if self._last_epoch is not None and epoch >= self._last_epoch:
                    break
                epoch, used = epoch + 1, 0
                self._open_epoch(epoch)
                continue
            # as many as have room: the largest stop with sums[stop] - sums[used] <= room, and one in an empty row
            stop = int(np.searchsorted(self._sums, self._sums[used] + room, side="right")) - 1
            stop = min(max(stop, used if parts else used + 1), self._limit)
            if stop > used:
                parts.append(self._order[used:stop])
                room -= int(self._sums[stop] - self._sums[used])
                used = stop
            if used < self._limit:
                break
        self.position = Position(epoch, used)
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)

    def _open_epoch(self, number: int) -> None:
        self._order = self._dataset.epoch(number, seed=self._schedule.seed)
        self._sums = np.concatenate(([0], np.cumsum(self._lengths[self._order], dtype=np.int64)))
        self._limit = len(self._order)
        if self._last_epoch is not None and number >= self._last_epoch:
            self._limit = round(max(0.0, self._schedule.epochs - number) * len(self._order))


def count_steps(dataset: Dataset, schedule: Schedule, *, shared: bool = True, position: Position | None = None) -> int:
    """How many steps the passes of ``schedule.epochs`` come to, from a position on."""
    source = RowSource(dataset, schedule, shared=shared, position=position)
    return sum(1 for _ in iter(source.next, None))


def rows_in_order(dataset: Dataset, *, batch_tokens: int, shared: bool = True) -> list[NDArray[np.int64]]:
    """Every dialogue once, in order, in rows up to a token budget."""
    once, each = _prefix(dataset, shared=shared)
    ends = dataset.offsets + each * np.arange(len(dataset.offsets))
    rows, start = [], 0
    while start < len(dataset):
        stop = int(np.searchsorted(ends, ends[start] + batch_tokens - once, side="right")) - 1
        stop = max(stop, start + 1)
        rows.append(np.arange(start, stop, dtype=np.int64))
        start = stop
    return rows


def _prefix(dataset: Dataset, *, shared: bool) -> tuple[int, int]:
    """Tokens of the prefix that stand in a row once, and in each dialogue."""
    return (len(dataset.prefix), 0) if shared else (0, len(dataset.prefix))
