"""Lexical constraints: a translation that must contain certain words.

The words are phrases of the reference that the word aligner finds in the source, too, so that what the user asks for is
a translation of something, and the reference is a right answer. They are asked for exactly as they stand in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from bayling_finetune.dialogues.kinds.length import say_the_same
from bayling_finetune.dialogues.tools import AlignedPhrase, Tools
from bayling_finetune.dialogues.values import Dialogue, Direction, Kind, dialogue
from bayling_finetune.dialogues.wording import Intent, say
from bayling_lite.prompts import Wording, translation_instruction

_SURE = 0.8  # the score of a phrase that may be asked for
_COUNTS, _COUNT_WEIGHTS = (1, 2, 3), (50, 30, 20)
_MOST_OF_SENTENCE = 0.6  # of the reference's characters, that may be given away
_PRODUCT_SHARE = 0.3  # of requests that are the product's own from beginning to end, not only in parts
_AGAIN = 0.5  # how often another translation is the draft, where there is one that lacks the words


@dataclass(frozen=True, slots=True)
class ConstraintMaker:
    """Asks for one to three phrases of the reference: at once, or of a draft that has done without them."""

    kind: Kind = Kind.CONSTRAINT

    def make(self, direction: Direction, tools: Tools, random: Random) -> Dialogue | None:
        """A dialogue of one or two turns; None where nothing of the reference is aligned for certain."""
        phrases = [phrase for phrase in tools.lexicon.phrases(direction) if _can_be_asked(phrase, direction)]
        if not phrases:
            return None
        language = tools.instruction_language(direction, random)
        drafts = [
            other
            for other in tools.others.get(direction.key(), ())
            if say_the_same(direction.reference, other, direction.target_language)
        ]
        if drafts and random.random() < _AGAIN:
            draft = random.choice(drafts)
            missing = [phrase for phrase in phrases if _text(phrase, direction).casefold() not in draft.casefold()]
            if terms := _choose(missing, direction, random):
                first, again = _request(direction, (), language, random), _request(direction, terms, language, random)
                return dialogue(direction, self.kind, first, draft, again, direction.reference)
        terms = _choose(phrases, direction, random)
        if not terms:
            return None
        return dialogue(direction, self.kind, _request(direction, terms, language, random), direction.reference)


def _text(phrase: AlignedPhrase, direction: Direction) -> str:
    return direction.reference[slice(*phrase.reference)]


def _can_be_asked(phrase: AlignedPhrase, direction: Direction) -> bool:
    text = _text(phrase, direction)
    spaced = direction.target_language.spaced
    if not phrase.content or phrase.score < _SURE or len(text) < (3 if spaced else 2):
        return False
    return text.casefold() not in direction.source.casefold() or _is_name(phrase, direction)


def _is_name(phrase: AlignedPhrase, direction: Direction) -> bool:
    """Whether both sides call it the same, in capitals that are not only those of a sentence's beginning."""
    text, source = _text(phrase, direction), direction.source[slice(*phrase.source)]
    if text != source:
        return False
    begins = phrase.source[0] == 0
    return any(char.isupper() for char in (text[1:] if begins else text))


def _choose(phrases: Sequence[AlignedPhrase], direction: Direction, random: Random) -> list[str]:
    """One to three phrases, in any order, that share no words and leave enough to translate."""
    wanted = random.choices(_COUNTS, _COUNT_WEIGHTS)[0]
    room = _MOST_OF_SENTENCE * sum(not char.isspace() for char in direction.reference)
    chosen: list[AlignedPhrase] = []
    terms: list[str] = []
    for phrase in random.sample(phrases, len(phrases)):
        text = _text(phrase, direction)
        apart = all(
            other.reference[1] <= phrase.reference[0] or phrase.reference[1] <= other.reference[0] for other in chosen
        )
        known = any(text.casefold() in term.casefold() or term.casefold() in text.casefold() for term in terms)
        if apart and not known and len(text) <= room:
            chosen.append(phrase)
            terms.append(text)
            room -= len(text)
            if len(terms) == wanted:
                break
    return terms


def _request(direction: Direction, terms: Sequence[str], language: str, random: Random) -> str:
    """Ask for the translation, with these terms if there are any."""
    if language in ("en", "zh") and random.random() < _PRODUCT_SHARE:
        wording = Wording(language)
        return translation_instruction(direction.source, direction.target_language, terms=terms, wording=wording)
    target = direction.target_language.code
    request = say(Intent.TRANSLATE, language, random, text=direction.source, target=target)
    if not terms:
        return request
    # The product joins by commas in every language; Chinese users often do it their way.
    comma = "、" if language == "zh" and random.random() < 0.2 else ", "
    return request + say(Intent.REQUIRE, language, random, terms=comma.join(terms))
