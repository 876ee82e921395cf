"""One request's way: sent, tried again where that may help, and its answer handed to the reader as it comes."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

from bayling_lite.engine.base import Completion, FinishReason
from bayling_lite.engine.generation import StreamedGeneration
from bayling_lite.engine.remote.address import Address
from bayling_lite.engine.remote.body import TRANSFORMERS, UNASKED, Dialect, body_of, is_of_transformers
from bayling_lite.engine.remote.counting import estimate
from bayling_lite.engine.remote.events import EventReader, TooLong
from bayling_lite.engine.remote.http import failures, parse, pieces_of, read_some
from bayling_lite.engine.remote.outlet import Diverged, Outlet
from bayling_lite.engine.remote.refusals import Refusal, Saying, is_failure, refusal
from bayling_lite.engine.remote.reply import Nonsense, Reply
from bayling_lite.engine.remote.unreachable import nonsense, unreachable
from bayling_lite.engine.text import StopScanner
from bayling_lite.errors import ContextOverflow, EngineError, RequestRefused, ServerTimeout

_LONGEST_WAIT = 300.0
_BACKOFF = 0.5
_LONGEST_BACKOFF = 16.0
_AFTER_THE_END = 5.0
"""Seconds for the token counts, which come after the answer's end; a server that gives none may not hang up either."""


class _CutShort(EngineError):
    """The server ended the stream itself, and too early: it sent nothing, or no reason for the end."""


class _IsTransformers(Exception):
    """An answer shows that the server is ``transformers serve``, which must be asked again in its own way."""


@dataclass(slots=True)
class Line:
    """What all requests to a server share.

    ``timeout``: seconds for the first piece of an answer, and for each next one. ``retries``: how often one request is
    sent again. ``resume_at``: the moment (of the event loop) before which the server wants to be left alone.
    """

    address: Address
    client: Any
    model: str
    dialect: Dialect
    timeout: float
    retries: int
    resume_at: float = 0.0

    async def wait_until_welcome(self) -> None:
        """Wait as long as the server asked for, whichever request it was that it asked."""
        loop = asyncio.get_running_loop()
        while (left := self.resume_at - loop.time()) > 0:
            await asyncio.sleep(left + random.random() * 0.1)  # noqa: S311 - so that not all come at once

    def leave_alone(self, seconds: float) -> None:
        """The server asked for a pause."""
        self.resume_at = max(self.resume_at, asyncio.get_running_loop().time() + seconds)


@dataclass(slots=True)
class Sending:
    """A generation that is being served."""

    line: Line
    generation: StreamedGeneration
    outlet: Outlet = field(init=False)
    reply: Reply = field(init=False)
    _max_tokens: int | None = field(init=False)
    _dialect: Dialect = field(init=False)
    _shortened: bool = False
    _at_once: bool = False
    _finished: bool = False
    _n_tries: int = 0
    _started: float = 0.0
    _first: float = 0.0

    def __post_init__(self) -> None:
        self.outlet = Outlet(self.generation.push)
        self.reply = self._blank()
        self._max_tokens = self.generation.request.max_tokens
        self._dialect = self.line.dialect

    async def run(self) -> None:
        """Serve it to its end.

        Raises:
            EngineError: the server does not answer, or not so that it could be understood.
        """
        while True:
            try:
                await self.line.wait_until_welcome()
                await self._try()
            except _IsTransformers:
                self.line.dialect = replace(self.line.dialect, make=TRANSFORMERS)
            except Refusal as refused:
                await self._consider(refused)
            else:
                return

    def completion(self, reason: FinishReason, text: str) -> Completion:
        """The end, with a text."""
        now, reply = time.perf_counter(), self.reply
        first = self._first or now
        started = self._started or now
        return Completion(
            text,
            reason,
            reply.n_prompt if reply.n_prompt >= 0 else estimate(self.generation.request.conversation),
            reply.n_cached,
            reply.n_generated if reply.n_generated >= 0 else reply.n_pieces,
            prompt_seconds=first - started,
            generation_seconds=now - first,
            logprobs=tuple(reply.logprobs),
            reasoning=reply.reasoning,
        )

    def cancelled(self) -> Completion:
        """The end when it was cancelled: what the reader has got."""
        return self.completion("cancelled", self.outlet.text)

    async def _consider(self, refused: Refusal) -> None:
        """Make the next try a better one, or wait for it; else give up."""
        dialect = self.line.dialect
        if dialect != self._dialect:  # another request has learnt meanwhile how the server wants it said
            return
        if isinstance(refused.error, ContextOverflow) and self._shorten(refused.error):
            return
        if refused.parameter == "max_tokens" and dialect.max_tokens == "max_tokens" and self._max_tokens is not None:
            self.line.dialect = replace(dialect, max_tokens="max_completion_tokens")
            return
        if refused.parameter in ("stream_options", "stream") and dialect.usage:
            self.line.dialect = replace(dialect, usage=False)
            return
        if refused.parameter in UNASKED and dialect.extended:
            self.line.dialect = replace(dialect, make="")
            return
        if isinstance(refused.error, _CutShort) and not self._at_once:
            # llama-cpp-python has no words left for what is wrong once it has begun a stream, and ends those of others
            # when a new request comes in. An answer that comes at once has neither fault.
            self._at_once = True
            return
        too_long = refused.wait is not None and refused.wait > _LONGEST_WAIT
        if not refused.again or self._n_tries >= self.line.retries or too_long:
            raise refused.error from refused.__cause__
        backoff = min(_BACKOFF * 2**self._n_tries, _LONGEST_BACKOFF) * (0.75 + random.random() / 2)  # noqa: S311
        self._n_tries += 1
        if refused.wait is not None:
            self.line.leave_alone(refused.wait)
        else:
            await asyncio.sleep(backoff)

    def _shorten(self, overflow: ContextOverflow) -> bool:
        """Some servers refuse a prompt that fits where the longest answer would not. The bound is then what is left."""
        if self._shortened or self._max_tokens is None or overflow.n_prompt >= overflow.n_ctx > 0:
            return False
        self._shortened = True
        # Those that do not say how much room there is take all of it, given no bound: less than was asked for.
        self._max_tokens = overflow.n_ctx - overflow.n_prompt if overflow.n_prompt else None
        return True

    async def _try(self) -> None:
        self.reply = self._blank()
        self.outlet.begin()
        self._started, self._first = time.perf_counter(), 0.0
        try:
            await self._exchange()
            if not self._finished:
                self._conclude()
        except Diverged as error:
            raise Refusal(self._broke_off()) from error
        except TooLong as error:
            raise Refusal(self._enormous()) from error
        except Nonsense as error:
            raise Refusal(nonsense(self.line.address)) from error

    async def _exchange(self) -> None:
        """Send the request and read the answer; where its end was read, what goes wrong later is no matter."""
        self._dialect = self.line.dialect
        body = body_of(
            self.generation.request, self.line.model, self._dialect, self._max_tokens, stream=not self._at_once
        )
        url = f"{self.line.address.url}/chat/completions"
        begun = False
        try:
            async with (
                asyncio.timeout(self.line.timeout) as patience,
                self.line.client.stream("POST", url, json=body) as response,
            ):
                begun = True
                if response.status_code != 200:
                    raise await self._failed(response)
                pieces = pieces_of(response)
                hung_up = await self._read(pieces, patience)
                self._conclude()
                if not hung_up and not self.reply.scanner.stopped:
                    await _drain(pieces, patience)  # so that the connection can be used again
        except TimeoutError as error:
            if not self._finished and not self.reply.finish:
                raise Refusal(self._silent()) from error
        except failures() as error:
            if not self._finished and not self.reply.finish:
                raise self._unreachable(error, begun=begun) from error

    async def _read(self, pieces: AsyncIterator[bytes], patience: asyncio.Timeout) -> bool:
        """Read to the answer's end. Gives whether the server has hung up by then."""
        events, loop = EventReader(), asyncio.get_running_loop()
        async for piece in pieces:
            n_before, finish = self.reply.n_pieces, self.reply.finish
            if any(self._take(data) for data in events.feed(piece)) or self.reply.scanner.stopped:
                return False
            if self.reply.finish and not finish:
                patience.reschedule(loop.time() + min(_AFTER_THE_END, self.line.timeout))
            elif self.reply.n_pieces > n_before and not finish:
                patience.reschedule(loop.time() + self.line.timeout)
        any(self._take(data) for data in events.finish())
        return True

    def _take(self, data: str) -> bool:
        """Take an event's data; gives whether it was the last."""
        if data.strip() == "[DONE]":
            return True
        chunk = parse(data)
        if is_failure(chunk) or (chunk is None and data.startswith('{"error"')):  # of transformers serve, often no JSON
            raise refusal(self.line.address, self.line.model, Saying.of(200, chunk, data), {})
        if self._dialect.make != TRANSFORMERS and is_of_transformers(chunk, self.line.model):
            raise _IsTransformers
        text = self.reply.feed(chunk)
        if self.reply.n_pieces and not self._first:
            self._first = time.perf_counter()
        if self.reply.enormous:
            raise TooLong
        self.outlet.push(text)
        return False

    def _conclude(self) -> None:
        reply, address = self.reply, self.line.address
        if not reply.chosen:
            said = f"{address} gives answers with nothing in them. Its log may say why."
            raise Refusal(_CutShort(said), again=True)
        if reply.broken or not (reply.finish or reply.whole or reply.scanner.stopped):
            raise Refusal(_CutShort(str(self._broke_off())), again=True)
        self.outlet.push(reply.end())
        if reply.filtered:
            raise Refusal(RequestRefused(f"{address}: its content filter ended the answer.", "content filter"))
        if reply.refusal and not self.outlet.said:
            said = address.clean(reply.refusal)
            raise Refusal(RequestRefused(f"{address}: the model refuses to answer: {said}", said))
        self.outlet.end()
        self._finished = True
        self.generation.finish(self.completion(reply.reason, self.outlet.text))

    async def _failed(self, response: Any) -> Refusal:
        body = await read_some(response)
        text = body.decode("utf-8", "replace")
        return refusal(
            self.line.address, self.line.model, Saying.of(response.status_code, parse(body), text), response.headers
        )

    def _blank(self) -> Reply:
        return Reply(StopScanner(self.generation.request.stop), self.generation.request.logprobs)

    def _silent(self) -> EngineError:
        more = "more " if self.reply.n_pieces else ""
        return ServerTimeout(
            f"{self.line.address} gave nothing {more}for {self.line.timeout:g} seconds. Run the same command again, "
            "or ask it fewer things at once."
        )

    def _unreachable(self, error: Exception, *, begun: bool) -> Refusal:
        if begun:
            return Refusal(self._broke_off(), again=True)
        return Refusal(unreachable(self.line.address, error), again=True)

    def _broke_off(self) -> EngineError:
        return EngineError(
            f"{self.line.address} broke off in the middle of an answer. Run the same command again, "
            "or ask it fewer things at once."
        )

    def _enormous(self) -> EngineError:
        return EngineError(f"{self.line.address} gave an answer that has no end. Bound it with fewer tokens.")


async def _drain(pieces: AsyncIterator[bytes], patience: asyncio.Timeout) -> None:
    patience.reschedule(asyncio.get_running_loop().time() + 1)
    with contextlib.suppress(StopAsyncIteration):
        for _ in range(4):
            await anext(pieces)
