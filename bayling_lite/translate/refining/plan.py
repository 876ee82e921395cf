"""What a refinement asks for: a whole draft in one conversation, or some of its segments each in its own."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

from bayling_lite.engine.base import Engine, GenerationRequest
from bayling_lite.messages import Conversation
from bayling_lite.translate.asking.budget import TokenBudget
from bayling_lite.translate.asking.steps import Reply
from bayling_lite.translate.formats import plain
from bayling_lite.translate.glossary import Term, occurs
from bayling_lite.translate.job.fitting import follows_context
from bayling_lite.translate.refining.corrections import asks_for_one_word, correction
from bayling_lite.translate.refining.quotes import corrected, mentioned
from bayling_lite.translate.refining.routing import Routes, route
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
    if len(draft.segments) == 1:
        return _whole(draft, instruction, words, can_search)
    translated = [position for position, old in enumerate(draft.segments) if old.status != "kept"]
    if words and not translated:
        translated = list(range(len(draft.segments)))
    quoted = mentioned(draft, instruction, words)
    chosen = [position for position in translated if position in quoted]
    asked = chosen or translated
    if len(asked) == 1 or (chosen and len(words) == 1):
        return _some_segments(draft, instruction, words, dict.fromkeys(asked, words), can_search)
    each = _some_segments(draft, instruction, words, dict.fromkeys(asked, ()), can_search)
    fits = not chosen and _fits_as_a_whole(draft, instruction, engine)
    unrouted = _whole(draft, instruction, words, can_search) if fits else each
    alone = not chosen and asks_for_one_word(instruction, words)
    if not words or not engine.info.can_search or (fits and not alone):
        return unrouted

    def routing() -> Routing:
        routes = yield from route(draft.segments, asked, words)
        if routes is None:
            return unrouted
        # What says more than the word is meant for all of them.
        others: Routes = {} if alone else dict.fromkeys(asked, ())
        return _some_segments(draft, instruction, words, {**others, **routes}, can_search)

    return replace(each, routing=routing)


def _whole(draft: Translation, instruction: str, words: tuple[str, ...], can_search: bool) -> DraftPlan:
    """One conversation: the request, the draft, the instruction."""
    document = draft.document if len(draft.segments) == 1 else plain.uncut(draft.source_text)
    text = document.segments[0].text
    conversation = draft.conversation.user(instruction)
    fallback = draft.segments[0].text if len(draft.segments) == 1 else draft.text.strip()
    near = _near(fallback, instruction, words, can_search)
    bound = binding(draft.terms, text, conversation, words)
    there = tuple(dict.fromkeys((*words, *words_of(bound))))
    put_right = correction(draft.conversation, instruction, words, draft.target) if can_search else None
    task = Task(
        Segment(text, text, ""),
        conversation,
        fallback,
        must_fit=True,
        words=there,
        near=near,
        correction=put_right,
        likely=can_search and not words and _has(fallback, there),
    )

    def finish(refined: str, segments: tuple[TranslatedSegment, ...]) -> Translation:
        turn = segments[0].conversation if segments else draft.conversation
        return _refined(draft, refined, turn, segments, document, words, [bound])

    return DraftPlan(document, (task,), finish)


def _some_segments(
    draft: Translation, instruction: str, words: tuple[str, ...], asked: Routes, can_search: bool
) -> DraftPlan:
    """Each segment that is asked for in its own conversation, with the words that belong there; the others as they are.

    ``words`` are all that are required of the draft.
    """

    def task(segment: Segment, old: TranslatedSegment, there: tuple[str, ...]) -> Task:
        conversation, near = old.conversation.user(instruction), _near(old.text, instruction, there, can_search)
        required = tuple(dict.fromkeys((*there, *words_of(binding(draft.terms, old.source, conversation, words)))))
        put_right = correction(old.conversation, instruction, there, draft.target) if can_search else None
        return Task(
            segment,
            conversation,
            old.text,
            must_fit=True,
            words=required,
            near=near,
            correction=put_right,
            likely=can_search and not there and _has(old.text, required),
        )

    tasks = tuple(
        task(segment, old, asked[position])
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
        return _refined(draft, refined, conversation, segments, draft.document, words, bound)

    return DraftPlan(draft.document, tasks, finish)


def _refined(
    draft: Translation,
    text: str,
    conversation: Conversation,
    segments: tuple[TranslatedSegment, ...],
    document: plain.PlainText,
    words: tuple[str, ...],
    bound: Sequence[tuple[Term, ...]],
) -> Translation:
    """A draft with another text, and with what that lacks of the required words and of the terms of its segments."""
    return replace(
        draft,
        text=text,
        conversation=conversation,
        segments=segments,
        document=document,
        required=words,
        unchanged=False,
        missing_terms=lacking(zip(segments, bound, strict=False)),
        missing_words=tuple(word for word in words if not occurs(word, text)),
    )


def _has(text: str, words: Sequence[str]) -> bool:
    """Whether there are words, and they are all in a text."""
    return bool(words) and all(occurs(word, text) for word in words)


def _fits_as_a_whole(draft: Translation, instruction: str, engine: Engine) -> bool:
    """Whether a draft is one line, the model heeds more than a sentence, and this and an answer as long fit the
    context.
    """
    if len(draft.source_text.strip().splitlines()) > 1 or not follows_context(engine.info):
        return False
    answer = TokenBudget(engine).tokens(draft.text.strip())
    return engine.count_tokens(draft.conversation.user(instruction)) + answer < engine.info.n_ctx


def _near(draft: str, instruction: str, words: tuple[str, ...], can_search: bool) -> str:
    """What a refinement with required words should be near to; empty where it is not searched for."""
    return corrected(draft, instruction, words) if words and can_search else ""
