"""The state of a chat and what a line does to it, without any terminal.

Two modes share one list of turns. In **chat** mode a line continues the whole conversation, translations included, so
that one can ask about them. In **translation** mode a line is a new text, translated by itself, or feedback, which
continues the conversation of the last draft (:mod:`~bayling_lite.chat.reading.feedback` decides). Nothing is ever
dropped to make room: what does not fit raises :class:`~bayling_lite.errors.ContextOverflow` and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bayling_lite.chat.reading.feedback import Reading, Rule, forced_feedback, read_line
from bayling_lite.chat.reading.instructions import Draft
from bayling_lite.chat.session.turns import Answer, Kind, Plan, RunningTurn, Turn
from bayling_lite.engine.base import Completion, Engine, GenerationRequest, SamplingParams
from bayling_lite.errors import EngineError, UsageError
from bayling_lite.languages import Language
from bayling_lite.messages import Conversation
from bayling_lite.translate import Translation, TranslationStream, Translator

_Keep = Callable[[Turn], None]

# The paper samples its chat answers at 0.7 (arXiv 2306.10968); translations take the likeliest word.
CHAT_SAMPLING = SamplingParams(temperature=0.7)


class Session:
    """A chat with one engine.

    Args:
        engine: what answers. It is not asked for anything before the first turn.
        target: the language to translate into; None for chat mode.
        source: the language to translate from; None to detect it from each text.
        system: the system prompt of chat turns; None for the model's own. Translations keep the model's own, the one
            they were trained under.
        sampling: how chat answers, and other versions of a translation, are chosen.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        target: Language | None = None,
        source: Language | None = None,
        system: str | None = None,
        sampling: SamplingParams = CHAT_SAMPLING,
    ) -> None:
        self.engine = engine
        self.target = target
        self.source = source
        self.system = system
        self.sampling = sampling
        self._turns: list[Turn] = []
        self._counted: tuple[Conversation, int] | None = None

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns so far, oldest first."""
        return tuple(self._turns)

    @property
    def draft(self) -> Translation | None:
        """The last translation, refinements included."""
        return _last_draft(self._turns)

    # What a line does.

    def plan(self, line: str) -> Plan:
        """What a plain line will do. Changes nothing."""
        if self.target is None:
            return Plan(Kind.CHAT, line, line)
        draft = self.draft
        # A draft in another language than the one asked for now is not what the next line is about.
        against = self._readable(draft) if draft is not None and draft.target == self.target else None
        reading = read_line(line, against)
        return self._plan_refinement(line, reading) if reading.feedback else self._plan_translation(line, reading.rule)

    def plan_new(self, text: str = "") -> Plan:
        """Translate a text, whatever it looks like; without one, the last line that was taken for feedback.

        Raises:
            UsageError: no target language, or no such line.
        """
        if self.target is None:
            raise UsageError("There is no language to translate into yet: /to LANG sets it, for example /to zh.")
        if text:
            return self._plan_translation(text, Rule.FORCED)
        last = self._turns[-1] if self._turns else None
        if last is None or last.plan.kind is not Kind.REFINEMENT:
            raise UsageError("/new needs a text, unless the last line was taken for feedback.")
        return replace(self._plan_translation(last.plan.typed, Rule.FORCED), replaces=True)

    def plan_refinement(self, text: str = "") -> Plan:
        """Take a line for feedback, whatever it looks like; without one, the last line that was taken for a text.

        Raises:
            UsageError: no draft, or no such line.
        """
        last = self._turns[-1] if self._turns else None
        before = _last_draft(self._turns if text else self._turns[:-1])
        if before is None:
            raise UsageError("There is no draft to refine yet: translate something first.")
        if text:
            return self._plan_refinement(text, forced_feedback(text, self._readable(before)))
        if last is None or last.plan.kind is not Kind.TRANSLATION:
            raise UsageError("/refine needs a text, unless the last line was taken for a new text.")
        reading = forced_feedback(last.plan.typed, self._readable(before))
        return replace(self._plan_refinement(last.plan.typed, reading), replaces=True)

    def plan_again(self) -> Plan:
        """Answer the last turn again, differently.

        Raises:
            UsageError: there is no turn.
        """
        if not self._turns:
            raise UsageError("There is no answer to make again yet.")
        return replace(self._turns[-1].plan, replaces=True, varied=True)

    def start(self, plan: Plan) -> RunningTurn:
        """Ask the model. The turn joins the session when it is finished.

        Raises:
            BaylingError: the model cannot be used, or the text does not fit its context; the latter may come only where
                the pieces are read.
        """
        before = self._turns[:-1] if plan.replaces else list(self._turns)

        def keep(turn: Turn) -> None:
            self._turns = [*before, turn]

        if plan.kind is Kind.CHAT:
            return self._answer(plan, self._conversation(before).user(plan.sent), keep)
        stream = self._translate(plan, _last_draft(before))

        def collect() -> Answer:
            translation = stream.result()
            # What refines this draft later takes the likeliest words again, however this one was chosen.
            draft = replace(translation, translator=Translator(self.engine))
            return Answer(draft.text, draft.conversation, draft, truncated=draft.truncated > 0)

        return RunningTurn(plan, stream, collect, self.engine.count_tokens, keep)

    def undo(self) -> Turn | None:
        """Drop the last turn and give it; None when there is none."""
        return self._turns.pop() if self._turns else None

    def clear(self) -> None:
        """Drop all turns; modes and system prompt stay."""
        self._turns.clear()

    # What the model sees.

    @property
    def context(self) -> Conversation:
        """What the next turn of this mode continues: the whole conversation, or the draft's."""
        if self.target is None:
            return self._conversation(self._turns)
        draft = self.draft
        if draft is None:
            return Conversation()
        # A text of several sentences is refined sentence by sentence: the longest is what must fit.
        own = [segment.conversation for segment in draft.segments] if len(draft.segments) > 1 else []
        return max(own, key=lambda turns: sum(len(turn.content) for turn in turns), default=draft.conversation)

    def context_tokens(self) -> int:
        """Tokens in :attr:`context`, counted once for each."""
        context = self.context
        if self._counted is None or self._counted[0] != context:
            self._counted = (context, self.engine.count_tokens(context) if len(context) else 0)
        return self._counted[1]

    def _conversation(self, turns: list[Turn]) -> Conversation:
        conversation = Conversation().with_system(self.system)
        for turn in turns:
            conversation = conversation.user(turn.request).assistant(turn.answer)
        return conversation

    # Details.

    def _readable(self, draft: Translation) -> Draft:
        # A text without a word ("42") has no source language; then no script tells text and translation apart.
        source = draft.source or draft.target
        return Draft(draft.text, draft.source_text, source, draft.target, source_fixed=self.source is not None)

    def _plan_translation(self, text: str, rule: Rule) -> Plan:
        return Plan(Kind.TRANSLATION, text, text, rule, self.target, self.source)

    def _plan_refinement(self, line: str, reading: Reading) -> Plan:
        draft = self.draft
        target = draft.target if draft is not None else self.target
        sent, rule, required = reading.instruction, reading.rule, reading.required
        return Plan(Kind.REFINEMENT, line, sent, rule, target, self.source, required=required)

    def _translate(self, plan: Plan, draft: Translation | None) -> TranslationStream:
        translator = Translator(self.engine, sampling=self.sampling) if plan.varied else Translator(self.engine)
        if plan.kind is Kind.REFINEMENT:
            if draft is None:
                raise UsageError("There is no draft to refine yet: translate something first.")
            return replace(draft, translator=translator).stream_refine(plan.sent, required=plan.required)
        if plan.target is None:
            raise UsageError("There is no language to translate into yet: /to LANG sets it, for example /to zh.")
        return translator.stream(plan.sent, plan.target, plan.source)

    def _answer(self, plan: Plan, conversation: Conversation, keep: _Keep) -> RunningTurn:
        generation = self.engine.submit(GenerationRequest(conversation, self.sampling))

        def collect() -> Answer:
            completion = generation.result()
            _check_answered(completion)
            truncated = completion.finish_reason == "length"
            return Answer(completion.text, conversation.assistant(completion.text), truncated=truncated)

        return RunningTurn(plan, generation, collect, self.engine.count_tokens, keep)


def _check_answered(completion: Completion) -> None:
    """Refuse a thought without an answer; one that the user stopped is no failure.

    Raises:
        EngineError: the model thought, and said nothing.
    """
    if completion.text.strip() or not completion.reasoning or completion.finish_reason == "cancelled":
        return
    if completion.finish_reason == "length":
        raise EngineError(
            "The model thought until its room was used up, and gave no answer. Open it with a larger context (--ctx), "
            "or use a model or template without thinking."
        )
    raise EngineError("The model thought, but gave no answer. Ask again, or use a model or template without thinking.")


def _last_draft(turns: list[Turn]) -> Translation | None:
    return next((turn.draft for turn in reversed(turns) if turn.draft is not None), None)
