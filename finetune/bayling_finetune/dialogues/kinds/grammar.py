"""Grammar: the words of a draft are right, but not all of their forms; the user says which, the assistant mends them.

The mistakes are a model's own where it made some: its draft with everything else put right already. Elsewhere they are
made on purpose, by rules whose right form is the reference's. A draft is context and never learnt; each answer makes
exactly the changes asked for, and is.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from bayling_finetune.dialogues.changes import Change
from bayling_finetune.dialogues.differences import Difference, difference
from bayling_finetune.dialogues.grammar_mistakes import MISTAKES
from bayling_finetune.dialogues.kinds.correction import MATTERS_OF_GRAMMAR, NEAR, TOO_LONG, corrected
from bayling_finetune.dialogues.spoiling import Reference, spoil
from bayling_finetune.dialogues.tools import Tools
from bayling_finetune.dialogues.values import Dialogue, Direction, Kind

_WORDS_FOR_A_MISTAKE = 5
_MOST_MISTAKES = 2
_TOO_SHORT = 3


@dataclass(frozen=True, slots=True)
class GrammarMaker:
    """Makes dialogues in which the grammar of a draft is corrected."""

    kind: Kind = Kind.GRAMMAR

    def make(self, direction: Direction, tools: Tools, random: Random) -> Dialogue | None:
        """A dialogue about this direction; None where there is no grammar to get wrong."""
        if len(direction.reference) > TOO_LONG:
            return None
        for compared in (self._real(direction, tools), self._spoilt(direction, random)):
            if compared is not None:
                made = corrected(direction, compared, self.kind, (), tools, random)
                if made is not None:
                    return made
        return None

    def _real(self, direction: Direction, tools: Tools) -> Difference | None:
        draft = tools.drafts.get(direction)
        if draft is None:
            return None
        language = direction.target_language
        compared = difference(draft, direction.reference, language)
        if compared.similarity < NEAR:
            return None
        others = [edit for edit in compared.edits if edit.change not in MATTERS_OF_GRAMMAR]
        return _grammar_only(difference(compared.apply(others), direction.reference, language))

    def _spoilt(self, direction: Direction, random: Random) -> Difference | None:
        reference = Reference(direction)
        if len(reference.words) < _TOO_SHORT:
            return None
        most = min(_MOST_MISTAKES, 1 + len(reference.words) // _WORDS_FOR_A_MISTAKE)
        draft = spoil(reference, MISTAKES, most, random)
        if draft is None:
            return None
        return _grammar_only(difference(draft, direction.reference, direction.target_language))


def _grammar_only(compared: Difference) -> Difference | None:
    changes = {edit.change for edit in compared.edits}
    return compared if Change.GRAMMAR in changes and changes <= MATTERS_OF_GRAMMAR else None
