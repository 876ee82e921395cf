"""A document job: planned, translated by many workers at once, written in order, reported.

The document's writer pulls translations; units are cut into segments as they are needed, some dozens ahead of the
writer, and go to a pool of workers. Each worker asks for one segment at a time and keeps what came of it before it
takes another, so that whatever ends the job costs at most the segments under way. Nothing is held of a segment after
its unit was written but what a report counts: a document of any length takes the same memory.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bayling_lite.errors import UsageError
from bayling_lite.languages import Language
from bayling_lite.translate.asking.values import SegmentOutcome, SegmentRequest
from bayling_lite.translate.checks.length import too_wide
from bayling_lite.translate.formats import notes_of
from bayling_lite.translate.formats.base import Document, Layout, TranslatedUnit
from bayling_lite.translate.glossary import Term, TermIndex, check_terms
from bayling_lite.translate.job.answers import Answers
from bayling_lite.translate.job.cutting import CutUnit
from bayling_lite.translate.job.fitting import is_certainly, model_language
from bayling_lite.translate.job.report import JobReport, SegmentRecord, Tally
from bayling_lite.translate.job.survey import Plan, Survey, Text, survey, texts
from bayling_lite.translate.job.workers import Workers, finished
from bayling_lite.translate.store import Store

if TYPE_CHECKING:
    from bayling_lite.translate.asking.segment_translator import SegmentTranslator
    from bayling_lite.translate.memory import TranslationMemory

_WORKERS_PER_SEQUENCE, _FEWEST_WORKERS = 2, 4
# Segments under way or waiting for their turn to be written, so that one that takes long does not stop the others.
_WINDOW_PER_WORKER, _NARROWEST_WINDOW = 8, 64

OnSegment = Callable[[SegmentRecord], None]


@dataclass(slots=True)
class _Unit:
    """A unit under way: its segments' translations so far."""

    cut: CutUnit
    targets: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Slot:
    """A segment's place in the line; the last one of a unit ends it. ``text`` is None for a unit without segments."""

    unit: _Unit
    text: Text | None
    ends: bool
    outcome: SegmentOutcome | Future[SegmentOutcome] | None = None
    n_terms: int = 0
    in_target: bool = False


class DocumentJob:
    """The translation of one document. It runs once; :meth:`cancel` and the properties may be used from any thread.

    Args:
        document: what to translate.
        translator: translates the segments.
        target: a language, its BCP-47 code or name.
        source: the language the document is in; None to find out. A document that is in the target language already
            stays as it is, and so does a longer segment in one that is not.
        terms: required where their source word occurs.
        store: where finished segments are kept and looked for.
        memory: a translation memory to look in before the store.
        bilingual: keep the source beside the translation.
        retranslate: do not use what is in the store, replace it.
        on_segment: called for each finished segment, in order, by the thread that reads the pieces.

    Raises:
        UsageError: an unknown language, or one the model does not know; a word with two translations; a document that
            cannot be bilingual.
    """

    def __init__(
        self,
        document: Document,
        translator: SegmentTranslator,
        *,
        target: str | Language,
        source: str | Language | None = None,
        terms: Iterable[Term] = (),
        store: Store | None = None,
        memory: TranslationMemory | None = None,
        bilingual: bool = False,
        retranslate: bool = False,
        on_segment: OnSegment | None = None,
    ) -> None:
        info = translator.engine.info
        if bilingual and not document.can_be_bilingual:
            raise UsageError(
                f"A document of this kind ({document.suffix}) cannot hold two languages: leave bilingual off."
            )
        self.document = document
        self.translator = translator
        self.target = model_language(target, info)
        self._given = None if source is None else model_language(source, info)
        self._terms = TermIndex(check_terms(terms))
        self._answers = Answers(translator, store=store, memory=memory, retranslate=retranslate)
        self._bilingual = bilingual
        self._on_segment = on_segment
        self._surveying = threading.Lock()
        self._survey: Survey | None = None
        self._tally = Tally()
        self._n_done = 0
        self._begun = False
        n_workers = max(_FEWEST_WORKERS, _WORKERS_PER_SEQUENCE * info.n_parallel)
        self._workers = Workers(self._answers, n_workers)
        self._window = max(_NARROWEST_WINDOW, _WINDOW_PER_WORKER * n_workers)

    @property
    def survey(self) -> Survey:
        """What there is to do: the document is walked through when it is first asked for."""
        with self._surveying:
            if self._survey is None:
                self._survey = survey(self.document, self.translator.engine.info, self._given)
            return self._survey

    @property
    def source(self) -> Language | None:
        """The language the document is in; None where it holds no word, or none of a language that the model knows."""
        return self.survey.source

    @property
    def total(self) -> int:
        """Segments in all."""
        return self.survey.segments

    @property
    def done(self) -> int:
        """Segments finished and passed on to the writer."""
        return self._n_done

    @property
    def report(self) -> JobReport:
        """What became of the document so far."""
        survey = self._survey or Survey(0, 0, 0, self._given)
        report = self._tally.report(survey.source, self.target, survey.segments, cancelled=self._workers.cancelled)
        return replace(report, notes=notes_of(self.document))

    def cancel(self) -> None:
        """Stop. Whoever reads the pieces gets a JobCancelled, within the time of about one token."""
        self._workers.cancel()

    def plan(self) -> Plan:
        """What the job would do, without doing it: what is known already, and how much the model would read.

        Raises:
            JobCancelled: it was cancelled meanwhile.
        """
        plan = Plan(self.survey)
        seen: set[int] = set()
        for _, text in self._texts():
            self._workers.check()
            if text is None or self._kept(text) is not None:
                continue
            request = self._request(text)
            if self._answers.from_memory(request) is not None:
                plan.from_memory += 1
                continue
            request = self._answers.with_examples(request)
            key = self.translator.fingerprint(request)
            # 64 bits of the digest tell segments apart as well, and take less room.
            short = int(key[:16], 16)
            if short in seen:
                continue
            seen.add(short)
            plan.distinct += 1
            if self._answers.stored(key, request) is not None:
                plan.stored += 1
            else:
                plan.prompt_tokens += self.translator.n_prompt(request)
        return plan

    def run(self) -> Generator[str | bytes, None, None]:
        """Translate; gives the pieces of the new document, text where the document has a form, else bytes.

        However it ends, by an error, by Ctrl-C or because nobody reads on, what is under way is cancelled first, and
        what is finished is kept.

        Raises:
            JobCancelled: it was cancelled.
            EngineError: generating failed, or the engine was closed.
            OutputError: the store cannot be written.
            UsageError: it was run before.
        """
        if self._begun:
            raise UsageError("A job runs once: make another one to translate the document again.")
        self._begun = True
        self._tally.started = time.monotonic()
        layout = Layout(self.target, self.survey.source, self._bilingual)
        line: deque[_Slot] = deque()
        try:
            yield from self.document.write(self._translations(line), layout)
        finally:
            self._workers.close()
            self._count_rest(line)
            self._tally.ended = time.monotonic()

    def _translations(self, line: deque[_Slot]) -> Iterator[TranslatedUnit]:
        """The translated units in order; ``line`` holds what is under way."""
        slots = self._slots()
        index = 0
        while True:
            while len(line) < self._window and (slot := next(slots, None)) is not None:
                self._workers.check()
                self._start(slot)
                line.append(slot)
            if not line:
                return
            slot = line[0]
            if isinstance(slot.outcome, Future):
                slot.outcome = self._workers.wait(slot.outcome)
            line.popleft()
            if slot.text is not None and slot.outcome is not None:
                self._finish(slot, slot.text, slot.outcome, index)
                index += 1
            if slot.ends:
                yield TranslatedUnit(slot.unit.cut.source, slot.unit.cut.joined(slot.unit.targets, self.target))

    def _slots(self) -> Iterator[_Slot]:
        unit: _Unit | None = None
        for cut, text in self._texts():
            if unit is None or unit.cut is not cut:
                unit = _Unit(cut)
            yield _Slot(unit, text, text is None or text.piece is cut.pieces[-1])

    def _texts(self) -> Iterator[tuple[CutUnit, Text | None]]:
        return texts(self.document, self.translator.engine.info, self.translator.neighbours)

    def _start(self, slot: _Slot) -> None:
        """Have a segment translated, unless there is nothing to do."""
        if slot.text is None:
            return
        kept = self._kept(slot.text)
        if kept is not None:
            slot.outcome, slot.in_target = kept, slot.text.translatable
        else:
            request = self._request(slot.text)
            slot.n_terms = len(request.terms)
            slot.outcome = self._workers.submit(request)

    def _kept(self, text: Text) -> SegmentOutcome | None:
        """The outcome of a segment that needs no translation."""
        source, target = self.survey.source, self.target
        if not text.translatable or source == target or is_certainly(text.reads, target):
            return SegmentOutcome(text.piece.source, "kept", origin="source")
        return None

    def _request(self, text: Text) -> SegmentRequest:
        terms = self._terms.applying(text.reads) if self._terms.terms else ()
        return SegmentRequest(
            text.piece.source, self.target, self.survey.source, terms, text.before, text.after, text.notes
        )

    def _finish(self, slot: _Slot, text: Text, outcome: SegmentOutcome, index: int) -> None:
        source = text.piece.source
        if outcome.status == "ok":
            wide = too_wide(text.reads, outcome.target.reads, text.width)
            outcome = replace(outcome, problems=(*outcome.problems, *wide))
        slot.unit.targets.append(outcome.target.text)
        self._tally.add(text.place, source, outcome, slot.n_terms, in_target=slot.in_target)
        self._n_done += 1
        if self._on_segment is not None:
            self._on_segment(SegmentRecord.of(index, text.place, source, outcome))

    def _count_rest(self, line: deque[_Slot]) -> None:
        """Count what was finished and not written when the job ended early."""
        for slot in line:
            outcome = slot.outcome
            if isinstance(outcome, Future):
                outcome = finished(outcome)
            if slot.text is not None and outcome is not None:
                self._tally.add(
                    slot.text.place, slot.text.piece.source, outcome, slot.n_terms, in_target=slot.in_target
                )
                self._n_done += 1
        line.clear()
