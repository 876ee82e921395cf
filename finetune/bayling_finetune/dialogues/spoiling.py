"""Drafts from references, for where no model's draft is at hand: what is spoilt, and with how many mistakes.

The mistakes themselves are in ``mistakes.py`` and ``grammar_mistakes.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

from bayling_finetune.dialogues.differences import Token, tokens
from bayling_finetune.dialogues.markup import code_spans, overlaps
from bayling_finetune.dialogues.tools import Lexicon
from bayling_finetune.dialogues.values import Direction
from bayling_finetune.dialogues.words import Word, is_content, words
from bayling_lite.languages import Language

_FEWEST_LETTERS = 3
_CANDIDATES, _FEW_CANDIDATES = 150, 20


@dataclass(frozen=True, slots=True)
class Spoilt:
    """``text`` stands in the draft where the reference has something else: half-open span in characters."""

    start: int
    stop: int
    text: str


class Reference:
    """A reference that is to be spoilt: its words, and the phrases that say what the source says.

    Code and markup in it are none of these. ``lexicon`` knows the phrases; ``samples`` are expressions of its language,
    from other sentences.
    """

    def __init__(self, direction: Direction, lexicon: Lexicon | None = None, samples: Sequence[str] = ()) -> None:
        phrases = lexicon.phrases(direction) if lexicon is not None else ()
        self._lexicon = lexicon
        code = code_spans(direction.reference)
        self.direction = direction
        self.text = direction.reference
        self.language: Language = direction.target_language
        self.tokens: list[Token] = tokens(self.text, self.language)
        every = words(self.text, self.language)
        self._first = every[0].start if every else len(self.text)
        self.words: list[Word] = [word for word in every if not code or not overlaps((word.start, word.end), code)]
        self.phrases = [
            phrase for phrase in phrases if phrase.content and not (code and overlaps(phrase.reference, code))
        ]
        self.samples = samples
        self._known = [phrase.reference for phrase in self.phrases] or self._content_words()

    def _content_words(self) -> list[tuple[int, int]]:
        return [
            (word.start, word.end)
            for word in self.words
            if is_content(word, self.language)
            and (not self.language.spaced or word.end - word.start >= _FEWEST_LETTERS)
            and not word.form[0].isdigit()
        ]

    def expressions(self) -> list[tuple[int, int]]:
        """Spans that say something of their own: aligned phrases, or words where nothing was aligned.

        Without figures; and not the first word where there are capital letters, which tell nothing there.
        """
        return [
            span
            for span in self._known
            if not any(char.isdigit() for char in self.text[slice(*span)])
            and not (self.language.spaced and self.is_first(span[0]))
        ]

    def fits(self, span: tuple[int, int], words_: str) -> bool:
        """Whether these words may stand there, as far as grammar goes."""
        return self._lexicon is None or self._lexicon.fits(self.direction, span, words_)

    @cached_property
    def free(self) -> frozenset[tuple[int, int]]:
        """Spans of single words that others may take the place of, without a change of capital letters."""
        return frozenset(
            (word.start, word.end)
            for word in self.words
            if not (self.language.spaced and self.is_first(word.start)) and not self.text[word.start].isdigit()
        )

    def is_first(self, start: int) -> bool:
        """Whether no word is before this place."""
        return start <= self._first

    def word_between(self, one: Spoilt, other: Spoilt) -> bool:
        """Whether a word stays between two places: two mistakes side by side would be one."""
        return self.words_between((one.start, one.stop), (other.start, other.stop))

    def words_between(self, one: tuple[int, int], other: tuple[int, int]) -> bool:
        """Whether there is a word between two spans."""
        first, second = sorted((one, other))
        return any(first[1] <= word.start and word.end <= second[0] for word in self.words)

    def sample_for(
        self, span: tuple[int, int], random: Random, *, only: Callable[[str], bool] | None = None
    ) -> str | None:
        """An expression that may stand in this place: of the same case, and if possible with the same ending.

        ``only``: one for which this is true.
        """
        there = self.text[slice(*span)]
        if not self.samples:
            return None
        drawn = random.choices(self.samples, k=_CANDIDATES)
        # Words of one part of speech often end alike; Chinese ones of one field with the same character.
        near = {sample for sample in drawn if sample[-1] == there[-1]} or set(drawn[:_FEW_CANDIDATES])
        likely = sorted(near, key=lambda sample: (_common_end(sample, there), -abs(len(sample) - len(there)), sample))
        possible = (sample for sample in reversed(likely) if self._may_replace(sample, there))
        return next((sample for sample in possible if only is None or only(sample)), None)

    def _may_replace(self, sample: str, there: str) -> bool:
        return (
            sample.casefold() not in self.text.casefold()
            and there.casefold() not in sample.casefold()
            and sample[0].isupper() == there[0].isupper()
            and (self.language.spaced or sample.isascii() == there.isascii())
            and not any(char.isdigit() or char in '"“”„«»\n' for char in sample)
            and not code_spans(sample)
            and len(sample.split()) == len(there.split())
        )


def _common_end(first: str, second: str) -> int:
    length = 0
    while length < min(len(first), len(second)) and first[-length - 1] == second[-length - 1]:
        length += 1
    return length


Spoil = Callable[[Reference, Random], Spoilt | None]


def spoil(reference: Reference, kinds: Mapping[Spoil, float], most: int, random: Random) -> str | None:
    """The reference with one to ``most`` mistakes in different places; None where none can be made."""
    wanted = random.randint(1, most)
    places: list[Spoilt] = []
    weights = dict(kinds)
    while weights and len(places) < wanted:
        kind = random.choices(list(weights), list(weights.values()))[0]
        spoilt = kind(reference, random)
        if spoilt is None or not all(reference.word_between(spoilt, place) for place in places):
            del weights[kind]
        else:
            places.append(spoilt)
    return _made(reference.text, places) if places else None


def _made(text: str, places: Iterable[Spoilt]) -> str:
    for place in sorted(places, key=lambda place: place.start, reverse=True):
        text = text[: place.start] + place.text + text[place.stop :]
    return text
