"""What became of a document: a record for each segment, and a report of all."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bayling_lite.languages import Language
from bayling_lite.translate.asking.values import Origin, OutcomeStatus, Problem, ProblemKind, SegmentOutcome
from bayling_lite.translate.markup import Marked

MOST_FAILURES = 1000
"""Failed segments that a report lists; further ones are counted."""
_MOST_TERMS = 1000
_EXCERPT = 200


@dataclass(frozen=True, slots=True)
class SegmentRecord:
    """A finished segment. ``index`` counts from 0; texts are as a reader sees them, without what their codes are."""

    index: int
    place: str
    source: str
    target: str
    status: OutcomeStatus
    origin: Origin
    problems: tuple[Problem, ...] = ()
    attempts: int = 0
    alternatives: tuple[str, ...] = ()

    @classmethod
    def of(cls, index: int, place: str, source: Marked, outcome: SegmentOutcome) -> SegmentRecord:
        """What became of a source text."""
        return cls(
            index,
            place,
            source.reads,
            outcome.target.reads,
            outcome.status,
            outcome.origin,
            outcome.problems,
            outcome.attempts,
            tuple(alternative.reads for alternative in outcome.alternatives),
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """A segment that was left in the source language: where it stands, how it begins, what was wrong."""

    place: str
    source: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class JobReport:
    """What became of a document. Counts are of segments, if nothing else is said.

    ``total`` is what there is, of which ``ok`` were translated, ``kept`` had nothing to translate (``kept_language`` of
    them because they are in the target language already) and ``failed`` were left in the source language; the rest was
    not reached. Of those translated, ``from_model``, ``from_store``, ``from_memory`` came from there, and ``repeated``
    had come before in the document. ``attempts`` are requests to the model, ``retries`` those beyond the first for a
    segment, ``retried`` the segments that took any. ``terms_required`` and ``terms_missing`` count terms in segments;
    ``missing_terms`` says which, how often. ``warnings`` are problems that a person should look at, by kind.
    ``failures`` are the first thousand. ``source`` is the language given or detected, None where it is not known.
    ``output`` and ``encoding`` are those of the file that was written, if one was; ``notes`` what a person should know
    of how the document was read.
    """

    source: Language | None
    target: Language
    total: int = 0
    ok: int = 0
    kept: int = 0
    kept_language: int = 0
    failed: int = 0
    from_model: int = 0
    from_store: int = 0
    from_memory: int = 0
    repeated: int = 0
    attempts: int = 0
    retries: int = 0
    retried: int = 0
    terms_required: int = 0
    terms_missing: int = 0
    missing_terms: tuple[tuple[str, int], ...] = ()
    warnings: tuple[tuple[ProblemKind, int], ...] = ()
    failures: tuple[Failure, ...] = ()
    n_generated: int = 0
    seconds: float = 0.0
    cancelled: bool = False
    output: Path | None = None
    encoding: str = ""
    notes: tuple[str, ...] = ()

    @property
    def done(self) -> int:
        """Finished segments."""
        return self.ok + self.kept + self.failed

    @property
    def segments_per_second(self) -> float:
        """Finished segments per second."""
        return self.done / self.seconds if self.seconds else 0.0


@dataclass(slots=True)
class Tally:
    """Counts what becomes of segments. One thread adds; others may read reports meanwhile."""

    counts: Counter[str] = field(default_factory=Counter)
    warnings: Counter[ProblemKind] = field(default_factory=Counter)
    missing_terms: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    started: float | None = None
    ended: float | None = None

    def add(self, place: str, source: Marked, outcome: SegmentOutcome, n_terms: int, *, in_target: bool) -> None:
        """Count a segment, in which so many terms are required; ``in_target``: it was in the target language."""
        counts = self.counts
        counts[outcome.status] += 1
        counts["attempts"] += outcome.attempts
        counts["n_generated"] += outcome.n_generated
        counts["retries"] += max(0, outcome.attempts - 1)
        counts["retried"] += outcome.attempts > 1
        counts["kept_language"] += in_target
        if outcome.status == "ok":
            counts[outcome.origin] += 1
        if outcome.status == "kept":
            return
        counts["terms_required"] += n_terms
        missing = outcome.missing_terms
        counts["terms_missing"] += len(missing)
        for term in missing:
            if term in self.missing_terms or len(self.missing_terms) < _MOST_TERMS:
                self.missing_terms[term] += 1
        if outcome.status == "failed":
            if len(self.failures) < MOST_FAILURES:
                self.failures.append(Failure(place, _excerpt(source.reads), outcome.problems))
        else:
            self.warnings.update(problem.kind for problem in outcome.problems)

    def report(self, source: Language | None, target: Language, total: int, *, cancelled: bool) -> JobReport:
        """What was counted so far."""
        counts = self.counts
        seconds = 0.0 if self.started is None else (self.ended or time.monotonic()) - self.started
        return JobReport(
            source,
            target,
            total,
            ok=counts["ok"],
            kept=counts["kept"],
            kept_language=counts["kept_language"],
            failed=counts["failed"],
            from_model=counts["model"],
            from_store=counts["store"],
            from_memory=counts["memory"],
            repeated=counts["repeated"],
            attempts=counts["attempts"],
            retries=counts["retries"],
            retried=counts["retried"],
            terms_required=counts["terms_required"],
            terms_missing=counts["terms_missing"],
            missing_terms=tuple(self.missing_terms.most_common()),
            warnings=tuple(self.warnings.most_common()),
            failures=tuple(self.failures),
            n_generated=counts["n_generated"],
            seconds=seconds,
            cancelled=cancelled,
        )


def _excerpt(text: str) -> str:
    return text if len(text) <= _EXCERPT else f"{text[: _EXCERPT - 1]}…"
