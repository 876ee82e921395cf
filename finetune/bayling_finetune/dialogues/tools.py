"""What the makers of dialogues work with, and what a maker is.

A maker looks at one direction at a time and knows nothing of the others: everything that comes from the whole corpus
(the lexicon of the word aligner, sample expressions, other translations, drafts) is in :class:`Tools`, made before.
Its randomness is given, too: seeded by the direction itself, so that the dialogues do not depend on the order of the
pairs or on how many processes work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from bayling_finetune.dialogues.values import Dialogue, Direction, Kind


class Lexicon(Protocol):
    """Which words of a sentence correspond to which of its translation (``alignment.py`` trains one)."""

    def phrases(self, direction: Direction) -> Sequence[AlignedPhrase]:
        """The phrases of both sides that correspond for certain, in the order of the reference."""
        ...

    def alternatives(self, direction: Direction, phrase: AlignedPhrase) -> Sequence[str]:
        """Other words that translate what this phrase does, and fit in its place of the reference."""
        ...

    def fits(self, direction: Direction, span: tuple[int, int], words: str) -> bool:
        """Whether these words may stand in the place of a span of the reference, as far as grammar goes."""
        ...


@dataclass(frozen=True, slots=True)
class AlignedPhrase:
    """A phrase and its translation: half-open character spans into source and reference.

    ``score``: from 0 to 1, how sure the aligner is. ``content``: no mere function words or punctuation.
    """

    source: tuple[int, int]
    reference: tuple[int, int]
    score: float
    content: bool = True


class Drafts(Protocol):
    """Real drafts, made beforehand by a model."""

    def get(self, direction: Direction) -> str | None:
        """A model's translation of the source, if there is one."""
        ...


class NoDrafts:
    """No model was asked."""

    def get(self, direction: Direction) -> str | None:  # noqa: ARG002 - the protocol's
        """None."""
        return None


@dataclass(frozen=True, slots=True)
class Tools:
    """``samples``: expressions of a language (by code) to spoil drafts with or to ask for. ``others``: further
    references of a direction's source, by ``Direction.key()``. ``instructions``: weights of the languages (codes)
    that users speak; English and Chinese, German, French.
    """

    lexicon: Lexicon
    samples: Mapping[str, Sequence[str]] = field(default_factory=dict)
    others: Mapping[str, Sequence[str]] = field(default_factory=dict)
    drafts: Drafts = field(default_factory=NoDrafts)
    instructions: Mapping[str, float] = field(default_factory=lambda: {"en": 0.6, "zh": 0.3, "de": 0.05, "fr": 0.05})

    def instruction_language(self, direction: Direction, random: Random) -> str:
        """The language of this dialogue's user, by weight: English or one of the pair's."""
        spoken = {"en", direction.source_language.code, direction.target_language.code}
        weights = {code: weight for code, weight in self.instructions.items() if code in spoken} or {"en": 1.0}
        return random.choices(list(weights), list(weights.values()))[0]


class Maker(Protocol):
    """Makes dialogues of one kind."""

    @property
    def kind(self) -> Kind:
        """Their kind."""
        ...

    def make(self, direction: Direction, tools: Tools, random: Random) -> Dialogue | None:
        """A dialogue about this direction, or None where it gives none of this kind."""
        ...
