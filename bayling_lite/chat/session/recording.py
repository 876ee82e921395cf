"""What a session tells whoever keeps it, and what is needed to go on with a kept one.

The turns of a session are a tree: each has the one before it as its parent, and what was undone, or replaced by another
answer, stays as another branch. The session stands at the end of one path through it, its *head*.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.turns import Plan, Turn


@dataclass(frozen=True, slots=True)
class Position:
    """Where a session stands, as ids of turns.

    ``head`` is its last turn, None before the first; ``undone`` are those that a redo brings back, next one first.
    In chat mode the model sees the turns after ``seen_after``, and all of them where that is None or not on the path to
    the head; ``summary`` stands for those before, empty when they are just left out. ``restated`` is the turn whose
    draft goes on without the versions before it: as the request and the draft.
    """

    head: str | None = None
    undone: tuple[str, ...] = ()
    seen_after: str | None = None
    summary: str = ""
    restated: str | None = None


@dataclass(frozen=True, slots=True)
class KeptSession:
    """A session as it was kept: ``turns`` from the first to the head; ``undone`` those that a redo brings back, next
    one first. ``replaced`` are turns in whose place one of these stands (:attr:`Plan.replaced` names it), in any order:
    without them undoing an answer made again goes to the turn before it.
    """

    preferences: Preferences = field(default_factory=Preferences)
    turns: tuple[Turn, ...] = ()
    undone: tuple[Turn, ...] = ()
    position: Position = field(default_factory=Position)
    replaced: tuple[Turn, ...] = ()


class Recorder(Protocol):
    """Keeps a session as it happens. Called from the thread that reads the answer.

    What a method has returned from outlives the process. A recorder that cannot keep any more (a full disk) says so
    once, by raising :class:`~bayling_lite.errors.OutputError`; the chat shows that and goes on without it.
    """

    def begun(self, turn: str, parent: str | None, plan: Plan) -> None:
        """A turn of this id is asked for, after the turn ``parent``."""
        ...

    def grown(self, turn: str, answer: str) -> None:
        """Its answer so far. Called for every piece; kept a few times a second at most, so it costs nothing."""
        ...

    def finished(self, turn: Turn) -> None:
        """It is done, or stopped with what there was."""
        ...

    def failed(self, turn: str, reason: str) -> None:
        """It came to nothing: an error, or stopped before the first word."""
        ...

    def moved(self, position: Position) -> None:
        """The session stands elsewhere: after a turn, an undo, a redo, a clear, or when older turns are left out."""
        ...

    def prefers(self, preferences: Preferences) -> None:
        """Other preferences are in force."""
        ...


class NotKept:
    """A recorder that keeps nothing."""

    def begun(self, turn: str, parent: str | None, plan: Plan) -> None:
        """See :class:`Recorder`."""

    def grown(self, turn: str, answer: str) -> None:
        """See :class:`Recorder`."""

    def finished(self, turn: Turn) -> None:
        """See :class:`Recorder`."""

    def failed(self, turn: str, reason: str) -> None:
        """See :class:`Recorder`."""

    def moved(self, position: Position) -> None:
        """See :class:`Recorder`."""

    def prefers(self, preferences: Preferences) -> None:
        """See :class:`Recorder`."""
