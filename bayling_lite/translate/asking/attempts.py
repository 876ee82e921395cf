"""The attempts at one segment: each asks the model in one way and gives a draft with what is wrong with it."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bayling_lite.engine.base import (
    GREEDY,
    MAX_BEAM_SIZE,
    Engine,
    GenerationRequest,
    SamplingParams,
    SearchParams,
)
from bayling_lite.errors import ContextOverflow, PhrasesDoNotFit, UsageError
from bayling_lite.prompts import Wording
from bayling_lite.translate.asking.budget import BEAMS_FOR_WORDS, TokenBudget
from bayling_lite.translate.asking.cleaning import ended_like, unwrapped
from bayling_lite.translate.asking.ladder import Decoding, Rung, Tags
from bayling_lite.translate.asking.listening import Answer, Listener
from bayling_lite.translate.asking.parts import cut_in_parts, joined
from bayling_lite.translate.asking.projection import inner_texts, projected, tidied
from bayling_lite.translate.asking.prompt import Question, question
from bayling_lite.translate.asking.values import Problem, ProblemKind, SegmentRequest
from bayling_lite.translate.checks import Pair, check, readable, watch
from bayling_lite.translate.formats.plain import on_one_line
from bayling_lite.translate.glossary import applying
from bayling_lite.translate.markup import Marked, MarkupLost, plain_text

_BEAMS_FOR_ANOTHER_TRY = 8
# Markup whose words are asked for alone, to find them in a text that was translated without its codes.
_MOST_INNER_TEXTS = 6
# Where a model begins another turn, it has said what it had to say.
_TURNS = ("### Instruction", "### Response")
_ANOTHER_TRY = SamplingParams(temperature=0.4, top_p=0.9, repeat_penalty=1.15, seed=20230616)
_ANOTHER_TEXT = SamplingParams(temperature=0.8, top_p=0.95, seed=20230616)
_TAG = re.compile(r"[<＜]\s*/?\s*[a-z]*\d+\s*/?\s*[>＞]")


class Cancelled(Exception):
    """Somebody has cancelled; nothing of the segment counts."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What is the same for all segments of a job. ``preface`` stands before each of them."""

    engine: Engine
    listener: Listener
    budget: TokenBudget
    wording: Wording
    sampling: SamplingParams
    beam_size: int
    preface: str

    @property
    def can_search(self) -> bool:
        """Whether answers can be found by search: the engine can, and the user wants no sampling."""
        return self.sampling == GREEDY and self.engine.info.can_search


@dataclass(frozen=True, slots=True)
class Draft:
    """A translation and what is wrong with it; it is the source where nothing came."""

    target: Marked
    problems: tuple[Problem, ...]
    rung: Rung

    @property
    def fatal(self) -> int:
        """How many problems it cannot stand with."""
        return sum(problem.fatal for problem in self.problems)

    @property
    def faults(self) -> tuple[int, int, int]:
        """How bad it is: the least is the best. A required word that is missing weighs more than any doubt."""
        missing = sum(problem.kind is ProblemKind.TERMS for problem in self.problems)
        return self.fatal, missing, len(self.problems)


class Attempts:
    """Attempts at one segment. ``n_requests`` and ``n_generated`` count what they cost so far."""

    def __init__(self, asking: Asking, request: SegmentRequest, cancelled: threading.Event) -> None:
        self._asking = asking
        self._request = request
        self._cancelled = cancelled
        self._inner: dict[str, str] = {}
        self.n_requests = 0
        self.n_generated = 0

    def attempt(self, rung: Rung) -> Draft:
        """Ask on a rung of the ladder.

        Raises:
            Cancelled: it was cancelled.
            EngineError: generating failed.
        """
        return self._in_parts(rung) if rung.parts else self._at_once(self._request, rung)

    def alternatives(self, chosen: Draft, count: int) -> tuple[Marked, ...]:
        """Further translations, asked for like the one that was chosen, the best first: at most ``count``."""
        if chosen.rung.parts or not count:
            return ()
        asked = self._question(self._request, chosen.rung)
        found = {chosen.target.text: chosen.target}
        for text in self._other_texts(asked, count):
            draft = self._taken(self._request, asked, text, chosen.rung)
            if not draft.fatal:
                found.setdefault(draft.target.text, draft.target)
        return tuple(found.values())[1 : count + 1]

    def _other_texts(self, asked: Question, count: int) -> list[str]:
        if self._asking.can_search:
            beam_size = min(MAX_BEAM_SIZE, max(count + 3, self._asking.beam_size, BEAMS_FOR_WORDS))
            required = (*asked.words, *_tags(asked))
            search = SearchParams(beam_size, n_best=min(beam_size, count + 3), required=required)
            try:
                answer = self._ask(asked, GREEDY, search)
            except (PhrasesDoNotFit, UsageError):
                return []
            return [hypothesis.text for hypothesis in answer.hypotheses if hypothesis.finished]
        texts = []
        for number in range(count):
            sampling = replace(_ANOTHER_TEXT, seed=(_ANOTHER_TEXT.seed or 0) + number)
            answer = self._ask(asked, sampling, None)
            if answer.problem is None and answer.reason == "stop":
                texts.append(answer.text)
        return texts

    def _at_once(self, request: SegmentRequest, rung: Rung) -> Draft:
        asked = self._question(request, rung)
        sampling, search = self._decoding(asked, rung)
        try:
            answer = self._searched(request, asked, search) if search is not None else None
            if answer is None:
                answer = self._ask(asked, sampling, None, request)
        except ContextOverflow as error:
            return Draft(request.source, (Problem(ProblemKind.CONTEXT, str(error)),), rung)
        if answer.problem is not None:
            return Draft(request.source, (answer.problem,), rung)
        cut = Problem(ProblemKind.TRUNCATED, "the answer was cut off at the most tokens that it may have")
        return self._taken(request, asked, answer.text, rung, (cut,) if answer.reason == "length" else ())

    def _searched(self, request: SegmentRequest, asked: Question, search: SearchParams) -> Answer | None:
        """The answer of a search, without the required words where they do not fit; None where it is no use searching:
        the user wants none, or the model thinks first.
        """
        wanted = search.beam_size if search.beam_size > BEAMS_FOR_WORDS else self._asking.beam_size
        try:
            return self._ask(asked, GREEDY, search, request)
        except PhrasesDoNotFit:
            if wanted == 1:
                return None
        except UsageError:
            if self._asking.beam_size > 1:
                raise
            return None
        return self._searched(request, asked, SearchParams(wanted))

    def _question(self, request: SegmentRequest, rung: Rung) -> Question:
        return question(request, rung, self._asking.preface, self._asking.wording)

    def _taken(
        self, request: SegmentRequest, asked: Question, answer: str, rung: Rung, known: tuple[Problem, ...] = ()
    ) -> Draft:
        """An answer as a draft: cleaned, its codes put back, checked."""
        source, answer = request.source, unwrapped(answer, asked.text)
        if not answer.endswith(asked.words):
            answer = ended_like(answer, readable(source))
        text = on_one_line(answer)
        if asked.tags is not None:
            try:
                target = tidied(source, source.replaced(asked.tags.restore(text)))
            except MarkupLost as error:
                lost = Problem(ProblemKind.MARKUP, str(error).removeprefix("markup: "))
                pair = self._pair(request, readable(source), " ".join(_TAG.sub(" ", text).split()), answer)
                return Draft(source, (*known, lost, *check(pair)), rung)
            return Draft(
                target, (*known, *check(self._pair(request, readable(source), readable(target), answer))), rung
            )
        unplaced = [Problem(ProblemKind.MARKUP, f"{variable} is missing") for variable in asked.stand_ins.lost(text)]
        problems = (*known, *unplaced, *check(self._pair(request, asked.text, text, answer)))
        read = asked.stand_ins.source
        if not read.used or any(problem.fatal for problem in problems):
            return Draft(source.replaced(text), problems, rung)
        target = projected(read, text, self._inner_translations(read, text))
        return Draft(asked.stand_ins.restored(target, source), problems, rung)

    def _pair(self, request: SegmentRequest, source: str, target: str, answer: str) -> Pair:
        around = (*request.before, *request.after)
        return Pair(source, target, request.target, request.source_language, request.terms, answer, around)

    def _in_parts(self, rung: Rung) -> Draft:
        """Part by part, each with a second way of asking where it fails."""
        request, parts = self._request, cut_in_parts(self._request.source)
        texts: list[str] = []
        once = replace(rung, parts=False)
        for part in parts:
            text = readable(part.source)
            if not any(map(str.isalpha, text)):
                texts.append(part.source.text)
                continue
            smaller = replace(request, source=part.source, terms=applying(request.terms, text))
            draft = self._at_once(smaller, once)
            if draft.fatal:
                another: Decoding = "search" if self._asking.can_search else "sampled"
                tags: Tags = "named" if once.tags == "named" else "projected"
                draft = self._at_once(smaller, replace(once, tags=tags, decoding=another))
            if draft.fatal:
                return Draft(request.source, draft.problems, rung)
            texts.append(draft.target.text)
        target = request.source.replaced(joined(parts, texts, request.target))
        pair = self._pair(request, readable(request.source), readable(target), "")
        return Draft(target, check(pair), rung)

    def _inner_translations(self, source: Marked, answer: str) -> dict[str, str]:
        """Translations of what stands between pairs of codes, where it is not in the answer as it is."""
        texts = [text for text in inner_texts(source) if text not in answer]
        for text in [text for text in texts if text not in self._inner][:_MOST_INNER_TEXTS]:
            terms = applying(self._request.terms, text)
            request = SegmentRequest(plain_text(text), self._request.target, self._request.source_language, terms)
            draft = self._at_once(request, Rung(around=False, tags="projected"))
            self._inner[text] = "" if draft.fatal else draft.target.text.strip(" .。!！")
        return {text: translation for text, translation in self._inner.items() if translation}

    def _decoding(self, asked: Question, rung: Rung) -> tuple[SamplingParams, SearchParams | None]:
        """How to find an answer: required words and tags need a search."""
        asking = self._asking
        if rung.decoding == "sampled":
            return _ANOTHER_TRY, None
        if not asking.can_search:
            return asking.sampling, None
        plain = GREEDY if rung.decoding == "asked" else _ANOTHER_TRY
        required = (*asked.words, *(_tags(asked) if rung.tags == "required" else ()))
        beam_size = asking.beam_size
        if rung.decoding != "asked":
            beam_size = max(beam_size + 1, _BEAMS_FOR_ANOTHER_TRY)
        elif required:
            beam_size = max(beam_size, BEAMS_FOR_WORDS)
        beam_size = min(beam_size, MAX_BEAM_SIZE)
        return plain, SearchParams(beam_size, required=required) if beam_size > 1 else None

    def _ask(
        self,
        asked: Question,
        sampling: SamplingParams,
        search: SearchParams | None,
        request: SegmentRequest | None = None,
    ) -> Answer:
        if self._cancelled.is_set():
            raise Cancelled
        required = search.required if search is not None else ()
        most = self._asking.budget.most((asked.text,), required)
        stop = tuple(mark for mark in _TURNS if mark not in asked.text)
        order = GenerationRequest(asked.conversation, sampling, most, stop, search)
        self.n_requests += 1
        pair = self._pair(request or self._request, asked.text, "", "")
        answer = self._asking.listener.ask(order, self._cancelled, lambda text: watch(replace(pair, target=text)))
        self.n_generated += answer.n_generated
        if answer.reason == "cancelled" and answer.problem is None:
            raise Cancelled
        return answer


def _tags(asked: Question) -> Sequence[str]:
    return [tag for tag, _ in asked.tags.tags] if asked.tags is not None else []
