"""How a chat begins, before there is anything to show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bayling_lite.chat import remarks
from bayling_lite.chat.driver import Driver
from bayling_lite.chat.keeping import Opened
from bayling_lite.chat.loading import BackgroundEngine
from bayling_lite.chat.making_room import OnOverflow
from bayling_lite.chat.models import Models
from bayling_lite.chat.screens.screen import Screen
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.session import CHAT_SAMPLING, Session
from bayling_lite.engine.base import Engine, SamplingParams


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """How a chat begins.

    ``keep`` opens where it is kept, once there is an engine to go on with. ``on_overflow`` says what to do with the
    oldest turns before one that does not fit. ``models`` are those that it can go on with; None for its own alone.
    """

    preferences: Preferences = field(default_factory=Preferences)
    sampling: SamplingParams = CHAT_SAMPLING
    keep: Callable[[Engine], Opened] | None = None
    on_overflow: OnOverflow = "ask"
    models: Models | None = None

    def driver(self, engine: BackgroundEngine, screen: Screen) -> Driver:
        """A driver of a chat that begins so. It does not wait for the engine.

        Raises:
            BaylingError: the session to go on with cannot be read.
        """
        opened = self.keep(engine) if self.keep is not None else Opened()
        session = Session(engine, self.preferences, sampling=self.sampling, recorder=opened.recorder, kept=opened.kept)
        if opened.kept is not None:
            told = remarks.going_on(session, opened.keeping.title)
            for line in told if screen.asks else told[:1]:  # a script knows where it stands
                screen.notice(line)
        return Driver(session, engine, screen, opened.keeping, on_overflow=self.on_overflow, models=self.models)
