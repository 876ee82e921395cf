"""Places of words in a sentence: where one is, whether another may stand there, where two sentences differ."""

from __future__ import annotations

import re

from bayling_finetune.dialogues.words import is_content, words
from bayling_lite.languages import Language

Span = tuple[int, int]
"""Half-open, in characters."""
Replacement = tuple[Span, str]
"""A place, and what is to stand there."""

_TOKEN = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*|\d+|\S|\s+")
_MOST_TOKENS = 3  # two words and the space between them
_FRENCH_VOWELS = "aeiouyhàâäéèêëîïôöûüœ"
_ELIDED = re.compile(r"\b(?:le|la|de|je|me|te|se|ne|que|ce) $", re.I)
_ENGLISH_ARTICLE = re.compile(r"\b(an?) $", re.I)


def only_place(text: str, word: str, language: Language) -> Span | None:
    """Where a word is in a text, if it is there once, whole and whatever its capital letters."""
    if text.casefold().count(word.casefold()) != 1:
        return None
    start = text.find(word)
    span = (start, start + len(word))
    return span if start >= 0 and _stands_apart(text, span, language) else None


def fits(text: str, span: Span, language: Language) -> bool:
    """Whether a word that was put into a text goes with its neighbours: with an English article, French elision."""
    if not language.spaced:
        return True
    if not _stands_apart(text, span, language):
        return False
    before, first = text[: span[0]], text[span[0]].casefold()
    if language.code == "fr":
        vowel = first in _FRENCH_VOWELS
        return not _ELIDED.search(before) if vowel else not before.endswith(("'", "’"))
    article = _ENGLISH_ARTICLE.search(before) if language.code == "en" else None
    # Before u and h, it depends on how the word is spoken.
    return article is None or (first not in "uh" and (len(article[1]) == 2) == (first in "aeio"))


def single_replacement(one: str, other: str, language: Language) -> Replacement | None:
    """The only place in which two texts of a language with spaces differ, where both have one word or two there.

    Never at the beginning, where capital letters would have to change, and never an article or the like alone: there,
    one of the texts has a word less.
    """
    first, second = (_TOKEN.findall(text) for text in (one, other))
    most = min(len(first), len(second))
    head = next((number for number in range(most) if first[number] != second[number]), most)
    tail = next((number for number in range(most - head) if first[-number - 1] != second[-number - 1]), most - head)
    old, new = first[head : len(first) - tail], second[head : len(second) - tail]
    if not head or not _are_words(old) or not _are_words(new):
        return None
    if not all(any(is_content(word, language) for word in words("".join(part), language)) for part in (old, new)):
        return None
    before = sum(map(len, first[:head]))
    return (before, before + len("".join(old))), "".join(new)


def _are_words(tokens: list[str]) -> bool:
    return (
        1 <= len(tokens) <= _MOST_TOKENS
        and tokens[0][0].isalpha()
        and tokens[-1][0].isalpha()
        and all(token.isspace() or token[0].isalpha() for token in tokens)
    )


def _stands_apart(text: str, span: Span, language: Language) -> bool:
    start, stop = span
    return not language.spaced or not (text[:start][-1:].isalnum() or text[stop : stop + 1].isalnum())
