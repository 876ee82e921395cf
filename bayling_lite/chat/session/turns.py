"""One turn of the chat: planned, running, done."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from bayling_lite.chat.reading.feedback import Rule
from bayling_lite.languages import Language
from bayling_lite.messages import Conversation

if TYPE_CHECKING:
    from bayling_lite.translate import Translation

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


def new_id() -> str:
    """An id for a turn that no other has, wherever it was made."""
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class Plan:
    """What a line will do, known and shown before it is done.

    ``typed`` is the user's line, ``sent`` what the model gets of it (the text, or the instruction), ``rule`` why it was
    read so, ``required`` the word that the new draft must have. ``replaces`` puts the turn in the place of the last
    one; ``varied`` asks for another answer than the likeliest.
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
    def request(self) -> str:
        """The user's message as the model got it."""
        return self.conversation.messages[-2].content

    @property
    def tokens_per_second(self) -> float:
        """Tokens of the answer per second since its first piece; of the whole time, if it came in one piece."""
        spent = self.seconds - self.seconds_to_first
        if spent < _AT_ONCE * self.seconds:
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


class RunningTurn:
    """A turn whose answer is arriving. Iterate it for pieces, then :meth:`finish`; :meth:`cancel` from any thread.

    Args:
        stream: where the pieces come from.
        collect: gives the answer once the pieces have ended.
        count: tokens of a conversation.
        keep: takes the finished turn into the session.
    """

    def __init__(
        self,
        plan: Plan,
        stream: AnswerStream,
        collect: Callable[[], Answer],
        count: Callable[[Conversation], int],
        keep: Callable[[Turn], None],
    ) -> None:
        self.plan = plan
        self._stream = stream
        self._collect = collect
        self._count = count
        self._keep = keep
        self._begun = time.perf_counter()
        self._first: float | None = None
        self._stopped = False

    def __iter__(self) -> Iterator[str]:
        for piece in self._stream:
            if self._first is None:
                self._first = time.perf_counter()
            yield piece

    def cancel(self) -> None:
        """Stop as soon as possible; what there is stays."""
        self._stopped = True
        self._stream.cancel()

    def finish(self) -> Turn | None:
        """Wait for the end and keep the turn; None, and nothing kept, when it was stopped before its first word.

        Raises:
            EngineError: generating failed; nothing is kept.
        """
        for _ in self:
            pass
        answer = self._collect()
        if self._stopped and not answer.text.strip():
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
            n_tokens=self._answer_tokens(answer.conversation),
        )
        self._keep(turn)
        return turn

    def _answer_tokens(self, conversation: Conversation) -> int:
        return self._count(conversation) - self._count(Conversation(conversation.messages[:-1]))
