"""What the makers need of the whole corpus: a word aligner, sample expressions, further translations of a sentence.

Everything is bounded: the aligner learns from a sample of the pairs, chosen by their fingerprints and so whatever their
order; further translations are gathered for sentences that occur more than once, found by their fingerprints first.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bayling_finetune.dialogues.alignment import AlignmentModel
from bayling_finetune.dialogues.hashes import Hashes, as_hashes, contains, first_occurrences, hash64, repeated
from bayling_finetune.dialogues.samples import expressions
from bayling_finetune.dialogues.tools import Drafts, NoDrafts, Tools
from bayling_finetune.dialogues.values import Direction, fingerprint

Pairs = Callable[[], Iterable[Direction]]
"""Reads the pairs from the beginning, each time the same ones in the same order; one direction of each is enough."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of a corpus is looked at and kept, however large it is.

    ``aligned``: pairs of each language pair that the aligner learns from. ``samples``: expressions of each language.
    ``repeated``: sentences whose further translations are kept, at most ``others`` of each.
    """

    aligned: int = 100_000
    samples: int = 20_000
    repeated: int = 100_000
    others: int = 4


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """Of each pair: of both sides, of the source under its language pair, of the other side under the reverse."""

    pair: Hashes
    source: Hashes
    reference: Hashes

    @classmethod
    def of(cls, pairs: Sequence[Direction]) -> Fingerprints:
        """Of these pairs."""
        return cls(
            as_hashes(map(pair_hash, pairs)),
            as_hashes(map(source_hash, pairs)),
            as_hashes(source_hash(pair.reversed()) for pair in pairs),
        )

    @classmethod
    def joined(cls, parts: Sequence[Fingerprints]) -> Fingerprints:
        """Of the pairs of several parts, in order."""
        if not parts:
            return cls(as_hashes(()), as_hashes(()), as_hashes(()))
        return cls(
            np.concatenate([part.pair for part in parts]),
            np.concatenate([part.source for part in parts]),
            np.concatenate([part.reference for part in parts]),
        )

    def __len__(self) -> int:
        return len(self.pair)


def pair_hash(pair: Direction) -> int:
    """The same for both directions, and for what differs in case, spaces and punctuation only."""
    sides = sorted(
        ((pair.source_language.code, _plain(pair.source)), (pair.target_language.code, _plain(pair.reference)))
    )
    return hash64(*sides[0], *sides[1])


def _plain(text: str) -> str:
    """Of punctuation alone, the text itself."""
    return fingerprint(text) or text


def source_hash(direction: Direction) -> int:
    """Of a sentence to translate, into this language."""
    return hash64(direction.pair, direction.source)


Kept = npt.NDArray[np.bool_]


def without_duplicates(fingerprints: Fingerprints, kept: Kept) -> Kept:
    """Of the pairs that are kept, the first of its kind."""
    places = np.flatnonzero(kept)
    first = np.zeros_like(kept)
    first[places[first_occurrences(fingerprints.pair[places])]] = True
    return first


def sampled(fingerprints: Fingerprints, kept: Kept, limit: int, *, seed: int) -> Kept:
    """Of the pairs that are kept, a random ``limit``, whatever their order; 0 keeps all."""
    places = np.flatnonzero(kept)
    if not 0 < limit < len(places):
        return kept
    chosen = np.zeros_like(kept)
    chosen[places[np.argsort(_shuffled(fingerprints.pair[places], seed), kind="stable")[:limit]]] = True
    return chosen


def _shuffled(hashes: Hashes, seed: int) -> Hashes:
    """Other numbers for the same fingerprints, by the finalizer of SplitMix64."""
    mixed = hashes ^ np.uint64(hash64("order", seed=seed))
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    result: Hashes = mixed ^ (mixed >> np.uint64(31))
    return result


def of_kept(pairs: Iterable[Direction], kept: Kept) -> Iterator[Direction]:
    """The pairs whose entry is true."""
    return (pair for pair, keep in zip(pairs, kept, strict=True) if keep)


@dataclass(slots=True)
class Gathered:
    """What the second reading of the corpus brings: pairs for the aligner, and further translations."""

    aligned: dict[str, list[Direction]] = field(default_factory=dict)
    others: dict[str, tuple[str, ...]] = field(default_factory=dict)


def gather(pairs: Pairs, fingerprints: Fingerprints, kept: Kept, bounds: Bounds, *, seed: int) -> Gathered:
    """Read the corpus again for a sample of its pairs, and for sentences that were translated more than once."""
    places = np.flatnonzero(kept)
    ranks = _shuffled(fingerprints.pair, seed)
    twice = repeated(np.concatenate([fingerprints.source[places], fingerprints.reference[places]]))
    if len(twice) > bounds.repeated:
        twice = np.sort(twice[np.argsort(_shuffled(twice, seed))[: bounds.repeated]])
    groups: dict[int, list[Direction]] = defaultdict(list)
    wanted = contains(twice, fingerprints.source), contains(twice, fingerprints.reference)
    samples = _Smallest(bounds.aligned)
    for number, pair in enumerate(pairs()):
        if not kept[number]:
            continue
        samples.add("-".join(sorted(pair.pair.split("-"))), int(ranks[number]), pair)
        for direction, there, hashes in (
            (pair, wanted[0][number], fingerprints.source),
            (pair.reversed(), wanted[1][number], fingerprints.reference),
        ):
            if there:
                groups[int(hashes[number])].append(direction)
    return Gathered(samples.values(), _others(groups.values(), bounds.others))


class _Smallest:
    """The entries with the smallest ranks, at most ``limit`` of each name."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._heaps: dict[str, list[tuple[int, int, Direction]]] = defaultdict(list)
        self._count = 0

    def add(self, name: str, rank: int, entry: Direction) -> None:
        heap = self._heaps[name]
        self._count += 1  # decides between equal ranks
        if len(heap) < self._limit:
            heapq.heappush(heap, (-rank, -self._count, entry))
        elif -rank > heap[0][0]:
            heapq.heapreplace(heap, (-rank, -self._count, entry))

    def values(self) -> dict[str, list[Direction]]:
        """By name, in the order of the ranks."""
        return {name: [entry for *_, entry in sorted(heap, reverse=True)] for name, heap in sorted(self._heaps.items())}


def _others(groups: Iterable[Sequence[Direction]], limit: int) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for group in groups:
        references = sorted({direction.reference for direction in group})
        for direction in group if len(references) > 1 else ():
            others = [reference for reference in references if reference != direction.reference]
            found[direction.key()] = tuple(others[:limit])
    return found


def make_tools(
    pairs: Iterable[Direction],
    *,
    seed: int = 0,
    bounds: Bounds = Bounds(),
    instructions: Mapping[str, float] | None = None,
    drafts: Drafts | None = None,
) -> Tools:
    """The tools for pairs that are in memory; one direction of each is enough."""
    held = list(pairs)
    fingerprints = Fingerprints.of(held)
    kept = without_duplicates(fingerprints, np.ones(len(held), dtype=np.bool_))
    gathered = gather(lambda: held, fingerprints, kept, bounds, seed=seed)
    return tools_of(gathered, bounds, seed=seed, instructions=instructions, drafts=drafts)


def tools_of(
    gathered: Gathered,
    bounds: Bounds,
    *,
    seed: int,
    instructions: Mapping[str, float] | None = None,
    drafts: Drafts | None = None,
) -> Tools:
    """Train the aligner on what was gathered, and take samples of what it aligns."""
    sample = [pair for pairs in gathered.aligned.values() for pair in pairs]
    lexicon = AlignmentModel.train(sample)
    samples = expressions(lexicon, _in_turn(gathered.aligned.values()), seed=seed, limit=bounds.samples)
    given = {"instructions": dict(instructions)} if instructions is not None else {}
    return Tools(lexicon, samples, gathered.others, drafts or NoDrafts(), **given)


def _in_turn(lists: Iterable[Sequence[Direction]]) -> Iterator[Direction]:
    """One of each list after the other, so that a language of several pairs gets samples of them all."""
    iterators = [iter(entries) for entries in lists]
    while iterators:
        for iterator in tuple(iterators):
            entry = next(iterator, None)
            if entry is None:
                iterators.remove(iterator)
            else:
                yield entry
