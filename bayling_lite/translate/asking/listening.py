"""One request to the engine, listened to while it is answered: stopped when cancelled, or when it has gone wrong."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bayling_lite.engine.base import Engine, FinishReason, Generation, GenerationRequest, Hypothesis
from bayling_lite.translate.asking.values import Problem

# Seconds between looks at whether somebody has cancelled, and without work until the thread that looks ends.
_INTERVAL = 0.05
_IDLE = 2.0
# Pieces (about tokens) between looks at the text so far.
_PIECES = 8

Watch = Callable[[str], Problem | None]
"""What is certainly wrong with a text, of which more is to come."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said. ``problem`` is why it was interrupted, if it was; ``reason`` is then ``cancelled``."""

    text: str
    reason: FinishReason
    n_generated: int
    hypotheses: tuple[Hypothesis, ...] = ()
    problem: Problem | None = None


class Listener:
    """Asks an engine. Safe to use from any thread: each call waits for its own answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._canceller = _Canceller()

    def ask(self, request: GenerationRequest, cancelled: threading.Event, watch: Watch) -> Answer:
        """Ask, wait for the answer, and stop it soon after ``cancelled`` is set or ``watch`` finds something.

        Raises:
            EngineError: generating failed.
        """
        generation = self._engine.submit(request)
        problem: Problem | None = None
        text = ""
        with self._canceller.watching(generation, cancelled):
            for count, piece in enumerate(generation, 1):
                text += piece
                if problem is None and not count % _PIECES:
                    problem = watch(text)
                    if problem is not None:
                        generation.cancel()
            completion = generation.result()
        reason = "cancelled" if problem is not None else completion.finish_reason
        return Answer(completion.text, reason, completion.n_generated, completion.hypotheses, problem)


class _Canceller:
    """Cancels generations whose events are set. One thread looks after all of them, and there is none without work.

    A generation can only be waited for, and so can an event: a thread that waits for the one does not see the other.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watched: dict[int, tuple[Generation, threading.Event]] = {}
        self._running = False

    @contextmanager
    def watching(self, generation: Generation, cancelled: threading.Event) -> Iterator[None]:
        """Look after a generation; also when its reader leaves by an exception, it is cancelled."""
        with self._changed:
            self._watched[id(generation)] = generation, cancelled
            if self._running:
                self._changed.notify()
            else:
                self._running = True
                threading.Thread(target=self._run, name="translation-canceller", daemon=True).start()
        try:
            yield
        except BaseException:
            generation.cancel()
            raise
        finally:
            with self._changed:
                del self._watched[id(generation)]

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._watched and not self._changed.wait_for(lambda: bool(self._watched), _IDLE):
                    self._running = False
                    return
                due = [generation for generation, cancelled in self._watched.values() if cancelled.is_set()]
            for generation in due:
                generation.cancel()
            time.sleep(_INTERVAL)
