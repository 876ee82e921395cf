"""Asking an engine in several steps, where what is asked next depends on the answers so far.

Steps are a generator: it yields requests, which run side by side, gets what came of each, and returns the outcome.
They say what to ask and know nothing of threads; :class:`SteppedGeneration` runs them, and can stand wherever a
generation is read.
"""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from typing import Any, Generic, TypeVar

from bayling_lite.engine.base import Completion, Engine, FinishReason, Generation, GenerationRequest
from bayling_lite.errors import ContextOverflow, PhrasesDoNotFit, UsageError

Refusal = PhrasesDoNotFit | ContextOverflow | UsageError
"""Why a request has no answer, though the next one may have."""

Reply = Completion | Refusal
T = TypeVar("T")
Steps = Generator[Sequence[GenerationRequest], list[Reply], T]


class SteppedWork(Generic[T]):
    """Steps being taken. The first requests are with the engine at once; :meth:`cancel` from any thread.

    ``outcome`` is what the steps came to, None before that and when they were cancelled.
    """

    def __init__(self, engine: Engine, steps: Steps[T]) -> None:
        self._engine = engine
        self._steps = steps
        self._lock = threading.Lock()  # of the running ones, and of whether more may be asked
        self._running: list[Generation] = []
        self._ended = False
        self.cancelled = False
        self.outcome: T | None = None
        self._advance(None)

    def wait(self) -> T | None:
        """The outcome.

        Raises:
            EngineError: generating failed, or the steps refuse to go on without an answer.
        """
        while not self._ended:
            replies: list[Reply] = []
            try:
                for generation in self._running:
                    try:
                        replies.append(generation.result())
                    except (PhrasesDoNotFit, ContextOverflow, UsageError) as refusal:
                        replies.append(refusal)
                self._advance(replies)
            except BaseException:
                self._end()
                raise
        return self.outcome

    async def await_outcome(self) -> T | None:
        """:meth:`wait` for asynchronous programs."""
        while not self._ended:
            replies: list[Reply] = []
            try:
                for generation in self._running:
                    try:
                        replies.append(await generation)
                    except (PhrasesDoNotFit, ContextOverflow, UsageError) as refusal:
                        replies.append(refusal)
                self._advance(replies)
            except BaseException:
                self._end()
                raise
        return self.outcome

    def cancel(self) -> None:
        """Stop as soon as possible."""
        with self._lock:
            self.cancelled = not self._ended or self.cancelled
            running = list(self._running)
        for generation in running:
            generation.cancel()

    def _advance(self, replies: list[Reply] | None) -> None:
        """Give the steps their replies, and ask what they want to know next."""
        if self.cancelled:
            self._end()
            return
        try:
            requests = next(self._steps) if replies is None else self._steps.send(replies)
        except StopIteration as end:
            self.outcome = end.value
            self._end()
            return
        with self._lock:
            self._running = [] if self.cancelled else [self._engine.submit(request) for request in requests]

    def _end(self) -> None:
        self._ended = True
        self._steps.close()
        with self._lock:
            running, self._running = self._running, []
        for generation in running:
            generation.cancel()


class SteppedGeneration:
    """Steps that come to a text, or to a completion, as a generation of one piece; without any, the text is empty."""

    def __init__(self, engine: Engine, steps: Steps[Completion | str | None]) -> None:
        self._begun = time.perf_counter()
        self._work = SteppedWork(engine, steps)

    def __iter__(self) -> Iterator[str]:
        self._work.wait()
        yield from self._pieces()

    async def __aiter__(self) -> AsyncIterator[str]:
        await self._work.await_outcome()
        for piece in self._pieces():
            yield piece

    def __await__(self) -> Generator[Any, None, Completion]:
        yield from self._work.await_outcome().__await__()
        return self._completion()

    def result(self) -> Completion:
        """Wait for the end."""
        self._work.wait()
        return self._completion()

    def cancel(self) -> None:
        """Stop as soon as possible."""
        self._work.cancel()

    def _pieces(self) -> Iterator[str]:
        if text := self._completion().text:
            yield text

    def _completion(self) -> Completion:
        outcome = self._work.outcome
        if isinstance(outcome, Completion):
            return outcome
        reason: FinishReason = "cancelled" if self._work.cancelled else "stop"
        return Completion(outcome or "", reason, 0, 0, 0, 0.0, time.perf_counter() - self._begun)
