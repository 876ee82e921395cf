"""The course of a scripted refinement: which wishes are said, given what was answered, and what came of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bayling_lite.evaluate.interactive.refinement_sets import RefinementDialogue, Wish
from bayling_lite.evaluate.interactive.wishes import instruction, is_needless
from bayling_lite.evaluate.values import Turn
from bayling_lite.prompts import Wording, translation_instruction


@dataclass(frozen=True, slots=True)
class SaidWish:
    """A wish that is said: of which draft, the how manieth answer (the first draft is 0), and in which words."""

    wish: Wish
    place: int
    say: str


@dataclass(frozen=True, slots=True)
class RefinementScript:
    """A dialogue for a model that answers every turn by itself. A wish is said unless the draft is so already."""

    dialogue: RefinementDialogue
    wording: Wording = Wording.ENGLISH

    @property
    def id(self) -> str:
        """The dialogue's."""
        return self.dialogue.id

    def next(self, answers: tuple[str, ...]) -> Turn | None:
        """The request for the translation; then the next wish that the last draft does not fulfil."""
        if not answers:
            return Turn(translation_instruction(self.dialogue.text, self.dialogue.target, wording=self.wording))
        for said in said_wishes(self.dialogue, answers, self.wording):
            if said.place == len(answers) - 1:
                return Turn(said.say)
        return None


def said_wishes(dialogue: RefinementDialogue, answers: tuple[str, ...], wording: Wording) -> Iterator[SaidWish]:
    """The wishes that are said, in order, as far as the answers (the first of which is the first draft) go."""
    place = 0
    for wish in dialogue.wishes:
        if place >= len(answers):
            return
        if not is_needless(wish, answers[place], dialogue.target):
            yield SaidWish(wish, place, instruction(wish, answers[place], wording))
            place += 1
