"""The rows of each step as tensors: this process's own, laid out while the device computes the step before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayling_finetune.config import Schedule
from bayling_finetune.dataset import Dataset
from bayling_finetune.distributed import Processes
from bayling_finetune.packing import PackedBatch, pack
from bayling_finetune.rows import Position, RowSource, StepRows, count_steps


@dataclass(frozen=True, slots=True)
class Step:
    """What this process does of a step: its rows by number; without one, any row, for nothing.

    ``tokens``: of this process's own rows, padding included.
    """

    planned: StepRows
    batches: list[tuple[int | None, PackedBatch]]
    tokens: int


class Feed:
    """The steps that are left of a run, from a position in the data on.

    ``shared``: whether a row begins with the prefix of all dialogues, or every dialogue with its own. ``left``: how
    many steps there are until the passes of ``schedule.epochs`` are done; None where ``schedule.steps`` says it.
    """

    def __init__(
        self, dataset: Dataset, schedule: Schedule, processes: Processes, *, shared: bool, position: Position
    ) -> None:
        self._dataset = dataset
        self._processes = processes
        self._shared = shared
        self._source = RowSource(dataset, schedule, shared=shared, position=position)
        self._ahead: Step | None = None
        self.left = count_steps(dataset, schedule, shared=shared, position=position) if schedule.epochs else None

    def next(self) -> Step | None:
        """The next step; None when the data are through."""
        step, self._ahead = self._ahead or self._make(), None
        return step

    def look_ahead(self) -> None:
        """Make the step after this one now."""
        if self._ahead is None:
            self._ahead = self._make()

    def _make(self) -> Step | None:
        planned = self._source.next()
        if planned is None:
            return None
        numbers = self._processes.share(len(planned.rows))
        batches = [(number, lay_out(self._dataset, planned.rows[number or 0], self._shared)) for number in numbers]
        tokens = sum(batch.layout.n_tokens for number, batch in batches if number is not None)
        return Step(planned, batches, tokens)


def lay_out(dataset: Dataset, row: NDArray[np.int64], shared: bool) -> PackedBatch:
    """One row of a dataset as tensors."""
    return pack(dataset.prefix, [dataset.document(int(number)) for number in row], share_prefix=shared)
