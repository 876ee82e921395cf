"""A small bilingual corpus whose true alignment is known: invented words under the names of English and French.

A sentence is "the ADJECTIVE NOUN VERB ADVERB"; its translation is "ADVERB le NOUN ADJECTIVE VERB", so that everything
changes places. Some nouns are two words on the first side and one on the second.
"""

from __future__ import annotations

import itertools
import random

from bayling_finetune.dialogues.values import Direction
from bayling_lite.languages import find_language

ENGLISH, FRENCH = find_language("en"), find_language("fr")

_SYLLABLES = [first + last for first, last in itertools.product("bdfgklmnprstvz", "aeiou")]


def _invented(count: int, seed: int, ending: str) -> list[str]:
    chooser = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(chooser.choices(_SYLLABLES, k=3)) + ending] = None
    return list(found)


def _lexicon(count: int, seed: int) -> dict[str, str]:
    return dict(zip(_invented(count, seed, "x"), _invented(count, seed + 1, "q"), strict=True))


ADJECTIVES, VERBS, ADVERBS = _lexicon(25, 1), _lexicon(25, 3), _lexicon(15, 5)
NOUNS = _lexicon(25, 7)
LONG_NOUNS = {
    f"{first} {second}": word
    for (first, word), second in zip(_lexicon(8, 9).items(), _invented(8, 11, "x"), strict=True)
}
LEXICON = ADJECTIVES | VERBS | ADVERBS | NOUNS | LONG_NOUNS


def pairs(count: int, seed: int = 0) -> list[Direction]:
    """So many sentences with their translations."""
    chooser = random.Random(seed)
    nouns = NOUNS | LONG_NOUNS
    made = []
    for _ in range(count):
        adjective, noun, verb, adverb = (
            chooser.choice(list(lexicon)) for lexicon in (ADJECTIVES, nouns, VERBS, ADVERBS)
        )
        source = f"The {adjective} {noun} {verb} {adverb}."
        reference = f"{ADVERBS[adverb].capitalize()} le {nouns[noun]} {ADJECTIVES[adjective]} {VERBS[verb]}."
        made.append(Direction(source, reference, ENGLISH, FRENCH))
    return made


def said(direction: Direction, source: tuple[int, int], reference: tuple[int, int]) -> tuple[str, str]:
    """The texts of two spans, in lower case."""
    return direction.source[slice(*source)].lower(), direction.reference[slice(*reference)].lower()
