"""A translation while it is made: text pieces in order, cancellable, then the result."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bayling_lite.engine.base import Completion, Engine, Generation, GenerationRequest
from bayling_lite.errors import ContextOverflow, PhrasesDoNotFit
from bayling_lite.messages import Conversation
from bayling_lite.translate.formats.plain import PlainWriter, on_one_line
from bayling_lite.translate.nearest import nearest
from bayling_lite.translate.results import Status, TranslatedSegment, Translation
from bayling_lite.translate.segments import Segment

# Requests queued before they are needed: the engine is to have something to batch also while it is the slow one among
# those it works at that is waited for.
_FEWEST_AHEAD = 4
_AHEAD_PER_SEQUENCE = 2


@dataclass(frozen=True, slots=True)
class Task:
    """A segment and what is to become of it.

    ``conversation`` ends with the user's turn when the model is to be asked. When ``status`` is given, nothing is asked
    and ``fallback`` is the text; else ``fallback`` stands when no answer comes. A request that does not fit the context
    counts as one without an answer, unless it ``must_fit``: then it is an error. ``words`` are required in the answer;
    where the model cannot be made to write them, it is asked without that. With ``near``, the answer is found by a
    search, and of its hypotheses the one nearest to this text is taken.
    """

    segment: Segment
    conversation: Conversation
    fallback: str
    status: Status | None = None
    must_fit: bool = False
    words: tuple[str, ...] = ()
    near: str = ""


class TranslationStream:
    """Iterate it, also asynchronously, for pieces of the final text, layout included; then ask for the result.

    One thread reads, any may cancel. ``done`` and ``total`` count segments. An error of the engine is raised where
    the pieces are read and by :meth:`result`.
    """

    def __init__(
        self,
        engine: Engine,
        tasks: Sequence[Task],
        writer: PlainWriter,
        request: Callable[[Task], GenerationRequest],
        finish: Callable[[str, tuple[TranslatedSegment, ...]], Translation],
    ) -> None:
        self._engine = engine
        self._tasks = tasks
        self._writer = writer
        self._request = request
        self._finish = finish
        self._ahead = max(_FEWEST_AHEAD, _AHEAD_PER_SEQUENCE * engine.info.n_parallel)
        self._queue: deque[Generation | None] = deque()  # the current task's first; None where nothing is asked
        self._lock = threading.Lock()  # of the queue
        self._text: list[str] = []
        self._answer = ""  # of the segment being made
        self._completion: Completion | None = None
        self._words_fit = True
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
        return len(self._tasks)

    @property
    def done(self) -> int:
        """The number of segments finished."""
        return len(self._segments)

    @property
    def segments(self) -> tuple[TranslatedSegment, ...]:
        """The segments finished so far."""
        return tuple(self._segments)

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
            running = [generation for generation in self._queue if generation is not None]
        for generation in running:
            generation.cancel()

    def _run(self) -> Generator[str, None, None]:
        try:
            for task in self._waiting():
                for generation in self._attempts(task):
                    with self._failure_allowed(task):
                        for piece in generation:
                            yield from self._feed(piece, task)
                        self._completion = generation.result()
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
            for task in self._waiting():
                for generation in self._attempts(task):
                    with self._failure_allowed(task):
                        async for piece in generation:
                            for text in self._feed(piece, task):
                                yield text
                        self._completion = generation.result()  # it has ended: this does not wait
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

    def _waiting(self) -> Iterator[Task]:
        """The tasks to do, until cancelled."""
        if not self._stopped:
            for task in self._tasks:
                if self._cancelled.is_set():
                    return
                yield task

    def _next(self) -> Generation | None:
        """The generation of the next task; None when nothing is asked for it."""
        with self._lock:
            waiting = len(self._segments) + len(self._queue)
            while len(self._queue) < self._ahead and waiting < len(self._tasks) and not self._cancelled.is_set():
                task = self._tasks[waiting]
                self._queue.append(self._engine.submit(self._request(task)) if task.status is None else None)
                waiting += 1
            return self._queue[0] if self._queue else None

    def _attempts(self, task: Task) -> Iterator[Generation]:
        """The generation of a task; a second one, without the required words, where the first could not have them."""
        generation = self._next()
        if generation is None:
            return
        self._words_fit = True
        yield generation
        if not self._words_fit:
            with self._lock:
                if self._cancelled.is_set():
                    return
                generation = self._queue[0] = self._engine.submit(self._request(replace(task, words=())))
            yield generation

    @contextmanager
    def _failure_allowed(self, task: Task) -> Iterator[None]:
        """Note that the required words do not fit, and take a request that does not fit the context for one without an
        answer, unless the task must have one.
        """
        try:
            yield
        except PhrasesDoNotFit:
            # A search gives its text at the end: none of it has been read.
            self._words_fit = False
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
        yield from self._give(self._writer.feed(text))

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
        elif not answer:
            status, text = "failed", task.fallback
        else:
            status, text = ("length" if completion and completion.finish_reason == "length" else "ok"), answer
        conversation = task.conversation if task.status is not None else task.conversation.assistant(text)
        self._segments.append(TranslatedSegment(task.segment.text, text, status, conversation))
        yield from self._give(self._writer.end(text))

    def _end(self) -> Iterator[str]:
        if len(self._segments) == len(self._tasks):
            yield from self._give(self._writer.finish())

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
                for _ in self._close(self._tasks[len(self._segments)]):
                    pass
            self._result = self._finish("".join(self._text), tuple(self._segments))
        return self._result
