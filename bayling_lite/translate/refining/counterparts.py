"""Which word of a draft stands for a word of its source.

Who says "use Gebäude for house" wants it in the place of Haus. The model translates the word alone, and with the small
word before it ("the house"): what the draft has of that, and is no small word itself, is the place. That a small model
says more than the word ("Das Haus ist das Haus") does no harm. Tried on 67 words in sentences with bayling-tiny: 64 new
words come to stand for the right one; where the model likes the new word best, it is 25.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from bayling_lite.engine.base import GenerationRequest
from bayling_lite.languages import Language
from bayling_lite.prompts import fixed_words
from bayling_lite.translate.checks.function_words import is_small
from bayling_lite.translate.glossary import occurs
from bayling_lite.translate.refining.corrections import in_place_of
from bayling_lite.translate.refining.plan import DraftPlan, Finish, Routing
from bayling_lite.translate.refining.standing import changed
from bayling_lite.translate.results import TranslatedSegment, Translation

# How alike two words must be, as difflib's ratio; an ending may differ.
_ALIKE = 0.7
_FEWEST_LETTERS = 3
# A word of so many letters counts where it has got an ending.
_STEM = 4
_WORD = re.compile(r"[^\W\d_]+")
# Characters of Chinese that stand for nothing by themselves, and so are shared by chance.
_SMALL_CHARACTERS = frozenset("的了着过吗呢吧是在和我你他她它这那个一有不也都就")


def with_counterparts(
    plan: DraftPlan, instruction: str, target: Language, request: Callable[[str], GenerationRequest]
) -> DraftPlan:
    """A plan whose correction names a word of the source, with the correction in the place of that word's translation.

    ``request`` asks for the translation of a word. Where that tells nothing, the place is the engine's to find.
    """
    fixed = fixed_words(instruction)
    if fixed is None or plan.routing is not None:
        return plan
    asked = {
        position: expressions
        for position, task in enumerate(plan.tasks)
        if task.correction is not None and not task.correction.revision.places
        if (expressions := _expressions(fixed[0], task.segment.text, target))
    }
    if not asked:
        return plan

    def routing() -> Routing:
        said = list(dict.fromkeys(one for expressions in asked.values() for one in expressions))
        replies = yield [request(expression) for expression in said]
        answers = {
            expression: reply.text
            for expression, reply in zip(said, replies, strict=True)
            if not isinstance(reply, Exception)
        }
        tasks, lost = list(plan.tasks), list[str]()
        for position, expressions in asked.items():
            task = tasks[position]
            if task.correction is not None:
                found = counterpart(
                    task.correction.revision.text, [answers[one] for one in expressions if one in answers], target
                )
                put_right = in_place_of(task.correction, found, target)
                # Of a word of the source this one is wanted now, whatever was before.
                lost += (gone := changed(task.held, put_right.revision.text, put_right.revision.places))
                held = tuple(word for word in task.held if word not in gone)
                tasks[position] = replace(task, correction=put_right, held=held)
        return replace(plan, tasks=tuple(tasks), finish=_without(lost, plan.finish))

    return replace(plan, routing=routing)


def _without(words: Sequence[str], finish: Finish) -> Finish:
    """How to put a draft together in which some words have given way to another."""

    def finished(text: str, segments: tuple[TranslatedSegment, ...]) -> Translation:
        new = finish(text, segments)
        gone = {word for word in words if word in new.missing_words}
        return replace(
            new,
            standing=tuple(word for word in new.standing if word not in gone),
            missing_words=tuple(word for word in new.missing_words if word not in gone),
        )

    return finished


def counterpart(text: str, translations: Sequence[str], target: Language) -> str:
    """What a text has of translations of a word; empty where it has nothing of them."""
    found = [_shared_word(text, one) if target.spaced else _shared_characters(text, one) for one in translations]
    return max(found, key=lambda one: one[0], default=(0.0, ""))[1]


def _expressions(word: str, source: str, target: Language) -> list[str]:
    """The word as the source has it, and with a small word before it; empty where the source has it not."""
    ending = r"\w*" if len(word) >= _STEM else r"(?!\w)"
    match = re.search(rf"(?<!\w){re.escape(word)}{ending}", source, re.IGNORECASE)
    if match is None:
        return [word] if occurs(word, source) else []
    before = re.search(r"([^\W\d_]+) $", source[: match.start()])
    if before is not None and is_small(before[1].lower()) and target.spaced:
        return [match[0], before[0] + match[0]]
    return [match[0]]


def _shared_word(text: str, said: str) -> tuple[float, str]:
    """The word of a text that is likest to one of another, and how much of it is."""
    best = (0.0, "")
    words = {word for word in _WORD.findall(text) if len(word) >= _FEWEST_LETTERS and not is_small(word.lower())}
    for one in {word.lower() for word in _WORD.findall(said)}:
        for word in words:
            ratio = difflib.SequenceMatcher(None, one, word.lower(), autojunk=False).ratio()
            if ratio >= _ALIKE:
                best = max(best, (ratio * len(word), word))
    return best


def _shared_characters(text: str, said: str) -> tuple[float, str]:
    """The longest run of characters that two texts share."""
    match = difflib.SequenceMatcher(None, said, text, autojunk=False).find_longest_match()
    shared = text[match.b : match.b + match.size]
    letters = [character for character in shared if character.isalpha() and character not in _SMALL_CHARACTERS]
    return (float(match.size), shared) if letters else (0.0, "")
