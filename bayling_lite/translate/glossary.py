"""Glossary terms: which of them apply to a segment, and whether words stand in a text."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from bayling_lite.engine.words import joins
from bayling_lite.errors import UsageError
from bayling_lite.localization import _

Term = tuple[str, str]
"""A word of the source and the word that must stand for it."""

_START = 6
"""Characters by which terms are looked up: enough to tell most words, few enough to take from every place of a text."""


def check_terms(terms: Iterable[Term]) -> tuple[Term, ...]:
    """The terms, each once, with single spaces.

    Raises:
        UsageError: an empty word, or a word with two translations: a text that needs both would be nonsense.
    """
    chosen: dict[str, str] = {}
    for term in terms:
        word, wanted = (" ".join(part.split()) for part in term)
        if not word or not wanted:
            raise UsageError(_("A term is a word and its translation; neither can be empty."))
        if chosen.setdefault(word, wanted) != wanted:
            raise UsageError(
                _(
                    "The term {word!r} has two translations, {one!r} and {other!r}: choose one.",
                    word=word,
                    one=chosen[word],
                    other=wanted,
                )
            )
    return tuple(chosen.items())


def check_words(required: str | Iterable[str]) -> tuple[str, ...]:
    """Required words (or the only one), each once, with single spaces.

    Raises:
        UsageError: an empty word.
    """
    words = [required] if isinstance(required, str) else required
    checked = tuple(dict.fromkeys(" ".join(word.split()) for word in words))
    if "" in checked:
        raise UsageError(_("A required word cannot be empty."))
    return checked


class TermIndex:
    """Terms by how they begin, so that those in a text are found without looking for each: ten thousand are no burden.

    Safe to use from any thread.
    """

    def __init__(self, terms: Iterable[Term]) -> None:
        self._terms = tuple(terms)
        self._numbers: defaultdict[str, list[int]] = defaultdict(list)  # of the terms with a word, folded
        lengths: defaultdict[str, set[int]] = defaultdict(set)
        for number, (word, _wanted) in enumerate(self._terms):
            if word.strip():
                folded = _folded(word)
                self._numbers[folded].append(number)
                lengths[folded[:_START]].add(len(folded))
        self._lengths = dict(lengths)  # of the words that begin so
        self._starts = sorted({len(start) for start in lengths})

    @property
    def terms(self) -> tuple[Term, ...]:
        """All of them, in the order they were given."""
        return self._terms

    def applying(self, text: str) -> tuple[Term, ...]:
        """The terms that apply to a text; see :func:`applying`."""
        found = self._found(text)
        taken = [(start, end, term[0]) for term, places in found for start, end in places]

        def counts(word: str, start: int, end: int) -> bool:
            exact = text[start:end] == word
            return not any(
                first <= start
                and end <= last
                and (last - first > end - start or (not exact and text[start:end] == other))
                for first, last, other in taken
            )

        return tuple(term for term, places in found if any(counts(term[0], *place) for place in places))

    def occurring(self, text: str) -> tuple[Term, ...]:
        """The terms whose word stands in a text, alone or as a part of another term."""
        return tuple(term for term, _ in self._found(text))

    def _found(self, text: str) -> list[tuple[Term, list[tuple[int, int]]]]:
        """The terms in a text and their places, in the order of the terms."""
        folded = _folded(text)
        likely: set[int] = set()
        for at in range(len(folded)):
            for start in self._starts:
                for length in self._lengths.get(folded[at : at + start], ()):
                    likely.update(self._numbers.get(folded[at : at + length], ()))
        terms = [self._terms[number] for number in sorted(likely)]
        return [(term, places) for term in terms if (places := list(_places(term[0], text)))]


def applying(terms: Sequence[Term], text: str) -> tuple[Term, ...]:
    """The terms whose word occurs in a text.

    Where words overlap, the longer one counts (``York`` does not apply to "New York" where that is a term itself), and
    of words that differ in case the one that is written as in the text (``Polish`` and ``polish``). Who asks for many
    texts keeps a :class:`TermIndex`.
    """
    return _index(tuple(terms)).applying(text)


@functools.lru_cache(maxsize=8)
def _index(terms: tuple[Term, ...]) -> TermIndex:
    return TermIndex(terms)


def _folded(text: str) -> str:
    """A text in which characters that :data:`re.IGNORECASE` takes for one another are the same.

    It may grow (``ß`` becomes ``SS``), but what matches in a text is still a part of it.
    """
    return text.replace("İ", "i").lower().upper()


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
