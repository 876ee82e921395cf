"""Plain translation: one request, one answer. Both directions of a pair come from whoever asks for the dialogues."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from bayling_finetune.dialogues.tools import Tools
from bayling_finetune.dialogues.values import Dialogue, Direction, Kind, dialogue
from bayling_finetune.dialogues.wording import Intent, say


@dataclass(frozen=True, slots=True)
class TranslationMaker:
    """Makes a request to translate, answered by the reference."""

    kind: Kind = Kind.TRANSLATION

    def make(self, direction: Direction, tools: Tools, random: Random) -> Dialogue | None:
        """A dialogue of one turn; every direction gives one."""
        return dialogue(direction, self.kind, request(direction, tools, random)[1], direction.reference)


def request(direction: Direction, tools: Tools, random: Random) -> tuple[str, str]:
    """The language that a user speaks (code), and their request to translate the source."""
    spoken = tools.instruction_language(direction, random)
    target = direction.target_language.code
    return spoken, say(Intent.TRANSLATE, spoken, random, text=direction.source, target=target)
