"""The thread that serves all requests of an engine: an event loop, in which each is a task that can be cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from bayling_lite.engine.generation import StreamedGeneration
from bayling_lite.engine.remote.sending import Line, Sending
from bayling_lite.errors import EngineClosed

_Found = TypeVar("_Found")


class Desk:
    """Requests come in from any thread and are served in order, at most ``n_parallel`` at once.

    Args:
        open_client: makes the HTTP client, in the thread that uses it; what it raises is raised here.
        n_parallel: requests at once.
    """

    def __init__(self, open_client: Callable[[], Any], n_parallel: int) -> None:
        self._process = os.getpid()
        self._open_client = open_client
        self._n_parallel = n_parallel
        self._lock = threading.Lock()
        self._closed = False
        self._tasks: dict[StreamedGeneration, asyncio.Task[None]] = {}
        self._ready: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = threading.Thread(target=self._run, name="remote-engine", daemon=True)
        self._thread.start()
        self._loop = self._ready.result()

    def call(self, work: Callable[[Any], Coroutine[Any, Any, _Found]]) -> _Found:
        """Have something done with the client, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work(self.client), self._loop).result()

    def submit(self, generation: StreamedGeneration, line: Line) -> None:
        """Queue a generation. Raises EngineClosed after :meth:`close`."""
        self.check_open()  # before the lock, which a fork may have copied closed
        with self._lock:
            self.check_open()
            self._loop.call_soon_threadsafe(self._begin, generation, line)

    def check_open(self) -> None:
        """Raises EngineClosed after :meth:`close`, and in a forked process, which has not got the thread."""
        if self._forked:
            raise EngineClosed("The engine was opened by another process. Open it after the fork.")
        if self._closed:
            raise EngineClosed("The engine was closed.")

    def cancel(self, generation: StreamedGeneration) -> None:
        """Cancel a generation that runs."""
        if self._forked:
            return
        with contextlib.suppress(RuntimeError):  # the loop is closed: all have ended
            self._loop.call_soon_threadsafe(self._interrupt, generation)

    def close(self) -> None:
        """Cancel what runs, fail what waits, and end the thread. Idempotent."""
        if self._forked:
            return
        with self._lock:
            self._closed = True
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._closing.set)
        if self._thread is not threading.current_thread():
            self._thread.join()

    @property
    def _forked(self) -> bool:
        return os.getpid() != self._process

    # In the thread.

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # whoever opens the engine wants to know
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    async def _serve(self) -> None:
        self._slots = asyncio.Semaphore(self._n_parallel)
        self._closing = asyncio.Event()
        async with self._open_client() as self.client:
            self._ready.set_result(asyncio.get_running_loop())
            await self._closing.wait()
            tasks = list(self._tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, generation: StreamedGeneration, line: Line) -> None:
        if self._closing.is_set():
            generation.fail(_closed_before())
            return
        task = self._tasks[generation] = asyncio.create_task(self._answer(generation, line))
        task.add_done_callback(lambda _: self._tasks.pop(generation))

    def _interrupt(self, generation: StreamedGeneration) -> None:
        if task := self._tasks.get(generation):
            task.cancel()

    async def _answer(self, generation: StreamedGeneration, line: Line) -> None:
        sending = None
        try:
            async with self._slots:
                if generation.begin():
                    sending = Sending(line, generation)
                    await sending.run()
        except asyncio.CancelledError:
            if sending is None:
                generation.fail(_closed_before())
            else:
                generation.finish(sending.cancelled())
        except BaseException as error:  # noqa: BLE001 - it is for the reader
            generation.fail(error)


def _closed_before() -> EngineClosed:
    return EngineClosed("The engine was closed before the request was sent.")
