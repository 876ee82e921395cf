"""Formality: the draft is right, and the user wants it more or less formal.

Only what is certain: Chinese 你 and 您, which take each other's place without any other change; English contractions;
in German and French two translations of one sentence that differ in how they address somebody, and in little else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from bayling_finetune.dialogues.kinds.translation import request
from bayling_finetune.dialogues.styles import contractions
from bayling_finetune.dialogues.styles.address import STYLES, address, differ_in_address
from bayling_finetune.dialogues.styles.address import variants as addressed_otherwise
from bayling_finetune.dialogues.tools import Tools
from bayling_finetune.dialogues.values import Dialogue, Direction, Kind, dialogue
from bayling_finetune.dialogues.wording import Intent, Style, say, style_words

_NAMED = 0.4
"""How often the form itself is asked for, and not just something more or less formal."""
_FORMAL = frozenset({Style.FULL_FORMS, Style.NIN, Style.SIE, Style.VOUS})


@dataclass(frozen=True, slots=True)
class Register:
    """The same translation more or less formal. ``style``: the form that makes it so."""

    text: str
    style: Style

    @property
    def formal(self) -> bool:
        """Whether it is the formal one of the two."""
        return self.style in _FORMAL

    def asked(self, spoken: str, random: Random) -> str:
        """A request for it, in the language of this code."""
        if random.random() >= _NAMED:
            return say(Intent.FORMAL if self.formal else Intent.INFORMAL, spoken, random)
        general = self.style not in (Style.FULL_FORMS, Style.CONTRACTIONS) and random.random() < 0.3
        named = (Style.POLITE_ADDRESS if self.formal else Style.FAMILIAR_ADDRESS) if general else self.style
        return say(Intent.STYLE, spoken, random, style=style_words(named, spoken, random))


@dataclass(frozen=True, slots=True)
class FormalityMaker:
    """Makes dialogues in which a translation becomes more or less formal."""

    kind: Kind = Kind.FORMALITY

    def make(self, direction: Direction, tools: Tools, random: Random) -> Dialogue | None:
        """A dialogue of two turns; None where nothing about the reference is formal or informal for certain."""
        code = direction.target_language.code
        choice = [
            pair for text in _translations(direction, tools) for pair in registers(direction.reference, text, code)
        ]
        if not choice:
            return None
        spoken, asked = request(direction, tools, random)
        draft, wanted = random.choice(choice)
        # A draft that nobody wrote is context only.
        learnt = (draft == direction.reference or draft in tools.others.get(direction.key(), ()), True)
        wish = wanted.asked(spoken, random)
        return dialogue(direction, self.kind, asked, draft, wish, wanted.text, learnt=learnt)


def registers(reference: str, other: str | None, code: str) -> Iterator[tuple[str, Register]]:
    """Drafts, each with its counterpart: of the reference alone, or where ``other`` is given, of the two."""
    if other is None:
        for variant in contractions.variants(reference) if code == "en" else addressed_otherwise(reference, code):
            yield reference, Register(variant.text, variant.style)
            if variant.back is not None:
                yield variant.text, Register(reference, variant.back)
        return
    ours, theirs = address(reference, code), address(other, code)
    if ours is not None and theirs is not None and ours is not theirs and differ_in_address(reference, other, code):
        yield reference, Register(other, STYLES[code][theirs])
        yield other, Register(reference, STYLES[code][ours])


def _translations(direction: Direction, tools: Tools) -> tuple[str | None, ...]:
    if direction.target_language.code not in ("de", "fr"):
        return (None,)
    return tuple(tools.others.get(direction.key(), ()))
