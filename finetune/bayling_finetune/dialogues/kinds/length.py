"""Length: the draft is right, and the user wants it shorter or longer. The answer is another translation.

Nothing is cut from a sentence here: what of it could be spared is never certain.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from random import Random

from bayling_finetune.dialogues.inflection import same_word
from bayling_finetune.dialogues.kinds.translation import request
from bayling_finetune.dialogues.tools import Tools
from bayling_finetune.dialogues.values import Dialogue, Direction, Kind, dialogue
from bayling_finetune.dialogues.wording import Intent, say
from bayling_finetune.dialogues.words import is_content, words
from bayling_lite.languages import Language

CLEARLY = 1.2
"""How many times as long the longer of two translations is, so that everybody sees it."""
_COMMON = 0.3
"""Of the content words of two translations, or the characters of Chinese ones, as many are in both (Dice)."""
_FEW = 200
"""Words of two translations among which other forms of the same word are looked for."""
_LEAST = 2  # words or, where there are no spaces, characters between them


@dataclass(frozen=True, slots=True)
class LengthMaker:
    """Makes dialogues in which a translation becomes shorter or longer."""

    kind: Kind = Kind.LENGTH

    def make(self, direction: Direction, tools: Tools, random: Random) -> Dialogue | None:
        """A dialogue of two turns; None where no other translation is clearly shorter or longer."""
        language = direction.target_language
        others = [
            other
            for other in tools.others.get(direction.key(), ())
            if compared(direction.reference, other, language) is not None
            and say_the_same(direction.reference, other, language)
        ]
        if not others:
            return None
        spoken, asked = request(direction, tools, random)
        texts = [direction.reference, random.choice(others)]
        random.shuffle(texts)
        draft, wanted = texts
        intent = compared(draft, wanted, language) or Intent.SHORTER
        return dialogue(direction, self.kind, asked, draft, say(intent, spoken, random), wanted)


def compared(draft: str, other: str, language: Language) -> Intent | None:
    """Which of :attr:`Intent.SHORTER` and :attr:`Intent.LONGER` one asks for to get from the one to the other."""
    letters = [sum(character.isalnum() for character in text) for text in (draft, other)]
    words = [len(text.split()) for text in (draft, other)] if language.spaced else letters
    for intent, (long, short), (more, fewer) in (
        (Intent.SHORTER, letters, words),
        (Intent.LONGER, letters[::-1], words[::-1]),
    ):
        if short and long >= CLEARLY * short and more - fewer >= _LEAST:
            return intent
    return None


def say_the_same(one: str, other: str, language: Language) -> bool:
    """Whether two translations of a sentence have words in common: in any corpus some sources have been given the
    translation of their neighbour.
    """  # fmt: skip
    if re.findall(r"\d+", one) != re.findall(r"\d+", other):
        return False
    if not language.spaced:
        first, second = ({character for character in text if character.isalnum()} for text in (one, other))
        return 2 * len(first & second) >= _COMMON * (len(first) + len(second)) > 0
    first_words, second_words = (
        {word.form for word in words(text, language) if is_content(word, language)} for text in (one, other)
    )
    common = first_words & second_words
    if len(first_words) + len(second_words) <= _FEW:  # each with each: too much for a page
        pairs = itertools.product(sorted(first_words - common), sorted(second_words - common))
        common |= {first for first, second in pairs if same_word(first, second, language.code)}
    return 2 * len(common) >= _COMMON * (len(first_words) + len(second_words)) > 0
