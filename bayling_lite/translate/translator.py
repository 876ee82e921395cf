"""The Translator: text in, text in another language out, with its layout; then refined as the user says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bayling_lite.engine.base import GREEDY, Engine, GenerationRequest, SamplingParams, SearchParams
from bayling_lite.errors import UsageError
from bayling_lite.languages import Language, detect_language
from bayling_lite.localization import _
from bayling_lite.prompts import Wording, translation_instruction, user_turn
from bayling_lite.translate.alternatives import AlternativesStream
from bayling_lite.translate.asking.budget import BEAMS_FOR_WORDS, TokenBudget, encodable
from bayling_lite.translate.asking.steering import Steering
from bayling_lite.translate.asking.steps import Steps
from bayling_lite.translate.formats import plain
from bayling_lite.translate.glossary import Term, applying, check_terms, check_words
from bayling_lite.translate.job.fitting import model_language, sentence_limit
from bayling_lite.translate.refining.counterparts import with_counterparts
from bayling_lite.translate.refining.length import plan_resized
from bayling_lite.translate.refining.means import Means
from bayling_lite.translate.refining.plan import DraftPlan, plan_refinement
from bayling_lite.translate.refining.terms import missing_terms
from bayling_lite.translate.results import TranslatedSegment, Translation
from bayling_lite.translate.segments import Segment
from bayling_lite.translate.stream import TranslationStream
from bayling_lite.translate.tasks import Task, Work

# Hypotheses of a search for a refinement, which is to keep the rest of the draft: there is more to choose from.
_BEAMS_FOR_REFINEMENT = 8
# Tokens of the translation of a word, at most: what a small model says more of it is not needed.
_WORD_TOKENS, _WORD_TOKENS_EACH = 8, 3
# Characters that tell the language of a text well enough.
_SAMPLE = 4000


class Translator:
    """Translates with an engine. Safe to use from any thread, as the engine is.

    ``wording`` is the language the instructions are worded in. Decoding is greedy, unless ``sampling`` says otherwise
    or ``beam_size`` is above 1: then it is beam search. Required words are guaranteed by a search of their own, with
    an engine that can search; where answers are sampled, for those that lack them. ``steering`` is said before every
    sentence, unless the model is too small to heed it: see :attr:`note`.

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
        steering: Steering | None = None,
    ) -> None:
        SearchParams(beam_size)
        if beam_size > 1 and sampling != GREEDY:
            raise UsageError("Beam search takes the likeliest text: it cannot be combined with sampling.")
        self.engine = engine
        self.wording = wording
        self.sampling = sampling
        self.beam_size = beam_size
        self.steering = steering or Steering()
        self._budget = TokenBudget(engine)

    @property
    def note(self) -> str:
        """What a user should know of how texts are asked for; empty where all is well."""
        return self.steering.note(self.engine.info, self.wording)

    @property
    def unheeded(self) -> bool:
        """Whether there is a steering that is left out, because the model is too small for it."""
        return bool(self.note)

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
            return Translation(
                translated,
                text,
                language,
                target,
                conversation,
                segments,
                document,
                self,
                terms=terms,
                missing_terms=missing_terms(segments, terms),
            )

        return self._planned(DraftPlan(document, tuple(tasks), finish), target)

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
        self,
        draft: Translation,
        instruction: str,
        *,
        required: str | Sequence[str] = (),
        terms: Sequence[Term] | None = None,
    ) -> TranslationStream:
        """Change a draft as the user says; :meth:`Translation.stream_refine` tells how."""
        words = check_words(required)
        if not instruction.strip():
            raise UsageError(_("Say what to change: the instruction is empty."))
        _check_drafted(draft)
        plan = plan_refinement(
            replace(draft, translator=self),
            instruction,
            words,
            terms=check_terms(draft.terms if terms is None else terms),
            engine=self.engine,
            can_search=self._can_search,
        )
        plan = with_counterparts(plan, instruction, draft.target, lambda word: self._word_request(word, draft.target))
        return self._planned(plan, draft.target)

    def stream_resized(self, draft: Translation, *, longer: bool) -> TranslationStream:
        """Say a draft in less, or in more; :meth:`Translation.shorter` tells how."""
        _check_drafted(draft)
        plan = plan_resized(replace(draft, translator=self), longer=longer, means=self._means)
        return self._planned(plan, draft.target)

    def stream_back(self, draft: Translation) -> TranslationStream:
        """Translate a draft into the language of its source; :meth:`Translation.back` tells how."""
        _check_drafted(draft)
        if draft.source is None:
            raise UsageError(_("The text has no language to translate back into: it holds no word."))
        plain_one = Translator(self.engine, wording=self.wording, sampling=self.sampling, beam_size=self.beam_size)
        return plain_one.stream(draft.text, draft.source, draft.target)

    def stream_alternatives(self, draft: Translation, count: int) -> AlternativesStream:
        """Look for other translations than a draft; :meth:`Translation.alternatives` tells how."""
        _check_drafted(draft)
        if count < 1:
            raise UsageError(_("The number of alternatives must be 1 or more, not {count}.", count=count))
        return AlternativesStream(self.engine, replace(draft, translator=self), count, self._means)

    def _planned(self, plan: DraftPlan, target: Language) -> TranslationStream:
        if self.beam_size > 1 and not self.engine.info.can_search:
            raise UsageError(_("{model} cannot be searched: leave the beam size at 1.", model=self.engine.info.name))
        routing = plan.routing

        def routed() -> Steps[Work]:
            assert routing is not None  # noqa: S101 - called where there is one
            return self._work((yield from routing()), target)

        return TranslationStream(
            self.engine, self._work(plan, target), self._request, routed if routing is not None else None
        )

    def _work(self, plan: DraftPlan, target: Language) -> Work:
        tasks = plan.tasks
        if self._samples and self.engine.info.can_search:
            tasks = tuple(replace(task, sampled=bool(task.required)) for task in tasks)
        return Work(tasks, plan.document.writer(target), plan.finish, target)

    def _request(self, task: Task) -> GenerationRequest:
        if task.correction is not None:
            return GenerationRequest(task.correction.conversation, revision=task.correction.revision)
        most = self._budget.most((task.segment.text, task.fallback), task.words)
        refines = len(task.conversation) > 1
        search = self._search(task)
        sampling = self.sampling if search is None else GREEDY
        # This bounds the answer alone: a model that thinks first may think until the context is full. A segment that is
        # left without an answer so counts as failed.
        return GenerationRequest(task.conversation, sampling, most, search=search, revises=refines)

    def _word_request(self, word: str, target: Language) -> GenerationRequest:
        asked = user_turn(encodable(translation_instruction(word, target, wording=self.wording)))
        return GenerationRequest(asked, max_tokens=_WORD_TOKENS + _WORD_TOKENS_EACH * self._budget.tokens(word))

    def _search(self, task: Task) -> SearchParams | None:
        """How to search for an answer; None where there is nothing to search for, or no way to."""
        if not self.engine.info.can_search:
            return None
        if task.near and task.required:
            beam_size = max(self.beam_size, _BEAMS_FOR_REFINEMENT)
            return SearchParams(beam_size, n_best=beam_size, required=task.required)
        if task.required:
            return SearchParams(max(self.beam_size, BEAMS_FOR_WORDS), required=task.required)
        return SearchParams(self.beam_size) if self.beam_size > 1 else None

    @property
    def _means(self) -> Means:
        # Other texts than a draft are better found than drawn by lot, however the draft was made.
        info = self.engine.info
        return Means(self._budget, self.wording, self.beam_size, info.can_search, wide=info.demonstrator)

    @property
    def _samples(self) -> bool:
        return self.sampling != GREEDY

    @property
    def _can_search(self) -> bool:
        """Whether the likeliest answer is wanted, and can be searched for."""
        return not self._samples and self.engine.info.can_search

    def _kept(self, segment: Segment, target: Language) -> Task:
        conversation = user_turn(self._instruction(segment.text, target)).assistant(segment.text)
        return Task(segment, conversation, segment.text, "kept")

    def _asked(self, segment: Segment, target: Language, terms: Sequence[Term]) -> Task:
        words = tuple(dict.fromkeys(wanted for _, wanted in applying(terms, segment.text)))
        return Task(segment, user_turn(self._instruction(segment.text, target, words)), segment.text, words=words)

    def _instruction(self, text: str, target: Language, terms: Sequence[str] = ()) -> str:
        preface = self.steering.heeded_preface(self.engine.info, self.wording)
        return encodable(preface + translation_instruction(text, target, terms=terms, wording=self.wording))

    def _language(self, name: str | Language) -> Language:
        return model_language(name, self.engine.info)

    @property
    def _limit(self) -> int:
        return sentence_limit(self.engine.info)


def _check_drafted(draft: Translation) -> None:
    if not any(segment.text.strip() for segment in draft.segments):
        raise UsageError(_("There is no draft to refine: the translation is empty."))
