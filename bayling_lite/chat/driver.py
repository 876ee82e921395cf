"""From a line to what is shown: the part that every screen shares."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Protocol

from bayling_lite.chat.commands import table as commands
from bayling_lite.chat.loading import BackgroundEngine
from bayling_lite.chat.screens import rendering
from bayling_lite.chat.session.session import CHAT_SAMPLING, Session
from bayling_lite.chat.session.turns import Kind, Plan, RunningTurn, Turn
from bayling_lite.engine.base import SamplingParams
from bayling_lite.errors import BaylingError, ContextOverflow
from bayling_lite.languages import Language

BLOCK = '"""'
UNTRANSLATED = 3


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """How a chat begins: see :class:`~bayling_lite.chat.session.session.Session`."""

    target: Language | None = None
    source: Language | None = None
    system: str | None = None
    sampling: SamplingParams = CHAT_SAMPLING

    def session(self, engine: BackgroundEngine) -> Session:
        """A session that begins so."""
        return Session(engine, target=self.target, source=self.source, system=self.system, sampling=self.sampling)


class Screen(Protocol):
    """Where a chat shows itself. ``piece`` gets text of the model as it is; the screen makes it safe to look at."""

    def choice(self, text: str) -> None:
        """How the line was understood, before its answer."""
        ...

    def piece(self, text: str) -> None:
        """The next piece of the answer."""
        ...

    def end_answer(self) -> None:
        """The answer is over."""
        ...

    def notice(self, text: str) -> None:
        """A line of information."""
        ...

    def warning(self, text: str) -> None:
        """A line the user should see."""
        ...

    def error(self, text: str) -> None:
        """What went wrong."""
        ...


class Driver:
    """Does what lines say and shows it. ``status`` is the exit status of the first thing that went wrong, else 0.

    That is the error's own, and 3 for a translation of which something is left untranslated or cut off.
    """

    def __init__(self, session: Session, engine: BackgroundEngine, screen: Screen) -> None:
        self.session = session
        self.status = 0
        self.interrupted = False
        self._engine = engine
        self._screen = screen
        self._warned_full = False
        self._warned_demonstrator = False

    def handle(self, text: str) -> bool:
        """Do what one line, or one block of lines, says. False when it was the command to leave.

        Raises:
            BaylingError: the model could not be opened. Every other such error is shown, and the chat goes on.
        """
        line = text.strip()
        block = block_text(line)
        if not (line if block is None else block.strip()):
            return True
        try:
            if block is None and commands.is_command(line):
                reply = commands.execute(self.session, line)
                for shown in reply.lines:
                    self._screen.notice(shown)
                if reply.plan is not None:
                    self._answer(reply.plan)
                return not reply.leave
            self._answer(self.session.plan(commands.literal(line) if block is None else block))
        except BaylingError as error:
            if error is self._engine.error:
                raise
            self.status = self.status or error.exit_status
            self._screen.error(rendering.overflow_text(error) if isinstance(error, ContextOverflow) else str(error))
        return True

    def _answer(self, plan: Plan) -> None:
        choice = rendering.choice_text(plan)
        if choice:
            self._screen.choice(choice)
        self.interrupted = False
        with _interruptible() as interrupt:
            try:
                turn = self._stream(plan, interrupt)
            except KeyboardInterrupt:  # while the model was loading
                interrupt.asked, turn = True, None
        if interrupt.asked:
            self.interrupted = True
            self._screen.notice(rendering.stopped_text(turn))
        elif turn is not None:
            self._report(turn)
        self._warn_when_nearly_full()
        self._warn_of_demonstrator(plan)

    def _report(self, turn: Turn) -> None:
        """Say what is wrong with an answer, if anything is."""
        if problem := rendering.problem_text(turn):
            self._screen.warning(problem)
        if turn.draft is not None and (turn.draft.failed or turn.draft.truncated):
            self.status = self.status or UNTRANSLATED

    def _stream(self, plan: Plan, interrupt: _Interrupt) -> Turn | None:
        running = self.session.start(plan)
        interrupt.running = running
        shown = False
        try:
            for piece in running:
                shown = True
                self._screen.piece(piece)
            return running.finish()
        finally:
            if shown:
                self._screen.end_answer()

    def _warn_when_nearly_full(self) -> None:
        """Once, until there is room again: a reminder at every turn would be noise."""
        if not self._engine.ready:
            return
        warning = rendering.nearly_full_text(self.session)
        if warning and not self._warned_full:
            self._screen.warning(warning)
        self._warned_full = bool(warning)

    def _warn_of_demonstrator(self, plan: Plan) -> None:
        """Once: who chats with a model that cannot should know that it is the model."""
        if plan.kind is Kind.CHAT and not self._warned_demonstrator and self._engine.ready:
            self._warned_demonstrator = True
            if self._engine.info.demonstrator:
                self._screen.warning(rendering.demonstrator_text(self._engine.info))


class _Interrupt:
    """Ctrl-C while an answer arrives: stop the answer, not the program."""

    def __init__(self) -> None:
        self.running: RunningTurn | None = None
        self.asked = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        if self.running is None:
            raise KeyboardInterrupt
        self.asked = True
        # On a thread, for the interrupted code may hold the very lock that cancelling needs.
        threading.Thread(target=self.running.cancel, daemon=True).start()


@contextmanager
def _interruptible() -> Iterator[_Interrupt]:
    interrupt = _Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)


def opens_block(text: str) -> bool:
    '''Whether a text begins with ``"""`` and has not been ended by another.'''
    text = text.strip()
    return text.startswith(BLOCK) and (len(text) < 2 * len(BLOCK) or not text.endswith(BLOCK))


def block_text(text: str) -> str | None:
    '''What stands between ``"""`` and ``"""``; None when the text is no such block.'''
    if not text.startswith(BLOCK) or opens_block(text):
        return None
    return text[len(BLOCK) : -len(BLOCK)].strip("\n")
