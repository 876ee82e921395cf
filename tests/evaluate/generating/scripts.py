"""Scripts and engines for tests of the generator: what is said follows from what was asked alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.evaluate.values import Turn
from bayling_lite.messages import Conversation

SMALL = ModelInfo(name="small", template="bayling", n_ctx=512, n_parallel=2, fingerprint="f1")
SEARCHING = ModelInfo(name="small", template="bayling", n_ctx=512, n_parallel=2, can_search=True, fingerprint="f1")


@dataclass
class Telephone:
    """A script that says its word and then, so many times, what it heard last with a sign added."""

    id: str
    turns: int = 3
    heard: list[tuple[str, ...]] = field(default_factory=list)

    def next(self, answers: tuple[str, ...]) -> Turn | None:
        """What it heard, with a sign."""
        self.heard.append(answers)
        if len(answers) == self.turns:
            return None
        return Turn(f"{answers[-1]}+" if answers else self.id)


def echo(conversation: Conversation) -> str:
    """The last turn, said back."""
    return f"<{conversation.messages[-1].content}>"


class Told:
    """A progress that notes what it is told."""

    def __init__(self, on_advance: Callable[[int], None] = lambda count: None) -> None:
        self.events: list[object] = []
        self.threads: set[int] = set()
        self._on_advance = on_advance
        self.count = 0

    def start(self, label: str, total: int) -> None:
        """Note it."""
        self._note((label, total))

    def advance(self, n_generated: int) -> None:
        """Note it, and do what the test wants to be done."""
        self._note(n_generated)
        self.count += 1
        self._on_advance(self.count)

    def end(self) -> None:
        """Note it."""
        self._note("end")

    def _note(self, event: object) -> None:
        self.events.append(event)
        self.threads.add(threading.get_ident())


@contextmanager
def no_threads_left() -> Iterator[None]:
    """Inside, threads of the generator may run; after it, none does."""
    yield
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith("evaluation-")]
    assert left == []


def engine_of(script: Callable[[Conversation], str], info: ModelInfo = SMALL, delay: float = 0.0) -> ScriptedEngine:
    """A scripted engine that answers by a function."""
    return ScriptedEngine(script, info=info, delay=delay)
