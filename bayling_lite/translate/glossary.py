"""Glossary terms: which of them apply to a segment, and whether words stand in a text."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence

from bayling_lite.engine.words import joins
from bayling_lite.errors import UsageError

Term = tuple[str, str]
"""A word of the source and the word that must stand for it."""


def check_terms(terms: Iterable[Term]) -> tuple[Term, ...]:
    """The terms, each once, with single spaces.

    Raises:
        UsageError: an empty word, or a word with two translations: a text that needs both would be nonsense.
    """
    chosen: dict[str, str] = {}
    for term in terms:
        word, wanted = (" ".join(part.split()) for part in term)
        if not word or not wanted:
            raise UsageError("A term is a word and its translation; neither can be empty.")
        if chosen.setdefault(word, wanted) != wanted:
            raise UsageError(f"The term {word!r} has two translations, {chosen[word]!r} and {wanted!r}: choose one.")
    return tuple(chosen.items())


def check_words(required: str | Iterable[str]) -> tuple[str, ...]:
    """Required words (or the only one), each once, with single spaces.

    Raises:
        UsageError: an empty word.
    """
    words = [required] if isinstance(required, str) else required
    checked = tuple(dict.fromkeys(" ".join(word.split()) for word in words))
    if "" in checked:
        raise UsageError("A required word cannot be empty.")
    return checked


def applying(terms: Sequence[Term], text: str) -> tuple[Term, ...]:
    """The terms whose word occurs in a text.

    Where words overlap, the longer one counts (``York`` does not apply to "New York" where that is a term itself), and
    of words that differ in case the one that is written as in the text (``Polish`` and ``polish``).
    """
    found = [(term, list(_places(term[0], text))) for term in terms]
    taken = [(start, end, term[0]) for term, places in found for start, end in places]

    def counts(word: str, start: int, end: int) -> bool:
        exact = text[start:end] == word
        return not any(
            first <= start and end <= last and (last - first > end - start or (not exact and text[start:end] == other))
            for first, last, other in taken
        )

    return tuple(term for term, places in found if any(counts(term[0], *place) for place in places))


def occurs(term: str, text: str) -> bool:
    """Whether a term stands in a text as words of their own, in any case.

    The borders are those of :func:`bayling_lite.engine.words.occurs`, so what a search guarantees counts here.
    """
    return next(_places(term, text), None) is not None


def _places(term: str, text: str) -> Iterator[tuple[int, int]]:
    """Where a term stands in a text: (start, end) of each place."""
    if not term.strip():
        return
    left, right = (edge.isalnum() and joins(edge) for edge in (term[0], term[-1]))
    pattern = _pattern(term)
    match = pattern.search(text)
    while match is not None:
        start, end = match.span()
        before, after = text[start - 1 : start] if start else "", text[end : end + 1]
        if not (left and before and joins(before)) and not (right and after and joins(after)):
            yield start, end
        match = pattern.search(text, start + 1)


@functools.lru_cache(maxsize=4096)
def _pattern(term: str) -> re.Pattern[str]:
    return re.compile(re.escape(term), re.IGNORECASE)
