"""Words that earlier refinements asked for, and that stay in later ones: who says "use X", then "use Y", wants both.

A word stands as long as the draft has it and no instruction takes it back. One that an instruction speaks of without
calling it wrong, or of which it asks for another form, is left to the model that once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from bayling_lite.engine.words import needs_border, occurrences, occurs
from bayling_lite.languages import Language
from bayling_lite.messages import Conversation, Role
from bayling_lite.prompts import fixed_words, used_word
from bayling_lite.translate.refining.quotes import asks_to_keep, calls_wrong, denied

# Of two forms of a word, what they begin with in common: so many letters, and all of the shorter but for its ending.
_STEM, _ENDING = 3, 0.25
_WORD = re.compile(r"[^\W_]+")
# Ways to address a reader: who asks for one does not want another any longer.
_ADDRESSES = (
    ("du", "sie", "ihr"),
    ("tu", "vous", "lei", "voi"),
    ("tú", "usted", "vosotros"),
    ("ты", "вы"),
    ("你", "您"),
)
# What tells that the reader is to be addressed in another way, perhaps.
_FORMALITY = re.compile(
    r"formal|polite|casual|familiar|förmlich|höflich|duze|sieze|tuto|vouvo|soutenu|正式|礼貌|客气|敬|口语|随意",
    re.IGNORECASE,
)
# Shorter ones are a part of anything.
_FEWEST_CHARACTERS = 2


@dataclass(frozen=True, slots=True)
class Standing:
    """The words that stand through a refinement: ``firm`` ones are required of the new draft, ``loose`` ones stand on
    where the model has left them.
    """

    firm: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()

    def after(self, text: str) -> tuple[str, ...]:
        """Those that stand when the new draft is this."""
        return (*self.firm, *(word for word in self.loose if occurs(word, text)))

    def there(self, text: str) -> tuple[str, ...]:
        """The words that are required of a new version of this text: the ``firm`` ones that it has."""
        return tuple(word for word in self.firm if occurs(word, text))


def standing(
    words: Iterable[str], text: str, instruction: str, required: Sequence[str], said: Conversation
) -> Standing:
    """Which of the words that were asked for stand through an instruction.

    Args:
        words: those that were asked for until then.
        text: the draft.
        instruction: what the user says of it.
        required: the words that it asks for.
        said: the conversation before it.
    """
    firm, loose = list[str](), list[str]()
    for word in dict.fromkeys(words):
        if word in required or not occurs(word, text) or (kept := _kept(word, text, instruction, required)) is False:
            continue
        given_up = _is_for_another(word, required, said) or _is_for(word, instruction, text, said)
        if kept is None or given_up or any(_changes(new, word) for new in required):
            loose.append(word)
        else:
            firm.append(word)
    return Standing(tuple(firm), tuple(loose))


def spans(words: Iterable[str], text: str) -> tuple[tuple[int, int], ...]:
    """Where a text has some words: (start, stop) in characters, apart from each other."""
    found: list[tuple[int, int]] = []
    for start, stop in sorted(span for word in words for span in occurrences(word, text)):
        if found and start < found[-1][1]:
            found[-1] = found[-1][0], max(stop, found[-1][1])
        else:
            found.append((start, stop))
    return tuple(found)


def kept_spans(
    held: Sequence[str], terms: Sequence[str], required: Sequence[str], text: str
) -> tuple[tuple[int, int], ...]:
    """What of a text is no place for the words that are required: those that are held, and those of terms, unless
    another form of one is what is asked for.
    """
    own = [word for word in terms if word not in required and not any(_changes(new, word) for new in required)]
    return spans((*held, *own), text)


def changed(words: Iterable[str], text: str, places: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """Those of the words that lose something where other words are put into these places of a text."""
    return tuple(
        word
        for word in words
        if any(start < last and first < stop for first, last in occurrences(word, text) for start, stop in places)
    )


def is_in_another_language(text: str, target: Language) -> bool:
    """Whether a draft is for certain in another language than the one before it, whose words nobody wants there."""
    # Needed here alone, and the checks need a model of languages.
    from bayling_lite.translate.checks.language import surely
    from bayling_lite.translate.checks.scripts import count_scripts, scripts_of

    scripts = count_scripts(text).keys()
    return (bool(scripts) and scripts.isdisjoint(scripts_of(target))) or surely(text, target) not in (target, None)


def _kept(word: str, text: str, instruction: str, required: Sequence[str]) -> bool | None:
    """Whether a word stands through an instruction; None where that is the model's to say."""
    if asks_to_keep(instruction, word):
        return True
    wrong, fixed = calls_wrong(instruction, word, required), fixed_words(instruction)
    if wrong is not None:
        return False if wrong else None
    if fixed is not None:
        return None if changed((word,), text, tuple(occurrences(fixed[0], text))) else True
    if used_word(instruction) is not None:
        return True
    if not _is_named(word, instruction):
        return None if _FORMALITY.search(instruction) and any(_forms(word)) else True
    return False if denied(instruction, word) else None


def _is_named(word: str, instruction: str) -> bool:
    long_enough = needs_border(word[0]) or len(word) >= _FEWEST_CHARACTERS
    return long_enough and occurs(word.casefold(), instruction.casefold())


def _changes(new: str, word: str) -> bool:
    """Whether a new phrase has a word in it, each of its words in another form, or addresses the reader otherwise."""
    if occurs(word.casefold(), new.casefold()) or _addresses_otherwise(new, word):
        return True
    parts = [_plain(part) for part in _WORD.findall(word)]
    there = [_plain(part) for part in _WORD.findall(new)]
    return bool(parts) and all(any(_are_forms(part, other) for other in there) for part in parts)


def _addresses_otherwise(new: str, word: str) -> bool:
    pairs = zip(_forms(new), _forms(word), strict=True)
    return any(there and before and there.isdisjoint(before) for there, before in pairs)


def _forms(phrase: str) -> list[set[str]]:
    """Of each of the ``_ADDRESSES``, those that a phrase has."""
    return [{form for form in forms if occurs(form, phrase.casefold())} for forms in _ADDRESSES]


def _plain(word: str) -> str:
    """A word without capitals and without marks on its letters: a plural may have an umlaut."""
    letters = unicodedata.normalize("NFD", word.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _are_forms(word: str, other: str) -> bool:
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(word, other, strict=False)))
    shorter = min(len(word), len(other))
    return common >= _STEM and common >= shorter - max(1, int(_ENDING * shorter))


def _is_for(word: str, instruction: str, text: str, said: Conversation) -> bool:
    """Whether a word was asked for in the place of one that an instruction wants another for again: first "use Haus for
    house", then "use Gebäude for house".
    """
    fixed = fixed_words(instruction)
    if fixed is None or occurs(fixed[0], text):
        return False
    before = (fixed_words(one) for one in _instructions(said))
    return any(one is not None and one[1] == word and one[0].casefold() == fixed[0].casefold() for one in before)


def _is_for_another(word: str, required: Sequence[str], said: Conversation) -> bool:
    """Whether a word was asked for in the place of one that is required now: not A but B, then A after all."""
    return any(
        calls_wrong(one, word, (word,)) is False and calls_wrong(one, new, (word,))
        for one in _instructions(said)
        for new in required
    )


def _instructions(said: Conversation) -> list[str]:
    return [message.content for message in said if message.role is Role.USER][1:]
