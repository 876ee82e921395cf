"""The Translator: text in, text in another language out, with its layout; then refined as the user says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from bayling_lite.engine.base import GREEDY, Engine, GenerationRequest, SamplingParams, SearchParams
from bayling_lite.errors import UsageError
from bayling_lite.languages import Language, detect_language
from bayling_lite.messages import Conversation
from bayling_lite.prompts import Wording, translation_instruction, user_turn
from bayling_lite.translate.asking.budget import BEAMS_FOR_WORDS, TokenBudget, encodable
from bayling_lite.translate.formats import plain
from bayling_lite.translate.glossary import Term, applying, check_terms, check_words, occurs
from bayling_lite.translate.job.fitting import model_language, sentence_limit
from bayling_lite.translate.quotes import corrected, mentioned
from bayling_lite.translate.results import TranslatedSegment, Translation
from bayling_lite.translate.segments import Segment, SplitText
from bayling_lite.translate.stream import Task, TranslationStream

# Hypotheses of a search for a refinement, which is to keep the rest of the draft: there is more to choose from.
_BEAMS_FOR_REFINEMENT = 8
# Characters that tell the language of a text well enough.
_SAMPLE = 4000
Finish = Callable[[str, tuple[TranslatedSegment, ...]], Translation]


class Translator:
    """Translates with an engine. Safe to use from any thread, as the engine is.

    ``wording`` is the language the instructions are worded in. Decoding is greedy, unless ``sampling`` says otherwise
    or ``beam_size`` is above 1: then it is beam search. Required words are guaranteed by a search of their own, with
    an engine that can search and without sampling.

    Raises:
        UsageError: a beam size that cannot be, or one together with sampling.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        wording: Wording = Wording.ENGLISH,
        sampling: SamplingParams = GREEDY,
        beam_size: int = 1,
    ) -> None:
        SearchParams(beam_size)
        if beam_size > 1 and sampling != GREEDY:
            raise UsageError("Beam search takes the likeliest text: it cannot be combined with sampling.")
        self.engine = engine
        self.wording = wording
        self.sampling = sampling
        self.beam_size = beam_size
        self._budget = TokenBudget(engine)

    def translate(
        self, text: str, target: str | Language, source: str | Language | None = None, *, terms: Sequence[Term] = ()
    ) -> Translation:
        """Translate a text; see :meth:`stream`."""
        return self.stream(text, target, source, terms=terms).result()

    async def atranslate(
        self, text: str, target: str | Language, source: str | Language | None = None, *, terms: Sequence[Term] = ()
    ) -> Translation:
        """:meth:`translate` for asynchronous programs."""
        return await self.astream(text, target, source, terms=terms).aresult()

    def astream(
        self, text: str, target: str | Language, source: str | Language | None = None, *, terms: Sequence[Term] = ()
    ) -> TranslationStream:
        """:meth:`stream` for asynchronous programs: iterate it with ``async for``, await its ``aresult()``."""
        return self.stream(text, target, source, terms=terms)

    def stream(
        self, text: str, target: str | Language, source: str | Language | None = None, *, terms: Sequence[Term] = ()
    ) -> TranslationStream:
        """Translate a text sentence by sentence, and give the pieces of the translated text as they are made.

        Languages are :class:`Language`, BCP-47 codes or names; without a ``source`` it is detected. ``terms`` are
        required in the segments where their source word occurs. Where the engine can search, they are guaranteed, but
        for a term that the model cannot be made to write; ``missing_terms`` of the result always says what is missing.
        A text that is in the target language already comes back unchanged, and so does every segment without a word in
        it.

        Raises:
            UsageError: an unknown language, or one the model does not know; a word with two translations; a beam size
                above 1 for an engine that cannot search.
            EngineError: (while streaming) generating failed.
        """
        terms = check_terms(terms)
        target = self._language(target)
        document = plain.cut(text, self._limit)
        language = self._language(source) if source is not None else self.detect(document)
        same = language is None or language == target
        tasks = [
            self._kept(segment, target) if same or not segment.translatable else self._asked(segment, target, terms)
            for segment in document.segments
        ]

        def finish(translated: str, segments: tuple[TranslatedSegment, ...]) -> Translation:
            conversation = (
                segments[0].conversation
                if len(segments) == 1
                else user_turn(self._instruction(text.strip(), target)).assistant(translated.strip())
            )
            missing = tuple(term for segment in segments for term in _missing(segment, terms))
            return Translation(translated, text, language, target, conversation, segments, document, self, missing)

        return self._stream(document, target, tasks, finish)

    def detect(self, document: plain.PlainText) -> Language | None:
        """The most probable language of a document among the model's; None when it holds no word."""
        sample, size = [], 0
        for segment in document.segments:
            if segment.translatable:
                sample.append(segment.text)
                size += len(segment.text)
            if size >= _SAMPLE:
                break
        return detect_language("\n".join(sample), self.engine.info.languages or None)

    def stream_refinement(
        self, draft: Translation, instruction: str, *, required: str | Sequence[str] = ()
    ) -> TranslationStream:
        """Change a draft as the user says; :meth:`Translation.stream_refine` tells how."""
        words = check_words(required)
        if not instruction.strip():
            raise UsageError("Say what to change: the instruction is empty.")
        if not any(segment.text.strip() for segment in draft.segments):
            raise UsageError("There is no draft to refine: the translation is empty.")
        if len(draft.segments) > 1:
            chosen = mentioned(draft, instruction, words)
            if chosen or not self._fits_as_a_whole(draft, instruction):
                return self._refine_segments(draft, instruction, chosen, words)
        return self._refine_whole(draft, instruction, words)

    def _refine_whole(self, draft: Translation, instruction: str, words: tuple[str, ...]) -> TranslationStream:
        """One conversation: the request, the draft, the instruction."""
        core = draft.source_text.strip()
        text = draft.segments[0].source if len(draft.segments) == 1 else core
        document = draft.document
        if len(draft.segments) > 1:
            before, _, after = draft.source_text.partition(core)
            document = plain.PlainText(SplitText((Segment(core, core, before),), after))
        conversation = draft.conversation.user(instruction)
        fallback = draft.segments[0].text if len(draft.segments) == 1 else draft.text.strip()
        near = self._near(fallback, instruction, words)
        tasks = [Task(Segment(text, text, ""), conversation, fallback, must_fit=True, words=words, near=near)]

        def finish(refined: str, segments: tuple[TranslatedSegment, ...]) -> Translation:
            turn = segments[0].conversation if segments else draft.conversation
            return self._refined(draft, refined, turn, segments, document, words)

        return self._stream(document, draft.target, tasks, finish)

    def _refine_segments(
        self, draft: Translation, instruction: str, chosen: set[int], words: tuple[str, ...]
    ) -> TranslationStream:
        """Each chosen segment in its own conversation, the others as they are; with none chosen, each of them.

        Words are required where it is clear that they belong there: in the only segment that is asked for, and one word
        in each of those that were chosen.
        """
        asked = {
            position
            for position, old in enumerate(draft.segments)
            if old.status != "kept" and (position in chosen or not chosen)
        }
        there = words if len(asked) == 1 or (chosen and len(words) == 1) else ()

        def task(segment: Segment, old: TranslatedSegment) -> Task:
            conversation, near = old.conversation.user(instruction), self._near(old.text, instruction, there)
            return Task(segment, conversation, old.text, must_fit=True, words=there, near=near)

        tasks = [
            task(segment, old) if position in asked else Task(segment, old.conversation, old.text, old.status)
            for position, (segment, old) in enumerate(zip(draft.document.segments, draft.segments, strict=False))
        ]

        def finish(refined: str, segments: tuple[TranslatedSegment, ...]) -> Translation:
            conversation = draft.conversation.user(instruction).assistant(refined.strip())
            return self._refined(draft, refined, conversation, segments, draft.document, words)

        return self._stream(draft.document, draft.target, tasks, finish)

    def _refined(
        self,
        draft: Translation,
        text: str,
        conversation: Conversation,
        segments: tuple[TranslatedSegment, ...],
        document: plain.PlainText,
        words: tuple[str, ...],
    ) -> Translation:
        """A draft with another text, and with what that lacks of the required words."""
        return replace(
            draft,
            text=text,
            conversation=conversation,
            segments=segments,
            document=document,
            translator=self,
            missing_terms=(),
            missing_words=tuple(word for word in words if not occurs(word, text)),
        )

    def _fits_as_a_whole(self, draft: Translation, instruction: str) -> bool:
        """Whether a draft is one line, and it and an answer as long as it fit the context."""
        if len(draft.source_text.strip().splitlines()) > 1:
            return False
        answer = self._budget.tokens(draft.text.strip())
        needed = self.engine.count_tokens(draft.conversation.user(instruction)) + answer
        return needed < self.engine.info.n_ctx

    def _stream(
        self,
        document: plain.PlainText,
        target: Language,
        tasks: Sequence[Task],
        finish: Finish,
    ) -> TranslationStream:
        if self.beam_size > 1 and not self.engine.info.can_search:
            raise UsageError(f"{self.engine.info.name} cannot be searched: leave the beam size at 1.")
        return TranslationStream(self.engine, tasks, document.writer(target), self._request, finish)

    def _request(self, task: Task) -> GenerationRequest:
        most = self._budget.most((task.segment.text, task.fallback), task.words)
        refines = len(task.conversation) > 1
        # This bounds the answer alone: a model that thinks first may think until the context is full. A segment that is
        # left without an answer so counts as failed.
        return GenerationRequest(task.conversation, self.sampling, most, search=self._search(task), revises=refines)

    def _search(self, task: Task) -> SearchParams | None:
        """How to search for an answer; None where there is nothing to search for, or no way to."""
        if not self._can_search:
            return None
        if task.near and task.words:
            beam_size = max(self.beam_size, _BEAMS_FOR_REFINEMENT)
            return SearchParams(beam_size, n_best=beam_size, required=task.words)
        if task.words:
            return SearchParams(max(self.beam_size, BEAMS_FOR_WORDS), required=task.words)
        return SearchParams(self.beam_size) if self.beam_size > 1 else None

    def _near(self, draft: str, instruction: str, words: tuple[str, ...]) -> str:
        """What a refinement with required words should be near to; empty where it is not searched for."""
        return corrected(draft, instruction, words) if words and self._can_search else ""

    @property
    def _can_search(self) -> bool:
        return self.sampling == GREEDY and self.engine.info.can_search

    def _kept(self, segment: Segment, target: Language) -> Task:
        conversation = user_turn(self._instruction(segment.text, target)).assistant(segment.text)
        return Task(segment, conversation, segment.text, "kept")

    def _asked(self, segment: Segment, target: Language, terms: Sequence[Term]) -> Task:
        words = tuple(dict.fromkeys(wanted for _, wanted in applying(terms, segment.text)))
        return Task(segment, user_turn(self._instruction(segment.text, target, words)), segment.text, words=words)

    def _instruction(self, text: str, target: Language, terms: Sequence[str] = ()) -> str:
        return translation_instruction(encodable(text), target, terms=terms, wording=self.wording)

    def _language(self, name: str | Language) -> Language:
        return model_language(name, self.engine.info)

    @property
    def _limit(self) -> int:
        return sentence_limit(self.engine.info)


def _missing(segment: TranslatedSegment, terms: Sequence[Term]) -> list[Term]:
    """The terms that a segment should have and has not."""
    if segment.status == "kept":
        return []
    return [term for term in applying(terms, segment.source) if not occurs(term[1], segment.text)]
