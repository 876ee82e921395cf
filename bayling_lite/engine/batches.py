"""What the next batch holds: the newest token of every answer, and parts of the prompts that are still being read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from bayling_lite.engine.jobs import Job, Plan

Work = list[tuple[Job, list[Plan]]]

# The kernels of llama.cpp work in blocks of 16 rows: so many cost less than 12 do, and 17 much more. Steps are filled
# up to such a block with guesses, and long prompts are cut where one ends.
BLOCK = 16
# An answer that flows alone may guess further.
_BLOCK_ALONE = 24
# Where twice as many prompts wait as answers flow, or more, a step reads prompts alone: so many tokens for each answer
# that waits meanwhile and each prompt that does not have to, and no more than the last number.
_ASIDE, _MOST_ASIDE = 64, 256


def n_tokens(work: Work) -> int:
    """Tokens of a batch."""
    return sum(len(plan.tokens) for _, plans in work for plan in plans)


class Composer:
    """Composes batches. Prompts in large batches are read faster than bit by bit beside the answers: where many wait
    for few answers they are, every second step. ``aside`` says that the last batch was such a one.

    Args:
        n_batch: the most tokens of a batch.
        n_mixed: the most tokens of one while answers are flowing.
        answering_for: what goes wrong within it, goes wrong for this job alone.
    """

    def __init__(
        self, n_batch: int, n_mixed: int, answering_for: Callable[[Job], AbstractContextManager[None]]
    ) -> None:
        self._n_batch = n_batch
        self._n_mixed = n_mixed
        self._answering_for = answering_for
        self.aside = False

    def compose(self, jobs: Sequence[Job]) -> Work:
        """The next batch of these jobs: answers first, then parts of prompts, as much for each."""
        writing = [job for job in jobs if not job.reading]
        reading = [job for job in jobs if job.reading and not job.waiting]
        if writing and not self.aside:
            room = min(_ASIDE * len(reading) // len(writing), _MOST_ASIDE, self._n_batch) // BLOCK * BLOCK
            work = self._parts_of_prompts(reading, room, 0) if room >= 2 * _ASIDE else []
            self.aside = n_tokens(work) >= 2 * _ASIDE
            if self.aside:
                return work
        self.aside = False
        work = self._next_tokens(writing)
        taken = n_tokens(work)
        most = min(self._n_batch, self._n_mixed) if writing else self._n_batch
        room = min(max(most, taken + BLOCK) // BLOCK * BLOCK, self._n_batch) - taken
        return work + self._parts_of_prompts(reading, room, _BLOCK_ALONE - 1 if len(jobs) == 1 else 0)

    def _next_tokens(self, jobs: Sequence[Job]) -> Work:
        work: Work = []
        spare = (_BLOCK_ALONE if len(jobs) == 1 else BLOCK) - sum(job.width for job in jobs)
        for job in jobs:
            with self._answering_for(job):
                plans = job.write(spare)
                spare -= sum(len(plan.tokens) - 1 for plan in plans)
                work.append((job, plans))
        return work

    def _parts_of_prompts(self, jobs: Sequence[Job], room: int, n_guesses: int) -> Work:
        """Parts of ``room`` tokens in all."""
        work: Work = []
        jobs = sorted(jobs, key=lambda job: len(job.tokens))  # what short ones leave over is for the long ones
        for position, job in enumerate(jobs):
            with self._answering_for(job):
                plans = job.read(room // (len(jobs) - position), n_guesses)
                room -= sum(len(plan.tokens) for plan in plans)
                if plans:
                    work.append((job, plans))
        return work
