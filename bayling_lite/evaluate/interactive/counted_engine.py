"""An engine that counts what it is asked and what it answers, for who cannot count at every request."""

from __future__ import annotations

import contextlib
import threading

from bayling_lite.closing import Closing
from bayling_lite.engine.base import Engine, Generation, GenerationRequest, ModelInfo
from bayling_lite.errors import EngineError
from bayling_lite.evaluate.values import Effort
from bayling_lite.messages import Conversation


class CountedEngine(Closing):
    """Another engine, counted. Closing it closes nothing: that is up to who opened the other one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._asked: list[Generation] = []

    @property
    def info(self) -> ModelInfo:
        """The other engine's."""
        return self._engine.info

    def submit(self, request: GenerationRequest) -> Generation:
        """Have the other engine answer."""
        generation = self._engine.submit(request)
        with self._lock:
            self._asked.append(generation)
        return generation

    def count_tokens(self, conversation: Conversation) -> int:
        """As the other engine counts."""
        return self._engine.count_tokens(conversation)

    def take(self) -> Effort:
        """What was asked and answered since the last call, without seconds. Waits for what is under way."""
        with self._lock:
            asked, self._asked = self._asked, []
        n_prompt = n_generated = 0
        for generation in asked:
            # One that failed was told to who asked, and has no tokens.
            with contextlib.suppress(EngineError):
                completion = generation.result()
                n_prompt += completion.n_prompt
                n_generated += completion.n_generated
        return Effort(n_asked=len(asked), n_prompt=n_prompt, n_generated=n_generated)

    def close(self) -> None:
        """Do nothing."""
