"""Correction: the user says what is wrong, missing or too much in a draft, and the assistant puts that right.

The first draft is a model's own where there is one that is near enough to the reference; or another reference, which is
right but not worded as this user wants it; or else the reference with mistakes made on purpose.

What is learnt: never a draft that is wrong. Of the answers to feedback every one: each makes exactly the changes that
were asked for and leaves the rest alone, mistakes included that nobody has named yet, and that is what the user wants
of it. The last answer is the reference (but for capitals, spaces and punctuation that could not be named).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from bayling_finetune.dialogues.changes import Change
from bayling_finetune.dialogues.differences import Difference, difference
from bayling_finetune.dialogues.feedback import Critic
from bayling_finetune.dialogues.mistakes import MISTAKES
from bayling_finetune.dialogues.spoiling import Reference, spoil
from bayling_finetune.dialogues.tools import AlignedPhrase, Tools
from bayling_finetune.dialogues.values import Dialogue, Direction, Kind, dialogue
from bayling_finetune.dialogues.wording import Intent, say

NEAR = 0.55
"""Of a real draft, the least share of words that stay. One that is further away is translated anew, not corrected."""
_NEAR_SPOILT = 0.4
_REAL, _OTHER = 0.85, 0.5
_WORDS_FOR_A_MISTAKE = 5
_MOST_MISTAKES = 3
_TOO_SHORT = 3
TOO_LONG = 1000
"""Characters of a reference: nobody corrects a page word by word."""
MATTERS_OF_GRAMMAR = frozenset({Change.GRAMMAR, Change.CASE, Change.PUNCTUATION})


@dataclass(frozen=True, slots=True)
class CorrectionMaker:
    """Makes dialogues in which a draft is corrected."""

    kind: Kind = Kind.CORRECTION

    def make(self, direction: Direction, tools: Tools, random: Random) -> Dialogue | None:
        """A dialogue about this direction; None where no draft can be corrected."""
        if len(direction.reference) > TOO_LONG:
            return None
        phrases = tools.lexicon.phrases(direction)
        draft = tools.drafts.get(direction)
        if draft is not None and random.random() < _REAL:
            made = self._about(direction, draft, phrases, tools, random)
            if made is not None:
                return made
        others = [other for other in tools.others.get(direction.key(), ()) if other != direction.reference]
        if others and random.random() < _OTHER:
            made = self._about(direction, random.choice(others), phrases, tools, random, taste=True)
            if made is not None:
                return made
        return self._spoilt(direction, phrases, tools, random)

    def _about(
        self,
        direction: Direction,
        draft: str,
        phrases: Sequence[AlignedPhrase],
        tools: Tools,
        random: Random,
        *,
        taste: bool = False,
    ) -> Dialogue | None:
        compared = difference(draft, direction.reference, direction.target_language)
        if compared.similarity < NEAR or all(edit.change in MATTERS_OF_GRAMMAR for edit in compared.edits):
            return None
        if taste and any(edit.change is Change.NUMBER for edit in compared.edits):
            return None  # one of the two is no translation
        return corrected(direction, compared, self.kind, phrases, tools, random, taste=taste)

    def _spoilt(
        self, direction: Direction, phrases: Sequence[AlignedPhrase], tools: Tools, random: Random
    ) -> Dialogue | None:
        reference = Reference(direction, tools.lexicon, tools.samples.get(direction.target_language.code, ()))
        if len(reference.words) < _TOO_SHORT:
            return None
        most = min(_MOST_MISTAKES, 1 + len(reference.words) // _WORDS_FOR_A_MISTAKE)
        draft = spoil(reference, MISTAKES, most, random)
        if draft is None:
            return None
        compared = difference(draft, direction.reference, direction.target_language)
        if compared.similarity < _NEAR_SPOILT or len(compared.edits) > most:
            return None
        return corrected(direction, compared, self.kind, phrases, tools, random)


def corrected(
    direction: Direction,
    compared: Difference,
    kind: Kind,
    phrases: Sequence[AlignedPhrase],
    tools: Tools,
    random: Random,
    *,
    taste: bool = False,
) -> Dialogue | None:
    """The dialogue that leads from a draft to the reference; ``taste``: the draft is right, and learnt, too."""
    spoken = tools.instruction_language(direction, random)
    target = direction.target_language.code
    request = say(Intent.TRANSLATE, spoken, random, text=direction.source, target=target)
    turns = Critic(direction, spoken, phrases, taste).turns(compared, random)
    if turns is None:
        return None
    said = [text for turn in turns for text in turn]
    return dialogue(direction, kind, request, compared.draft, *said, learnt=(taste, *(True for _ in turns)))
