"""The session that runs: kept from its first turn on, saved, exported, and left for another one.

Nothing is opened before it is needed, so that a chat that has not begun costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bayling_lite.chat.keeping import SessionEntry, Written
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.recording import KeptSession, Position, Recorder
from bayling_lite.chat.session.turns import Plan, Turn
from bayling_lite.errors import BaylingError, OutputError, UsageError
from bayling_lite.localization import _

if TYPE_CHECKING:
    from bayling_lite.chat.records.exports.formats import ExportFormat
    from bayling_lite.chat.records.recorder import SessionRecorder
    from bayling_lite.chat.records.store import SessionStore
    from bayling_lite.chat.records.values import StoredSession
    from bayling_lite.engine.base import Engine


class RunningSession:
    """The :class:`~bayling_lite.chat.keeping.Keeping` of a chat. :meth:`close` it, and no session is held any more.

    Args:
        folder: where the file of the user's sessions is.
        model: the name of the model that answers first.
        remembered: whether the session joins the user's; else it is kept in memory, as long as the chat lasts.
    """

    def __init__(self, folder: Path, model: str, *, remembered: bool) -> None:
        self._folder = folder
        self._model = model
        self._remembered = remembered
        self._store: SessionStore | None = None
        self._current: SessionRecorder | None = None
        self._waiting_title = ""
        self._could_not_begin = False

    # To begin.

    def new(self, preferences: Preferences) -> Recorder:
        """A recorder of a new session, which is kept from its first turn on."""
        return _LaterRecorder(lambda: self._create(preferences), preferences)

    def find(self, name: str) -> str:
        """The id of one of the user's sessions, given in whole or by its beginning; empty for the last one.

        Raises:
            UsageError: there is none.
        """
        if not self._path.exists():
            raise UsageError(_("There is no session to go on with: none is kept yet."))
        users = self._users()
        try:
            if name:
                return users.find(name)
            if (newest := users.newest()) is not None:
                return newest
            raise UsageError(_("There is no session to go on with: none is kept yet."))
        finally:
            self._put_away(users)

    def resume(self, session: str, engine: Engine) -> tuple[KeptSession, SessionRecorder]:
        """Go on with one of the user's sessions; a chat that does not join them goes on with a copy.

        Raises:
            UsageError: there is no session of this id, or another chat has it.
        """
        store = self._opened()
        return self._go_on(store, self._found(store, session), engine)

    # What commands call: see Keeping.

    @property
    def id(self) -> str:
        """See :class:`~bayling_lite.chat.keeping.Keeping`."""
        return self._current.id if self._current is not None else ""

    @property
    def title(self) -> str:
        """See :class:`~bayling_lite.chat.keeping.Keeping`."""
        return self._current.title if self._current is not None else self._waiting_title

    def rename(self, title: str) -> None:
        """See :class:`~bayling_lite.chat.keeping.Keeping`."""
        if self._current is not None:
            self._current.rename(title)
        self._waiting_title = title

    def model_changed(self, model: str) -> None:
        """See :class:`~bayling_lite.chat.keeping.Keeping`."""
        self._model = model
        if self._current is not None:
            self._current.model = model

    def sessions(self, limit: int) -> Sequence[SessionEntry]:
        """See :class:`~bayling_lite.chat.keeping.Keeping`."""
        if not self._path.exists():
            return ()
        users = self._users()
        try:
            found = users.summaries(limit)
        finally:
            self._put_away(users)
        return [
            SessionEntry(entry.short_id, entry.title, datetime.fromtimestamp(entry.changed).astimezone(), entry.n_turns)
            for entry in found
        ]

    def save(self, path: Path, *, overwrite: bool = False) -> Written:
        """See :class:`~bayling_lite.chat.keeping.Keeping`."""
        from bayling_lite.chat.records.exports.formats import format_named

        return self._write(path, format_named("json"), overwrite=overwrite)

    def export(self, path: Path, *, overwrite: bool = False) -> Written:
        """See :class:`~bayling_lite.chat.keeping.Keeping`."""
        from bayling_lite.chat.records.exports.formats import format_of

        return self._write(path, format_of(path), overwrite=overwrite)

    def load(self, name: str, engine: Engine) -> tuple[KeptSession, Recorder]:
        """See :class:`~bayling_lite.chat.keeping.Keeping`."""
        before, store = self._current, self._opened()
        file = Path(name).expanduser()
        session = store.add(_only_session(file)) if _looks_like_a_file(file) else self._found(store, name)
        if before is not None and before.kept and before.session == session:
            raise UsageError(_("That is the session that runs."))
        gone_on = self._go_on(store, session, engine)
        if before is not None:
            before.close()
        return gone_on

    def close(self) -> None:
        """Let the session go. Idempotent.

        Raises:
            OutputError: the end of the last answer could not be written.
        """
        try:
            if self._current is not None:
                self._current.close()
        finally:
            if self._store is not None:
                self._store.close()
                self._store = None

    # Details.

    def _create(self, preferences: Preferences) -> SessionRecorder:
        try:
            self._current = self._opened().create(self._model, preferences)
        except BaylingError:
            self._could_not_begin = True
            raise
        if self._waiting_title:
            self._current.rename(self._waiting_title)
        return self._current

    def _go_on(self, store: SessionStore, session: str, engine: Engine) -> tuple[KeptSession, SessionRecorder]:
        from bayling_lite.translate import Translator

        kept, self._current = store.resume(session, Translator(engine), model=self._model)
        return kept, self._current

    @property
    def _path(self) -> Path:
        from bayling_lite.chat.records.schema import FILE_NAME

        return self._folder / FILE_NAME

    def _opened(self) -> SessionStore:
        if self._store is None:
            from bayling_lite.chat.records.store import SessionStore

            self._store = SessionStore.open(self._path) if self._remembered else SessionStore.in_memory()
        return self._store

    def _users(self) -> SessionStore:
        """The user's sessions, also for a chat that does not join them."""
        from bayling_lite.chat.records.store import SessionStore

        return self._opened() if self._remembered else SessionStore.open(self._path, readonly=True)

    def _put_away(self, users: SessionStore) -> None:
        if users is not self._store:
            users.close()

    def _found(self, store: SessionStore, name: str) -> str:
        """The session of an id, in the store; one of the user's is copied where the chat does not join them."""
        if self._remembered or not self._path.exists():
            return store.find(name)
        users = self._users()
        try:
            return store.add(users.session(name))
        finally:
            self._put_away(users)

    def _write(self, path: Path, format_: ExportFormat, *, overwrite: bool) -> Written:
        from bayling_lite.chat.records.exports.formats import write

        if self._could_not_begin:
            raise UsageError(_("This chat is not kept: there is nothing to save it with."))
        if self._current is None or not self._current.kept:
            raise UsageError(_("There is nothing to save yet: this session has no turn."))
        exported = format_.export([self._opened().session(self._current.session)])
        if not exported.count:
            raise UsageError(_("There is nothing to export yet: no translation is finished."))
        write(path, exported, overwrite=overwrite)
        what = exported.what
        if not self._current.whole:
            what = _("{what}; what came after the session could not be kept any further is not in it", what=what)
        return Written(path, what, exported.count)


class _LaterRecorder:
    """A recorder that is made when there is something to keep."""

    def __init__(self, make: Callable[[], Recorder], preferences: Preferences) -> None:
        self._make = make
        self._preferences = preferences
        self._recorder: Recorder | None = None

    def begun(self, turn: str, parent: str | None, plan: Plan) -> None:
        """See :class:`~bayling_lite.chat.session.recording.Recorder`."""
        if self._recorder is None:
            try:
                self._recorder = self._make()
                self._recorder.prefers(self._preferences)
            except BaylingError as error:
                raise OutputError(_("This session is not kept. {reason}", reason=error)) from error
        self._recorder.begun(turn, parent, plan)

    def grown(self, turn: str, answer: str) -> None:
        """See :class:`~bayling_lite.chat.session.recording.Recorder`."""
        if self._recorder is not None:
            self._recorder.grown(turn, answer)

    def finished(self, turn: Turn) -> None:
        """See :class:`~bayling_lite.chat.session.recording.Recorder`."""
        if self._recorder is not None:
            self._recorder.finished(turn)

    def failed(self, turn: str, reason: str) -> None:
        """See :class:`~bayling_lite.chat.session.recording.Recorder`."""
        if self._recorder is not None:
            self._recorder.failed(turn, reason)

    def moved(self, position: Position) -> None:
        """See :class:`~bayling_lite.chat.session.recording.Recorder`."""
        if self._recorder is not None:
            self._recorder.moved(position)

    def prefers(self, preferences: Preferences) -> None:
        """See :class:`~bayling_lite.chat.session.recording.Recorder`."""
        self._preferences = preferences
        if self._recorder is not None:
            self._recorder.prefers(preferences)


def _looks_like_a_file(file: Path) -> bool:
    """Whether a name is that of a file and not a session's: by its end, or because there is one."""
    try:
        return file.suffix.casefold() == ".json" or file.is_file()
    except OSError:  # no file can have this name
        return False


def _only_session(file: Path) -> StoredSession:
    from bayling_lite.chat.records.exports.json_file import read

    sessions = read(file)
    if len(sessions) != 1:
        raise UsageError(
            _(
                "{path} holds {count} sessions, and one can be gone on with: export that one alone.",
                path=file,
                count=len(sessions),
            )
        )
    return sessions[0]
