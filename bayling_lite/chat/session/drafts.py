"""Drafts that are not the model's alone: written by the user, or changed in a part because the user stopped it."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING

from bayling_lite.engine.words import occurs
from bayling_lite.messages import Conversation, Message, Role

if TYPE_CHECKING:
    from bayling_lite.translate import TranslatedSegment, Translation


def edited(draft: Translation, text: str) -> Translation:
    """The draft with another text, which is the assistant's turn in its conversations.

    Where it is clear which segment became what, each has its own part, so that it can be refined by itself; else the
    whole is one segment. Of a text of which only a part was translated it is the whole as well.
    """
    from bayling_lite.translate.formats import plain
    from bayling_lite.translate.refining.terms import missing_terms
    from bayling_lite.translate.results import TranslatedSegment

    whole = _answered(draft.conversation, text.strip())
    segments, document = _parts(draft, text), draft.document
    if segments is None:
        document = plain.uncut(draft.source_text)
        segments = (TranslatedSegment(document.segments[0].text, text.strip(), "ok", whole),)
    return replace(
        draft,
        text=text,
        conversation=segments[0].conversation if len(segments) == 1 else whole,
        segments=segments,
        document=document,
        required=(),
        # What the user has taken out is not wanted any longer.
        standing=tuple(word for word in draft.wanted if occurs(word, text)),
        unchanged=False,
        missing_terms=missing_terms(segments, draft.terms),
        missing_words=(),
    )


def with_the_rest(new: Translation, before: Translation) -> Translation:
    """A draft of several sentences of which a stopped refinement has changed some, with the others as they were.

    Without a text, where it was stopped before it had changed any.
    """
    if len(before.segments) == 1 or len(new.segments) > len(before.segments) or new.document is not before.document:
        return new
    done = tuple(segment for segment in new.segments if segment.status != "cancelled")
    if len(done) == len(before.segments):
        return new
    if done == before.segments[: len(done)]:
        return replace(new, text="")
    from bayling_lite.translate.refining.terms import missing_terms

    segments = (*done, *before.segments[len(done) :])
    text = _written(before, [segment.text for segment in segments])
    return replace(
        new,
        text=text,
        conversation=_answered(new.conversation, text.strip()),
        segments=segments,
        missing_terms=missing_terms(segments, new.terms),
        missing_words=new.lacking(text),
    )


def _written(draft: Translation, texts: list[str]) -> str:
    """Other texts in the layout of the draft."""
    writer = draft.document.writer(draft.target)
    text = "".join(map(writer.end, texts))
    return text + writer.finish() if len(texts) == len(draft.document.segments) else text


def _parts(draft: Translation, text: str) -> tuple[TranslatedSegment, ...] | None:
    """The segments with their parts of the text; None where that is not clear, or would not give the text again."""
    if len(draft.segments) != len(draft.document.segments):
        return None
    if len(draft.segments) == 1:
        return _with_texts(draft, [text.strip()])
    for texts in (_cut(draft, text), _replaced(draft, text)):
        if texts is not None and all(texts) and _written(draft, texts).strip() == text.strip():
            return _with_texts(draft, texts)
    return None


def _cut(draft: Translation, text: str) -> list[str] | None:
    """The sentences of the text, where it has as many as its source."""
    from bayling_lite.translate.formats import plain

    segments = plain.cut(text).segments
    return [segment.raw for segment in segments] if len(segments) == len(draft.segments) else None


def _replaced(draft: Translation, text: str) -> list[str] | None:
    """The texts of the segments, where all that is different lies in one of them."""
    old, spans, done = draft.text, list[tuple[int, int]](), 0
    for segment in draft.segments:
        start = old.find(segment.text, done)
        if start < 0:
            return None
        done = start + len(segment.text)
        spans.append((start, done))
    same = _common(old, text)
    same_after = min(_common(old[::-1], text[::-1]), len(old) - same, len(text) - same)
    for position, (start, end) in enumerate(spans):
        if start <= same and len(old) - same_after <= end:
            texts = [segment.text for segment in draft.segments]
            texts[position] = text[start : len(text) - (len(old) - end)]
            return texts
    return None


def _common(text: str, other: str) -> int:
    """How many characters two texts begin with in common."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(text, other, strict=False)))


def _with_texts(draft: Translation, texts: list[str]) -> tuple[TranslatedSegment, ...]:
    return tuple(
        old
        if old.text == text
        else replace(old, text=text, status="ok", conversation=_answered(old.conversation, text))
        for old, text in zip(draft.segments, texts, strict=True)
    )


def _answered(conversation: Conversation, text: str) -> Conversation:
    """The conversation with another last answer."""
    return Conversation((*conversation.messages[:-1], Message(Role.ASSISTANT, text)))
