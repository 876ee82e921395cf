"""The Generation of our engines: filled from an engine's thread, read and cancelled from any."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import Any

from bayling_lite.engine.base import Completion, GenerationRequest


class StreamedGeneration:
    """Text that arrives piece by piece.

    The pieces are kept: iterating again, or after :meth:`result`, gives them all again from the first, and several
    readers each see every piece. ``await generation`` is :meth:`result` for asyncio. Leaving an iteration early does
    not cancel; :meth:`cancel` does.

    Args:
        request: what was asked for.
        on_cancel: called, from the cancelling thread, when a generation that runs is cancelled: the engine's chance to
            interrupt a computation. One that waits needs no interrupting; it ends at once.
    """

    def __init__(self, request: GenerationRequest, on_cancel: Callable[[StreamedGeneration], None]) -> None:
        self.request = request
        self._on_cancel = on_cancel
        lock = threading.RLock()
        self._changed = threading.Condition(lock)  # there is another piece, or the end
        self._ending = threading.Condition(lock)  # whoever waits for the end is not woken by every piece
        self._pieces: list[str] = []
        self._completion: Completion | None = None
        self._error: BaseException | None = None
        self._running = False
        self._cancelled = False
        self._wakers: set[Callable[[], None]] = set()

    # For callers.

    def __iter__(self) -> Iterator[str]:
        position = 0
        while True:
            with self._changed:
                while not self._ready(position):
                    self._changed.wait()
                fresh = self._pieces[position:]
                if not fresh:
                    self._raise_error()
                    return
            yield from fresh
            position += len(fresh)

    async def __aiter__(self) -> AsyncIterator[str]:
        position = 0
        while True:
            await self._wait_async(position)
            with self._changed:
                fresh = self._pieces[position:]
                if not fresh:
                    self._raise_error()
                    return
            for piece in fresh:
                yield piece
            position += len(fresh)

    def __await__(self) -> Generator[Any, None, Completion]:
        return self._result_async().__await__()

    def result(self, timeout: float | None = None) -> Completion:
        """Wait for the end.

        Raises:
            TimeoutError: not ended after ``timeout`` seconds; the generation goes on.
            EngineError: generating failed.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while not self._ended:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError(f"No result after {timeout} seconds; the generation goes on.")
                self._ending.wait(left)
            self._raise_error()
            assert self._completion is not None  # noqa: S101 - ended without an error
            return self._completion

    def cancel(self) -> None:
        """Stop as soon as possible. Does nothing when it has ended."""
        with self._changed:
            if self._ended:
                return
            self._cancelled = True
            running = self._running
        if running:
            self._on_cancel(self)
        else:
            self.finish(Completion("", "cancelled", 0, 0, 0, 0.0, 0.0))

    @property
    def cancelled(self) -> bool:
        """Whether :meth:`cancel` was called before the end."""
        return self._cancelled

    @property
    def text(self) -> str:
        """The text so far."""
        with self._changed:
            return "".join(self._pieces)

    # For engines.

    def begin(self) -> bool:
        """Claim the generation for running; false when it has already ended (cancelled while it waited)."""
        with self._changed:
            if self._ended or self._cancelled:
                return False
            self._running = True
            return True

    def push(self, piece: str) -> None:
        """Add a piece; an empty one is ignored."""
        if piece:
            with self._changed:
                self._pieces.append(piece)
                self._wake()

    def finish(self, completion: Completion) -> None:
        """End well. What ends first, counts."""
        with self._changed:
            if not self._ended:
                self._completion = completion
                self._ending.notify_all()
                self._wake()

    def fail(self, error: BaseException) -> None:
        """End with an error, which readers then meet after the pieces there are."""
        with self._changed:
            if not self._ended:
                self._error = error
                self._ending.notify_all()
                self._wake()

    # Inside. Call these with the condition held, apart from the two coroutines.

    @property
    def _ended(self) -> bool:
        return self._completion is not None or self._error is not None

    def _ready(self, position: int) -> bool:
        return len(self._pieces) > position or self._ended

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _wake(self) -> None:
        self._changed.notify_all()
        for waker in self._wakers:
            waker()
        self._wakers.clear()

    async def _wait_async(self, position: int) -> None:
        """Wait, without holding up the event loop, until there is a piece at ``position`` or the end has come."""
        loop = asyncio.get_running_loop()
        while True:
            news: asyncio.Future[None] = loop.create_future()
            waker = _waker(loop, news)
            with self._changed:
                if self._ready(position):
                    return
                self._wakers.add(waker)
            try:
                await news
            finally:
                with self._changed:
                    self._wakers.discard(waker)

    async def _result_async(self) -> Completion:
        position = 0
        while True:
            await self._wait_async(position)
            with self._changed:
                if self._ended:
                    break
                position = len(self._pieces)
        return self.result()


def _waker(loop: asyncio.AbstractEventLoop, news: asyncio.Future[None]) -> Callable[[], None]:
    def deliver() -> None:
        if not news.done():
            news.set_result(None)

    def wake() -> None:
        # A loop that was closed has nobody left to wake.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(deliver)

    return wake
