"""From a plan to the stream that answers it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bayling_lite.chat.session.drafts import edited, with_the_rest
from bayling_lite.chat.session.planning import no_target
from bayling_lite.chat.session.preferences import Preferences
from bayling_lite.chat.session.turns import Answer, AnswerStream, Kind, Plan
from bayling_lite.engine.base import Completion, Engine, GenerationRequest, SamplingParams
from bayling_lite.errors import EngineError, UsageError
from bayling_lite.localization import _
from bayling_lite.messages import Conversation

if TYPE_CHECKING:
    from bayling_lite.translate import Translation, TranslationStream, Translator
    from bayling_lite.translate.alternatives import AlternativesStream
    from bayling_lite.translate.glossary import Term


@dataclass(frozen=True, slots=True)
class Arriving:
    """An answer on its way: its pieces, and what gives the whole once they have ended."""

    pieces: AnswerStream
    collect: Callable[[], Answer]


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks the engine. ``sampling`` chooses chat answers and other versions; translations take the likeliest words.

    ``terms`` are those of the ``preferences`` that apply.
    """

    engine: Engine
    sampling: SamplingParams
    preferences: Preferences
    terms: tuple[Term, ...]

    def chat(self, conversation: Conversation) -> Arriving:
        """The answer to the conversation's last turn."""
        generation = self.engine.submit(GenerationRequest(conversation, self.sampling))

        def collect() -> Answer:
            completion = generation.result()
            _check_answered(completion)
            truncated = completion.finish_reason == "length"
            return Answer(completion.text, conversation.assistant(completion.text), truncated=truncated)

        return Arriving(generation, collect)

    def translation(self, plan: Plan) -> Arriving:
        """A text in the plan's language.

        Raises:
            UsageError: there is no such language, or what is said before the text leaves no room for it.
        """
        if plan.target is None:
            raise no_target()
        translator = self._translator(plan)
        stream = translator.stream(plan.sent, plan.target, plan.source, terms=self.terms)
        if translator.steering.heeded_preface(self.engine.info, translator.wording):
            self._check_room(stream)
        return self._draft(stream)

    def refinement(self, plan: Plan, draft: Translation) -> Arriving:
        """The draft as the plan says."""
        return self._draft(self._refining(plan, draft), draft)

    def edit(self, plan: Plan, draft: Translation) -> Arriving:
        """The user's own words as the draft."""
        new = edited(replace(draft, terms=self.terms), plan.sent)
        return Arriving(_AtOnce(plan.sent), lambda: Answer(new.text, new.conversation, new))

    def back(self, draft: Translation) -> Arriving:
        """The draft in the language of its text; that is no draft."""
        stream = replace(draft, translator=self._translator(None)).back()

        def collect() -> Answer:
            translation = stream.result()
            return Answer(translation.text, translation.conversation, truncated=translation.truncated > 0)

        return Arriving(stream, collect)

    def explanation(self, plan: Plan, draft: Translation) -> Arriving:
        """The answer to a question about the draft, in its own conversation."""
        return self.chat(draft.conversation.user(plan.sent))

    def alternatives(self, draft: Translation, count: int) -> AlternativesStream:
        """Other versions of the draft."""
        return replace(draft, translator=self._translator(None), terms=self.terms).alternatives(count)

    def requests(self, plan: Plan, draft: Translation, answer: int) -> list[tuple[Conversation, int]]:
        """The conversations that a turn about the draft would send, each with the tokens to keep for its answer:
        ``answer`` for an explanation, as many as the draft for a new version of it.
        """
        if plan.kind is Kind.EXPLANATION:
            return [(draft.conversation.user(plan.sent), answer)]
        from bayling_lite.translate.asking.budget import TokenBudget

        tokens = TokenBudget(self.engine).tokens
        return [(task.conversation, tokens(task.fallback)) for task in self._refining(plan, draft).asked]

    def _refining(self, plan: Plan, draft: Translation) -> TranslationStream:
        own = replace(draft, translator=self._translator(plan), terms=self.terms)
        if plan.length:
            return own.shorter() if plan.length == "shorter" else own.longer()
        return own.stream_refine(plan.sent, required=plan.required, terms=self.terms)

    def _check_room(self, stream: TranslationStream) -> None:
        """Refuse what is said before every sentence where it leaves too little room: the longest would fail, without a
        word of why.

        Raises:
            UsageError: the longest sentence and a translation as long do not fit beside it.
        """
        from bayling_lite.translate.asking.budget import TokenBudget

        longest = max(stream.asked, key=lambda task: len(task.fallback), default=None)
        if longest is None:
            return
        n_ctx, n_prompt = self.engine.info.n_ctx, self.engine.count_tokens(longest.conversation)
        n_text = TokenBudget(self.engine).tokens(longest.fallback)
        if n_prompt + n_text > n_ctx:
            raise UsageError(
                _(
                    "What is said before every sentence (/context, /style, /formality) takes {n_tokens} of the {n_ctx} "
                    "tokens of the context, and leaves no room for the text. Say less, end it with /context off, or "
                    "open the model with a larger context (--ctx).",
                    n_tokens=n_prompt - n_text,
                    n_ctx=n_ctx,
                )
            )

    def _translator(self, plan: Plan | None) -> Translator:
        from bayling_lite.translate import Translator

        if plan is not None and plan.varied:
            return Translator(self.engine, sampling=self.sampling, steering=self.preferences.steering)
        return Translator(self.engine, steering=self.preferences.steering)

    def _draft(self, stream: TranslationStream, before: Translation | None = None) -> Arriving:
        def collect() -> Answer:
            # What refines this draft later takes the likeliest words again, however this one was chosen.
            draft = replace(stream.result(), translator=self._translator(None))
            if before is not None:
                draft = with_the_rest(draft, before)
            return Answer(draft.text, draft.conversation, draft, truncated=draft.truncated > 0)

        return Arriving(stream, collect)


class _AtOnce:
    """A text that is there already."""

    def __init__(self, text: str) -> None:
        self._pieces = iter((text,))

    def __iter__(self) -> Iterator[str]:
        return self._pieces

    def cancel(self) -> None:
        """There is nothing to stop."""


def standing_terms(terms: tuple[Term, ...], forgotten: Sequence[Plan]) -> tuple[Term, ...]:
    """The terms without those that instructions overruled which the draft's conversation does not hold any more."""
    if not terms or not forgotten:
        return terms
    from bayling_lite.translate.refining.quotes import overrules

    def stands(term: Term) -> bool:
        said = [overrules(plan.sent, term, plan.required) for plan in forgotten if plan.kind is Kind.REFINEMENT]
        return not next((overruled for overruled in reversed(said) if overruled is not None), False)

    return tuple(filter(stands, terms))


def _check_answered(completion: Completion) -> None:
    """Refuse a thought without an answer; one that the user stopped is no failure.

    Raises:
        EngineError: the model thought, and said nothing.
    """
    if completion.text.strip() or not completion.reasoning or completion.finish_reason == "cancelled":
        return
    if completion.finish_reason == "length":
        raise EngineError(
            _(
                "The model thought until its room was used up, and gave no answer. Open it with a larger context "
                "(--ctx), or use a model or template without thinking."
            )
        )
    raise EngineError(
        _("The model thought, but gave no answer. Ask again, or use a model or template without thinking.")
    )
