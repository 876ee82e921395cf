"""Corrections of one word: what an engine is to put into a draft, and in the place of what.

A correction in one of the trained wordings says nothing but the word. So it needs no turn of its own: the draft is
revised as the answer to what was asked before, which costs little, and the model that translates decides what goes with
the new word.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bayling_lite.engine.base import Revision
from bayling_lite.engine.words import occurrences, occurs
from bayling_lite.languages import Language
from bayling_lite.messages import Conversation, Role
from bayling_lite.prompts import fixed_words, used_word
from bayling_lite.translate.refining.determiners import before


@dataclass(frozen=True, slots=True)
class Correction:
    """What to revise: the last answer to a conversation, and how."""

    conversation: Conversation
    revision: Revision


def asks_for_one_word(instruction: str, words: Sequence[str]) -> bool:
    """Whether an instruction says no more than which word is wanted, the only required one."""
    fixed, used = fixed_words(instruction), used_word(instruction)
    return len(words) == 1 and (fixed[1] if fixed else used) == words[0]


def correction(
    drafted: Conversation,
    instruction: str,
    words: tuple[str, ...],
    target: Language,
    kept: tuple[tuple[int, int], ...] = (),
) -> Correction | None:
    """How the draft that ends a conversation is corrected; None where the instruction says more than one word, or the
    word is there already. What is ``kept`` of the draft, (start, stop) each, is no place for the word, unless it is
    that of the wrong one.
    """
    if not asks_for_one_word(instruction, words):
        return None
    fixed = fixed_words(instruction)
    text = drafted.messages[-1].content
    places = tuple(occurrences(fixed[0], text)) if fixed else ()
    if not text or (not places and occurs(words[0], text)):
        return None
    return Correction(answered_request(drafted), _revision(text, words[0], places, target, kept))


def in_place_of(correction: Correction, wrong: str, target: Language) -> Correction:
    """The same correction where a word stands that it did not name; as it is where there is none."""
    revision = correction.revision
    places = tuple(occurrences(wrong, revision.text)) if wrong else ()
    return replace(correction, revision=_revision(revision.text, revision.phrase, places, target, revision.kept))


def strict(correction: Correction) -> Correction:
    """The same correction, and nothing besides."""
    return replace(correction, revision=replace(correction.revision, leaning=math.inf))


def _revision(
    text: str,
    word: str,
    places: tuple[tuple[int, int], ...],
    target: Language,
    kept: tuple[tuple[int, int], ...],
) -> Revision:
    """With its article, where it has one: the one of the wrong word may not be right."""
    if len(places) != 1:
        return Revision(text, word, places, kept=_apart(kept, places))
    ((start, stop),) = places
    said, others = before(text[:start], target.code)
    if said and _apart(kept, ((start - len(said), start),)) != kept:
        said, others = "", ()
    variants = tuple(other + word for other in others)
    places = ((start - len(said), stop),)
    return Revision(text, said + word, places, variants=variants, kept=_apart(kept, places))


def _apart(spans: tuple[tuple[int, int], ...], places: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """The spans that have nothing in common with any of the places."""
    return tuple(one for one in spans if all(one[1] <= start or stop <= one[0] for start, stop in places))


def answered_request(drafted: Conversation) -> Conversation:
    """What the draft is the answer to: the request before it, and before the corrections that led to it."""
    messages = drafted.messages[:-1]
    while len(messages) > 2 and messages[-2].role is Role.ASSISTANT and _is_correction(messages[-1].content):
        messages = messages[:-2]
    return Conversation(messages)


def _is_correction(instruction: str) -> bool:
    return fixed_words(instruction) is not None or used_word(instruction) is not None
