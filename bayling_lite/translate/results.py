"""What a translation is when it is done: the text, its segments, and the conversation that goes on from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from bayling_lite.languages import Language
from bayling_lite.messages import Conversation
from bayling_lite.translate.formats.plain import PlainText
from bayling_lite.translate.glossary import Term, occurs

if TYPE_CHECKING:
    from bayling_lite.translate.alternatives import AlternativesStream
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
    ``terms`` are those it was made with, ``required`` the words that the last refinement asked for, ``standing`` those
    that refinements before it asked for, and that none has taken back. ``missing_terms`` are the terms that a segment
    lacks, (source, target), once for each such segment; ``missing_words`` the required and standing words that the
    draft lacks. ``unchanged`` when it was to become shorter or longer, and stayed as it was.
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
    terms: tuple[Term, ...] = ()
    required: tuple[str, ...] = ()
    unchanged: bool = False
    standing: tuple[str, ...] = ()

    @property
    def wanted(self) -> tuple[str, ...]:
        """The words that refinements have asked for: ``standing`` and ``required``."""
        return tuple(dict.fromkeys((*self.standing, *self.required)))

    def lacking(self, text: str) -> tuple[str, ...]:
        """The ``wanted`` words that a text lacks."""
        return tuple(word for word in self.wanted if not occurs(word, text))

    @property
    def failed(self) -> int:
        """The number of segments left in the source language."""
        return sum(segment.status == "failed" for segment in self.segments)

    @property
    def truncated(self) -> int:
        """The number of segments cut off at the token limit."""
        return sum(segment.status == "length" for segment in self.segments)

    def refine(
        self, instruction: str, *, required: str | Sequence[str] = (), terms: Sequence[Term] | None = None
    ) -> Translation:
        """The draft changed as the user says; see :meth:`stream_refine`."""
        return self.stream_refine(instruction, required=required, terms=terms).result()

    def stream_refine(
        self, instruction: str, *, required: str | Sequence[str] = (), terms: Sequence[Term] | None = None
    ) -> TranslationStream:
        """Change the draft as the user says ("Use the word "早安".", "Make it formal."), and stream the new one.

        The conversation goes on: the request, the draft, then the instruction. Of a text of several segments

        - only those are changed whose source or draft holds words that the instruction quotes, each in its own
          conversation, the rest of the draft stays as it is;
        - where nothing is quoted from it, and the instruction asks for one word and nothing else, only the segment is
          changed in which the model finds that word likeliest;
        - else a text on one line is changed as a whole, if that fits the context and the model is one that heeds more
          than a sentence: no demonstrator, and trained with a context of 2,048 tokens or more;
        - else each segment is changed in its own conversation, so that the layout stays.

        The words ``required`` will be in the new draft, exactly as they are written, where the engine can search: one
        word in each segment that the instruction quotes from; else each word in the whole, or in that one of the
        segments in which the model finds it likeliest. An instruction that asks for one word and nothing else
        (:func:`~bayling_lite.prompts.fix_instruction`, :func:`~bayling_lite.prompts.use_instruction`) puts it into the
        draft, in the place of the wrong one or of what stands there for that one of the source, and changes what the
        model insists on; for any other, of several drafts with the words the one that keeps most of this one is taken.
        Either way the new draft comes whole, at the end. ``missing_words`` of the result says which words are not in
        it.

        Words that refinements before this one required stay where the draft has them: nothing is put in their place,
        and they are required as well, though words that are required now go before them. They do not stay where the
        instruction quotes them as wrong, and it is left to the model where the instruction speaks of them otherwise
        ('Make "A" plural') or requires another form of them.

        ``terms``, the draft's own if there are none given, are required in each segment that is changed, where they
        apply; but not one that an instruction has overruled ('Fix "A": it should be "B"', where A is its word or its
        translation).

        Raises:
            UsageError: there is nothing to refine, the instruction or a required word is empty, or a word has two
                translations.
            ContextOverflow: (while streaming) the conversation has grown too long for the context.
        """
        return self.translator.stream_refinement(self, instruction, required=required, terms=terms)

    async def arefine(
        self, instruction: str, *, required: str | Sequence[str] = (), terms: Sequence[Term] | None = None
    ) -> Translation:
        """:meth:`refine` for asynchronous programs."""
        return await self.stream_refine(instruction, required=required, terms=terms).aresult()

    def alternatives(self, count: int = 3) -> AlternativesStream:
        """Look for other answers to the request that this draft answers, at most ``count``.

        They are what a search finds next to the likeliest, or samples, where the engine cannot search; required words
        and terms that this draft has are in each of them. Of a text of several segments, the first is made of the best
        other translation of each segment, and so on.

        Raises:
            UsageError: there is no draft, or ``count`` is below 1.
        """
        return self.translator.stream_alternatives(self, count)

    def shorter(self) -> TranslationStream:
        """Say the same in less: the likeliest refined draft that is shorter, segment by segment.

        Terms, and the words that refinements required, stay. A segment for which the model knows nothing good
        stays as it is; the result is ``unchanged`` when that is so of all.

        Raises:
            UsageError: there is no draft.
            ContextOverflow: (while streaming) the conversation has grown too long for the context.
        """
        return self.translator.stream_resized(self, longer=False)

    def longer(self) -> TranslationStream:
        """Say the same in more; see :meth:`shorter`."""
        return self.translator.stream_resized(self, longer=True)

    def back(self) -> TranslationStream:
        """Translate the draft back into the language of its source, to see what it says.

        Neither terms nor a steering have a part in it.

        Raises:
            UsageError: there is no draft, or the language of its source is not known.
        """
        return self.translator.stream_back(self)
