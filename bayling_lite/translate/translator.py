"""The Translator: text in, text in another language out, with its layout; then refined as the user says."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property

from bayling_lite.engine.base import GREEDY, Engine, GenerationRequest, SamplingParams
from bayling_lite.errors import UsageError
from bayling_lite.languages import Language, detect_language, find_language
from bayling_lite.prompts import Wording, translation_instruction, user_turn
from bayling_lite.translate.formats import plain
from bayling_lite.translate.formats.base import Document
from bayling_lite.translate.results import TranslatedSegment, Translation
from bayling_lite.translate.segments import DEFAULT_LIMIT, Segment, SplitText
from bayling_lite.translate.sentences import is_wide
from bayling_lite.translate.stream import Task, TranslationStream

Term = tuple[str, str]
"""A word of the source and the word that must stand for it."""

# A translation has at most a few times the tokens of its source; a model that makes more goes round in circles.
_TOKENS_PER_SOURCE_TOKEN = 3
_FEWEST_TOKENS = 64
# Characters that tell the language of a text well enough.
_SAMPLE = 4000
Finish = Callable[[str, tuple[TranslatedSegment, ...]], Translation]
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_QUOTED = re.compile(
    r"\"([^\"]+)\"|“([^”]+)”|„([^“”]+)[“”]|«\s*([^»]+?)\s*»|»([^«]+)«|「([^」]+)」|『([^』]+)』|‘([^’]+)’"
)


class Translator:
    """Translates with an engine. Safe to use from any thread, as the engine is.

    ``wording`` is the language the instructions are worded in; decoding is greedy unless ``sampling`` says otherwise.
    """

    def __init__(
        self, engine: Engine, *, wording: Wording = Wording.ENGLISH, sampling: SamplingParams = GREEDY
    ) -> None:
        self.engine = engine
        self.wording = wording
        self.sampling = sampling

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

        Languages are :class:`Language`, BCP-47 codes or names; without a ``source`` it is detected. ``terms`` are asked
        for in the segments where their source word occurs. A text that is in the target language already comes back
        unchanged, and so does every segment without a word in it.

        Raises:
            UsageError: an unknown language, or one the model does not know.
            EngineError: (while streaming) generating failed.
        """
        target = self._language(target)
        document = plain.read(text, self._limit)
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

    def detect(self, document: Document) -> Language | None:
        """The most probable language of a document among the model's; None when it holds no word."""
        sample, size = [], 0
        for segment in document.segments:
            if segment.translatable:
                sample.append(segment.text)
                size += len(segment.text)
            if size >= _SAMPLE:
                break
        return detect_language("\n".join(sample), self.engine.info.languages or None)

    def stream_refinement(self, draft: Translation, instruction: str) -> TranslationStream:
        """Change a draft as the user says; :meth:`Translation.stream_refine` tells how."""
        if not instruction.strip():
            raise UsageError("Say what to change: the instruction is empty.")
        if not any(segment.text.strip() for segment in draft.segments):
            raise UsageError("There is no draft to refine: the translation is empty.")
        if len(draft.segments) > 1:
            chosen = _mentioned(draft, instruction)
            if chosen or not self._fits_as_a_whole(draft, instruction):
                return self._refine_segments(draft, instruction, chosen or set(range(len(draft.segments))))
        return self._refine_whole(draft, instruction)

    def _refine_whole(self, draft: Translation, instruction: str) -> TranslationStream:
        """One conversation: the request, the draft, the instruction."""
        core = draft.source_text.strip()
        text = draft.segments[0].source if len(draft.segments) == 1 else core
        document = draft.document
        if len(draft.segments) > 1:
            before, _, after = draft.source_text.partition(core)
            document = plain.PlainText(SplitText((Segment(core, core, before),), after))
        conversation = draft.conversation.user(instruction)
        fallback = draft.segments[0].text if len(draft.segments) == 1 else draft.text.strip()
        tasks = [Task(Segment(text, text, ""), conversation, fallback, required=True)]

        def finish(refined: str, segments: tuple[TranslatedSegment, ...]) -> Translation:
            turn = segments[0].conversation if segments else draft.conversation
            return Translation(refined, draft.source_text, draft.source, draft.target, turn, segments, document, self)

        return self._stream(document, draft.target, tasks, finish)

    def _refine_segments(self, draft: Translation, instruction: str, chosen: set[int]) -> TranslationStream:
        """Each chosen segment in its own conversation, the others as they are."""
        tasks = [
            Task(segment, old.conversation.user(instruction), old.text, required=True)
            if position in chosen and old.status != "kept"
            else Task(segment, old.conversation, old.text, old.status)
            for position, (segment, old) in enumerate(zip(draft.document.segments, draft.segments, strict=False))
        ]

        def finish(refined: str, segments: tuple[TranslatedSegment, ...]) -> Translation:
            conversation = draft.conversation.user(instruction).assistant(refined.strip())
            return Translation(
                refined, draft.source_text, draft.source, draft.target, conversation, segments, draft.document, self
            )

        return self._stream(draft.document, draft.target, tasks, finish)

    def _fits_as_a_whole(self, draft: Translation, instruction: str) -> bool:
        """Whether a draft is one line, and it and an answer as long as it fit the context."""
        if len(draft.source_text.strip().splitlines()) > 1:
            return False
        needed = self.engine.count_tokens(draft.conversation.user(instruction)) + self._tokens(draft.text.strip())
        return needed < self.engine.info.n_ctx

    def _stream(
        self,
        document: Document,
        target: Language,
        tasks: Sequence[Task],
        finish: Finish,
    ) -> TranslationStream:
        return TranslationStream(self.engine, tasks, document.writer(target), self._request, finish)

    def _request(self, task: Task) -> GenerationRequest:
        longest = max(self._tokens(task.segment.text), self._tokens(task.fallback))
        most = max(_FEWEST_TOKENS, _TOKENS_PER_SOURCE_TOKEN * longest)
        return GenerationRequest(task.conversation, self.sampling, most)

    def _kept(self, segment: Segment, target: Language) -> Task:
        conversation = user_turn(self._instruction(segment.text, target)).assistant(segment.text)
        return Task(segment, conversation, segment.text, "kept")

    def _asked(self, segment: Segment, target: Language, terms: Sequence[Term]) -> Task:
        required = [wanted for word, wanted in terms if occurs(word, segment.text)]
        return Task(segment, user_turn(self._instruction(segment.text, target, required)), segment.text)

    def _instruction(self, text: str, target: Language, terms: Sequence[str] = ()) -> str:
        # A lone surrogate is no character and has no tokens.
        text = _SURROGATE.sub("\ufffd", text)
        return translation_instruction(text, target, terms=terms, wording=self.wording)

    def _language(self, name: str | Language) -> Language:
        language = find_language(name) if isinstance(name, str) else name
        known = self.engine.info.languages
        if known and language not in known:
            names = ", ".join(f"{language.code} ({language.english})" for language in known)
            raise UsageError(
                f"The model {self.engine.info.name} does not know {language.english}, only {names}. "
                "Choose another language or another model."
            )
        return language

    @property
    def _limit(self) -> int:
        """The greatest width of a segment, so that it, the instruction and the answer fit the context."""
        return max(40, min(DEFAULT_LIMIT, self.engine.info.n_ctx // 3))

    def _tokens(self, text: str) -> int:
        return self.engine.count_tokens(user_turn(_SURROGATE.sub("\ufffd", text))) - self._frame

    @cached_property
    def _frame(self) -> int:
        """Tokens of a request that says nothing."""
        return self.engine.count_tokens(user_turn(""))


def _missing(segment: TranslatedSegment, terms: Sequence[Term]) -> list[Term]:
    """The terms that a segment should have and has not."""
    if segment.status == "kept":
        return []
    return [term for term in terms if occurs(term[0], segment.source) and not occurs(term[1], segment.text)]


def occurs(term: str, text: str) -> bool:
    """Whether a term stands in a text as words of their own, in any case; Chinese has no word borders to look for."""
    if not term.strip():
        return False
    before = r"(?<!\w)" if term[0].isalnum() and not is_wide(term[0]) else ""
    after = r"(?!\w)" if term[-1].isalnum() and not is_wide(term[-1]) else ""
    return re.search(before + re.escape(term) + after, text, re.IGNORECASE) is not None


def _mentioned(draft: Translation, instruction: str) -> set[int]:
    """The segments whose source or draft holds words that an instruction quotes."""
    quoted = [next(filter(None, groups)) for groups in _QUOTED.findall(instruction)]
    return {
        position
        for position, segment in enumerate(draft.segments)
        if any(occurs(words, segment.source) or occurs(words, segment.text) for words in quoted)
    }
