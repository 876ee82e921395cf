"""A translation made again from what was stored of it, to be refined like the original."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bayling_lite.languages import Language
from bayling_lite.messages import Conversation
from bayling_lite.translate.formats import plain
from bayling_lite.translate.glossary import Term
from bayling_lite.translate.job.fitting import sentence_limit
from bayling_lite.translate.results import Status, TranslatedSegment, Translation

if TYPE_CHECKING:
    from bayling_lite.translate.translator import Translator


def restore_translation(
    translator: Translator,
    *,
    text: str,
    source_text: str,
    source: Language | None,
    target: Language,
    conversation: Conversation,
    segments: Sequence[TranslatedSegment],
    terms: Sequence[Term] = (),
    required: Sequence[str] = (),
    missing_terms: Sequence[Term] = (),
    missing_words: Sequence[str] = (),
    unchanged: bool = False,
    standing: Sequence[str] = (),
) -> Translation:
    """The translation that had these fields. Asks the model nothing.

    Where the text is not cut into the same segments any more (another model has another context, or the rules of
    cutting are others), or was refined as a whole, it is one segment. A translation that was cancelled may have
    fewer segments than its text.
    """
    document = _document(source_text, segments, translator)
    if document is None:
        document = plain.uncut(source_text)
        segments = [_in_one(text, source_text, conversation, segments)]
    return Translation(
        text=text,
        source_text=source_text,
        source=source,
        target=target,
        conversation=conversation,
        segments=tuple(segments),
        document=document,
        translator=translator,
        missing_terms=tuple(missing_terms),
        missing_words=tuple(missing_words),
        terms=tuple(terms),
        required=tuple(required),
        unchanged=unchanged,
        standing=tuple(standing),
    )


def _document(
    source_text: str, segments: Sequence[TranslatedSegment], translator: Translator
) -> plain.PlainText | None:
    """The text cut into these segments; None where it is not cut so."""
    document = plain.cut(source_text)
    if not _begins_with(document, segments):
        # Only now: what is known of a model may take a while to be known.
        document = plain.cut(source_text, sentence_limit(translator.engine.info))
    return document if _begins_with(document, segments) else None


def _begins_with(document: plain.PlainText, segments: Sequence[TranslatedSegment]) -> bool:
    sources = [segment.text for segment in document.segments[: len(segments)]]
    return sources == [segment.source for segment in segments]


def _in_one(
    text: str, source_text: str, conversation: Conversation, segments: Sequence[TranslatedSegment]
) -> TranslatedSegment:
    statuses = {segment.status for segment in segments}
    # The status that says most of the whole; one sentence that failed does not make it a failure.
    status: Status = next((one for one in ("cancelled", "length") if one in statuses), "ok")
    if len(statuses) == 1:
        (status,) = statuses
    return TranslatedSegment(source_text.strip(), text.strip(), status, conversation)
