"""Scripted refinements made from sets that there are: a user who knows the reference asks for words of it.

The model translates; then, for each of some phrases of the reference that the draft lacks, the user says to use it, in
the program's wording. What to ask for is in a set of constrained translation already; of a parallel text it is chosen
by rules that need no tool for any language: the rarest words, and of Chinese characters those groups that occur again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from bayling_lite.engine.words import occurs
from bayling_lite.evaluate.interactive.constrained_files import ConstrainedSet
from bayling_lite.evaluate.interactive.refinement_sets import RefinementDialogue, Wish
from bayling_lite.evaluate.translation.parallel_set import ParallelSet
from bayling_lite.languages import Language

USUAL_SIZE = 300
"""Dialogues of a set that is made without being told how many."""
_MOST_PHRASES = 2
_FEWEST_LETTERS, _FEWEST_CHARACTERS = 4, 2
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_RUN = re.compile(r"[\u3400-\u9fff]+|[\u30a0-\u30ff]{2,}")
_LENGTHS = (4, 3, 2)
# Characters that make no content word by themselves, and seldom begin or end one.
_FUNCTION = frozenset("的了着过是在和与及或也都就不没有这那我你您他她它们很而但为于以对把被从到将会能要可之其个")

Item = TypeVar("Item")


def from_constrained(chosen: ConstrainedSet, count: int = USUAL_SIZE) -> tuple[RefinementDialogue, ...]:
    """At most ``count`` dialogues, spread over a constrained set: each of its phrases is a wish.

    Phrases that are no words of their own in the reference, or one character alone, are left out.
    """
    found = []
    for number, sentence in enumerate(chosen.sentences, 1):
        wishes = tuple(
            Wish(contains=(phrase,))
            for phrase in sentence.phrases
            if len(phrase) >= _FEWEST_CHARACTERS and phrase == phrase.strip() and occurs(phrase, sentence.reference)
        )
        if wishes:
            found.append(
                RefinementDialogue(
                    str(number), chosen.source, chosen.target, sentence.source, wishes, sentence.reference
                )
            )
    return tuple(spread(found, count))


def from_parallel(chosen: ParallelSet, count: int = USUAL_SIZE) -> tuple[RefinementDialogue, ...]:
    """At most ``count`` dialogues, spread over a parallel set, with one or two wishes each."""
    references = chosen.references[0]
    candidates = [_candidates(reference, chosen.target) for reference in references]
    frequencies = Counter(phrase for phrases in candidates for phrase in set(phrases))
    found = []
    for number, (source, reference, phrases) in enumerate(zip(chosen.sources, references, candidates, strict=True), 1):
        wishes = tuple(Wish(contains=(phrase,)) for phrase in _chosen(phrases, frequencies, chosen.target))
        if wishes and source.strip():
            found.append(RefinementDialogue(str(number), chosen.source, chosen.target, source, wishes, reference))
    return tuple(spread(found, count))


def spread(items: Sequence[Item], count: int) -> list[Item]:
    """So many of the items, at even distances; all, where there are no more."""
    if len(items) <= count:
        return list(items)
    return [items[place * len(items) // count] for place in range(count)]


def _candidates(reference: str, target: Language) -> list[str]:
    """Phrases that one might ask for, as they stand in a reference, each once."""
    if target.spaced:
        found = [match.group() for match in _WORD.finditer(reference) if len(match.group()) >= _FEWEST_LETTERS]
    else:
        found = [
            run[start : start + length]
            for run in _RUN.findall(reference)
            for length in _LENGTHS
            for start in range(len(run) - length + 1)
        ]
    return [phrase for phrase in dict.fromkeys(found) if not _FUNCTION.intersection(phrase)]


def _chosen(phrases: Sequence[str], frequencies: Counter[str], target: Language) -> list[str]:
    """The phrases to ask for, in the order of the reference; none overlaps another by a character in common."""
    if target.spaced:
        ranked = sorted(phrases, key=lambda phrase: frequencies[phrase])
    else:
        # What stands in one sentence alone may be two halves of words.
        ranked = sorted(
            (phrase for phrase in phrases if frequencies[phrase] > 1),
            key=lambda phrase: (-len(phrase), frequencies[phrase]),
        )
    taken: list[str] = []
    for phrase in ranked:
        if len(taken) < _MOST_PHRASES and not any(set(phrase) & set(one) and not target.spaced for one in taken):
            taken.append(phrase)
    return sorted(taken, key=phrases.index)
