"""The values of a ranking by people: what is ranked, under which aspects, and what a person said of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Aspect(StrEnum):
    """What a person ranks outputs by; the three of the BayLing paper (arXiv 2306.10968, section 4.3)."""

    TRANSLATION = "translation"
    INSTRUCTIONS = "instructions"
    INTERACTION = "interaction"

    @property
    def label(self) -> str:
        """Its name in English, as in the paper's table."""
        return _TITLES[self]


_TITLES = {
    Aspect.TRANSLATION: "Translation",
    Aspect.INSTRUCTIONS: "Instruction following",
    Aspect.INTERACTION: "Multi-turn interaction",
}


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What was asked and what one system said, turn by turn, as many of each."""

    asked: tuple[str, ...]
    said: tuple[str, ...]

    @property
    def seen(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What of it a person can tell from another: all but spaces around a text, and how its lines end."""
        return tuple(map(_seen, self.asked)), tuple(map(_seen, self.said))


def _seen(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a study. ``outputs`` has a dialogue for each system, in the order of the study's systems.

    ``phrases`` had to be in the output. ``reference`` is empty where people are not to see it.
    """

    id: str
    outputs: tuple[Dialogue, ...]
    phrases: tuple[str, ...] = ()
    reference: str = ""

    @property
    def several_turns(self) -> bool:
        """Whether anything was asked after the first answer."""
        return any(len(output.said) > 1 for output in self.outputs)


@dataclass(frozen=True, slots=True)
class Input:
    """A file that was read: ``digest`` (BLAKE2b, hexadecimal) tells whether what was taken of it is still the same.

    ``system`` is empty for the file of the sources or of the references.
    """

    system: str
    path: str
    digest: str


@dataclass(frozen=True, slots=True)
class Study:
    """What a study was made of; it never changes.

    ``family`` and ``set_name`` are those of results, both empty for files of outputs. ``n_set`` is the size of the
    whole set, of which ``n_items`` were drawn. ``seed`` decides which they are, and in which order each person sees
    what; ``token`` is the secret of addresses on a network. ``created`` is in ISO 8601, UTC.
    """

    name: str
    systems: tuple[str, ...]
    aspects: tuple[Aspect, ...]
    inputs: tuple[Input, ...]
    n_items: int
    n_set: int
    seed: int
    token: str
    created: str
    family: str = ""
    set_name: str = ""

    @property
    def mark(self) -> str:
        """What tells this study from every other one, and says nothing else of it: people may see it."""
        return hashlib.blake2b(self.token.encode(), digest_size=4).hexdigest()

    def aspects_of(self, item: Item) -> tuple[Aspect, ...]:
        """The aspects that an item can be ranked by: interaction needs several turns."""
        return tuple(aspect for aspect in self.aspects if aspect is not Aspect.INTERACTION or item.several_turns)


Ranks = Mapping[Aspect, Mapping[int, int]]
"""By aspect, the places (from 1, ties allowed, gaps without meaning) of systems by their numbers in the study."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """What a person said last of an item, or has begun to say.

    ``number`` grows with every change in the study. ``position`` is the item's in the study, from 0. ``groups`` are
    the systems' numbers as they were shown, those of identical outputs together. ``skipped`` is the reason why the
    item was not ranked; empty where it was not skipped. ``seconds`` were spent on the page, ``at`` is a Unix time,
    ``page`` tells one opened page from another.
    """

    number: int
    person: str
    position: int
    groups: tuple[tuple[int, ...], ...]
    ranks: Ranks = field(default_factory=dict)
    skipped: str = ""
    seconds: float = 0.0
    at: float = 0.0
    page: str = ""

    def complete(self, aspects: Sequence[Aspect], n_systems: int) -> bool:
        """Whether every system has its place by every aspect."""
        return not self.skipped and all(len(self.ranks.get(aspect, ())) == n_systems for aspect in aspects)

    def done(self, aspects: Sequence[Aspect], n_systems: int) -> bool:
        """Whether nothing is left to do: ranked, or skipped."""
        return bool(self.skipped) or self.complete(aspects, n_systems)
