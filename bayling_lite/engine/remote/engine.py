"""The engine at a server: opened, asked, closed."""

from __future__ import annotations

import weakref
from functools import partial
from typing import Self

from bayling_lite.closing import Closing
from bayling_lite.engine.base import GenerationRequest, ModelInfo
from bayling_lite.engine.generation import StreamedGeneration
from bayling_lite.engine.remote.address import Address
from bayling_lite.engine.remote.body import Dialect
from bayling_lite.engine.remote.counting import estimate
from bayling_lite.engine.remote.describing import describe
from bayling_lite.engine.remote.desk import Desk
from bayling_lite.engine.remote.http import open_client
from bayling_lite.engine.remote.sending import Line
from bayling_lite.errors import UsageError
from bayling_lite.messages import Conversation

_MOST_PARALLEL = 1024


class RemoteEngine(Closing):
    """An :class:`~bayling_lite.engine.base.Engine` whose model is at a server. Close it, or use it in a ``with``.

    What differs from an engine that computes here:

    - a search or a revision is a UsageError: the protocol has none;
    - ``max_tokens`` bounds what a model thinks too, for so servers count;
    - ``seed`` and greedy decoding make an answer repeatable as far as the server computes the same for it in any
      company, which many do not; a server that drops what does not fit its context (Ollama) says nothing of it;
    - thoughts are told from the answer where the server does so (vLLM: ``--reasoning-parser``), or writes ``<think>``;
    - token counts are the server's, or estimates where it gives none; ``logprobs`` are empty where it gives none;
    - a forked process has none: what it asks of its parent's is an EngineClosed.

    A request that a server fails to take (busy, restarting, gone) is sent again after a while, or after the time that
    it asks for. An answer that breaks off is asked for again, and goes on if the new one begins with the same text.
    """

    def __init__(self, desk: Desk, line: Line, info: ModelInfo) -> None:
        self._desk = desk
        self._line = line
        self._info = info
        self._finalizer = weakref.finalize(self, desk.close)  # for engines that are forgotten

    @classmethod
    def open(
        cls,
        url: str,
        model: str = "",
        *,
        key: str | None = None,
        timeout: float = 300.0,
        retries: int = 5,
        n_parallel: int = 8,
    ) -> Self:
        """Ask a server for its model.

        Args:
            url: the base of its interface, usually ending in ``/v1``, which is meant where there is no path.
            model: the name that the server has for it; empty for a server that has only one.
            key: what the server wants to be shown; None is what BAYLING_SERVER_KEY holds (see :class:`Address`).
            timeout: seconds that may pass before the first piece of an answer, and between two.
            retries: how often a request is sent again.
            n_parallel: requests at once; others wait here.

        Raises:
            UsageError: the address, the key or an option cannot be, or the server has several models and none is named.
            EngineError: the server cannot be reached, refuses the key, or speaks another protocol.
        """
        if not 0 < timeout <= 86_400:
            raise UsageError(f"The time limit must be above 0 seconds and at most a day, not {timeout:g}.")
        if retries < 0:
            raise UsageError(f"The number of retries must be 0 or more, not {retries}.")
        if not 1 <= n_parallel <= _MOST_PARALLEL:
            raise UsageError(f"Requests at once must be from 1 to {_MOST_PARALLEL}, not {n_parallel}.")
        address = Address.of(url, key)
        desk = Desk(partial(open_client, address, n_parallel, timeout), n_parallel)
        try:
            found = desk.call(
                lambda client: describe(client, address, model.strip(), n_parallel, min(timeout, 60.0)),
            )
        except BaseException:
            desk.close()
            raise
        line = Line(address, desk.client, found.info.name, Dialect(found.make), timeout, retries)
        return cls(desk, line, found.info)

    @property
    def info(self) -> ModelInfo:
        """What the server says of its model. A context that it does not tell is taken to be very large."""
        return self._info

    def submit(self, request: GenerationRequest) -> StreamedGeneration:
        """Queue a request and return at once.

        Raises:
            EngineClosed: the engine was closed.
            UsageError: the request is for a search or a revision, which no server of this protocol has.
        """
        if request.search is not None or request.revision is not None:
            raise UsageError(
                "A server has no beam search, and cannot be made to use a phrase. Ask for greedy decoding (--greedy), "
                "or open the model here."
            )
        generation = StreamedGeneration(request, self._interrupt)
        self._desk.submit(generation, self._line)
        return generation

    def _interrupt(self, generation: StreamedGeneration) -> None:
        self._desk.cancel(generation)

    def count_tokens(self, conversation: Conversation) -> int:
        """About how many tokens: servers have no common way to ask, so this is an estimate from the text's length.

        It is more often too high than too low: one for 3 bytes of UTF-8. Raises EngineClosed after :meth:`close`.
        """
        self._desk.check_open()
        return estimate(conversation)

    def close(self) -> None:
        """Cancel what runs, fail what waits with EngineClosed. Idempotent."""
        self._finalizer()
        self._desk.close()  # also when another thread is closing: returns when it is done
