"""What is kept, as plain values: read, shown, searched and exported without any model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeVar

from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.recording import Position
from bayling_lite.chat.session.turns import Kind, Plan, new_id
from bayling_lite.messages import Conversation

if TYPE_CHECKING:
    from bayling_lite.translate.glossary import Term
    from bayling_lite.translate.results import Status

SHORT_ID = 8
"""Digits of an id that are shown: enough to tell a person's sessions apart."""


class TurnState(StrEnum):
    """What became of a turn. One that is ``running`` in a session that no process has open was cut off with it."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A segment of a draft: see :class:`~bayling_lite.translate.results.TranslatedSegment`."""

    source: str
    text: str
    status: Status
    conversation: Conversation


@dataclass(frozen=True, slots=True)
class StoredDraft:
    """A draft: see :class:`~bayling_lite.translate.results.Translation`. Languages are codes; ``source`` is None where
    the text holds no word.
    """

    text: str
    source_text: str
    source: str | None
    target: str
    conversation: Conversation
    segments: tuple[StoredSegment, ...] = ()
    terms: tuple[Term, ...] = ()
    missing_terms: tuple[Term, ...] = ()
    missing_words: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    unchanged: bool = False
    standing: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether all of it is translated, and something was to be."""
        statuses = {segment.status for segment in self.segments}
        return statuses <= {"ok", "kept"} and "ok" in statuses


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """A turn of the tree. ``parent`` is the id of the turn before it.

    ``answer`` is what there is of it; ``reason`` says why it failed; ``model`` is the name of what answered, empty
    where that is not known. ``conversation`` is what the model was asked and answered in this turn: the last two
    messages, under the system prompt if there was one; empty unless it is finished or stopped. ``created`` counts
    seconds since 1970, ``seconds`` and ``seconds_to_first`` how long the answer took.

    ``on_path`` says whether it stands on the path to where the session is: false for what was undone or answered anew.
    ``accepted`` marks the translations that the user left as they are: the last version of each text on the path, if it
    is whole.
    """

    id: str
    parent: str | None
    plan: Plan
    state: TurnState
    answer: str = ""
    created: float = 0.0
    reason: str = ""
    model: str = ""
    conversation: Conversation = field(default_factory=Conversation)
    draft: StoredDraft | None = None
    truncated: bool = False
    seconds: float = 0.0
    seconds_to_first: float = 0.0
    n_tokens: int = 0
    on_path: bool = False
    accepted: bool = False

    @property
    def kind(self) -> Kind:
        """What it does."""
        return self.plan.kind

    @property
    def typed(self) -> str:
        """The user's line."""
        return self.plan.typed

    @property
    def sent(self) -> str:
        """What the model got of it."""
        return self.plan.sent

    @property
    def has_answer(self) -> bool:
        """Whether there is any of its answer."""
        return bool(self.answer.strip())

    @property
    def source(self) -> str | None:
        """The code of the language translated from, None where it is not known."""
        if self.draft is not None:
            return self.draft.source
        return None if self.plan.source is None else self.plan.source.code

    @property
    def target(self) -> str | None:
        """The code of the language translated into."""
        if self.draft is not None:
            return self.draft.target
        return None if self.plan.target is None else self.plan.target.code


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """A session in a list. ``languages`` are its translations' directions, (source or None, target), in the order of
    their first use; ``n_turns`` counts the turns on the path, asides left out.
    """

    id: str
    title: str
    model: str
    created: float
    changed: float
    languages: tuple[tuple[str | None, str], ...]
    n_turns: int

    @property
    def short_id(self) -> str:
        """The id as it is shown."""
        return self.id[:SHORT_ID]


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A whole session, with every turn of its tree in the order in which they were begun."""

    id: str
    title: str
    model: str
    created: float
    changed: float
    preferences: Preferences
    position: Position
    turns: tuple[StoredTurn, ...]

    @property
    def short_id(self) -> str:
        """The id as it is shown."""
        return self.id[:SHORT_ID]

    @property
    def path(self) -> tuple[StoredTurn, ...]:
        """The turns from the first to where the session stands; asides are not among them."""
        return tuple(turn for turn in self.turns if turn.on_path and not turn.kind.is_aside)


class InTree(Protocol):
    """What has its place in the tree."""

    @property
    def id(self) -> str:
        """Its own id."""
        ...

    @property
    def parent(self) -> str | None:
        """The id of what is before it."""
        ...


class Answering(InTree, Protocol):
    """What may be running yet."""

    @property
    def kind(self) -> Kind:
        """What it does."""
        ...

    @property
    def state(self) -> TurnState:
        """What became of it."""
        ...

    @property
    def has_answer(self) -> bool:
        """Whether there is any of its answer."""
        ...


T = TypeVar("T", bound=InTree)


def path_to(turns: Sequence[T], head: str | None) -> list[T]:
    """The turns from the first to one of them."""
    by_id = {turn.id: turn for turn in turns}
    path: list[T] = []
    # A tree that somebody has bent into a ring ends where it would begin again.
    while head is not None and (turn := by_id.pop(head, None)) is not None:
        path.append(turn)
        head = turn.parent
    return path[::-1]


def standing_at(turns: Sequence[Answering], head: str | None) -> str | None:
    """Where a session stands: at an answer that is arriving, or was cut off with its process, if there is one."""
    last = turns[-1] if turns else None
    if last and last.state is TurnState.RUNNING and last.has_answer and not last.kind.is_aside:
        return last.id
    return head


def placed(turns: Sequence[StoredTurn], head: str | None) -> tuple[StoredTurn, ...]:
    """The turns, each saying whether it is on the path to the head, and accepted."""
    path = path_to(turns, head)
    on_path = {turn.id for turn in path}
    accepted = _accepted(path)
    return tuple(
        replace(
            turn,
            on_path=turn.id in on_path or (turn.kind.is_aside and (turn.parent is None or turn.parent in on_path)),
            accepted=turn.id in accepted,
        )
        for turn in turns
    )


def with_new_ids(session: StoredSession) -> StoredSession:
    """The same session under other ids: it can stand beside the one that it is a copy of."""
    new = {turn.id: new_id() for turn in session.turns}

    def renamed(old: str | None) -> str | None:
        return None if old is None else new.get(old)

    position = session.position
    return replace(
        session,
        id=new_id(),
        position=replace(
            position,
            head=renamed(position.head),
            undone=tuple(new[turn] for turn in position.undone if turn in new),
            seen_after=renamed(position.seen_after),
            restated=renamed(position.restated),
        ),
        turns=tuple(
            replace(
                turn,
                id=new[turn.id],
                parent=renamed(turn.parent),
                plan=replace(turn.plan, replaced=new.get(turn.plan.replaced, "")),
            )
            for turn in session.turns
        ),
    )


def _accepted(path: Sequence[StoredTurn]) -> set[str]:
    last: dict[int, StoredTurn] = {}  # by the number of the text
    for turn in path:
        if turn.kind is Kind.TRANSLATION:
            last[len(last)] = turn
        elif last and turn.kind in (Kind.REFINEMENT, Kind.EDIT):
            last[len(last) - 1] = turn
    return {
        turn.id
        for turn in last.values()
        if turn.state is TurnState.FINISHED and not turn.truncated and turn.draft is not None and turn.draft.complete
    }
