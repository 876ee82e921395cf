"""A recorder that may fail: the turns stay in the session, and the user is told once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.recording import NotKept, Position, Recorder
from bayling_lite.chat.session.turns import Plan, Turn
from bayling_lite.errors import OutputError


class LastingRecorder:
    """A :class:`~bayling_lite.chat.session.recording.Recorder` that never raises OutputError.

    After the first one nothing more is kept, and ``problem`` says why; it is empty before.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.problem = ""

    def begun(self, turn: str, parent: str | None, plan: Plan) -> None:
        """See :class:`~bayling_lite.chat.session.recording.Recorder`."""
        self._tell(lambda recorder: recorder.begun(turn, parent, plan))

    def grown(self, turn: str, answer: str) -> None:
        """See :class:`~bayling_lite.chat.session.recording.Recorder`."""
        self._tell(lambda recorder: recorder.grown(turn, answer))

    def finished(self, turn: Turn) -> None:
        """See :class:`~bayling_lite.chat.session.recording.Recorder`."""
        self._tell(lambda recorder: recorder.finished(turn))

    def failed(self, turn: str, reason: str) -> None:
        """See :class:`~bayling_lite.chat.session.recording.Recorder`."""
        self._tell(lambda recorder: recorder.failed(turn, reason))

    def moved(self, position: Position) -> None:
        """See :class:`~bayling_lite.chat.session.recording.Recorder`."""
        self._tell(lambda recorder: recorder.moved(position))

    def prefers(self, preferences: Preferences) -> None:
        """See :class:`~bayling_lite.chat.session.recording.Recorder`."""
        self._tell(lambda recorder: recorder.prefers(preferences))

    def _tell(self, what: Callable[[Recorder], None]) -> None:
        try:
            what(self._recorder)
        except OutputError as error:
            self.problem = str(error)
            self._recorder = NotKept()


@dataclass(frozen=True, slots=True)
class Keeper:
    """Tells of one turn: the recorder, then the session (``join``), which has it from then on."""

    recorder: Recorder
    turn: str
    join: Callable[[Turn], None]

    def grown(self, answer: str) -> None:
        """See :class:`~bayling_lite.chat.session.turns.TurnKeeper`."""
        self.recorder.grown(self.turn, answer)

    def finished(self, turn: Turn) -> None:
        """See :class:`~bayling_lite.chat.session.turns.TurnKeeper`. What changes nothing does not join."""
        if turn.changes_nothing:
            self.recorder.failed(self.turn, "unchanged")
            return
        self.recorder.finished(turn)
        self.join(turn)

    def failed(self, reason: str) -> None:
        """See :class:`~bayling_lite.chat.session.turns.TurnKeeper`."""
        self.recorder.failed(self.turn, reason)
