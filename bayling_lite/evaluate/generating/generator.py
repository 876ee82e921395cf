"""The generator: scripts in, answers out, in the same order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bayling_lite.engine.base import Engine
from bayling_lite.evaluate.values import Answer, Decoding, Effort, Run, Script


class Progress(Protocol):
    """Who is told how far it is."""

    def start(self, label: str, total: int) -> None:
        """A set of so many scripts begins."""
        ...

    def advance(self, n_generated: int) -> None:
        """A script is answered to its end, with so many tokens made now (0: all of it was in the store)."""
        ...

    def end(self) -> None:
        """The set is done, or given up."""
        ...


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a set: the answers in the order of the scripts, what it took, and how it was decoded in words."""

    answers: tuple[Answer, ...]
    effort: Effort
    decoding: str
    run: Run


class Generator:
    """Has scripts answered by an engine, as many at once as it computes."""

    def __init__(self, engine: Engine, store: object | None = None, *, progress: Progress | None = None) -> None:
        self.engine = engine

    def answer(self, scripts: Sequence[Script], decoding: Decoding, *, label: str = "", prompt: str = "") -> Answered:
        """Have every script answered to its end."""
        raise NotImplementedError
