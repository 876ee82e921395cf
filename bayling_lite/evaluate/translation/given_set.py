"""A test set of the user's, or of sacreBLEU's, as a family of one set."""

from __future__ import annotations

from bayling_lite.evaluate.data import DataFolder
from bayling_lite.evaluate.families import FoundOutputs
from bayling_lite.evaluate.generating import Generator
from bayling_lite.evaluate.translation.measuring import USUAL, Scoring, measure, score_outputs
from bayling_lite.evaluate.translation.parallel_set import ParallelSet
from bayling_lite.evaluate.values import SetResult, Setup


class GivenSet:
    """The family ``translation``. The data folder has no part in it."""

    name = "translation"

    def __init__(self, test_set: ParallelSet, how: Scoring = USUAL, *, limit: int | None = None) -> None:
        self._test_set = test_set
        self._how = how
        self._limit = limit

    def find_sets(self, data: DataFolder) -> tuple[str, ...]:  # noqa: ARG002 - the protocol's
        """The one set."""
        return (self._test_set.name,)

    def measure(self, data: DataFolder, set_name: str, generator: Generator, setup: Setup) -> SetResult:  # noqa: ARG002 - the protocol's
        """Have it translated, and score that."""
        return measure(self._test_set, self.name, generator, setup, self._how)

    def find_outputs(self, data: DataFolder) -> tuple[FoundOutputs, ...]:  # noqa: ARG002 - the protocol's
        """None: outputs are named by the user."""
        return ()

    def score(self, data: DataFolder, found: FoundOutputs) -> SetResult:  # noqa: ARG002 - the protocol's
        """Score outputs made elsewhere, one a line, of the set's first lines if there is a limit."""
        return score_outputs(self._test_set, self.name, found.system, found.path, self._how, limit=self._limit)
