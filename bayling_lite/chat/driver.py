"""From a line to what is shown: the part that every screen shares."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bayling_lite.chat import hints, remarks
from bayling_lite.chat.blocks import block_text
from bayling_lite.chat.changing_model import ModelChange
from bayling_lite.chat.commands import table as commands
from bayling_lite.chat.interrupts import Interrupt, interruptible
from bayling_lite.chat.keeping import Keeping, NothingKept
from bayling_lite.chat.loading import BackgroundEngine
from bayling_lite.chat.making_room import OnOverflow, make_room
from bayling_lite.chat.models import Models, NoModels
from bayling_lite.chat.screens.screen import Screen
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.recording import KeptSession, Recorder
from bayling_lite.chat.session.session import Session
from bayling_lite.chat.session.turns import Kind, Plan, Turn
from bayling_lite.engine.base import ModelInfo
from bayling_lite.errors import BaylingError, UsageError
from bayling_lite.localization import _

if TYPE_CHECKING:
    from bayling_lite.translate import Translation
    from bayling_lite.translate.glossary import Term

UNTRANSLATED = 3


class Driver:
    """Does what lines say and shows it. ``status`` is the exit status of the first thing that went wrong, else 0.

    That is the error's own, and 3 for a translation of which something is left untranslated or cut off. ``choosing``
    are the versions of the draft of which one can be chosen now (:meth:`choose`); empty when nothing is to choose.
    ``doubt`` says how the line that was just answered could have been read as well; empty where that is no question,
    and after a command that does more than tell something.
    """

    def __init__(
        self,
        session: Session,
        engine: BackgroundEngine,
        screen: Screen,
        keeping: Keeping | None = None,
        *,
        on_overflow: OnOverflow = "ask",
        models: Models | None = None,
    ) -> None:
        self.session = session
        self.engine = engine
        self.screen = screen
        self.keeping = keeping if keeping is not None else NothingKept()
        self.set_aside: dict[str, Preferences] = {}
        self.choosing: tuple[Translation, ...] = ()
        self.doubt = ""
        self.status = 0
        self.interrupted = False
        self.model_change = ModelChange(self, models if models is not None else NoModels())
        self._on_overflow = on_overflow
        self._warned: set[str] = set()

    # What screens call.

    def handle(self, text: str) -> bool:
        """Do what one line, or one block of lines, says. False when it was the command to leave.

        Raises:
            BaylingError: the model could not be opened. Every other such error is shown, and the chat goes on.
        """
        line = text.strip()
        block = block_text(line)
        if not (line if block is None else block.strip()):
            return True
        stay = True

        def act() -> None:
            nonlocal stay
            if block is None and commands.is_command(line):
                stay = self._command(line)
                return
            self.choosing = ()
            self.answer(self.session.plan(commands.literal(line) if block is None else block))
            if self.screen.asks and (hint := remarks.bare_command_text(line)):
                self.screen.notice(hint)

        self._guarded(act)
        return stay

    def flip(self) -> None:
        """Read the last line the other way: a text as feedback, feedback as a text."""

        def act() -> None:
            plan = self.session.other_reading()
            if plan is None:
                self.screen.notice(_("There is only one way to read the last line."))
            else:
                self.choosing = ()
                self.answer(plan)

        self._guarded(act)

    def choose(self, number: int) -> None:
        """Take one of :attr:`choosing`, counted from 1, in the place of the draft."""
        self._guarded(lambda: self.pick(number))

    def look_at_model(self) -> None:
        """Say what became of the model that was asked for in the place of another one, once that is known."""
        self._guarded(self.model_change.look)

    def _guarded(self, act: Callable[[], None]) -> None:
        self.interrupted = False
        try:
            act()
        except BaylingError as error:
            if error is self.engine.error:
                raise
            self.status = self.status or error.exit_status
            self.screen.error(error, remarks.error_text(error))

    def _command(self, line: str) -> bool:
        reply = commands.execute(self, line)
        if not reply.keeps_choice:
            self.choosing, self.doubt = (), ""
        for shown in reply.lines:
            self.screen.notice(shown)
        self.warn_once(reply.reminder)
        if reply.plan is not None:
            self.answer(reply.plan)
        return not reply.leave

    # What commands call.

    @property
    def info(self) -> ModelInfo | None:
        """What is known of the model, as long as nobody has to wait for it."""
        return self.engine.info if self.engine.ready else None

    def warn_once(self, text: str) -> None:
        """Say what is to be said once: a reminder at every turn would be noise."""
        if text and text not in self._warned:
            self._warned.add(text)
            self.screen.warning(text)

    def answer(self, plan: Plan) -> None:
        """Run a turn and show it."""
        if not self.model_change.wait():
            return
        self.doubt, other = "", self._other_reading(plan)
        if plan.kind is not Kind.CHAT:
            self.screen.choice(plan, self._worth_saying(plan, other))
        if not make_room(self, plan, self._on_overflow):
            return
        turn: Turn | None = None
        pair = hints.named_pair(plan, self.session)
        with interruptible() as interrupt:
            turn = self._stream(plan, interrupt)
        if interrupt.asked:
            self.interrupted = True
            self.screen.notice(remarks.stopped_text(turn))
        elif turn is not None:
            self._report(turn)
        if turn is not None:
            self.doubt = other if self.session.turns[-1:] == (turn,) else ""
            self._hint_at_terms(plan, pair)
        self._warn_when_nearly_full()
        self._warn_of_demonstrator(plan)
        self.warn_once(self.session.recording_problem)

    def offer(self, count: int) -> None:
        """Make other versions of the draft and let the user choose."""
        if not self.model_change.wait():
            return
        found: tuple[Translation, ...] = ()
        with interruptible() as interrupt:
            running = self.session.alternatives(count)
            interrupt.running = running
            found = running.result()
        self.interrupted = interrupt.asked
        self.choosing = found
        if found:
            self.screen.alternatives([version.text for version in found])
        else:
            self.screen.notice(remarks.stopped_text(None) if interrupt.asked else _("There is no other version."))

    def pick(self, number: int) -> None:
        """:meth:`choose`, raising what goes wrong.

        Raises:
            UsageError: there is nothing to choose, or not so many.
        """
        if not self.choosing:
            raise UsageError(_("There is nothing to choose from: /alt 3 makes three other versions of the draft."))
        if not 1 <= number <= len(self.choosing):
            raise UsageError(_("Choose a number from 1 to {count}.", count=len(self.choosing)))
        chosen = self.choosing[number - 1]
        self.choosing, self.doubt = (), ""
        self.show(self.session.choose(chosen))

    def show(self, turn: Turn) -> None:
        """Show a finished turn as an answer."""
        self.screen.begin_answer(turn.plan)
        self.screen.piece(turn.answer)
        self.screen.end_answer(turn)

    def summarise(self, count: int) -> bool:
        """Let the model sum up the oldest turns that it sees, which the summary then stands for. False when stopped."""
        if not self.model_change.wait():
            return False
        summary = None
        with interruptible() as interrupt:
            running = self.session.summarise(count)
            interrupt.running = running
            for _piece in running:
                pass
            summary = running.finish()
        if interrupt.asked or summary is None:
            self.interrupted = interrupt.asked
            self.screen.notice(_("stopped; nothing was summarised"))
            return False
        self.screen.notice(_("The oldest turns in short: {summary}", summary=self.session.position.summary))
        return True

    def go_on(self, kept: KeptSession, recorder: Recorder) -> None:
        """Leave this session for a kept one."""
        self.session = Session(
            self.engine, kept.preferences, sampling=self.session.sampling, recorder=recorder, kept=kept
        )
        self.choosing, self.doubt, self.set_aside = (), "", {}

    # Details.

    def _stream(self, plan: Plan, interrupt: Interrupt) -> Turn | None:
        running = self.session.start(plan)
        interrupt.running = running
        shown, turn = False, None
        try:
            for piece in running:
                if not shown:
                    self.screen.begin_answer(plan)
                shown = True
                self.screen.piece(piece)
            turn = running.finish()
            return turn
        finally:
            if shown:
                self.screen.end_answer(turn)

    def _other_reading(self, plan: Plan) -> str:
        """How the line could have been read as well; nothing where it is clear, or there is but one way."""
        if plan.rule is None:
            return ""
        from bayling_lite.chat.reading.feedback import Rule

        flipped = plan.replaces and not plan.varied
        certain = not flipped and plan.rule in (Rule.FORCED, Rule.NO_DRAFT, Rule.TOO_LONG)
        return "" if certain else remarks.other_reading_text(plan)

    def _worth_saying(self, plan: Plan, other: str) -> str:
        """The other reading, where the user should be told of it before the answer: not of one that they have chosen,
        and of a text once, for nearly every line is one.
        """
        if plan.replaces or not other:
            return ""
        if plan.kind is Kind.TRANSLATION:
            if "text" in self._warned:
                return ""
            self._warned.add("text")
        return other

    def _report(self, turn: Turn) -> None:
        """Say what is wrong with an answer, if anything is."""
        problems = remarks.problems(turn)
        for problem in problems:
            self.screen.warning(problem)
        if not problems and (unchanged := remarks.unchanged_text(turn, self.session.draft_before)):
            self.screen.notice(unchanged)
        if turn.draft is not None and (turn.draft.failed or turn.draft.truncated):
            self.status = self.status or UNTRANSLATED

    def _hint_at_terms(self, plan: Plan, pair: Term | None) -> None:
        """Who says what a word is to be in one draft often means all of them. Said once a session; but always where a
        term in force says otherwise.
        """
        for overruled in hints.overruled_terms(plan, pair, self.session):
            self.screen.notice(overruled)
        lasting = hints.lasting_term(pair, self.session)
        if lasting and "term" not in self._warned:
            self._warned.add("term")
            self.screen.notice(lasting)

    def _warn_when_nearly_full(self) -> None:
        """Once, until there is room again."""
        if not self.engine.ready:
            return
        warning = remarks.nearly_full_text(self.session)
        if warning and "full" not in self._warned:
            self.screen.warning(warning)
        self._warned = self._warned | {"full"} if warning else self._warned - {"full"}

    def _warn_of_demonstrator(self, plan: Plan) -> None:
        """Who chats with a model that cannot should know that it is the model."""
        if plan.kind is Kind.CHAT and self.info is not None and self.info.demonstrator:
            self.warn_once(remarks.demonstrator_text(self.info))
