"""A session in a few words: lines in, what the model was asked and what a recorder was told out."""

from __future__ import annotations

from collections.abc import Iterable

from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.recording import Position
from bayling_lite.chat.session.session import Session
from bayling_lite.chat.session.turns import Plan, Turn
from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import OutputError
from bayling_lite.languages import find_language

EN, ZH, DE = map(find_language, ("en", "zh", "de"))


def run(session: Session, plan: Plan | str) -> Turn:
    """Run a line or a plan to its end."""
    turn = session.start(session.plan(plan) if isinstance(plan, str) else plan).finish()
    assert turn is not None
    return turn


def asked(engine: ScriptedEngine, request: int = -1) -> list[str]:
    """The messages of a request."""
    return [message.content for message in engine.requests[request].conversation]


def drafting(*answers: str, target: str = "de", info: ModelInfo | None = None) -> tuple[Session, ScriptedEngine]:
    """A session that translates, and its engine."""
    engine = ScriptedEngine(answers, info=info)
    return Session(engine, Preferences(find_language(target), EN)), engine


def text_of(session: Session) -> str | None:
    """The draft's text."""
    return session.draft.text if session.draft is not None else None


def text_before(session: Session) -> str | None:
    """The text of the version before."""
    return session.draft_before.text if session.draft_before is not None else None


class Log:
    """A recorder that writes down what it is told, and cannot any more when ``room`` calls are used up."""

    def __init__(self, room: int | None = None) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.room = room

    def names(self) -> list[str]:
        """The names of the calls, growth once."""
        names = [str(call[0]) for call in self.calls]
        return [name for name, before in zip(names, ["", *names], strict=False) if not name == before == "grown"]

    def of(self, name: str) -> Iterable[tuple[object, ...]]:
        """The arguments of the calls of a name."""
        return [call[1:] for call in self.calls if call[0] == name]

    def begun(self, turn: str, parent: str | None, plan: Plan) -> None:
        self._write("begun", turn, parent, plan)

    def grown(self, turn: str, answer: str) -> None:
        self._write("grown", turn, answer)

    def finished(self, turn: Turn) -> None:
        self._write("finished", turn)

    def failed(self, turn: str, reason: str) -> None:
        self._write("failed", turn, reason)

    def moved(self, position: Position) -> None:
        self._write("moved", position)

    def prefers(self, preferences: Preferences) -> None:
        self._write("prefers", preferences)

    def _write(self, *call: object) -> None:
        if self.room is not None and len(self.calls) >= self.room:
            raise OutputError("The disk is full.")
        self.calls.append(call)
