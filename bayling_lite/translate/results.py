"""What a translation is when it is done: the text, its segments, and the conversation that goes on from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from bayling_lite.languages import Language
from bayling_lite.messages import Conversation
from bayling_lite.translate.formats.plain import PlainText

if TYPE_CHECKING:
    from bayling_lite.translate.stream import TranslationStream
    from bayling_lite.translate.translator import Translator

Status = Literal["ok", "kept", "length", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class TranslatedSegment:
    """One segment of a translation.

    ``status`` is ``ok``; ``kept`` when there was nothing to translate; ``length`` when the model ran to the token
    limit, so that the text is cut off; ``failed`` when no translation came and the source stands in its place;
    ``cancelled`` when the text is what there was at that moment. ``conversation`` is the segment's own, ending with
    its text.
    """

    source: str
    text: str
    status: Status
    conversation: Conversation


@dataclass(frozen=True, slots=True)
class Translation:
    """A translated text.

    ``source`` is the language given or detected, None when the text holds no word. ``conversation`` ends with the
    translation as the assistant's turn, ready for the user's next. ``document`` is the layout it was written into.
    ``missing_terms`` are the required terms that a segment lacks, (source, target), once for each such segment;
    ``missing_words`` the words that this refinement required and the draft lacks.
    """

    text: str
    source_text: str
    source: Language | None
    target: Language
    conversation: Conversation
    segments: tuple[TranslatedSegment, ...]
    document: PlainText = field(repr=False, compare=False)
    translator: Translator = field(repr=False, compare=False)
    missing_terms: tuple[tuple[str, str], ...] = ()
    missing_words: tuple[str, ...] = ()

    @property
    def failed(self) -> int:
        """The number of segments left in the source language."""
        return sum(segment.status == "failed" for segment in self.segments)

    @property
    def truncated(self) -> int:
        """The number of segments cut off at the token limit."""
        return sum(segment.status == "length" for segment in self.segments)

    def refine(self, instruction: str, *, required: str | Sequence[str] = ()) -> Translation:
        """The draft changed as the user says; see :meth:`stream_refine`."""
        return self.stream_refine(instruction, required=required).result()

    def stream_refine(self, instruction: str, *, required: str | Sequence[str] = ()) -> TranslationStream:
        """Change the draft as the user says ("Use the word "早安".", "Make it formal."), and stream the new one.

        The conversation goes on: the request, the draft, then the instruction. Of a text of several segments

        - only those are changed whose source or draft holds words that the instruction quotes, each in its own
          conversation, the rest of the draft stays as it is;
        - where nothing is quoted from it, a text on one line is changed as a whole, if that fits the context;
        - else each segment is changed in its own conversation, so that the layout stays.

        The words ``required`` will be in the new draft, exactly as they are written, where the engine can search and it
        is clear where they belong: in a draft that is changed as a whole, in the only segment that is changed, or (one
        word) in each of those that the instruction quotes from. Of several such drafts the one that keeps most of this
        one is taken, so it comes whole, at the end. ``missing_words`` of the result says which words are not in it.

        Raises:
            UsageError: there is nothing to refine, or the instruction or a required word is empty.
            ContextOverflow: (while streaming) the conversation has grown too long for the context.
        """
        return self.translator.stream_refinement(self, instruction, required=required)

    async def arefine(self, instruction: str, *, required: str | Sequence[str] = ()) -> Translation:
        """:meth:`refine` for asynchronous programs."""
        return await self.stream_refine(instruction, required=required).aresult()
