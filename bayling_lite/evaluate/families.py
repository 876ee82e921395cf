"""The families of tasks, in the order of the paper, and what each of them can do."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bayling_lite.errors import UsageError
from bayling_lite.evaluate.data import DataFolder
from bayling_lite.evaluate.generating import Generator
from bayling_lite.evaluate.values import SetResult, Setup


@dataclass(frozen=True, slots=True)
class FoundOutputs:
    """Outputs of a system that lie beside the test data, as the paper's authors published theirs.

    ``system`` is named after its folder or file. ``against``: the other system of a review.
    """

    system: str
    set_name: str
    path: Path
    against: str = ""


class Family(Protocol):
    """One kind of tasks. Sets are named as in the results and in the tables: ``zh-en``, ``gaokao-physics``.

    Errors of the data (missing, mismatched line counts, broken lines) are InputError; a set that is not in the data is
    a UsageError that says which are, and where they can be had.
    """

    @property
    def name(self) -> str:
        """``wmt22``, ``constrained``, ``refinement``, ``bayling80`` or ``exams``."""
        ...

    def find_sets(self, data: DataFolder) -> tuple[str, ...]:
        """The sets that the data holds, in the paper's order."""
        ...

    def measure(self, data: DataFolder, set_name: str, generator: Generator, setup: Setup) -> SetResult:
        """Have a set answered and score the answers."""
        ...

    def find_outputs(self, data: DataFolder) -> tuple[FoundOutputs, ...]:
        """Outputs of other systems that the data holds."""
        ...

    def score(self, data: DataFolder, found: FoundOutputs) -> SetResult:
        """Score outputs made elsewhere, in the formats that the paper's authors published theirs in, or plain lines."""
        ...


FAMILIES = {
    "wmt22": "bayling_lite.evaluate.translation.wmt22:Wmt22",
    "constrained": "bayling_lite.evaluate.interactive.constrained:Constrained",
    "refinement": "bayling_lite.evaluate.interactive.refinement:Refinement",
    "bayling80": "bayling_lite.evaluate.bayling80.family:BayLing80",
    "exams": "bayling_lite.evaluate.exams.family:Exams",
}
"""By name, the class (``module:class``), which needs no arguments."""


def family(name: str) -> Family:
    """A family by its name.

    Raises:
        UsageError: there is no such family.
    """
    if name not in FAMILIES:
        raise UsageError(f"There is no family of tasks {name!r}. There are: {', '.join(FAMILIES)}.")
    module, _, attribute = FAMILIES[name].partition(":")
    found: Family = getattr(importlib.import_module(module), attribute)()
    return found
