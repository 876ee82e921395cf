"""A translation while it is made: text pieces in order, cancellable, then the result."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace

from bayling_lite.engine.base import Completion, Engine, Generation, GenerationRequest
from bayling_lite.engine.words import occurs
from bayling_lite.errors import ContextOverflow, PhrasesDoNotFit
from bayling_lite.translate.asking.steps import SteppedGeneration, SteppedWork, Steps
from bayling_lite.translate.formats.plain import on_one_line
from bayling_lite.translate.refining.nearest import nearest
from bayling_lite.translate.refining.standing import is_in_another_language
from bayling_lite.translate.required_words import checked, other_attempt
from bayling_lite.translate.results import Status, TranslatedSegment, Translation
from bayling_lite.translate.tasks import Task, Work

# Requests queued before they are needed: the engine is to have something to batch also while it is the slow one among
# those it works at that is waited for.
_FEWEST_AHEAD = 4
_AHEAD_PER_SEQUENCE = 2


class TranslationStream:
    """Iterate it, also asynchronously, for pieces of the final text, layout included; then ask for the result.

    One thread reads, any may cancel. ``done`` and ``total`` count segments. An error of the engine is raised where
    the pieces are read and by :meth:`result`.

    With ``routing``, the steps that come to the work proper are taken before the first piece; ``work`` is what may be
    asked until then.
    """

    def __init__(
        self,
        engine: Engine,
        work: Work,
        request: Callable[[Task], GenerationRequest],
        routing: Callable[[], Steps[Work]] | None = None,
    ) -> None:
        self._engine = engine
        self._work = work
        self._request = request
        self._routing = routing
        self._routed: SteppedWork[Work] | None = None  # while it is found out what to do
        self._ahead = max(_FEWEST_AHEAD, _AHEAD_PER_SEQUENCE * engine.info.n_parallel)
        # The current task's first; None where nothing is asked.
        self._queue: deque[Generation | SteppedGeneration | None] = deque()
        self._lock = threading.Lock()  # of the queue
        self._text: list[str] = []
        self._answer = ""  # of the segment being made
        self._completion: Completion | None = None
        self._refusal: PhrasesDoNotFit | None = None
        self._segments: list[TranslatedSegment] = []
        self._cancelled = threading.Event()
        self._stopped = False
        self._error: Exception | None = None
        self._result: Translation | None = None
        self._pieces = self._run()
        self._async_pieces = self._arun()

    @property
    def total(self) -> int:
        """The number of segments."""
        return len(self._work.tasks)

    @property
    def done(self) -> int:
        """The number of segments finished."""
        return len(self._segments)

    @property
    def segments(self) -> tuple[TranslatedSegment, ...]:
        """The segments finished so far."""
        return tuple(self._segments)

    @property
    def asked(self) -> tuple[Task, ...]:
        """What the model is asked for, at most; nothing is, before the first piece is read."""
        return tuple(task for task in self._work.tasks if task.status is None)

    def __iter__(self) -> Iterator[str]:
        return self._pieces

    def __aiter__(self) -> AsyncIterator[str]:
        return self._async_pieces

    def result(self) -> Translation:
        """Read what is left of the pieces and give the whole; after :meth:`cancel`, what there was."""
        for _ in self._pieces:
            pass
        return self._outcome()

    async def aresult(self) -> Translation:
        """:meth:`result` for asynchronous programs."""
        async for _ in self._async_pieces:
            pass
        return self._outcome()

    def cancel(self) -> None:
        """Stop as soon as possible, from any thread. The pieces end, the result holds what there was."""
        self._cancelled.set()
        with self._lock:
            running: list[Generation | SteppedGeneration | SteppedWork[Work]] = [
                generation for generation in self._queue if generation is not None
            ]
            if self._routed is not None:
                running.append(self._routed)
        for generation in running:
            generation.cancel()

    def _run(self) -> Generator[str, None, None]:
        try:
            if (routed := self._route()) is not None:
                self._work = routed.wait() or self._work
            for task in self._waiting():
                for generation, attempt in self._attempts(task):
                    with self._failure_allowed(task):
                        for piece in generation:
                            yield from self._feed(piece, task)
                        self._completion = checked(generation.result(), attempt)
                        yield from self._feed_nearest(task)
                yield from self._close(task)
            yield from self._end()
        except Exception as error:
            self._error = error
            raise
        finally:
            self._stop()

    async def _arun(self) -> AsyncGenerator[str, None]:
        try:
            if (routed := self._route()) is not None:
                self._work = await routed.await_outcome() or self._work
            for task in self._waiting():
                for generation, attempt in self._attempts(task):
                    with self._failure_allowed(task):
                        async for piece in generation:
                            for text in self._feed(piece, task):
                                yield text
                        self._completion = checked(generation.result(), attempt)  # it has ended: this does not wait
                        for text in self._feed_nearest(task):
                            yield text
                for text in self._close(task):
                    yield text
            for text in self._end():
                yield text
        except Exception as error:
            self._error = error
            raise
        finally:
            self._stop()

    def _route(self) -> SteppedWork[Work] | None:
        """Begin to find out what to do, where that is not known."""
        with self._lock:
            if self._routing is None or self._stopped or self._cancelled.is_set():
                return None
            self._routed = SteppedWork(self._engine, self._routing())
            return self._routed

    def _waiting(self) -> Iterator[Task]:
        """The tasks to do, until cancelled."""
        if not self._stopped:
            for task in self._work.tasks:
                if self._cancelled.is_set():
                    return
                yield task

    def _next(self) -> Generation | SteppedGeneration | None:
        """The generation of the next task; None when nothing is asked for it."""
        with self._lock:
            waiting = len(self._segments) + len(self._queue)
            while len(self._queue) < self._ahead and waiting < len(self._work.tasks) and not self._cancelled.is_set():
                task = self._work.tasks[waiting]
                self._queue.append(self._ask(task))
                waiting += 1
            return self._queue[0] if self._queue else None

    def _ask(self, task: Task) -> Generation | SteppedGeneration | None:
        if task.status is not None:
            return None
        if task.steps is not None:
            return SteppedGeneration(self._engine, task.steps())
        if task.likely or task.sampled:
            return SteppedGeneration(self._engine, self._likely(task))
        return self._engine.submit(self._request(task))

    def _likely(self, task: Task) -> Steps[Completion | str | None]:
        (answer,) = yield [self._request(replace(task, words=(), held=()))]
        if isinstance(answer, Exception):
            raise answer
        if all(occurs(word, answer.text) for word in task.required):
            return answer
        if task.held and is_in_another_language(answer.text, self._work.target):
            # Who asks for another language does not ask for words of this one any longer.
            task = replace(task, held=())
            if not task.words:
                return answer
        near = answer.text if task.sampled else ""
        (found,) = yield [self._request(replace(task, near=near))]
        if isinstance(found, Exception) and task.held and task.words:
            (found,) = yield [self._request(replace(task, near=near, held=()))]
        if isinstance(found, Exception):
            return answer
        return nearest(found.hypotheses, near) if near and found.hypotheses else found

    def _attempts(self, task: Task) -> Iterator[tuple[Generation | SteppedGeneration, Task]]:
        """The generation of a task; where it could not have the required words, those of :func:`other_attempt`."""
        generation = self._next()
        if generation is None:
            return
        attempt = task
        while True:
            self._refusal = None
            yield generation, attempt
            if self._refusal is None:
                return
            attempt = other_attempt(task, attempt, self._refusal)
            with self._lock:
                if self._cancelled.is_set():
                    return
                generation = self._queue[0] = self._engine.submit(self._request(attempt))

    @contextmanager
    def _failure_allowed(self, task: Task) -> Iterator[None]:
        """Note that the required words do not fit, and take a request that does not fit the context for one without an
        answer, unless the task must have one.
        """
        try:
            yield
        except PhrasesDoNotFit as refusal:
            # A search gives its text at the end: none of it has been read.
            self._refusal = refusal
        except ContextOverflow:
            if task.must_fit:
                raise

    def _feed(self, piece: str, task: Task) -> Iterator[str]:
        if not task.near:
            yield from self._add(piece)

    def _feed_nearest(self, task: Task) -> Iterator[str]:
        if task.near and self._completion is not None:
            found = self._completion.hypotheses
            yield from self._add(nearest(found, task.near) if found else self._completion.text)

    def _add(self, text: str) -> Iterator[str]:
        self._answer += text
        yield from self._give(self._work.writer.feed(text))

    def _give(self, text: str) -> Iterator[str]:
        if text:
            self._text.append(text)
            yield text

    def _close(self, task: Task) -> Iterator[str]:
        """Finish the current segment. Cancelled before it had any text, it does not count."""
        completion, self._completion = self._completion, None
        answer, self._answer = on_one_line(self._answer), ""
        with self._lock:
            if self._queue:
                self._queue.popleft()
        status: Status
        if task.status is not None:
            status, text = task.status, task.fallback
        elif self._cancelled.is_set() if completion is None else completion.finish_reason == "cancelled":
            self._cancelled.set()
            if not answer:
                return
            status, text = "cancelled", answer
        elif not answer and task.before is not None:
            self._segments.append(task.before)
            yield from self._give(self._work.writer.end(task.before.text))
            return
        elif not answer:
            status, text = "failed", task.fallback
        else:
            status, text = ("length" if completion and completion.finish_reason == "length" else "ok"), answer
        conversation = task.conversation if task.status is not None else task.conversation.assistant(text)
        self._segments.append(TranslatedSegment(task.segment.text, text, status, conversation))
        yield from self._give(self._work.writer.end(text))

    def _end(self) -> Iterator[str]:
        if len(self._segments) == len(self._work.tasks):
            yield from self._give(self._work.writer.finish())

    def _stop(self) -> None:
        """Free the engine of what was queued and is not needed any more."""
        self._stopped = True
        if self._queue:
            self.cancel()

    def _outcome(self) -> Translation:
        if self._error is not None:
            raise self._error
        if self._result is None:
            if self._answer:
                # The reader was interrupted within a segment, by Ctrl-C for example.
                self.cancel()
                for _ in self._close(self._work.tasks[len(self._segments)]):
                    pass
            self._result = self._work.finish("".join(self._text), tuple(self._segments))
        return self._result
