"""The state of a chat and what a line does to it, without any terminal.

Two modes share one path of turns. In **chat** mode a line continues the whole conversation, translations included, so
that one can ask about them. In **translation** mode a line is a new text, translated by itself, or feedback, which
continues the conversation of the last draft (:mod:`~bayling_lite.chat.reading.feedback` decides). Nothing is ever
dropped to make room: :meth:`Session.room` says before a turn whether it fits, and the user decides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Unpack

from bayling_lite.chat.session.answering import Arriving, Asker, standing_terms
from bayling_lite.chat.session.branch import Branch, draft_turn, versions
from bayling_lite.chat.session.context import View, draft_conversation
from bayling_lite.chat.session.keeping import Keeper, LastingRecorder
from bayling_lite.chat.session.planning import Planning, no_draft
from bayling_lite.chat.session.preferences import PreferenceChanges, Preferences
from bayling_lite.chat.session.recording import KeptSession, NotKept, Position, Recorder
from bayling_lite.chat.session.room import Room, room_for
from bayling_lite.chat.session.summaries import SummaryRun
from bayling_lite.chat.session.turns import Kind, Plan, RunningTurn, Turn, failure_reason, new_id
from bayling_lite.engine.base import Engine, ModelInfo, SamplingParams
from bayling_lite.errors import UsageError
from bayling_lite.localization import _
from bayling_lite.messages import Conversation

if TYPE_CHECKING:
    from bayling_lite.translate import Translation
    from bayling_lite.translate.alternatives import AlternativesStream

# The paper samples its chat answers at 0.7 (arXiv 2306.10968); translations take the likeliest word.
CHAT_SAMPLING = SamplingParams(temperature=0.7)


class Session(Planning):
    """A chat with one engine.

    Args:
        engine: what answers. It is not asked for anything before the first turn.
        preferences: what is in force at the beginning. ``system`` is for chat turns alone: translations keep the
            model's own, the one they were trained under.
        sampling: how chat answers, and other versions of a translation, are chosen.
        recorder: keeps the session as it happens.
        kept: a session to go on with, where it was and with its preferences in the place of ``preferences``.
    """

    def __init__(
        self,
        engine: Engine,
        preferences: Preferences = Preferences(),  # noqa: B008 - frozen
        *,
        sampling: SamplingParams = CHAT_SAMPLING,
        recorder: Recorder | None = None,
        kept: KeptSession | None = None,
    ) -> None:
        self.engine = engine
        self.sampling = sampling
        self._recorder = LastingRecorder(recorder if recorder is not None else NotKept())
        self._preferences = preferences if kept is None else kept.preferences
        self._branch = Branch() if kept is None else Branch.of(kept.turns, kept.undone, kept.replaced)
        # What is left out, as the user said it; where the session stands is the branch's to say.
        self._left_out = Position() if kept is None else kept.position
        self._counted: tuple[ModelInfo, Conversation, int] | None = None

    @property
    def preferences(self) -> Preferences:
        """What is in force; :meth:`prefer` changes it."""
        return self._preferences

    def prefer(self, **changes: Unpack[PreferenceChanges]) -> Preferences:
        """Change some of what is in force, by the names of :class:`Preferences`, and give the whole."""
        preferences = replace(self._preferences, **changes)
        if preferences != self._preferences:
            self._preferences = preferences
            self._recorder.prefers(preferences)
        return preferences

    @property
    def recording_problem(self) -> str:
        """Why the session is not kept any more; empty as long as it is."""
        return self._recorder.problem

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns from the first to the head; answers beside the conversation are not among them."""
        return self._branch.turns

    @property
    def undone(self) -> tuple[Turn, ...]:
        """What :meth:`redo` brings back, the next one first."""
        return self._branch.undone

    @property
    def draft(self) -> Translation | None:
        """The last translation, refinements included."""
        return self._branch.draft

    @property
    def draft_before(self) -> Translation | None:
        """The version of the same text before the draft; None for a first one."""
        return self._branch.draft_before

    @property
    def position(self) -> Position:
        """Where the session stands, and what of it the model does not see."""
        head = self._branch.last
        undone = tuple(turn.id for turn in self._branch.undone)
        return replace(self._left_out, head=head.id if head is not None else None, undone=undone)

    # What a line does: planned (see Planning), then done.

    def start(self, plan: Plan) -> RunningTurn:
        """Ask the model. The turn joins the session when it is finished; one beside the conversation is only kept.

        Raises:
            BaylingError: the model cannot be used, or the text does not fit its context; the latter may come only where
                the pieces are read.
        """
        before = self._branch.before(plan)
        last = self._branch.last
        if plan.replaces and last is not None:
            plan = replace(plan, replaced=last.id)
        turn_id = new_id()
        self._recorder.begun(turn_id, before[-1].id if before else None, plan)
        keeper = Keeper(self._recorder, turn_id, self._join)
        try:
            arriving = self._ask(plan, before)
        except BaseException as error:
            keeper.failed(failure_reason(error))
            raise
        return RunningTurn(plan, arriving.pieces, arriving.collect, self.engine.count_tokens, keeper, turn_id)

    def _join(self, turn: Turn) -> None:
        if not turn.plan.kind.is_aside:
            self._move(self._branch.grown(turn))

    def _move(self, branch: Branch) -> None:
        self._branch = branch
        if not branch.undone:
            self._left_out = self._view.on_path(branch.turns)
        self._recorder.moved(self.position)

    def _ask(self, plan: Plan, before: tuple[Turn, ...]) -> Arriving:
        asker = self._asker(before, again=self._branch.n_answers_before(plan))
        if plan.kind is Kind.CHAT:
            return asker.chat(self._view.chat(before).user(plan.sent))
        if plan.kind is Kind.TRANSLATION:
            return asker.translation(plan)
        draft = self._view.draft(before)
        if draft is None:
            raise no_draft()
        if plan.kind is Kind.BACK:
            return asker.back(draft)
        if plan.kind is Kind.EDIT:
            return asker.edit(plan, draft)
        if plan.kind is Kind.EXPLANATION:
            return asker.explanation(plan, draft)
        return asker.refinement(plan, draft)

    def _asker(self, before: tuple[Turn, ...], *, again: int = 0) -> Asker:
        """What asks for a turn after these, of which there were so many answers before."""
        chain = versions(before)
        ids = [turn.id for turn in chain]
        restated = self._left_out.restated
        forgotten = [turn.plan for turn in chain[: ids.index(restated) + 1]] if restated in ids else []
        terms = standing_terms(self._preferences.terms_in_force, forgotten)
        # Where the user gave a seed, another answer takes the next one, or it would be the same.
        seed = self.sampling.seed
        sampling = self.sampling if seed is None else replace(self.sampling, seed=seed + again)
        return Asker(self.engine, sampling, self._preferences, terms)

    # Moving through the turns.

    def undo(self) -> Turn:
        """Take the last turn back and give it. One that stood in another's place gives it back.

        Raises:
            UsageError: there is none.
        """
        last = self._branch.last
        if last is None:
            raise UsageError(_("There is no turn to drop."))
        self._move(self._branch.without_last())
        return last

    def redo(self) -> Turn:
        """Bring back the turn that was undone last, and give it.

        Raises:
            UsageError: there is none, or another turn followed since.
        """
        if not self._branch.undone:
            raise UsageError(_("There is nothing to bring back: nothing was undone since the last turn."))
        self._move(self._branch.with_undone())
        return self.turns[-1]

    def clear(self) -> None:
        """Begin anew without any turn; preferences stay."""
        self._left_out = Position()
        self._move(Branch())

    # Other versions of the draft.

    def alternatives(self, count: int) -> AlternativesStream:
        """Begin to look for at most ``count`` other versions of the draft: ``result()`` waits for them, ``cancel()``
        makes do with what there is.

        Raises:
            UsageError: there is no draft, or a number below 1.
        """
        draft = self._branch.draft
        if draft is None:
            raise no_draft()
        return self._asker(self.turns).alternatives(draft, count)

    def choose(self, alternative: Translation) -> Turn:
        """Take another version for the draft; it stands in the place of the turn that made it.

        Where other turns have followed that, it is a turn of its own.

        Raises:
            UsageError: there is no draft.
        """
        turn = draft_turn(self.turns)
        if turn is None:
            raise no_draft()
        text, own = alternative.text, turn is self._branch.last
        plan = replace(turn.plan, varied=True)
        if not own or plan.kind is Kind.EDIT:
            plan = Plan(Kind.EDIT, text, text, None, alternative.target, alternative.source)
        plan = replace(plan, replaces=own, replaced=turn.id if own else "")
        before = self._branch.before(plan)
        chosen = Turn(plan, text, alternative.conversation, alternative, False, alternative.truncated > 0, 0.0, 0.0, 0)
        self._recorder.begun(chosen.id, before[-1].id if before else None, plan)
        self._recorder.finished(chosen)
        self._move(self._branch.grown(chosen))
        return chosen

    # What the model sees.

    @property
    def _view(self) -> View:
        return View(self._preferences.system, self._left_out)

    @property
    def context(self) -> Conversation:
        """What the next turn of this mode continues: the whole conversation, or the draft's."""
        if self._preferences.target is None:
            return self._view.chat(self.turns)
        draft = self._view.draft(self.turns)
        return draft_conversation(draft) if draft is not None else Conversation()

    def context_tokens(self) -> int:
        """Tokens in :attr:`context`, counted once for each, and anew for another model."""
        context = self.context
        if not len(context):
            return 0
        info, counted = self.engine.info, self._counted
        if counted is None or counted[0] is not info or counted[1] != context:
            counted = self._counted = (info, context, self.engine.count_tokens(context))
        return counted[2]

    def room(self, plan: Plan) -> Room:
        """Whether a turn fits the context, counted in what would be sent. Waits for the model.

        Raises:
            BaylingError: the model cannot be used, or the turn cannot be asked for.
        """
        before = self._branch.before(plan)
        return room_for(plan, before, self._view, self._asker(before))

    def leave_out(self, count: int, plan: Plan | None = None) -> None:
        """The model does not see the oldest ``count`` of the turns that it saw any longer; they stay in :attr:`turns`.

        One more than there are leaves out the summary of earlier ones, too. Where ``plan`` (without it, the next line)
        is about the draft, it is the versions between the request and the draft that go.
        """
        turns = self.turns if plan is None else self._branch.before(plan)
        of_draft = self._preferences.target is not None if plan is None else plan.kind.continues_draft
        if of_draft:
            turn = draft_turn(turns)
            self._see(replace(self._left_out, restated=turn.id if turn is not None else None))
            return
        seen, summary = self._view.seen(turns), self._view.summary(turns)
        if count < 1 or not turns:
            return
        last = turns[len(turns) - len(seen) + min(count, len(seen)) - 1]
        self._see(replace(self._left_out, seen_after=last.id, summary=summary if count <= len(seen) else ""))

    def summarise(self, count: int) -> SummaryRun:
        """Have the oldest ``count`` of the turns that the model sees in chat mode summed up, with the summary of
        earlier ones, if there is one.

        Raises:
            UsageError: there are no such turns.
        """
        seen = self._view.seen(self.turns)[: max(count, 0)]
        if not seen:
            raise UsageError(_("There are no older turns to sum up."))

        def keep(summary: str) -> None:
            self._see(replace(self._left_out, seen_after=seen[-1].id, summary=summary))

        return SummaryRun(self.engine, seen, self._view, self._view.summary(self.turns), keep)

    def _see(self, position: Position) -> None:
        self._left_out = position
        self._recorder.moved(self.position)
