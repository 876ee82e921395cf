"""What the commands about files and kept sessions need of whoever keeps them.

``/save``, ``/load``, ``/export``, ``/sessions`` and ``/title`` speak to a :class:`Keeping`; a chat without one gets
:class:`NothingKept`, which says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NoReturn, Protocol

from bayling_lite.chat.session.recording import KeptSession, NotKept, Recorder
from bayling_lite.engine.base import Engine
from bayling_lite.errors import UsageError
from bayling_lite.localization import _


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """A kept session in a list. ``id`` is the short one that is shown; ``changed`` its last turn's time, aware."""

    id: str
    title: str
    changed: datetime
    n_turns: int


@dataclass(frozen=True, slots=True)
class Written:
    """What a file was written with: ``count`` is turns, or translations, or dialogues, as ``what`` says in the
    interface's language (``Markdown, 3 turns``).
    """

    path: Path
    what: str
    count: int


class Keeping(Protocol):
    """The kept form of the chat that runs. Files appear whole or not at all.

    A chat that is not to be kept beyond its end (``--no-store``) can still save and export: it is kept in memory.
    """

    @property
    def id(self) -> str:
        """The short id of the running session; empty before its first turn."""
        ...

    @property
    def title(self) -> str:
        """Its title; empty before its first turn."""
        ...

    def rename(self, title: str) -> None:
        """Give the running session a title, also before its first turn.

        Raises:
            OutputError: it cannot be kept.
        """
        ...

    def model_changed(self, model: str) -> None:
        """From now on the model of this name answers."""
        ...

    def sessions(self, limit: int) -> Sequence[SessionEntry]:
        """The kept sessions, the last changed first.

        Raises:
            InputError: they cannot be read.
        """
        ...

    def save(self, path: Path, *, overwrite: bool = False) -> Written:
        """Write the whole running session as JSON, undone branches included.

        Raises:
            UsageError: there is no turn yet.
            OutputError: the file exists and ``overwrite`` is false, or it cannot be written.
        """
        ...

    def export(self, path: Path, *, overwrite: bool = False) -> Written:
        """Write the running session in the format of the file's name: .md, .json, .tmx or .jsonl.

        Raises:
            UsageError: there is nothing to export yet, or no such format; the message lists those there are.
            OutputError: the file exists and ``overwrite`` is false, or it cannot be written.
        """
        ...

    def load(self, name: str, engine: Engine) -> tuple[KeptSession, Recorder]:
        """Go on with a saved file, or with the kept session of an id: it is the running session from now on.

        ``engine`` makes the drafts' refinements. The session that ran until now stays kept as it is.

        Raises:
            UsageError: there is neither such a file nor such a session, or it is open in another process.
            InputError: the file is not a saved session.
        """
        ...


class NothingKept:
    """The :class:`Keeping` of a chat that nobody keeps."""

    id = ""
    title = ""

    def rename(self, title: str) -> NoReturn:  # noqa: ARG002
        """See :class:`Keeping`."""
        self._refuse()

    def model_changed(self, model: str) -> None:
        """See :class:`Keeping`."""

    def sessions(self, limit: int) -> Sequence[SessionEntry]:  # noqa: ARG002
        """See :class:`Keeping`."""
        return ()

    def save(self, path: Path, *, overwrite: bool = False) -> NoReturn:  # noqa: ARG002
        """See :class:`Keeping`."""
        self._refuse()

    def export(self, path: Path, *, overwrite: bool = False) -> NoReturn:  # noqa: ARG002
        """See :class:`Keeping`."""
        self._refuse()

    def load(self, name: str, engine: Engine) -> NoReturn:  # noqa: ARG002
        """See :class:`Keeping`."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise UsageError(_("This chat is not kept: there is nothing to save it with."))


@dataclass(frozen=True, slots=True)
class Opened:
    """Where a chat is kept, and the session it goes on with; None to begin a new one."""

    keeping: Keeping = field(default_factory=NothingKept)
    recorder: Recorder = field(default_factory=NotKept)
    kept: KeptSession | None = None
