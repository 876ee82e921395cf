"""Directions in, dialogues out: which kinds each direction gives, and with which chance.

The chance of a dialogue is seeded by the seed, the kind and the direction itself. So what a direction gives depends
neither on the directions before it nor on how many processes work, and another share of one kind changes no other.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from random import Random
from types import MappingProxyType

from bayling_finetune.dialogues.tools import Maker, Tools
from bayling_finetune.dialogues.values import Dialogue, Direction, Kind
from bayling_lite.errors import UsageError

# Where the maker of each kind is; a module is imported when its kind is wanted.
_MAKERS = {
    Kind.TRANSLATION: "translation:TranslationMaker",
    Kind.CONSTRAINT: "constraint:ConstraintMaker",
    Kind.CORRECTION: "correction:CorrectionMaker",
    Kind.GRAMMAR: "grammar:GrammarMaker",
    Kind.REPLACEMENT: "replacement:ReplacementMaker",
    Kind.FORMALITY: "formality:FormalityMaker",
    Kind.LENGTH: "length:LengthMaker",
    Kind.STYLE: "style:StyleMaker",
    Kind.CONVERSATION: "conversation:ConversationMaker",
}

KINDS: Sequence[Kind] = tuple(_MAKERS)
"""The kinds that parallel text alone gives, in the order in which a direction gives them."""
DRAFTED = frozenset({Kind.CORRECTION, Kind.GRAMMAR})
"""The kinds that are about the mistakes of a draft."""


@cache
def maker(kind: Kind) -> Maker:
    """Who makes dialogues of a kind.

    Raises:
        UsageError: nobody does without a writer.
    """
    if kind not in _MAKERS:
        known = ", ".join(known.value for known in _MAKERS)
        raise UsageError(f"Dialogues of the kind {kind.value} are not built from parallel text. Known: {known}.")
    module, _, name = _MAKERS[kind].partition(":")
    made: Maker = getattr(importlib.import_module(f"bayling_finetune.dialogues.kinds.{module}"), name)()
    return made


def makers() -> Mapping[Kind, Maker]:
    """Every kind that can be made of parallel text, in a fixed order."""
    return MappingProxyType({kind: maker(kind) for kind in _MAKERS})


def check_kinds(kinds: Mapping[Kind, float]) -> None:
    """See that every kind can be made and every share is a probability.

    Raises:
        UsageError: one is not.
    """
    for kind, share in kinds.items():
        if not 0 <= share <= 1:
            raise UsageError(f"The share of {kind.value} must be from 0 to 1, not {share}.")
        if share:
            maker(kind)
    if not any(kinds.values()):
        raise UsageError("Every kind has the share 0: there is nothing to build. Name one, such as translation=1.")


def attempts(
    direction: Direction, kinds: Mapping[Kind, float], tools: Tools, seed: int
) -> Iterator[tuple[Kind, Dialogue | None]]:
    """The kinds that this direction is to give, in the order of :data:`KINDS`, each with what came of it."""
    for kind, random in _chances(direction, kinds, seed):
        yield kind, maker(kind).make(direction, tools, random)


def tried(direction: Direction, kinds: Mapping[Kind, float], seed: int) -> Iterator[Kind]:
    """The kinds that this direction is to give."""
    return (kind for kind, _ in _chances(direction, kinds, seed))


def _chances(direction: Direction, kinds: Mapping[Kind, float], seed: int) -> Iterator[tuple[Kind, Random]]:
    """The kinds that this direction is to give, each with the randomness of its dialogue."""
    key = direction.key()
    for kind in KINDS:
        if share := kinds.get(kind, 0.0):
            digest = hashlib.blake2b(f"{seed}:{kind.value}:{key}".encode(), digest_size=24).digest()
            # Most are decided against: that comes first, because making a generator takes longer.
            if int.from_bytes(digest[:8], "big") < share * 2**64:
                yield kind, Random(int.from_bytes(digest[8:], "big"))  # noqa: S311 - reproducible, no secret


def build(directions: Iterable[Direction], kinds: Mapping[Kind, float], tools: Tools, seed: int) -> Iterator[Dialogue]:
    """The dialogues of all directions, in their order.

    ``kinds``: for each kind the probability that a direction gives one, where it can.

    Raises:
        UsageError: a kind that parallel text does not give, or a share that is no probability.
    """
    check_kinds(kinds)
    for direction in directions:
        yield from (made for _, made in attempts(direction, kinds, tools, seed) if made is not None)


def both_ways(pairs: Iterable[Direction]) -> Iterator[Direction]:
    """Each pair from its first language to its second, then back."""
    for pair in pairs:
        yield pair
        yield pair.reversed()
