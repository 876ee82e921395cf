"""A chat with a scripted engine whose screen writes down what it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Self

from bayling_lite.chat.differences import Change
from bayling_lite.chat.driver import Driver
from bayling_lite.chat.keeping import Keeping
from bayling_lite.chat.loading import BackgroundEngine
from bayling_lite.chat.making_room import OnOverflow
from bayling_lite.chat.models import Models
from bayling_lite.chat.screens.screen import Question
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.session import Session
from bayling_lite.chat.session.turns import Plan, Turn
from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import Script, ScriptedEngine
from bayling_lite.errors import BaylingError
from bayling_lite.languages import find_language

Event = tuple[str, str]


class RecordedScreen:
    """A :class:`~bayling_lite.chat.screens.screen.Screen`: ``events`` are (what, text). Questions get ``keys`` in turn,
    an edited text is ``edited`` of the draft.
    """

    has_keys = True

    def __init__(self, keys: Iterable[str] = (), edited: Callable[[str], str | None] = str) -> None:
        self.events: list[Event] = []
        self.questions: list[Question] = []
        self._keys = list(keys)
        self.asks = bool(self._keys)
        self._edited = edited
        self._answer = ""

    def choice(self, plan: Plan, other: str) -> None:
        self.events.append(("choice", f"{plan.kind}: {plan.sent}" + (f" | {other}" if other else "")))

    def begin_answer(self, plan: Plan) -> None:
        self._answer = ""

    def piece(self, text: str) -> None:
        self._answer += text

    def end_answer(self, turn: Turn | None) -> None:
        assert turn is None or turn.answer.strip() == self._answer.strip()
        self.events.append(("answer", self._answer))

    def notice(self, text: str) -> None:
        self.events.append(("notice", text))

    def warning(self, text: str) -> None:
        self.events.append(("warning", text))

    def error(self, error: BaylingError, text: str) -> None:
        self.events.append(("error", text))

    def changes(self, changes: Sequence[Change]) -> None:
        signs = {"kept": "", "removed": "-", "added": "+"}
        self.events.append(("changes", "|".join(signs[change.kind] + change.text for change in changes)))

    def alternatives(self, texts: Sequence[str]) -> None:
        self.events.append(("alternatives", " / ".join(texts)))

    def ask(self, question: Question) -> str:
        self.questions.append(question)
        return self._keys.pop(0) if self._keys else question.choices[0][0]

    def edit(self, text: str) -> str | None:
        return self._edited(text)


class RecordedChat:
    """A driver with its engine and its screen."""

    def __init__(
        self,
        responses: Iterable[str | BaseException] | Script = (),
        *,
        to: str | None = None,
        info: ModelInfo | None = None,
        screen: RecordedScreen | None = None,
        keeping: Keeping | None = None,
        on_overflow: OnOverflow = "ask",
        models: Models | None = None,
    ) -> None:
        self.engine = ScriptedEngine(responses, info=info)
        self.screen = screen or RecordedScreen()
        self._loading = BackgroundEngine(lambda: self.engine)
        self._loading.wait()
        session = Session(self._loading, Preferences(target=find_language(to) if to else None))
        self.driver = Driver(session, self._loading, self.screen, keeping, on_overflow=on_overflow, models=models)

    @property
    def session(self) -> Session:
        return self.driver.session

    def say(self, *lines: str) -> list[Event]:
        """Handle lines and give what the last one showed."""
        for line in lines:
            self.screen.events = []
            assert self.driver.handle(line)
        return self.screen.events

    def shown(self, what: str) -> list[str]:
        """What the last line showed of one kind."""
        return [text for kind, text in self.screen.events if kind == what]

    @property
    def asked(self) -> list[str]:
        """The last user turn of each request."""
        return [request.conversation.messages[-1].content for request in self.engine.requests]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loading.close()
