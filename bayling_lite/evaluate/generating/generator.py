"""The generator: scripts in, answers out, in the same order."""

from __future__ import annotations

import contextlib
import datetime
import threading
import time
from collections import abc
from collections.abc import Sequence
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Protocol

from bayling_lite.engine.base import Engine, ModelInfo
from bayling_lite.evaluate.generating.course import Course, Courses, Stopped, added
from bayling_lite.evaluate.generating.store import AnswerStore
from bayling_lite.evaluate.values import Answer, Decoding, Effort, Run, Script

# So many scripts are under way for each request that the engine computes at once: while one is scored and kept, and its
# next turn made, another one is there to take its place.
_PER_PARALLEL = 2
_FEWEST = 4


class Progress(Protocol):
    """Who is told how far it is, always from the thread that asked for the answers."""

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
    """Has scripts answered by an engine, as many at once as it computes.

    Every answer is in the store before the next turn of its script is asked for, and what is in the store already is
    not asked again: after an interruption, however it came about, the same call goes on and ends with the same answers
    (those that were still to come, as exactly as the model is computed: see
    :class:`~bayling_lite.engine.base.SamplingParams`).

    A turn that does not fit the context, that the server refuses, or whose required phrases cannot all be said is no
    error but a problem of its answer; whatever follows it in its script is not asked. None of the three is kept: with a
    larger context or another server it may go well.

    Args:
        engine: who answers.
        store: where answers are kept; None keeps them as long as the generator is there.
        progress: who is told how far it is.
    """

    def __init__(self, engine: Engine, store: AnswerStore | None = None, *, progress: Progress | None = None) -> None:
        self.engine = engine
        self.store = store or AnswerStore(None)
        self.progress = progress
        self._taken = False

    def answer(self, scripts: Sequence[Script], decoding: Decoding, *, label: str = "", prompt: str = "") -> Answered:
        """Have every script answered to its end.

        ``label`` is what the progress is headed with, ``prompt`` is told of in the run. A script's ``next`` is called
        from one thread at a time, but scripts run side by side.

        Raises:
            EngineError: the engine fails, was closed, or refuses each of the first requests.
            InputError, OutputError: the store is damaged, or cannot be written.

        Whatever is raised, KeyboardInterrupt too: what was finished is in the store, and the rest is cancelled.
        """
        info = self.engine.info
        started = time.perf_counter()
        answers, effort, required = self._answer(scripts, decoding, label)
        if effort.n_asked:
            effort = replace(effort, seconds=time.perf_counter() - started)
        words = _in_words(decoding, info, required=required)
        return Answered(answers, effort, words, run_now(info, words, prompt, effort))

    def _answer(
        self, scripts: Sequence[Script], decoding: Decoding, label: str
    ) -> tuple[tuple[Answer, ...], Effort, bool]:
        """The answers, what they took, and whether any of them had to hold a phrase."""
        answers: dict[int, Answer] = {}
        effort, required = Effort(), False
        courses = Courses(self.engine, self.store, decoding, taken=self._taken)
        if self.progress:
            self.progress.start(label, len(scripts))
        try:
            with contextlib.closing(_run(scripts, courses, _window(self.engine.info))) as ended:
                for index, course in ended:
                    answers[index] = course.answer
                    effort = added(effort, course.effort)
                    required = required or course.required
                    if self.progress:
                        self.progress.advance(course.effort.n_generated)
        finally:
            self._taken = courses.taken
            if self.progress:
                self.progress.end()
        return tuple(answers[index] for index in range(len(scripts))), effort, required


def _run(scripts: Sequence[Script], courses: Courses, window: int) -> abc.Generator[tuple[int, Course], None, None]:
    """Run scripts in a few threads; give each with its place as it ends. The first error stops all, and is raised."""
    waiting = iter(enumerate(scripts))
    lock = threading.Lock()
    ended: SimpleQueue[tuple[int, Course | BaseException]] = SimpleQueue()

    def work() -> None:
        while True:
            with lock:
                index, script = next(waiting, (-1, None))
            if script is None:
                return
            try:
                ended.put((index, courses.run(script)))
            except Stopped:
                return
            except BaseException as error:  # noqa: BLE001 - raised by who waits for it
                ended.put((index, error))
                return

    threads = [
        threading.Thread(target=work, name=f"evaluation-{number}", daemon=True)
        for number in range(min(window, len(scripts)))
    ]
    try:
        for thread in threads:
            thread.start()
        for _ in scripts:
            index, course = ended.get()
            if isinstance(course, BaseException):
                raise course
            yield index, course
    finally:
        # At the end nothing is under way any more; otherwise what can still be kept is waited for.
        courses.stop()
        for thread in threads:
            if thread.ident is not None:
                thread.join()


def run_now(info: ModelInfo, decoding: str, prompt: str, effort: Effort) -> Run:
    """How answers came to be that an engine has just made."""
    return Run(
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        model=info.name,
        fingerprint=info.fingerprint,
        template=info.template,
        device=info.device,
        decoding=decoding,
        prompt=prompt,
        effort=effort,
    )


def _window(info: ModelInfo) -> int:
    return max(_FEWEST, _PER_PARALLEL * info.n_parallel)


def _in_words(decoding: Decoding, info: ModelInfo, *, required: bool) -> str:
    """How it was decoded, with what was asked for where the engine cannot do that."""
    if info.can_search:
        special = (", exact" if info.exact else "") + (f", KV cache of {info.kv_type}" if info.kv_type else "")
        words = f"{decoding}{special}"
        return f"{words}, required phrases guaranteed by the search" if required else words
    wanted = [str(decoding)] if decoding.beam_size > 1 else []
    wanted += ["required phrases"] if required else []
    if not wanted:
        return str(decoding)
    used = replace(decoding, beam_size=1)
    verb = "were" if required else "was"
    return f"{used} (the server cannot search; {' and '.join(wanted)} {verb} asked for)"
