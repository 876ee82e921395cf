"""Style: the draft is right, and the user wants it in another spelling, with other quotation marks, figures for words.

Only styles that can be put on or taken off for certain (:mod:`bayling_finetune.dialogues.styles`), and nothing else
about the draft changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from bayling_finetune.dialogues.kinds.translation import request
from bayling_finetune.dialogues.styles import Variant, variants
from bayling_finetune.dialogues.tools import Tools
from bayling_finetune.dialogues.values import Dialogue, Direction, Kind, dialogue
from bayling_finetune.dialogues.wording import Intent, Style, say, style_words

_BACK = 0.5
"""How often the reference is the answer and not the draft, where both ways are certain."""
_COMMON = {Style.HALF_WIDTH: 0.05, Style.FULL_WIDTH: 0.2}


@dataclass(frozen=True, slots=True)
class StyleMaker:
    """Makes dialogues in which the style of a translation changes, and nothing else."""

    kind: Kind = Kind.STYLE

    def make(self, direction: Direction, tools: Tools, random: Random) -> Dialogue | None:
        """A dialogue of two turns; None where nothing about the reference could be written otherwise for certain."""
        found = likely(variants(direction.reference, direction.target_language), random)
        if not found:
            return None
        spoken, asked = request(direction, tools, random)
        variant = random.choice(found)
        draft, style, answer = direction.reference, variant.style, variant.text
        if variant.back is not None and random.random() < _BACK:
            draft, style, answer = variant.text, variant.back, direction.reference
        wish = say(Intent.STYLE, spoken, random, style=style_words(style, spoken, random))
        # A draft that nobody wrote is context only.
        learnt = (draft == direction.reference, True)
        return dialogue(direction, self.kind, asked, draft, wish, answer, learnt=learnt)


def likely(found: Sequence[Variant], random: Random) -> list[Variant]:
    """Of these variants, those that a user might ask for; of what nearly every text allows only a few are kept."""
    return [variant for variant in found if random.random() < _COMMON.get(variant.style, 1.0)]
