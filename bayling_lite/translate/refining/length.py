"""Saying the same in less, or in more: of several texts, the best that is really shorter or longer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bayling_lite.errors import ContextOverflow
from bayling_lite.messages import Conversation
from bayling_lite.prompts import longer_instruction, shorter_instruction
from bayling_lite.translate.asking.steps import Reply, Steps
from bayling_lite.translate.formats.plain import on_one_line
from bayling_lite.translate.formats.subtitles.line_breaks import columns
from bayling_lite.translate.glossary import occurs
from bayling_lite.translate.refining.means import Means, Wanted, logprobs
from bayling_lite.translate.refining.plan import DraftPlan
from bayling_lite.translate.refining.terms import missing_terms
from bayling_lite.translate.refining.weighing import Weight, weigh
from bayling_lite.translate.results import TranslatedSegment, Translation
from bayling_lite.translate.segments import Segment
from bayling_lite.translate.tasks import Task

# What nobody sees is no change of length: this share of the text, and so many columns.
_CLEARLY, _COLUMNS = 0.08, 2
# A draft that is half as long, or so much longer, has lost something, or has something that the source has not.
_SHORTEST, _LONGEST = 0.5, 1.6
# Hypotheses of a search, and those of them that are weighed at most; for a demonstrator, which follows instructions
# badly and is soon done, more of both.
_BEAMS, _BEAMS_WIDE = 8, 24
_WEIGHED, _WEIGHED_WIDE = 4, 10
# How much less likely than the draft a text may be, and how much less of the source may be found in it, in nats: of
# the whole, and per token, of which the greater counts. A word that is missing costs more. What is gained on the one
# side may be lost on the other. Tried on 132 sentences with bayling-tiny.
_THERE, _THERE_PER_TOKEN = 3.0, 0.25
_BACK, _BACK_PER_TOKEN = 1.0, 0.1
# Below this, per token of the source, a text is no translation of it at all.
_LEAST_BACK = -2.2
# What the source in the text is worth beside the text itself; a draft that is all wrong would make it count too much.
_WORTH, _MOST_GAINED = 0.7, 6.0


def plan_resized(draft: Translation, *, longer: bool, means: Means) -> DraftPlan:
    """Each segment asked for in its own conversation; it stays where no good one is found."""
    instruction = (longer_instruction if longer else shorter_instruction)(wording=means.wording)
    # What the draft lacks was said when it came to lack it.
    required, standing = (
        tuple(word for word in words if occurs(word, draft.text)) for words in (draft.required, draft.standing)
    )
    draft = replace(draft, required=required, standing=standing)

    def task(segment: Segment, old: TranslatedSegment) -> Task:
        if old.status in ("kept", "failed"):
            return Task(segment, old.conversation, old.text, old.status)
        conversation = old.conversation.user(instruction)
        return Task(
            segment,
            conversation,
            old.text,
            must_fit=True,
            steps=lambda: _resized(draft, old, conversation, means, longer=longer),
            before=old,
        )

    tasks = tuple(task(*pair) for pair in zip(draft.document.segments, draft.segments, strict=False))

    def finish(text: str, segments: tuple[TranslatedSegment, ...]) -> Translation:
        unchanged = segments == draft.segments
        if unchanged:
            conversation = draft.conversation
        elif len(tasks) == 1 and segments:
            conversation = segments[0].conversation
        else:
            conversation = draft.conversation.user(instruction).assistant(text.strip())
        return replace(
            draft,
            text=text,
            conversation=conversation,
            segments=segments,
            unchanged=unchanged,
            missing_terms=missing_terms(segments, draft.terms),
            missing_words=draft.lacking(text),
        )

    return DraftPlan(draft.document, tasks, finish)


def _resized(
    draft: Translation, old: TranslatedSegment, conversation: Conversation, means: Means, *, longer: bool
) -> Steps[str | None]:
    """A shorter (longer) text of a segment, or None.

    The model is asked as the user says it; where that gives nothing, it is asked for the draft once more: among other
    translations some are shorter, and some longer. A demonstrator, which hardly knows what is meant, is asked both.
    """
    wanted, before = Wanted.of(draft, old), Conversation(old.conversation.messages[:-1])
    beam_size, most = (_BEAMS_WIDE, _WEIGHED_WIDE) if means.wide else (_BEAMS, _WEIGHED)
    rounds = ((conversation, before),) if means.wide else ((conversation,), (before,))
    for asked in rounds if means.can_search else ():
        replies = yield [means.request(one, old, wanted.words, beam_size) for one in asked]
        if asked[0] is conversation and isinstance(replies[0], Exception):
            if isinstance(replies[0], ContextOverflow):
                raise replies[0]
            break  # it thinks first, or cannot be made to write the words
        texts = [text for reply in replies for text in _fitting(reply, wanted, longer=longer)[:most]]
        known = logprobs(replies[-1]) if asked[-1] is before else {}
        best = yield from _best(list(dict.fromkeys(texts)), wanted, before, means, known)
        if best is not None or asked[-1] is before:
            return best
    (reply,) = yield [means.request(conversation, old, ())]
    if isinstance(reply, ContextOverflow):
        raise reply
    return next(iter(_fitting(reply, wanted, longer=longer)), None)


def _fitting(reply: Reply, wanted: Wanted, *, longer: bool) -> list[str]:
    """The texts of a reply that are shorter (longer) than the old one, the likeliest first."""
    texts = [on_one_line(one.text) for one in wanted.found(reply)]
    return [text for text in texts if resized(text, wanted.old.text, longer=longer)]


def _best(
    texts: Sequence[str], wanted: Wanted, asked: Conversation, means: Means, known: Mapping[str, float]
) -> Steps[str | None]:
    """Of some texts the one that says best what the source says, or None where they all say less than the draft."""
    old, source = wanted.old, wanted.draft.source
    if not texts or source is None:
        return next(iter(texts), None)
    first, *others = yield from weigh([old.text, *texts], asked, old.source, source, means, known)
    good = [one for one in others if _stands(one, first, means, old)]
    return max(good, key=lambda one: _value(one, first)).text if good else None


def _value(weight: Weight, first: Weight) -> float:
    """How good a text is beside the draft, in nats; the draft itself has 0."""
    gained = min(weight.back - first.back, _MOST_GAINED)
    return weight.there - first.there + _WORTH * gained


def _stands(weight: Weight, first: Weight, means: Means, old: TranslatedSegment) -> bool:
    """Whether a text says what the draft says, as far as the model can tell."""
    n_there, n_back = means.budget.tokens(old.text), means.budget.tokens(old.source)
    if weight.there == float("-inf") or weight.back < max(
        _LEAST_BACK * n_back, first.back - max(_BACK, _BACK_PER_TOKEN * n_back)
    ):
        return False
    return max(_value(weight, first), weight.there - first.there) >= -max(_THERE, _THERE_PER_TOKEN * n_there)


def resized(text: str, before: str, *, longer: bool) -> bool:
    """Whether a text is clearly shorter (longer) than another, in columns, and not so much that it cannot say the
    same.
    """
    width, old = columns(text), columns(before)
    change = width - old if longer else old - width
    return change >= max(_COLUMNS, _CLEARLY * old) and _SHORTEST * old <= width <= _LONGEST * old
