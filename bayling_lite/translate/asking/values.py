"""What is asked of a model for one segment of a document, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from bayling_lite.languages import Language
from bayling_lite.translate.glossary import Term
from bayling_lite.translate.markup import Marked

OutcomeStatus = Literal["ok", "kept", "failed", "cancelled"]
Origin = Literal["model", "store", "memory", "repeated", "source"]


class ProblemKind(StrEnum):
    """What can be wrong with a translation; the values stand in reports and in ``--json``."""

    EMPTY = "empty"
    TRUNCATED = "truncated"  # the model did not come to an end
    REPETITION = "repetition"
    SCRIPT = "wrong script"
    LANGUAGE = "wrong language"
    ECHO = "source echoed"  # the answer is the source, or begins with it
    LEFTOVER = "source left over"
    OVERRUN = "over-generation"  # something follows the translation
    NUMBERS = "numbers"
    LINKS = "links"
    MARKUP = "markup"
    LENGTH = "length"
    OBEYED = "instruction obeyed"  # the text was answered, not translated
    TERMS = "terms"
    CONTEXT = "context"  # the request does not fit the model's context


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a translation. ``fatal``: it cannot stand; else a person should look at it."""

    kind: ProblemKind
    detail: str = ""
    fatal: bool = True

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}" if self.detail else str(self.kind)


@dataclass(frozen=True, slots=True)
class SegmentRequest:
    """Everything that the translation of a segment depends on, but for the model and the job's own settings.

    ``terms`` are those that apply to it. ``before`` and ``after`` are what reads around it, the nearest last and first;
    they help the model, and of requests that differ in nothing else only the first of a document is asked.
    ``examples`` are translations of similar texts, (source, target), the most similar last.
    """

    source: Marked
    target: Language
    source_language: Language | None = None
    terms: tuple[Term, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    notes: str = ""
    examples: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SegmentOutcome:
    """What came of a segment.

    ``target`` is the source where the status is ``kept`` (nothing to translate) or ``failed``; ``problems`` then say
    why, with those of the best attempt, else what a person should look at. ``attempts`` counts requests to the model,
    ``n_generated`` tokens. ``alternatives`` are further translations, the best first.
    """

    target: Marked
    status: OutcomeStatus
    problems: tuple[Problem, ...] = ()
    attempts: int = 0
    n_generated: int = 0
    alternatives: tuple[Marked, ...] = field(default=())
    origin: Origin = "model"

    @property
    def missing_terms(self) -> tuple[str, ...]:
        """What is said of the terms that are not in it."""
        return tuple(problem.detail for problem in self.problems if problem.kind is ProblemKind.TERMS)
