"""What a chat shows, as values: each kind of screen says it in its own way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bayling_lite.chat.differences import Change
from bayling_lite.chat.session.turns import Plan, Turn
from bayling_lite.errors import BaylingError


@dataclass(frozen=True, slots=True)
class Question:
    """A question that one key answers. ``choices`` are (key, what it means); the first is what happens where nobody can
    be asked, and must lose nothing.
    """

    text: str
    choices: tuple[tuple[str, str], ...]


class Screen(Protocol):
    """Where a chat shows itself. Texts may hold anything: the screen makes them safe to look at."""

    @property
    def asks(self) -> bool:
        """Whether there is somebody who answers questions."""
        ...

    @property
    def has_keys(self) -> bool:
        """Whether keys do something while a line is typed."""
        ...

    def choice(self, plan: Plan, other: str) -> None:
        """How the line was understood, before its answer; ``other`` is how it could have been, empty where only one
        reading is possible.
        """
        ...

    def begin_answer(self, plan: Plan) -> None:
        """An answer to this comes now."""
        ...

    def piece(self, text: str) -> None:
        """The next piece of it."""
        ...

    def end_answer(self, turn: Turn | None) -> None:
        """It is over; None when it came to nothing."""
        ...

    def notice(self, text: str) -> None:
        """A line, or lines, of information."""
        ...

    def warning(self, text: str) -> None:
        """A line the user should see."""
        ...

    def error(self, error: BaylingError, text: str) -> None:
        """What went wrong, in words for the user."""
        ...

    def changes(self, changes: Sequence[Change]) -> None:
        """What a refinement changed."""
        ...

    def alternatives(self, texts: Sequence[str]) -> None:
        """Numbered versions of the draft, of which one can be chosen; the first is number 1."""
        ...

    def ask(self, question: Question) -> str:
        """The key of a choice."""
        ...

    def edit(self, text: str) -> str | None:
        """The text as the user has edited it in an editor of their own; None when they left without saving.

        Raises:
            UsageError: there is nobody to edit it, or no editor.
        """
        ...
