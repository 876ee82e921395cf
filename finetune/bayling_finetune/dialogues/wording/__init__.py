"""What users say to a translator, and what it answers to thanks, in English, Chinese, German and French.

:func:`say` words an intent: a grammar of templates gives the sentence, a manner of typing its capitals, stops and
quotation marks. The wordings that the product itself uses (:mod:`bayling_lite.prompts`) are a good part of what comes
out in its languages, so that a model knows them best.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from importlib import resources
from random import Random

from bayling_finetune.dialogues.wording.clashes import CLASHES
from bayling_finetune.dialogues.wording.grammar import Grammar, Slot, fill
from bayling_finetune.dialogues.wording.intents import SLOTS, Intent, Style
from bayling_finetune.dialogues.wording.manner import MANNERS, QUOTES, Quotes, fits
from bayling_finetune.dialogues.wording.names import language_names
from bayling_lite.languages import find_language
from bayling_lite.prompts import Wording, fix_instruction, translation_instruction, use_instruction

__all__ = ["LANGUAGES", "SLOTS", "Intent", "Style", "count", "say", "style_words", "wordings"]

LANGUAGES = ("en", "zh", "de", "fr")
"""The codes of the languages users speak."""

PRODUCT_SHARE = 0.4
"""How often the product's own wording is used where it has one."""
_PRODUCT_SHARE_ELSEWHERE = {Intent.REPLACE: 0.2}


def say(intent: Intent, language: str, random: Random, **slots: str) -> str:
    """A wording of ``intent`` in ``language`` (``en``, ``zh``, ``de`` or ``fr``); the same ``random``, the same one.

    ``slots`` are the texts that :data:`SLOTS` names for the intent. They stand in the result exactly as they are,
    but for ``target``, the code of a language, for which its name is said. :attr:`Intent.REQUIRE` begins with a line
    break: it is a line to append to a request to translate.

    Raises:
        ValueError: the language is none of these, or the slots are not the intent's.
    """
    if language not in LANGUAGES:
        raise ValueError(f"nobody speaks {language!r} here; the languages are {', '.join(LANGUAGES)}")
    if slots.keys() != SLOTS[intent]:
        raise ValueError(f"{intent} takes the slots {sorted(SLOTS[intent])}, not {sorted(slots)}")
    if language in ("en", "zh") and random.random() < _PRODUCT_SHARE_ELSEWHERE.get(intent, PRODUCT_SHARE):
        said = _product_wording(intent, Wording(language), slots)
        if said is not None:
            return said
    if "target" in slots:
        slots["target"] = random.choice(language_names(slots["target"], language))
    return _worded(intent.value, language, random, slots)


def style_words(style: Style, language: str, random: Random) -> str:
    """What a style is called, to fill the slot of :attr:`Intent.STYLE`: a noun phrase without a capital letter of its
    own, in German the accusative, in French with its article.
    """  # fmt: skip
    return fill(grammar(language).sample(f"style_{style.value}", random), {})


def wordings(intent: Intent, language: str) -> Iterator[str]:
    """Every wording of an intent, carefully typed, its slots as ``{term}`` and ``"{term}"``; the same one may come
    twice. Manners of typing and other quotation marks multiply them.
    """  # fmt: skip
    careful, quotes = next(iter(MANNERS[language])), next(iter(QUOTES[language]))
    texts = _texts({name: f"{{{name}}}" for name in SLOTS[intent]}, quotes)
    for form in grammar(language).forms(intent.value):
        yield fill(careful.type(form), texts)


@functools.cache
def count(intent: Intent, language: str) -> int:
    """How many different wordings of an intent there are; ways of typing them not counted."""
    return len(set(wordings(intent, language)))


@functools.cache
def grammar(language: str) -> Grammar:
    """The rules of a language, read once."""
    rules = resources.files(__name__).joinpath(f"{language}.txt").read_text("utf-8")
    return Grammar(rules, clash=CLASHES[language])


def _worded(rule: str, language: str, random: Random, slots: Mapping[str, str]) -> str:
    # A text that holds every kind of quotation mark waits for a form that needs none; nearly always there is one.
    for _ in range(20):
        form = grammar(language).sample(rule, random)
        texts = [slots[piece.name] for piece in form if isinstance(piece, Slot) and piece.quoted]
        choice = {
            quotes: weight for quotes, weight in QUOTES[language].items() if all(fits(quotes, text) for text in texts)
        }
        if choice:
            break
    choice = choice or QUOTES[language]
    quotes = random.choices(list(choice), list(choice.values()))[0]
    manners = MANNERS[language]
    manner = random.choices(list(manners), list(manners.values()))[0]
    if rule == Intent.WELCOME:  # the assistant types with care
        manner = next(iter(manners))
    if manner.lower and "target" in slots:
        slots = {**slots, "target": slots["target"].lower()}
    return fill(manner.type(form), _texts(slots, quotes))


def _texts(slots: Mapping[str, str], quotes: Quotes) -> dict[Slot, str]:
    before, after = quotes
    plain = {Slot(name): text for name, text in slots.items()}
    return plain | {Slot(name, quoted=True): f"{before}{text}{after}" for name, text in slots.items()}


def _product_wording(intent: Intent, wording: Wording, slots: Mapping[str, str]) -> str | None:
    """What the product says, where it has words of its own."""
    if intent is Intent.TRANSLATE:
        return translation_instruction(slots["text"], find_language(slots["target"]), wording=wording)
    if intent is Intent.REQUIRE:
        plain = translation_instruction("", find_language("en"), wording=wording)
        return translation_instruction("", find_language("en"), terms=[slots["terms"]], wording=wording)[len(plain) :]
    if intent is Intent.USE:
        return use_instruction(slots["term"], wording=wording)
    if intent in (Intent.FIX, Intent.REPLACE):
        return fix_instruction(slots["wrong"], slots["right"], wording=wording)
    return None
