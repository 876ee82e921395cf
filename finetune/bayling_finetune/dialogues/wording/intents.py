"""What a user may want to say, what the assistant answers to thanks, and the styles one can ask for."""

from __future__ import annotations

from enum import StrEnum


class Intent(StrEnum):
    """What is to be said. :data:`SLOTS` lists what each needs to know."""

    TRANSLATE = "translate"  # this text into that language
    REQUIRE = "require"  # a line after TRANSLATE: these words must occur
    USE = "use"  # this word in the draft
    REPLACE = "replace"  # the user prefers another word
    FIX = "fix"  # a word is wrong
    REMOVE = "remove"  # words too many
    ADD = "add"  # words that are missing
    NUMBER = "number"  # a number is wrong
    TERM = "term"  # a term of the source is to be called so
    GRAMMAR = "grammar"  # wrong grammar
    FORMAL = "formal"
    INFORMAL = "informal"
    SHORTER = "shorter"
    LONGER = "longer"
    STYLE = "style"  # a style in words, see :class:`Style`
    THANKS = "thanks"
    WELCOME = "welcome"  # the assistant's answer to thanks
    BACK = "back"  # changed my mind: the version before
    UNDO = "undo"  # take the last change back
    MIND = "mind"  # no, rather this word after all
    AGAIN = "again"  # show me the translation once more


SLOTS: dict[Intent, frozenset[str]] = {
    **{intent: frozenset[str]() for intent in Intent},
    Intent.TRANSLATE: frozenset({"text", "target"}),
    Intent.REQUIRE: frozenset({"terms"}),
    Intent.USE: frozenset({"term"}),
    **{intent: frozenset({"wrong", "right"}) for intent in (Intent.REPLACE, Intent.FIX, Intent.NUMBER, Intent.GRAMMAR)},
    Intent.REMOVE: frozenset({"words"}),
    Intent.ADD: frozenset({"words"}),
    Intent.TERM: frozenset({"source", "right"}),
    Intent.STYLE: frozenset({"style"}),
    Intent.MIND: frozenset({"right"}),
}
"""The names of the slots that :func:`say` takes for an intent; ``target`` is the code of a language."""


class Style(StrEnum):
    """A style that can be put on or taken off for certain; :func:`style_words` names it in a user's language."""

    CONTRACTIONS = "contractions"
    FULL_FORMS = "full_forms"
    BRITISH = "british"
    AMERICAN = "american"
    NUMERALS = "numerals"
    NUMBER_WORDS = "number_words"
    CURLY_QUOTES = "curly_quotes"
    STRAIGHT_QUOTES = "straight_quotes"
    CORNER_QUOTES = "corner_quotes"
    FULL_WIDTH = "full_width"
    HALF_WIDTH = "half_width"
    SWISS = "swiss"
    ESZETT = "eszett"
    GUILLEMETS = "guillemets"
    GERMAN_QUOTES = "german_quotes"
    SIE = "sie"
    DU = "du"
    VOUS = "vous"
    TU = "tu"
    NIN = "nin"
    NI = "ni"
    POLITE_ADDRESS = "polite_address"
    FAMILIAR_ADDRESS = "familiar_address"
