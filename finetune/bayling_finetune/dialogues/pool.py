"""The same work on many chunks, by several processes, with the results in the order of the chunks."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.connection import wait
from typing import Any, Generic, TypeVar

from bayling_lite.errors import BaylingError

Chunk = TypeVar("Chunk")
Result = TypeVar("Result")
Work = Callable[[Chunk], Result]

_AHEAD = 3
"""Chunks per process that are read before they are worked on: enough that none waits, few enough to hold."""


def cores() -> int:
    """Processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


class Pool(Generic[Chunk, Result]):
    """Calls ``work`` on chunks in ``processes`` processes; with one, in this one.

    ``work`` is handed over once: by fork on Linux, where all share its memory, else pickled. Leaving the context ends
    the processes; they end by themselves when this one is killed.
    """

    def __init__(self, work: Work[Chunk, Result], processes: int, *, method: str | None = None) -> None:
        self._work = work
        self._processes = processes
        self._method = method or start_method()
        self._executor: ProcessPoolExecutor | None = None

    def __enter__(self) -> Pool[Chunk, Result]:
        if self._processes > 1:
            context = multiprocessing.get_context(self._method)
            self._executor = ProcessPoolExecutor(self._processes, context, partial(_begin, self._work))
        return self

    def __exit__(self, *error: object) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)

    def map(self, chunks: Iterable[Chunk]) -> Iterator[Result]:
        """The results, in order; never more than a few chunks are held at a time.

        Raises:
            BaylingError: a process ended by itself.
        """
        if self._executor is None:
            yield from map(self._work, chunks)
            return
        waiting: deque[Future[Any]] = deque()
        try:
            for chunk in chunks:
                waiting.append(self._submit(chunk))
                if len(waiting) >= self._processes * _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise BaylingError(
                "A worker process ended unexpectedly, most often because the memory ran out. "
                "Use fewer of them: --processes 1."
            ) from error

    def _submit(self, chunk: Chunk) -> Future[Any]:
        assert self._executor is not None  # noqa: S101 - entered, with several processes
        with warnings.catch_warnings():
            # The first call forks. Python warns of any thread, those of numpy's linear algebra among them, which rest.
            warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
            return self._executor.submit(_call, chunk)


def start_method() -> str:
    """``fork`` where it is safe, else ``spawn``: what a thread has locked while the process forks stays so for ever."""
    return "fork" if sys.platform == "linux" and threading.active_count() == 1 else "spawn"


_task: list[Work[Any, Any]] = []
"""What a worker process calls; set once when it begins."""


def _begin(work: Work[Any, Any]) -> None:
    # Ctrl-C goes to the whole group; the parent decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _task[:] = [work]
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    """End this process when its parent does, however that ends: nobody would ever ask it for anything again."""
    with contextlib.suppress(OSError):
        wait([sentinel])
    os._exit(1)


def _call(chunk: Any) -> Any:
    return _task[0](chunk)
