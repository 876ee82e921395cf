"""The worker thread that owns a llama context and serves requests one after another.

Requests come from any thread and wait in a queue. The context keeps the tokens of the last request, so one that begins
with the same tokens (the next turn of a conversation) evaluates only what it adds.
"""

from __future__ import annotations

import hashlib
import threading
import time
from array import array
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Protocol

from bayling_lite.engine.base import Completion, FinishReason, SamplingParams
from bayling_lite.engine.generation import StreamedGeneration
from bayling_lite.engine.native_log import logger
from bayling_lite.engine.text import TextStream
from bayling_lite.engine.tokens import Tokenizer, Vocabulary
from bayling_lite.errors import BaylingError, ContextOverflow, EngineClosed, EngineError
from bayling_lite.messages import Conversation
from bayling_lite.prompts import PromptTemplate

_REMEMBERED_ANSWERS = 512


class Sampler(Protocol):
    """Chooses tokens after one request's parameters."""

    def sample(self) -> int:
        """The next token, from the logits of the last evaluation; it counts as said."""
        ...

    def close(self) -> None:
        """Free it."""
        ...


class Decoder(Protocol):
    """A llama context with one sequence. Only the worker thread calls it, apart from :meth:`interrupt`."""

    @property
    def n_ctx(self) -> int:
        """Tokens that fit."""
        ...

    @property
    def n_batch(self) -> int:
        """Tokens per call of :meth:`evaluate`."""
        ...

    def evaluate(self, tokens: Sequence[int], position: int, *, logits: bool) -> bool:
        """Evaluate 1..n_batch tokens at ``position`` (tokens before them); false when it was interrupted.

        Raises:
            EngineError: the evaluation failed.
        """
        ...

    def keep(self, n_tokens: int) -> int:
        """Forget all but the first tokens; returns how many are left (0 where a model cannot forget in part)."""
        ...

    def sampler(self, params: SamplingParams) -> Sampler:
        """A sampler for one request; the caller closes it."""
        ...

    def interrupt(self, on: bool) -> None:
        """Let a running evaluation end early, and every later one, until it is switched off."""
        ...

    def close(self) -> None:
        """Free it."""
        ...


class Scheduler:
    """Serves a queue of generations on one decoder.

    The worker closes the decoder when it ends, and calls ``free`` for what is below it (the model).
    """

    def __init__(
        self,
        decoder: Decoder,
        vocabulary: Vocabulary,
        template: PromptTemplate,
        free: Callable[[], None],
    ) -> None:
        self._decoder = decoder
        self._vocabulary = vocabulary
        self._template = template
        self._tokenizer = Tokenizer(vocabulary, template)
        self._free = free
        self._cached: list[int] = []  # the tokens the context holds
        self._answers = _Answers()
        self._changed = threading.Condition()
        self._queue: deque[StreamedGeneration] = deque()
        self._current: StreamedGeneration | None = None
        self._closing = False
        # A daemon, so that a program which forgets to close the engine can still end.
        self._worker = threading.Thread(target=self._serve, name="bayling-engine", daemon=True)
        self._worker.start()

    # From any thread.

    def submit(self, generation: StreamedGeneration) -> None:
        """Queue a generation.

        Raises:
            EngineClosed: the scheduler was closed.
        """
        with self._changed:
            if self._closing:
                raise EngineClosed("The engine was closed.")
            self._queue.append(generation)
            self._changed.notify()

    def cancel(self, generation: StreamedGeneration) -> None:
        """Interrupt what is computed for this generation, if it is the one that runs."""
        with self._changed:
            if generation is self._current:
                self._decoder.interrupt(True)

    def count_tokens(self, conversation: Conversation) -> int:
        """Tokens of the rendered conversation."""
        return len(self._tokenizer.encode(self._template.render(conversation)))

    def close(self) -> None:
        """Cancel what runs, fail what waits, free the model; returns when that is done. Idempotent."""
        with self._changed:
            self._closing = True
            waiting, self._queue = self._queue, deque()
            if self._current is not None:
                self._current.cancel()
                self._decoder.interrupt(True)
            self._changed.notify()
        for generation in waiting:
            generation.fail(EngineClosed("The engine was closed before this request was served."))
        # The garbage collector may close an engine from any thread, the worker included.
        if threading.current_thread() is not self._worker:
            self._worker.join()

    # The worker thread.

    def _serve(self) -> None:
        try:
            while (generation := self._next()) is not None:
                self._run(generation)
                with self._changed:
                    self._current = None
                    self._decoder.interrupt(False)
                # Else the last caller's generation, and through it the engine, would be held until the next request.
                del generation
        finally:
            # Reached by close(), or by a fault of this class: then nobody may wait for a thread that is gone.
            with self._changed:
                self._closing = True
                left = [*self._queue, *([self._current] if self._current else [])]
                self._queue.clear()
            for generation in left:
                generation.fail(EngineClosed("The engine was closed before this request was served."))
            self._decoder.close()
            self._free()

    def _next(self) -> StreamedGeneration | None:
        """Wait for a generation that is still wanted; None when closing."""
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._queue or self._closing)
                if self._closing:
                    return None
                generation = self._queue.popleft()
                if generation.begin():
                    self._current = generation
                    return generation

    def _run(self, generation: StreamedGeneration) -> None:
        """Serve one generation. Whatever goes wrong reaches its reader and leaves the worker alive."""
        try:
            generation.finish(self._generate(generation))
        except BaylingError as error:
            generation.fail(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, its caller learns of it
            logger.exception("A request failed")
            # What the context holds is unknown now.
            self._cached.clear()
            self._decoder.keep(0)
            failure = EngineError(f"Generating failed: {error}.")
            failure.__cause__ = error
            generation.fail(failure)

    def _generate(self, generation: StreamedGeneration) -> Completion:
        request = generation.request
        started = time.perf_counter()
        parts = self._template.render(request.conversation)
        prompt = self._tokenizer.encode(parts, self._answers.recall)
        if len(prompt) >= self._decoder.n_ctx:
            raise ContextOverflow(len(prompt), self._decoder.n_ctx)
        n_cached = self._reuse(prompt)
        evaluated = self._evaluate(prompt[n_cached:], generation)
        prompted = time.perf_counter()
        answer = _Answer(self._vocabulary, generation, TextStream(request.stop))
        reason: FinishReason = "cancelled"
        if evaluated:
            room = self._decoder.n_ctx - len(prompt)
            budget = room if request.max_tokens is None else min(room, request.max_tokens)
            reason = self._continue(answer, budget, request.sampling)
        text = answer.end(reason)
        self._answers.remember(prompt, text, answer)
        return Completion(
            text=text,
            finish_reason=reason,
            n_prompt=len(prompt),
            n_cached=n_cached,
            n_generated=len(answer.tokens),
            prompt_seconds=prompted - started,
            generation_seconds=time.perf_counter() - prompted,
        )

    def _continue(self, answer: _Answer, budget: int, sampling: SamplingParams) -> FinishReason:
        """Generate up to ``budget`` tokens from the logits of the prompt's last token."""
        sampler = self._decoder.sampler(sampling)
        try:
            while not answer.generation.cancelled:
                token = sampler.sample()
                if token in self._tokenizer.stop_ids or self._vocabulary.is_end(token):
                    return "stop"
                if answer.add(token):
                    return "stop"
                if len(answer.tokens) == budget:
                    return "length"
                if not self._evaluate([token], answer.generation):
                    break
            return "cancelled"
        finally:
            sampler.close()

    def _reuse(self, prompt: list[int]) -> int:
        """Keep the longest common prefix in the context; returns its length in tokens.

        The last token is always evaluated again, for the logits after it.
        """
        common = 0
        for cached, wanted in zip(self._cached, prompt[:-1], strict=False):
            if cached != wanted:
                break
            common += 1
        return self._keep(common)

    def _keep(self, n_tokens: int) -> int:
        kept = self._decoder.keep(n_tokens) if n_tokens < len(self._cached) else n_tokens
        del self._cached[kept:]
        return kept

    def _evaluate(self, tokens: list[int], generation: StreamedGeneration) -> bool:
        """Evaluate tokens after those in the context, in chunks; false when the generation was cancelled meanwhile."""
        size = self._decoder.n_batch
        for start in range(0, len(tokens), size):
            chunk = tokens[start : start + size]
            n_cached = len(self._cached)
            last = start + size >= len(tokens)
            if generation.cancelled:
                return False
            try:
                whole = self._decoder.evaluate(chunk, n_cached, logits=last)
            except EngineError:
                del self._cached[self._decoder.keep(n_cached) :]
                raise
            if not whole:
                # Part of the chunk may be in the context: put it back to what is known.
                del self._cached[self._decoder.keep(n_cached) :]
                return False
            self._cached += chunk
        return True


class _Answer:
    """The answer as it grows: its tokens, and their text on its way to the reader."""

    def __init__(self, vocabulary: Vocabulary, generation: StreamedGeneration, stream: TextStream) -> None:
        self.tokens: list[int] = []
        self.generation = generation
        self.stream = stream
        self._vocabulary = vocabulary
        self._pieces: list[str] = []

    def add(self, token: int) -> bool:
        """Take a token, hand on the text that is ready; true when a stop string ended the text."""
        self.tokens.append(token)
        self._push(self.stream.feed(self._vocabulary.piece(token)))
        return self.stream.stopped

    def end(self, reason: FinishReason) -> str:
        """Hand on the rest; returns the whole text."""
        self._push(self.stream.finish(cut=reason != "stop"))
        return "".join(self._pieces)

    def _push(self, piece: str) -> None:
        self._pieces.append(piece)
        self.generation.push(piece)


class _Answers:
    """The token ids behind the last answers' texts, so that the next turn finds them in the cache.

    A text can be written in many ways in tokens, and a model does not always choose the tokenizer's.
    """

    def __init__(self) -> None:
        self._ids: OrderedDict[tuple[bytes, str], tuple[int, ...]] = OrderedDict()

    def remember(self, prompt: Sequence[int], text: str, answer: _Answer) -> None:
        # Not when a stop string or half a character was cut off: the tokens would say more than the text.
        if answer.tokens and answer.stream.spells(text):
            self._ids[_digest(prompt), text] = tuple(answer.tokens)
            if len(self._ids) > _REMEMBERED_ANSWERS:
                self._ids.popitem(last=False)

    def recall(self, prompt: Sequence[int], text: str) -> tuple[int, ...] | None:
        return self._ids.get((_digest(prompt), text))


def _digest(ids: Sequence[int]) -> bytes:
    return hashlib.blake2b(array("i", ids).tobytes(), digest_size=16).digest()
