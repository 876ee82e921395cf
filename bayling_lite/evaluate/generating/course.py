"""The course of one script: turn by turn, each answer kept before the next turn is asked for."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from bayling_lite.engine.base import Completion, Engine, Generation, GenerationRequest
from bayling_lite.errors import ContextOverflow, EngineClosed, PhrasesDoNotFit, RequestRefused
from bayling_lite.evaluate.generating.keys import answer_key, turn_seed
from bayling_lite.evaluate.generating.store import AnswerStore, StoredAnswer
from bayling_lite.evaluate.values import Answer, Decoding, Effort, Script, Turn
from bayling_lite.messages import Conversation

# Of several problems of one script, the first of these is told.
_GRAVITY = ("context", "refused", "impossible", "length", "empty", "")
_UNASKABLE = ("context", "refused", "impossible")
# A server that takes none of so many requests is not asked as it should be: that is no problem of an item.
_TOO_MANY_REFUSED = 8
_NOTHING = StoredAnswer("", "stop", 0, 0)


class Stopped(Exception):
    """The whole was stopped while this script was under way."""


@dataclass(frozen=True, slots=True)
class Course:
    """A script that came to its end, and what that took (of ``effort``, the seconds are not told).

    ``required``: some turn of it had phrases that its answer had to hold.
    """

    answer: Answer
    effort: Effort
    required: bool


class Courses:
    """Leads scripts to their ends, each in a thread of the caller's. :meth:`stop` ends them all.

    ``taken`` says whether the engine ever took a request.
    """

    def __init__(self, engine: Engine, store: AnswerStore, decoding: Decoding, *, taken: bool = False) -> None:
        self._engine = engine
        self._info = engine.info
        self._store = store
        self._decoding = decoding
        self.taken = taken
        self._lock = threading.Lock()
        self._running: dict[int, Generation] = {}
        self._stopped = False
        self._refused = 0

    def run(self, script: Script) -> Course:
        """Have a script answered to its end.

        Raises:
            Stopped: :meth:`stop` was called; what was answered is in the store.
            EngineError: the engine fails, was closed, or takes no request at all.
            OutputError: the store cannot be written.
        """
        effort = Effort()
        conversation = Conversation()
        texts: list[str] = []
        problem = ""
        required = False
        while (turn := script.next(tuple(texts))) is not None:
            required = required or bool(turn.required)
            if problem in _UNASKABLE:
                texts.append("")  # what comes after a turn that could not be asked, cannot be asked either
                continue
            conversation = conversation.user(turn.text)
            seed = turn_seed(self._decoding.seed, script.id, len(texts))
            said, now, found = self._said(conversation, turn, seed)
            problem = min(problem, found, key=_GRAVITY.index)
            effort = added(effort, now)
            texts.append(said.text)
            conversation = conversation.assistant(said.text)
        return Course(Answer(tuple(texts), problem), effort, required)

    def stop(self) -> None:
        """Cancel what is under way, and let nothing more begin. From any thread, any number of times."""
        with self._lock:
            self._stopped = True
            running = list(self._running.values())
        for generation in running:
            generation.cancel()

    def _said(self, conversation: Conversation, turn: Turn, seed: int) -> tuple[StoredAnswer, Effort, str]:
        """What is answered to a turn, what that took, and what is wrong with it."""
        try:
            said, effort = self._ask(conversation, turn, seed)
        except ContextOverflow:
            return _NOTHING, Effort(), "context"
        except PhrasesDoNotFit:
            return _NOTHING, Effort(), "impossible"
        except RequestRefused as error:
            self._count_refused(error)
            return _NOTHING, Effort(), "refused"
        self.taken = True
        return said, effort, _problem(said)

    def _count_refused(self, error: RequestRefused) -> None:
        with self._lock:
            self._refused += 1
            if self._refused >= _TOO_MANY_REFUSED and not self.taken:
                message = f"None of the first {self._refused} requests was taken, so no more are sent. {error}"
                raise RequestRefused(message, error.reason) from error

    def _ask(self, conversation: Conversation, turn: Turn, seed: int) -> tuple[StoredAnswer, Effort]:
        request = self._decoding.request(conversation, seed=seed, required=turn.required, search=self._info.can_search)
        key = answer_key(self._info, request)
        stored = self._store.get(key, self._info.n_ctx)
        if stored is not None:
            return stored, Effort(n_reused=1)
        answer = self._answer_of(request)
        effort = Effort(n_asked=1, n_prompt=answer.n_prompt, n_generated=answer.n_generated)
        if not self._store.keep(key, answer):
            # Another process, or the same request of another script, was first.
            answer = self._store.get(key, self._info.n_ctx) or answer
        return answer, effort

    def _answer_of(self, request: GenerationRequest) -> StoredAnswer:
        generation = self._submit(request)
        try:
            completion = generation.result()
        finally:
            with self._lock:
                del self._running[id(generation)]
        if completion.finish_reason == "cancelled":
            if self._stopped:
                raise Stopped
            raise EngineClosed(
                "The engine was closed before all was answered. What is finished is in the answer store."
            )
        return StoredAnswer(
            completion.text,
            completion.finish_reason,
            completion.n_prompt,
            completion.n_generated,
            self._info.n_ctx if _filled_context(completion, request) else 0,
        )

    def _submit(self, request: GenerationRequest) -> Generation:
        with self._lock:
            if self._stopped:
                raise Stopped
            generation = self._engine.submit(request)
            self._running[id(generation)] = generation
            return generation


def added(one: Effort, other: Effort) -> Effort:
    """What both took, but for the seconds, which are those of ``one``."""
    return replace(
        one,
        n_asked=one.n_asked + other.n_asked,
        n_reused=one.n_reused + other.n_reused,
        n_prompt=one.n_prompt + other.n_prompt,
        n_generated=one.n_generated + other.n_generated,
    )


def _problem(said: StoredAnswer) -> str:
    if said.finish_reason == "length":
        return "length"
    return "" if said.text.strip() else "empty"


def _filled_context(completion: Completion, request: GenerationRequest) -> bool:
    short = request.max_tokens is None or completion.n_generated < request.max_tokens
    return completion.finish_reason == "length" and short
