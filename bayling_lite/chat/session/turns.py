"""One turn of the chat: planned, running, done."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol

from bayling_lite.messages import Conversation

if TYPE_CHECKING:
    from bayling_lite.chat.reading.feedback import Rule
    from bayling_lite.languages import Language
    from bayling_lite.translate import Translation

Length = Literal["", "shorter", "longer"]

# An answer whose first piece came after all but this share of the time came at once: it was searched for.
_AT_ONCE = 0.1


class Kind(StrEnum):
    """What a turn does."""

    CHAT = "chat"
    TRANSLATION = "translation"
    REFINEMENT = "refinement"
    EDIT = "edit"  # the user wrote the draft anew
    # Asides: shown and kept, but neither part of the conversation nor a draft.
    BACK = "back"  # the draft translated back
    EXPLANATION = "explanation"

    @property
    def is_aside(self) -> bool:
        """Whether a turn of this kind stands beside the conversation."""
        return self in (Kind.BACK, Kind.EXPLANATION)

    @property
    def continues_draft(self) -> bool:
        """Whether the model is asked for a turn of this kind in the conversation of the draft."""
        return self in (Kind.REFINEMENT, Kind.EXPLANATION)


def new_id() -> str:
    """An id for a turn that no other has, wherever it was made."""
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class Plan:
    """What a line will do, known and shown before it is done.

    ``typed`` is the user's line, ``sent`` what the model gets of it (the text, or the instruction), ``rule`` why it was
    read so (None for a command that leaves no choice), ``required`` the word that the new draft must have.
    ``replaces`` puts the turn in the place of the last one, whose id ``replaced`` is, known from when it is asked for;
    ``varied`` asks for another answer than the likeliest. With a ``length``, a refinement is searched for a draft that
    is shorter or longer indeed.
    """

    kind: Kind
    typed: str
    sent: str
    rule: Rule | None = None
    target: Language | None = None
    source: Language | None = None
    replaces: bool = False
    varied: bool = False
    required: tuple[str, ...] = ()
    replaced: str = ""
    length: Length = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """A finished turn. ``id`` tells it from every other.

    ``stopped`` when the user stopped it: the answer is what there was. ``truncated`` when the room for tokens ran out
    before the answer's end. Times in seconds.
    """

    plan: Plan
    answer: str
    conversation: Conversation
    draft: Translation | None
    stopped: bool
    truncated: bool
    seconds: float
    seconds_to_first: float
    n_tokens: int
    id: str = field(default_factory=new_id)

    @property
    def changes_nothing(self) -> bool:
        """Whether it was to make the draft shorter or longer, and there was nothing better than the draft."""
        return self.draft is not None and self.draft.unchanged

    @property
    def request(self) -> str:
        """The user's message as the model got it."""
        return self.conversation.messages[-2].content

    @property
    def tokens_per_second(self) -> float:
        """Tokens of the answer per second since its first piece; of the whole time, if it came in one piece or, as a
        translation does, sentence by sentence.
        """
        spent = self.seconds - self.seconds_to_first
        if self.draft is not None or spent < _AT_ONCE * self.seconds:
            spent = self.seconds
        return self.n_tokens / spent if spent > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a stream came to."""

    text: str
    conversation: Conversation
    draft: Translation | None = None
    truncated: bool = False


class AnswerStream(Protocol):
    """The part of a Generation and of a TranslationStream that a turn needs."""

    def __iter__(self) -> Iterator[str]: ...

    def cancel(self) -> None:
        """Stop as soon as possible."""
        ...


STOPPED = "stopped"
"""Why a turn came to nothing that was stopped before its first word."""


def failure_reason(error: BaseException) -> str:
    """Why a turn came to nothing, in words."""
    return STOPPED if isinstance(error, KeyboardInterrupt) else str(error) or type(error).__name__


class TurnKeeper(Protocol):
    """Learns what becomes of a running turn."""

    def grown(self, answer: str) -> None:
        """The answer so far."""
        ...

    def finished(self, turn: Turn) -> None:
        """It is done, or stopped with what there was."""
        ...

    def failed(self, reason: str) -> None:
        """It came to nothing."""
        ...


class RunningTurn:
    """A turn whose answer is arriving. Iterate it for pieces, then :meth:`finish`; :meth:`cancel` from any thread.

    Args:
        stream: where the pieces come from.
        collect: gives the answer once the pieces have ended.
        count: tokens of a conversation.
        keeper: learns what becomes of it, from the thread that reads.
        turn_id: the turn's.
    """

    def __init__(
        self,
        plan: Plan,
        stream: AnswerStream,
        collect: Callable[[], Answer],
        count: Callable[[Conversation], int],
        keeper: TurnKeeper,
        turn_id: str,
    ) -> None:
        self.plan = plan
        self.id = turn_id
        self._stream = stream
        self._pieces = iter(stream)  # one for all readers: a Generation begins anew for each who asks
        self._collect = collect
        self._count = count
        self._keeper = keeper
        self._begun = time.perf_counter()
        self._first: float | None = None
        self._text = ""
        self._stopped = False
        self._over = False
        self._turn: Turn | None = None
        self._error: Exception | None = None

    def __iter__(self) -> Iterator[str]:
        with self._failing():
            for piece in self._pieces:
                if self._first is None:
                    self._first = time.perf_counter()
                self._text += piece
                self._keeper.grown(self._text)
                yield piece

    def cancel(self) -> None:
        """Stop as soon as possible; what there is stays."""
        self._stopped = True
        self._stream.cancel()

    def finish(self) -> Turn | None:
        """Wait for the end and keep the turn; None, and nothing kept, when it was stopped before its first word.

        Called again, it says the same again.

        Raises:
            EngineError: generating failed; nothing is kept.
        """
        for _ in self:
            pass
        if self._error is not None:
            raise self._error
        if self._over:
            return self._turn
        with self._failing():
            answer = self._collect()
            n_tokens = self._answer_tokens(answer.conversation)
        if self._stopped and not answer.text.strip():
            self._fail(STOPPED)
            return None
        ended = time.perf_counter()
        turn = Turn(
            plan=self.plan,
            answer=answer.text,
            conversation=answer.conversation,
            draft=answer.draft,
            stopped=self._stopped,
            truncated=answer.truncated,
            seconds=ended - self._begun,
            seconds_to_first=(self._first or ended) - self._begun,
            n_tokens=n_tokens,
            id=self.id,
        )
        self._over, self._turn = True, turn
        self._keeper.finished(turn)
        return turn

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Tell of a failure, whatever it is, for the turn has no other end then; leaving a loop early is none."""
        try:
            yield
        except GeneratorExit:
            raise
        except BaseException as error:
            if isinstance(error, Exception):
                self._error = error
            self._fail(failure_reason(error))
            raise

    def _fail(self, reason: str) -> None:
        if not self._over:
            self._over = True
            self._keeper.failed(reason)

    def _answer_tokens(self, conversation: Conversation) -> int:
        return self._count(conversation) - self._count(Conversation(conversation.messages[:-1]))
