"""Keeps a session as it happens."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from bayling_lite.chat.records import codec
from bayling_lite.chat.records.tables import title_of
from bayling_lite.chat.records.values import SHORT_ID, StoredSession, StoredTurn, TurnState
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.recording import Position
from bayling_lite.chat.session.turns import Plan, Turn, new_id
from bayling_lite.errors import BaylingError, OutputError
from bayling_lite.localization import _

if TYPE_CHECKING:
    from bayling_lite.chat.records.locks import SessionLock
    from bayling_lite.chat.records.store import SessionStore

# An answer that grows is written so often, as a whole each time: what a killed process can lose of it. A long one is
# written less often, or the disk would be written with the square of its length.
_SECONDS_BETWEEN = 0.25
_CHARACTERS_PER_SECOND = 200_000


class SessionRecorder:
    """A :class:`~bayling_lite.chat.session.recording.Recorder` into a store. Safe to use from any thread.

    The session appears in the store with its first turn; until then nothing is kept but what it begins with. The
    session is this process's own until :meth:`close`. After the first failure nothing more is kept.
    """

    def __init__(
        self,
        store: SessionStore,
        model: str,
        preferences: Preferences,
    ) -> None:
        self.session = new_id()
        self.model = model
        self._store = store
        self._preferences = preferences
        self._position = Position()
        self._title = ""
        self._lock: SessionLock | None = None
        self._broken = False
        self._guard = threading.RLock()
        # The answer that is growing: the last one told of, when it was last written, and what will write it.
        self._unwritten: tuple[str, str] | None = None
        self._written = 0.0
        self._timer: threading.Timer | None = None
        self._trouble: OutputError | None = None

    @classmethod
    def resumed(cls, store: SessionStore, stored: StoredSession, lock: SessionLock, model: str) -> Self:
        """The recorder of a kept session, whose lock is taken, and which ``model`` answers from now on."""
        recorder = cls(store, model, stored.preferences)
        recorder.session, recorder._title, recorder._position = stored.id, stored.title, stored.position
        recorder._lock = lock
        return recorder

    @property
    def kept(self) -> bool:
        """Whether the session is in the store."""
        return self._lock is not None

    @property
    def whole(self) -> bool:
        """Whether all that happened so far could be kept."""
        return not self._broken

    @property
    def id(self) -> str:
        """The session's id as it is shown; empty before its first turn."""
        return self.session[:SHORT_ID] if self.kept else ""

    @property
    def title(self) -> str:
        """The session's title: as it was named, or its first line; empty before."""
        return self._title

    def rename(self, title: str) -> None:
        """Give the session a title, also before its first turn."""
        with self._guard:
            self._title = title_of(title)
            if self.kept:
                self._keep(lambda: self._store.tables.set_title(self.session, title))

    def begun(self, turn: str, parent: str | None, plan: Plan) -> None:
        """See :class:`~bayling_lite.chat.session.recording.Recorder`."""

        def write() -> None:
            stored = StoredTurn(turn, parent, plan, TurnState.RUNNING, created=time.time(), model=self.model)
            is_new = not self.kept
            try:
                with self._store.database.transaction():
                    if is_new:
                        self._begin(plan)
                    self._store.tables.add_turn(self.session, stored)
                    self._store.tables.touch(self.session, self.model)
            except BaseException:
                if is_new:
                    self._let_go()
                raise

        self._keep(write)

    def grown(self, turn: str, answer: str) -> None:
        """See :class:`~bayling_lite.chat.session.recording.Recorder`."""
        with self._guard:
            self._unwritten = turn, answer
            if self._timer is not None or self._broken:
                return
            wait = self._written + _SECONDS_BETWEEN + len(answer) / _CHARACTERS_PER_SECOND - time.monotonic()
            if wait <= 0:
                self._keep(self._write_answer)
            else:
                # The next piece may be long in coming, so it is not left to that.
                self._timer = threading.Timer(wait, self._later)
                self._timer.daemon = True
                self._timer.start()

    def finished(self, turn: Turn) -> None:
        """See :class:`~bayling_lite.chat.session.recording.Recorder`."""
        ended = codec.ended(turn)

        def write() -> None:
            with self._store.database.transaction():
                self._store.tables.end_turn(ended)
                # A process that ends here, before it says so, stands at this turn all the same.
                if not turn.plan.kind.is_aside:
                    self._move(dataclasses.replace(self._position, head=turn.id, undone=()))

        self._end_growing()
        self._keep(write)

    def failed(self, turn: str, reason: str) -> None:
        """See :class:`~bayling_lite.chat.session.recording.Recorder`."""

        def write() -> None:
            with self._store.database.transaction():
                self._write_answer()  # what was seen of it
                self._store.tables.stop_turn(turn, TurnState.FAILED, reason)

        self._keep(write)
        self._end_growing()

    def moved(self, position: Position) -> None:
        """See :class:`~bayling_lite.chat.session.recording.Recorder`."""
        self._keep(lambda: self._move(position))

    def prefers(self, preferences: Preferences) -> None:
        """See :class:`~bayling_lite.chat.session.recording.Recorder`."""

        def write() -> None:
            self._preferences = preferences
            if self.kept:
                self._store.tables.set_preferences(self.session, preferences)

        self._keep(write)

    def close(self) -> None:
        """Write what is still to be written, and let the session go. Idempotent."""
        with self._guard:
            try:
                self._keep(self._write_answer)
            finally:
                self._end_growing()
                self._broken = True
                if self._lock is not None:
                    self._lock.release()  # it stays kept

    # Details; all with the guard.

    def _begin(self, plan: Plan) -> None:
        self._title = self._title or title_of(plan.typed)
        now = time.time()
        self._store.tables.add_session(
            StoredSession(self.session, self._title, self.model, now, now, self._preferences, self._position, turns=())
        )
        self._lock = self._store.lock(self.session)
        self._lock.take()

    def _let_go(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release(remove=True)

    def _move(self, position: Position) -> None:
        if self.kept and position != self._position:
            self._store.tables.set_position(self.session, position)
        self._position = position

    def _later(self) -> None:
        with self._guard:
            self._timer = None
            try:
                self._keep(self._write_answer)
            except OutputError as error:
                # Nobody listens on this thread: the next call says it.
                self._trouble = error

    def _write_answer(self) -> None:
        unwritten, self._unwritten = self._unwritten, None
        if unwritten is not None:
            turn, answer = unwritten
            self._store.tables.grow_turn(turn, answer)
            self._written = time.monotonic()

    def _end_growing(self) -> None:
        with self._guard:
            self._unwritten = None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _keep(self, write: Callable[[], None]) -> None:
        """Write; after what could not be written, nothing.

        Raises:
            OutputError: this could not be written, or what a timer wrote before. It is said once.
        """
        with self._guard:
            trouble, self._trouble = self._trouble, None
            if trouble is not None:
                raise trouble
            if self._broken:
                return
            try:
                write()
            except BaylingError as error:
                self._broken = True
                raise OutputError(_("This session is not kept any further. {reason}", reason=error)) from error
