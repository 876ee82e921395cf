"""An engine that answers from a script: for our tests, and for those of programs that embed us.

::

    engine = ScriptedEngine(["早上好", "早安"])
    engine.submit(request).result().text        # 早上好
    engine.requests[0].conversation             # what was asked
"""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

from bayling_lite.closing import Closing
from bayling_lite.engine.base import Completion, FinishReason, GenerationRequest, ModelInfo
from bayling_lite.engine.generation import StreamedGeneration
from bayling_lite.engine.text import StopScanner
from bayling_lite.errors import ContextOverflow, EngineClosed, EngineError
from bayling_lite.messages import Conversation

Script = Callable[[Conversation], str]
Response = str | Completion | BaseException

# A word with the space before it, or one character of a script without spaces: about what a token is.
_TOKEN = re.compile(r"\s*[A-Za-z0-9'À-ɏ]+|\s*\S|\s+")


class ScriptedEngine(Closing):
    """An :class:`~bayling_lite.engine.base.Engine` without a model. Every request runs at once, in a thread of its own.

    Args:
        responses: answers in the order of the requests, where an exception is raised to the reader instead, and a
            completion is given as it is; or a function that makes the answer from the conversation (what it raises
            reaches the reader).
        delay: seconds before each piece.
        info: what the engine says of its model; ``n_ctx`` is enforced.
        record: whether to keep what was asked in ``requests``; not, for a long job.
    """

    def __init__(
        self,
        responses: Iterable[Response] | Script = (),
        *,
        delay: float = 0.0,
        info: ModelInfo | None = None,
        record: bool = True,
    ) -> None:
        self._record = record
        self._script = responses if callable(responses) else None
        self._responses: deque[Response] = deque() if callable(responses) else deque(responses)
        self._delay = delay
        self._info = info or ModelInfo(name="scripted", template="bayling", n_ctx=4096)
        self._lock = threading.Lock()
        self._closed = False
        self._running: dict[StreamedGeneration, tuple[threading.Thread, threading.Event]] = {}
        self.requests: list[GenerationRequest] = []

    def enqueue(self, *responses: Response) -> None:
        """Add answers to the end of the script."""
        with self._lock:
            self._responses.extend(responses)

    @property
    def info(self) -> ModelInfo:
        """What the engine says of its model."""
        return self._info

    def submit(self, request: GenerationRequest) -> StreamedGeneration:
        """Start answering. Raises EngineClosed after :meth:`close`."""
        generation = StreamedGeneration(request, self._interrupt)
        with self._lock:
            if self._closed:
                raise EngineClosed("The engine was closed.")
            if self._record:
                self.requests.append(request)
            scripted = None if self._script else self._responses.popleft() if self._responses else _exhausted(request)
            thread = threading.Thread(
                target=self._serve, args=(generation, scripted), name="scripted-engine", daemon=True
            )
            self._running[generation] = thread, threading.Event()
            generation.begin()
            thread.start()
        return generation

    def count_tokens(self, conversation: Conversation) -> int:
        """About as many as a real tokenizer: a word or a character each, 4 per message, and BOS."""
        if self._closed:
            raise EngineClosed("The engine was closed.")
        return _count(conversation)

    def close(self) -> None:
        """Cancel what runs. Idempotent."""
        with self._lock:
            self._closed = True
            running = list(self._running.items())
        for generation, (thread, _) in running:
            generation.cancel()
            if thread is not threading.current_thread():
                thread.join()

    def _interrupt(self, generation: StreamedGeneration) -> None:
        with self._lock:
            running = self._running.get(generation)
        if running is not None:
            running[1].set()

    def _serve(self, generation: StreamedGeneration, scripted: Response | None) -> None:
        with self._lock:
            _, cancelled = self._running[generation]
        try:
            if isinstance(scripted, BaseException):
                raise scripted
            if isinstance(scripted, Completion):
                generation.push(scripted.text)
                generation.finish(scripted)
                return
            text = scripted if scripted is not None or self._script is None else self._script(_asked(generation))
            generation.finish(self._stream(generation, text or "", cancelled))
        except BaseException as error:  # noqa: BLE001 - scripted or not, it is for the reader
            generation.fail(error)
        finally:
            with self._lock:
                del self._running[generation]

    def _stream(self, generation: StreamedGeneration, text: str, cancelled: threading.Event) -> Completion:
        request = generation.request
        n_prompt = _count(request.conversation)
        if n_prompt >= self._info.n_ctx:
            raise ContextOverflow(n_prompt, self._info.n_ctx)
        tokens = _TOKEN.findall(text)
        room = self._info.n_ctx - n_prompt
        budget = room if request.max_tokens is None else min(room, request.max_tokens)
        scanner = StopScanner(request.stop)
        started = time.perf_counter()
        said, n_generated = [], 0
        reason: FinishReason = "length" if len(tokens) > budget else "stop"
        for token in tokens[:budget]:
            if cancelled.wait(self._delay) if self._delay else cancelled.is_set():
                reason = "cancelled"
                break
            n_generated += 1
            said.append(scanner.feed(token))
            generation.push(said[-1])
            if scanner.stopped:
                reason = "stop"
                break
        said.append(scanner.flush())
        generation.push(said[-1])
        return Completion("".join(said), reason, n_prompt, 0, n_generated, 0.0, time.perf_counter() - started)


def _count(conversation: Conversation) -> int:
    return 1 + sum(4 + len(_TOKEN.findall(message.content)) for message in conversation)


def _asked(generation: StreamedGeneration) -> Conversation:
    return generation.request.conversation


def _exhausted(request: GenerationRequest) -> EngineError:
    last = request.conversation.messages[-1].content
    return EngineError(f"The script has no answer left for {last!r}.")
