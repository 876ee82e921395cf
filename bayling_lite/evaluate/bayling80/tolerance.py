"""An engine that survives single failures: one question that makes a server fail or hang must not end a judging."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from collections.abc import Generator as Coroutine
from types import TracebackType
from typing import Any

from bayling_lite.closing import Closing
from bayling_lite.engine.base import Completion, Engine, Generation, GenerationRequest, ModelInfo
from bayling_lite.errors import ContextOverflow, EngineClosed, EngineError, RequestRefused
from bayling_lite.messages import Conversation

MOST_FAILURES = 5
"""After so many failures with no success between them, the engine is asked something that it cannot fail at."""

_PROBE = GenerationRequest(Conversation().user("Answer with one word: yes."), max_tokens=16)


class TolerantEngine(Closing):
    """Another engine, whose failures at single requests (no answer in time, a broken one) come as ``RequestRefused``.

    Where as many as :data:`MOST_FAILURES` come in succession and a short question fails as well, nothing gets through
    any more (the server is gone, the key is wrong): the failure comes as it is. Closing it closes the other one.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._failures = 0

    @property
    def info(self) -> ModelInfo:
        """The other one's."""
        return self._engine.info

    def submit(self, request: GenerationRequest) -> Generation:
        """Queue a request."""
        return _Tolerated(self._engine.submit(request), self)

    def count_tokens(self, conversation: Conversation) -> int:
        """Tokens of the rendered conversation."""
        return self._engine.count_tokens(conversation)

    def close(self) -> None:
        """Close the other one."""
        self._engine.close()

    def succeeded(self) -> None:
        """A request went well, or was refused for its own sake: the engine is there."""
        with self._lock:
            self._failures = 0

    def suspects(self) -> bool:
        """Count a failure; whether it is time to ask if the engine is still there."""
        with self._lock:
            self._failures = (self._failures + 1) % MOST_FAILURES
            return not self._failures

    def probe(self) -> Generation:
        """Ask something short."""
        return self._engine.submit(_PROBE)


class _Tolerated:
    def __init__(self, generation: Generation, engine: TolerantEngine) -> None:
        self._generation = generation
        self._engine = engine
        self._probe: Generation | None = None
        self._cancelled = False

    def __iter__(self) -> Iterator[str]:
        with _Outcome(self):
            yield from self._generation

    async def __aiter__(self) -> AsyncIterator[str]:
        with _Outcome(self):
            async for piece in self._generation:
                yield piece

    def __await__(self) -> Coroutine[Any, None, Completion]:
        return self._result().__await__()

    def result(self, timeout: float | None = None) -> Completion:
        with _Outcome(self):
            return self._generation.result(timeout)

    def cancel(self) -> None:
        self._cancelled = True
        for generation in (self._generation, self._probe):
            if generation is not None:
                generation.cancel()

    def ended(self, error: BaseException | None) -> None:
        """Tell the engine what came of it.

        Raises:
            RequestRefused: the failure is this request's.
        """
        if isinstance(error, EngineError) and not isinstance(error, ContextOverflow | RequestRefused | EngineClosed):
            if not self._engine.suspects() or self._is_there():
                raise RequestRefused(str(error)) from error
        elif error is None or isinstance(error, ContextOverflow | RequestRefused):
            self._engine.succeeded()

    def _is_there(self) -> bool:
        try:
            self._probe = self._engine.probe()
            if self._cancelled:
                self._probe.cancel()
            self._probe.result()
        except EngineError:
            return False
        return True

    async def _result(self) -> Completion:
        with _Outcome(self):
            return await self._generation


class _Outcome:
    """What comes of reading a generation, told to it."""

    def __init__(self, generation: _Tolerated) -> None:
        self._generation = generation

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._generation.ended(error)
