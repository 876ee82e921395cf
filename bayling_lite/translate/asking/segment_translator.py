"""Segments of documents translated: asked, checked, and asked again in another way where that can help."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import replace

from bayling_lite.engine.base import GREEDY, Engine, SamplingParams, SearchParams
from bayling_lite.errors import UsageError
from bayling_lite.prompts import Wording
from bayling_lite.translate.asking.attempts import Asking, Attempts, Cancelled, Draft
from bayling_lite.translate.asking.budget import TokenBudget
from bayling_lite.translate.asking.ladder import Rung, Situation, first_rung, next_rung
from bayling_lite.translate.asking.listening import Listener
from bayling_lite.translate.asking.parts import cut_in_parts
from bayling_lite.translate.asking.prompt import Question, question
from bayling_lite.translate.asking.steering import Steering
from bayling_lite.translate.asking.values import Problem, SegmentOutcome, SegmentRequest
from bayling_lite.translate.checks.links import literals
from bayling_lite.translate.job.fitting import follows_context

# Goes into every fingerprint: another number where prompts, checks or the ladder change what comes out.
_VERSION = 1
_NEIGHBOURS = (2, 1)


class SegmentTranslator:
    """Translates segments with an engine. Safe to use from any thread, many at once: each call waits for its own.

    ``wording``, ``sampling`` and ``beam_size`` as for the Translator; sampling without a seed takes one from the
    request, so that the same request gives the same translation. ``alternatives`` further translations are looked for.
    The ``steering`` is left out with a demonstrator, see :attr:`note`.

    Raises:
        UsageError: a beam size that cannot be, one together with sampling, or one for an engine that cannot search; a
            negative number of alternatives.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        wording: Wording = Wording.ENGLISH,
        sampling: SamplingParams = GREEDY,
        beam_size: int = 1,
        steering: Steering | None = None,
        alternatives: int = 0,
    ) -> None:
        SearchParams(beam_size)
        if beam_size > 1 and sampling != GREEDY:
            raise UsageError("Beam search takes the likeliest text: it cannot be combined with sampling.")
        if beam_size > 1 and not engine.info.can_search:
            raise UsageError(f"{engine.info.name} cannot be searched: leave the beam size at 1.")
        if alternatives < 0:
            raise UsageError(f"The number of alternatives must be 0 or more, not {alternatives}.")
        steering = steering or Steering()
        preface = steering.heeded_preface(engine.info, wording)
        self.engine = engine
        self.note = steering.note(engine.info, wording)
        """What a user should know of how texts are asked for; empty where all is well."""
        self._alternatives = alternatives
        self._asking = Asking(engine, Listener(engine), TokenBudget(engine), wording, sampling, beam_size, preface)

    @property
    def neighbours(self) -> tuple[int, int]:
        """How many segments before and after one are worth giving with it: (0, 0) for a model with little room."""
        return _NEIGHBOURS if follows_context(self.engine.info) else (0, 0)

    def n_prompt(self, request: SegmentRequest) -> int:
        """Tokens of the first prompt for a segment."""
        return self.engine.count_tokens(self._first(request).conversation)

    def fingerprint(self, request: SegmentRequest) -> str:
        """What the translation of a segment is kept and found under, as 64 hexadecimal digits.

        It covers everything that the translation depends on but the neighbours, so that a sentence that comes again is
        translated once, as it reads the first time, and a changed sentence has no other translated again. What codes
        stand for in the document is not part of it, but what a reader sees in their place.
        """
        info, asking = self.engine.info, self._asking
        first = self._first(replace(request, before=(), after=()))
        sampling = asking.sampling
        codes = [request.source.code(character) for character in request.source.used]
        known = [
            _VERSION,
            info.fingerprint or info.name,
            [info.template, request.source_language and request.source_language.code, request.target.code],
            [[message.role.value, message.content] for message in first.conversation],
            request.terms,
            [asking.beam_size, self._alternatives],
            [getattr(sampling, name) for name in sampling.__slots__],
            [*([code.kind, code.reads] for code in codes), *map(list, first.stand_ins.words)],
        ]
        return hashlib.sha256(json.dumps(known, ensure_ascii=True).encode("ascii")).hexdigest()

    def translate(self, request: SegmentRequest, cancelled: threading.Event) -> SegmentOutcome:
        """Translate a segment; blocks until it is done, or soon after ``cancelled`` is set.

        Raises:
            EngineError: generating failed for a reason that other segments have as well.
        """
        source = request.source
        if request.source_language == request.target or not any(map(str.isalpha, source.bare)):
            return SegmentOutcome(source, "kept", origin="source")
        attempts = Attempts(self._seeded(request), request, cancelled)
        try:
            drafts = self._climb(request, attempts)
            best = min(drafts, key=lambda draft: draft.faults)
            others = () if best.fatal else attempts.alternatives(best, self._alternatives)
        except Cancelled:
            return SegmentOutcome(source, "cancelled", (), attempts.n_requests, attempts.n_generated, origin="source")
        counts = attempts.n_requests, attempts.n_generated
        if best.fatal:
            return SegmentOutcome(source, "failed", best.problems, *counts, origin="source")
        return SegmentOutcome(best.target, "ok", best.problems, *counts, others)

    def _climb(self, request: SegmentRequest, attempts: Attempts) -> list[Draft]:
        """The drafts of all rungs that were tried."""
        situation = self._situation(request)
        drafts: list[Draft] = []
        tried: list[tuple[Rung, tuple[Problem, ...]]] = []
        rung: Rung | None = first_rung(situation)
        while rung is not None:
            drafts.append(attempts.attempt(rung))
            tried.append((rung, drafts[-1].problems))
            if len(tried) == 1 and drafts[0].problems:
                situation = replace(situation, can_cut=bool(cut_in_parts(request.source)))
            rung = next_rung(situation, tried)
        return drafts

    def _situation(self, request: SegmentRequest) -> Situation:
        """What there is to know at first; whether the text can be cut is found out when that matters."""
        demonstrator = self.engine.info.demonstrator
        return Situation(
            has_codes=bool(request.source.used or (demonstrator and literals(request.source.bare))),
            has_around=bool(request.notes or request.before or request.after or request.examples),
            has_words=bool(request.terms),
            can_search=self._asking.can_search,
            demonstrator=demonstrator,
        )

    def _first(self, request: SegmentRequest) -> Question:
        return question(request, first_rung(self._situation(request)), self._asking.preface, self._asking.wording)

    def _seeded(self, request: SegmentRequest) -> Asking:
        sampling = self._asking.sampling
        if sampling.temperature == 0 or sampling.seed is not None:
            return self._asking
        seed = int(self.fingerprint(request)[:7], 16)
        return replace(self._asking, sampling=replace(sampling, seed=seed))
