"""The ladder: what to try next when a translation did not pass its checks.

Each rung is another way to ask, and is tried only where it can help against what was wrong:

- tags that were lost are required by a search, else the text goes without its codes, which are put back by alignment;
- without what stands around it, a text is not confused with it, and takes less room;
- another decoding leaves a rut: a search looks further ahead, sampling with a penalty breaks a circle;
- shorter texts are easier: sentence by sentence, clause by clause.

A demonstrator gets neither tags nor anything around the text from the first: bayling-tiny kept no tag in 150 sentences,
and translates a note as if it were the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bayling_lite.translate.asking.values import Problem, ProblemKind

MOST_ATTEMPTS = 6

Tags = Literal["shown", "required", "projected", "named"]
Decoding = Literal["asked", "search", "sampled"]

_CIRCLES = {ProblemKind.REPETITION, ProblemKind.TRUNCATED}
# Not fatal, and yet worth another try: they may well be right the next time.
_DOUBTS = {
    *(ProblemKind.NUMBERS, ProblemKind.LEFTOVER, ProblemKind.LENGTH, ProblemKind.SCRIPT, ProblemKind.OBEYED),
}
# Where no search can require words, asking again is all that can be done for those that are missing.
_DOUBTS_WITHOUT_SEARCH = {*_DOUBTS, ProblemKind.TERMS}


@dataclass(frozen=True, slots=True)
class Rung:
    """A way to ask for a translation.

    ``around``: with notes, neighbours and examples. ``tags``: shown to the model, shown and required in its answer, or
    left out and put back afterwards (``projected``), with words in the place of variables (``named``). ``decoding``: as
    the user asked, by beam search, or sampled with a penalty on repetition. ``parts``: sentence by sentence, clause by
    clause.
    """

    around: bool = True
    tags: Tags = "shown"
    decoding: Decoding = "asked"
    parts: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides which rungs there are: the text has codes, something stands around it, words are required in its
    translation, it can be cut; the engine can search; its model is a demonstrator.
    """

    has_codes: bool = False
    has_around: bool = False
    has_words: bool = False
    can_cut: bool = False
    can_search: bool = False
    demonstrator: bool = False


def first_rung(situation: Situation) -> Rung:
    """How to ask at first."""
    if situation.demonstrator:
        return Rung(around=False, tags="named" if situation.has_codes else "shown")
    return Rung(situation.has_around)


def next_rung(situation: Situation, tried: Sequence[tuple[Rung, Sequence[Problem]]]) -> Rung | None:
    """What to try after these, the last of which had these problems; None when nothing is left that could help."""
    if len(tried) >= MOST_ATTEMPTS:
        return None
    last, problems = tried[-1]
    kinds = {problem.kind for problem in problems if problem.fatal}
    if not kinds:
        # One more try for what is only doubtful.
        doubts = _DOUBTS if situation.can_search else _DOUBTS_WITHOUT_SEARCH
        if len(tried) > 1 or not {problem.kind for problem in problems} & doubts:
            return None
        return replace(last, around=False, decoding="search" if situation.can_search else "sampled")
    seen = {rung for rung, _ in tried}
    return next((rung for rung in _candidates(situation, last, kinds, seen) if rung not in seen), None)


def _candidates(situation: Situation, last: Rung, kinds: set[ProblemKind], seen: set[Rung]) -> Iterator[Rung]:
    lost_tags = ProblemKind.MARKUP in kinds and situation.has_codes
    shown = last.tags in ("shown", "required")
    if lost_tags and shown:
        if situation.can_search:
            yield replace(last, tags="required")
        yield replace(last, tags="projected", decoding="asked", parts=False)
    if last.around:
        yield replace(last, around=False)
    plain = replace(last, around=False, tags="shown" if last.tags == "required" else last.tags)
    if ProblemKind.CONTEXT not in kinds and not last.parts:
        search, sampled = replace(plain, decoding="search"), replace(plain, decoding="sampled")
        # Sampling cannot be made to write required words.
        circles = kinds & _CIRCLES and not situation.has_words
        first, second = (sampled, search) if circles else (search, sampled)
        others = (first, second) if situation.can_search else (sampled,)
        decoded = {rung.decoding for rung in seen}
        yield from (other for other in others if other.decoding not in decoded)
    if situation.has_codes and shown:
        yield Rung(around=False, tags="projected")
    if situation.can_cut:
        yield Rung(around=False, tags=plain.tags, parts=True)
