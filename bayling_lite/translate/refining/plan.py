"""What a refinement asks for: a whole draft in one conversation, or some of its segments each in its own."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

from bayling_lite.engine.base import Engine, GenerationRequest
from bayling_lite.messages import Conversation
from bayling_lite.prompts import used_word
from bayling_lite.translate.asking.budget import TokenBudget
from bayling_lite.translate.asking.steps import Reply
from bayling_lite.translate.formats import plain
from bayling_lite.translate.glossary import Term, occurs
from bayling_lite.translate.job.fitting import follows_context
from bayling_lite.translate.refining.corrections import Correction, asks_for_one_word, correction
from bayling_lite.translate.refining.quotes import corrected, mentioned
from bayling_lite.translate.refining.routing import Routes, Spans, route
from bayling_lite.translate.refining.standing import Standing, kept_spans, standing
from bayling_lite.translate.refining.terms import binding, lacking, words_of
from bayling_lite.translate.results import TranslatedSegment, Translation
from bayling_lite.translate.segments import Segment
from bayling_lite.translate.tasks import Task

Finish = Callable[[str, tuple[TranslatedSegment, ...]], Translation]


@dataclass(frozen=True, slots=True)
class DraftPlan:
    """The layout of the new draft, what is to become of each of its segments, and how the whole is put together.

    Where the model has a say in which segments that is, ``routing`` are the steps that come to the plan proper; until
    then, this is what may be asked.
    """

    document: plain.PlainText
    tasks: tuple[Task, ...]
    finish: Finish
    routing: Callable[[], Routing] | None = None


Routing = Generator[Sequence[GenerationRequest], list[Reply], DraftPlan]


def plan_refinement(
    draft: Translation,
    instruction: str,
    words: tuple[str, ...],
    *,
    terms: tuple[Term, ...],
    engine: Engine,
    can_search: bool,
) -> DraftPlan:
    """How a draft is changed; :meth:`Translation.stream_refine` tells the rules."""
    draft = replace(draft, terms=terms)
    stand = standing(draft.wanted, draft.text, instruction, words, draft.conversation)
    wanted = _Wanted(instruction, words, stand, can_search)
    if len(draft.segments) == 1:
        return _whole(draft, wanted)
    translated = [position for position, old in enumerate(draft.segments) if old.status != "kept"]
    if words and not translated:
        translated = list(range(len(draft.segments)))
    quoted = mentioned(draft, instruction, words)
    chosen = [position for position in translated if position in quoted]
    asked = chosen or translated
    if len(asked) == 1 or (chosen and len(words) == 1):
        return _some_segments(draft, wanted, dict.fromkeys(asked, words))
    each = _some_segments(draft, wanted, dict.fromkeys(asked, ()))
    fits = not chosen and _fits_as_a_whole(draft, instruction, engine)
    unrouted = _whole(draft, wanted) if fits else each
    alone = not chosen and asks_for_one_word(instruction, words)
    if not words or not engine.info.can_search or (fits and not alone):
        return unrouted

    def routing() -> Routing:
        routes = yield from route(draft.segments, asked, words, lambda old: wanted.kept(draft, old))
        if routes is None:
            return unrouted
        # What says more than the word is meant for all of them.
        others: Routes = {} if alone else dict.fromkeys(asked, ())
        return _some_segments(draft, wanted, {**others, **routes})

    return replace(each, routing=routing)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is wanted of a draft: the instruction, the words that it requires, and those that stand through it."""

    instruction: str
    words: tuple[str, ...]
    standing: Standing
    can_search: bool

    def near(self, text: str, words: tuple[str, ...]) -> str:
        """What a refinement with required words should be near to; empty where it is not searched for."""
        return corrected(text, self.instruction, words) if words and self.can_search else ""

    def likely(self, text: str, words: tuple[str, ...], required: tuple[str, ...]) -> bool:
        """Whether the answer may have all that is required unasked: the draft has it, and there are no new words."""
        return self.can_search and not words and bool(required) and all(occurs(word, text) for word in required)

    def is_met(self, old: TranslatedSegment, words: tuple[str, ...], required: tuple[str, ...]) -> bool:
        """Whether nothing is asked for but a word that a segment has: another answer could only lose something."""
        alone = self.can_search and words == (used_word(self.instruction),)
        return alone and old.status in ("ok", "kept") and all(occurs(word, old.text) for word in required)

    def correction(self, draft: Translation, old: TranslatedSegment, words: tuple[str, ...]) -> Correction | None:
        """How a segment of the draft is corrected; None where that is not all that is wanted."""
        if not self.can_search:
            return None
        as_said = replace(old, text=old.conversation.messages[-1].content)
        return correction(old.conversation, self.instruction, words, draft.target, self.kept(draft, as_said))

    def kept(self, draft: Translation, old: TranslatedSegment) -> Spans:
        """What of a segment is no place for the required words: those that stand, and its terms."""
        if not draft.terms and not self.standing.firm:
            return ()
        bound = binding(draft.terms, old.source, old.conversation.user(self.instruction), self.words)
        return kept_spans(self.standing.there(old.text), words_of(bound), self.words, old.text)


def _whole(draft: Translation, wanted: _Wanted) -> DraftPlan:
    """One conversation: the request, the draft, the instruction."""
    alone = draft.segments[0] if len(draft.segments) == 1 else None
    document = draft.document if alone else plain.uncut(draft.source_text)
    text = document.segments[0].text
    said, status = (alone.text, alone.status) if alone else (draft.text.strip(), "ok")
    old = TranslatedSegment(text, said, status, draft.conversation)
    task = _task(draft, wanted, Segment(text, text, ""), old, wanted.words)
    bound = binding(draft.terms, text, draft.conversation.user(wanted.instruction), wanted.words)

    def finish(refined: str, segments: tuple[TranslatedSegment, ...]) -> Translation:
        turn = segments[0].conversation if segments else draft.conversation
        return _refined(replace(draft, document=document), wanted, refined, turn, segments, [bound])

    return DraftPlan(document, (task,), finish)


def _some_segments(draft: Translation, wanted: _Wanted, asked: Routes) -> DraftPlan:
    """Each segment that is asked for in its own conversation, with the words that belong there; the others stay."""
    instruction, words = wanted.instruction, wanted.words
    tasks = tuple(
        _task(draft, wanted, segment, old, asked[position])
        if position in asked
        else Task(segment, old.conversation, old.text, old.status)
        for position, (segment, old) in enumerate(zip(draft.document.segments, draft.segments, strict=False))
    )
    bound = [
        binding(draft.terms, task.segment.text, task.conversation, words if position in asked else ())
        for position, task in enumerate(tasks)
    ]

    def finish(refined: str, segments: tuple[TranslatedSegment, ...]) -> Translation:
        conversation = draft.conversation.user(instruction).assistant(refined.strip())
        return _refined(draft, wanted, refined, conversation, segments, bound)

    return DraftPlan(draft.document, tasks, finish)


def _task(
    draft: Translation, wanted: _Wanted, segment: Segment, old: TranslatedSegment, words: tuple[str, ...]
) -> Task:
    """What is asked for a segment, whose new text is to have these of the words."""
    conversation = old.conversation.user(wanted.instruction)
    bound = binding(draft.terms, old.source, conversation, wanted.words)
    required = tuple(dict.fromkeys((*words, *words_of(bound))))
    if wanted.is_met(old, words, required):
        return Task(segment, conversation.assistant(old.text), old.text, old.status)
    held = wanted.standing.there(old.text)
    return Task(
        segment,
        conversation,
        old.text,
        must_fit=True,
        words=required,
        near=wanted.near(old.text, words),
        correction=wanted.correction(draft, old, words),
        likely=wanted.likely(old.text, words, (*required, *held)),
        held=held,
    )


def _refined(
    draft: Translation,
    wanted: _Wanted,
    text: str,
    conversation: Conversation,
    segments: tuple[TranslatedSegment, ...],
    bound: Sequence[tuple[Term, ...]],
) -> Translation:
    """A draft with another text, and with what that lacks of the words that are wanted, and of its segments' terms."""
    new = replace(
        draft,
        text=text,
        conversation=conversation,
        segments=segments,
        required=wanted.words,
        standing=wanted.standing.after(text),
        unchanged=False,
        missing_terms=lacking(zip(segments, bound, strict=False)),
    )
    return replace(new, missing_words=new.lacking(text))


def _fits_as_a_whole(draft: Translation, instruction: str, engine: Engine) -> bool:
    """Whether a draft is one line, the model heeds more than a sentence, and this and an answer as long fit the
    context.
    """
    if len(draft.source_text.strip().splitlines()) > 1 or not follows_context(engine.info):
        return False
    answer = TokenBudget(engine).tokens(draft.text.strip())
    return engine.count_tokens(draft.conversation.user(instruction)) + answer < engine.info.n_ctx
