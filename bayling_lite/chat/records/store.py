"""The kept sessions: begun, gone on with, listed, found, removed.

One SQLite file, by default ``sessions.sqlite`` in the folder of the user's data, readable by its owner alone. What a
chat has told its recorder is in it when the call returns; what is removed is gone from it.
"""

from __future__ import annotations

import dataclasses
import difflib
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from bayling_lite.chat.records.locks import SessionLock
from bayling_lite.chat.records.schema import FILE_NAME, SESSIONS
from bayling_lite.chat.records.searching import Hit, Words, best_excerpt
from bayling_lite.chat.records.tables import Tables, title_of
from bayling_lite.chat.records.values import (
    SHORT_ID,
    SessionSummary,
    StoredSession,
    StoredTurn,
    TurnState,
    standing_at,
    with_new_ids,
)
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.recording import KeptSession
from bayling_lite.closing import Closing
from bayling_lite.database import Database
from bayling_lite.errors import UsageError
from bayling_lite.localization import _

if TYPE_CHECKING:
    from bayling_lite.chat.records.recorder import SessionRecorder
    from bayling_lite.translate import Translator


class SessionStore(Closing):
    """The store in a file, or in memory where ``path`` is None. Open it with :meth:`open`; close it, or use it in a
    ``with``; safe to use from any thread.

    Every method raises :class:`~bayling_lite.errors.InputError` where the file is damaged, and
    :class:`~bayling_lite.errors.OutputError` where the disk is full or the file cannot be written (any more).
    """

    def __init__(self, path: Path | None, *, readonly: bool = False) -> None:
        self.path = path
        self.database = Database(path, SESSIONS, readonly=readonly)
        self.tables = Tables(self.database)

    @classmethod
    def open(cls, path: str | Path | None = None, *, readonly: bool = False) -> Self:
        """Open a store, by default the user's; it is made where there is none.

        Raises:
            InputError: the file is damaged, no such store, or of a newer bayling-lite.
            OutputError: it cannot be made or written.
        """
        return cls(default_path() if path is None else Path(path), readonly=readonly)

    @classmethod
    def in_memory(cls) -> Self:
        """A store that is gone when it is closed."""
        return cls(None)

    # To keep a session.

    def create(self, model: str, preferences: Preferences | None = None) -> SessionRecorder:
        """The recorder of a new session, which is kept from its first turn on."""
        from bayling_lite.chat.records.recorder import SessionRecorder

        return SessionRecorder(self, model, preferences or Preferences())

    def resume(
        self, session: str, translator: Translator, *, model: str | None = None
    ) -> tuple[KeptSession, SessionRecorder]:
        """Go on with a kept session, which is this process's own until the recorder is closed.

        What was running when its last process ended comes back as stopped. ``translator`` refines the drafts;
        ``model`` is the name of what answers from now on, None for the one that did.

        Raises:
            UsageError: there is no such session, or another process has it.
        """
        from bayling_lite.chat.records.recorder import SessionRecorder

        session = self.find(session)
        lock = self.lock(session)
        lock.take()
        try:
            self._settle(session)
            kept = self.load(session, translator)
            stored = self.session(session)
            return kept, SessionRecorder.resumed(self, stored, lock, stored.model if model is None else model)
        except BaseException:
            lock.release()
            raise

    def load(self, session: str, translator: Translator) -> KeptSession:
        """A session as a chat goes on with it; :meth:`resume` also makes it this process's own."""
        from bayling_lite.chat.records.restoring import restored

        return restored(self.session(session), translator)

    def add(self, stored: StoredSession) -> str:
        """Keep a whole session, read from a file for example, as a new one, under ids of its own; its id."""
        stored = dataclasses.replace(with_new_ids(stored), changed=time.time())
        with self.database.transaction():
            self.tables.add_session(stored)
            for turn in stored.turns:
                self.tables.add_turn(stored.id, turn)
        return stored.id

    # To read what is kept.

    def newest(self) -> str | None:
        """The id of the session that was changed last."""
        return next((session for session, _title, _changed in self.tables.names()), None)

    def find(self, prefix: str) -> str:
        """The id that begins so.

        Raises:
            UsageError: there is none, or several; the message names those near it.
        """
        key = prefix.strip().casefold()
        sessions = [(session, title) for session, title, _changed in self.tables.names()]
        found = [row for row in sessions if row[0].startswith(key)] if key else []
        if len(found) == 1:
            return found[0][0]
        if found:
            meant = _named(found, digits=_telling_apart([session for session, _title in found]))
            raise UsageError(
                _("Several sessions begin with {prefix}: {sessions}. Give more digits.", prefix=key, sessions=meant)
            )
        near = difflib.get_close_matches(key[:SHORT_ID], [session[:SHORT_ID] for session, _title in sessions], n=3)
        if near:
            meant = _named([row for row in sessions if row[0][:SHORT_ID] in near])
            raise UsageError(_("There is no session {prefix}. Did you mean {sessions}?", prefix=prefix, sessions=meant))
        if sessions:
            raise UsageError(
                _(
                    "There is no session {prefix}. The last ones: {sessions}. `bayling sessions list` lists all.",
                    prefix=prefix,
                    sessions=_named(sessions[:3]),
                )
            )
        raise UsageError(_("There is no session {prefix}: none is kept yet.", prefix=prefix))

    def summaries(self, limit: int | None = None, *, before: float | None = None) -> tuple[SessionSummary, ...]:
        """The sessions, the last changed first: at most ``limit``, and only those not changed since ``before``."""
        return tuple(self.tables.summaries(limit, before))

    def summary(self, session: str) -> SessionSummary:
        """One session's.

        Raises:
            UsageError: there is none of this id.
        """
        with self.database.snapshot():
            found = self.tables.summary(self.find(session))
        assert found is not None  # noqa: S101 - it was found
        return found

    def session(self, session: str) -> StoredSession:
        """A whole session.

        Raises:
            UsageError: there is none of this id.
        """
        with self.database.snapshot():
            found = self.tables.session(self.find(session))
        assert found is not None  # noqa: S101 - it was found
        return found

    def turns(self, session: str) -> tuple[StoredTurn, ...]:
        """Every turn of a session's tree, in the order in which they were begun."""
        return self.session(session).turns

    def search(self, words: Iterable[str]) -> Iterator[Hit]:
        """The turns in which all words occur, in what was typed or answered; the newest first.

        Raises:
            UsageError: there is no word.
        """
        wanted = Words.of(words)
        if not wanted.folded:
            raise UsageError(_("A text to look for cannot be empty."))
        sessions = {session: (title, changed) for session, title, changed in self.tables.names()}
        for session, turn, typed, answer in self.tables.texts():
            if wanted.occur_in(typed, answer) and session in sessions:
                title, changed = sessions[session]
                where, excerpt = best_excerpt(wanted, typed, answer)
                yield Hit(session, title, self.tables.position_in_session(turn), turn, changed, where, excerpt)

    # To change what is kept.

    def name(self, session: str, title: str) -> None:
        """Give a session a title."""
        self.tables.set_title(self.find(session), title)

    def remove(self, sessions: Iterable[str]) -> int:
        """Remove the sessions of these ids, and their text from the disk; say how many there were.

        Raises:
            UsageError: one is open in a chat; then none is removed.
        """
        chosen = tuple(dict.fromkeys(sessions))
        with ExitStack() as taken:
            for session in chosen:
                lock = self.lock(session)
                lock.take()
                taken.callback(lock.release, remove=True)
            with self.database.transaction():
                removed = sum(map(self.tables.remove, chosen))
            if removed:
                self.database.shrink()
        return removed

    def is_open(self, session: str) -> bool:
        """Whether a chat has this session."""
        lock = self.lock(session)
        try:
            lock.take()
        except UsageError:
            return True
        lock.release()
        return False

    def close(self) -> None:
        """Close the file. Idempotent."""
        self.database.close()

    # Details.

    def lock(self, session: str) -> SessionLock:
        """The lock of a session."""
        return SessionLock(None if self.path is None else self.path.with_suffix(".locks"), session)

    def _settle(self, session: str) -> None:
        """What was running when a process ended is not running any more. Called with the session's lock."""
        stored = self.session(session)
        head = standing_at(stored.turns, stored.position.head)
        with self.database.transaction():
            for turn in stored.turns:
                if turn.state is TurnState.RUNNING:
                    self.tables.stop_turn(turn.id, TurnState.STOPPED if turn.has_answer else TurnState.FAILED)
            if head != stored.position.head:
                self.tables.set_position(session, dataclasses.replace(stored.position, head=head, undone=()))


def default_path() -> Path:
    """Where the user's sessions are kept."""
    from bayling_lite.settings import Settings

    return Settings.load().data_dir / FILE_NAME


def _telling_apart(ids: Sequence[str]) -> int:
    """How many digits tell ids apart."""
    return next(
        (digits for digits in range(SHORT_ID, len(ids[0])) if len({one[:digits] for one in ids}) == len(ids)),
        len(ids[0]),
    )


def _named(rows: Sequence[tuple[str, str]], *, digits: int = SHORT_ID, most: int = 5) -> str:
    titles = ((session, title_of(title)) for session, title in rows[:most])
    shown = [f"{session[:digits]} ({title if len(title) <= 40 else title[:39] + '…'})" for session, title in titles]
    return ", ".join(shown) + (", …" if len(rows) > most else "")
