"""What a command is, what it acts on, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

from bayling_lite.chat.keeping import Keeping
from bayling_lite.chat.screens.screen import Screen
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.session import Session
from bayling_lite.chat.session.turns import Plan, Turn
from bayling_lite.engine.base import ModelInfo
from bayling_lite.localization import _

if TYPE_CHECKING:
    from bayling_lite.chat.changing_model import ModelChange
    from bayling_lite.chat.session.recording import KeptSession, Recorder

Completes = Literal["", "language", "source", "file", "attached file", "saved", "term", "formality", "model", "command"]
"""What can follow a command: a language, a file, ``@`` and a file, a saved file or a kept session, ..."""


class Desk(Protocol):
    """What commands work with: the session, who keeps it, the screen, and what the driver does with them."""

    session: Session
    keeping: Keeping
    screen: Screen
    model_change: ModelChange
    set_aside: dict[str, Preferences]
    """By code of the target language: what was in force when the user left it for another one."""

    @property
    def info(self) -> ModelInfo | None:
        """What is known of the model, as long as nobody has to wait for it."""
        ...

    def offer(self, count: int) -> None:
        """Make other versions of the draft and let the user choose."""
        ...

    def pick(self, number: int) -> None:
        """Take one of them.

        Raises:
            UsageError: there is none of this number.
        """
        ...

    def show(self, turn: Turn) -> None:
        """Show a finished turn as an answer."""
        ...

    def summarise(self, count: int) -> bool:
        """Let the model sum up the oldest turns that it sees. False when the user stopped that."""
        ...

    def go_on(self, kept: KeptSession, recorder: Recorder) -> None:
        """Leave the session for a kept one."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command comes to: lines to show, a turn to run after them, or leaving.

    ``reminder`` is a warning that is shown once in a chat. ``keeps_choice`` when the other versions of the draft can
    still be chosen from.
    """

    lines: tuple[str, ...] = ()
    reminder: str = ""
    plan: Plan | None = None
    leave: bool = False
    keeps_choice: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    ``argument`` is empty for none and in brackets for one that may be left out. It, ``help`` and the second part of
    each of ``examples`` (a line, what it does) are messages in English, translated where they are shown.
    """

    name: str
    argument: str
    help: str
    run: Callable[[Desk, str], Reply]
    examples: tuple[tuple[str, str], ...] = ()
    aliases: tuple[str, ...] = ()
    completes: Completes = ""

    @property
    def usage(self) -> str:
        """``/name ARGUMENT``, as the documentation has it."""
        return f"/{self.name} {self.argument}".rstrip()

    @property
    def localized_usage(self) -> str:
        """The same in the language of the interface."""
        return f"/{self.name} {_(self.argument)}".rstrip()


@dataclass(frozen=True, slots=True)
class Group:
    """Commands that belong together, under a title (in English)."""

    title: str
    commands: tuple[Command, ...]


def by_command(plan: Plan, typed: str) -> Plan:
    """The plan of a command, whose line cannot be read another way."""
    return replace(plan, typed=typed, rule=None)
