"""The first reading of a corpus: a verdict on every pair, and its fingerprints, by all processes.

What is kept of a pair is one byte and three fingerprints, 25 bytes in all, whatever its length.
"""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from bayling_finetune.dialogues.contamination import Overlap, TestSets
from bayling_finetune.dialogues.corpus import Fingerprints, Kept, sampled, without_duplicates
from bayling_finetune.dialogues.filters import Filters
from bayling_finetune.dialogues.pool import Pool
from bayling_finetune.dialogues.sources import ParallelSource, Reason, Skipped, open_source
from bayling_finetune.dialogues.values import Direction

CHUNK = 1000
"""Pairs that a process gets at a time."""
_REASONS = tuple(Reason)
_GOOD = 255
Verdicts = npt.NDArray[np.uint8]
Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class _Judged:
    """Of a chunk; ``overlap``: the place of each pair that is in a test set, the set's name, and the pair."""

    verdicts: Verdicts
    fingerprints: Fingerprints
    overlap: list[tuple[int, str, Direction]]


@dataclass(frozen=True, slots=True)
class JudgeChunk:
    """Judges the pairs of a chunk."""

    filters: Filters
    tests: TestSets | None = None

    def __call__(self, pairs: Sequence[Direction]) -> _Judged:
        """A verdict on each pair: the number of a reason, or 255."""
        reasons = [self.filters.reason(pair) for pair in pairs]
        verdicts = np.array([_GOOD if reason is None else _REASONS.index(reason) for reason in reasons], np.uint8)
        found: list[tuple[int, str, Direction]] = []
        if self.tests is not None:
            # What is left out anyway contaminates nothing.
            good = np.flatnonzero(verdicts == _GOOD).tolist()
            names = self.tests.find([pairs[place] for place in good])
            found = [(place, name, pairs[place]) for place, name in zip(good, names, strict=True) if name is not None]
        return _Judged(verdicts, Fingerprints.of(pairs), found)


@dataclass(slots=True)
class Screened:
    """What the first reading found.

    ``verdicts``: of each pair in the order of the sources; ``overlapping``: the numbers of the pairs that are in a test
    set, of which ``overlap`` tells; ``skipped``: what the readers left out themselves; ``read``: pairs of each source.
    """

    verdicts: Verdicts
    fingerprints: Fingerprints
    overlapping: list[int] = field(default_factory=list)
    overlap: Overlap = field(default_factory=Overlap)
    skipped: Skipped = field(default_factory=Skipped)
    read: list[int] = field(default_factory=list)

    def kept(self, *, drop_overlap: bool, duplicates: bool, limit: int, seed: int) -> tuple[Kept, Skipped]:
        """Which pairs dialogues are made of, and how many are left out for which reason.

        ``duplicates``: take those out; ``limit``: a random sample of so many; 0 for all.
        """
        skipped = Skipped(self.skipped)
        for number, reason in enumerate(_REASONS):
            skipped[reason] += int((self.verdicts == number).sum())
        kept = self.verdicts == _GOOD
        if drop_overlap and self.overlapping:
            kept[self.overlapping] = False
            skipped[Reason.TEST_SET] += len(self.overlapping)
        if duplicates:
            first = without_duplicates(self.fingerprints, kept)
            skipped[Reason.DUPLICATE] += int(kept.sum() - first.sum())
            kept = first
        return sampled(self.fingerprints, kept, limit, seed=seed), skipped

    def save(self, path: Path) -> None:
        """Write it to one file.

        Raises:
            OSError: that cannot be done.
        """
        rest = {
            "overlapping": self.overlapping,
            "overlap": [self.overlap.pairs, self.overlap.counts, self.overlap.examples],
            "skipped": {reason.value: count for reason, count in self.skipped.items()},
            "read": self.read,
        }
        data = np.frombuffer(json.dumps(rest).encode(), np.uint8)
        marks = self.fingerprints
        with path.open("wb") as file:
            np.savez(
                file,
                verdicts=self.verdicts,
                pair=marks.pair,
                source=marks.source,
                reference=marks.reference,
                rest=data,
            )

    @classmethod
    def load(cls, path: Path) -> Screened | None:
        """Read what :meth:`save` wrote; None where there is nothing, or nothing whole."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                rest: dict[str, Any] = json.loads(arrays["rest"].tobytes())
                pairs, counts, examples = rest["overlap"]
                return cls(
                    arrays["verdicts"],
                    Fingerprints(arrays["pair"], arrays["source"], arrays["reference"]),
                    rest["overlapping"],
                    Overlap(pairs, Counter(counts), examples),
                    Skipped({Reason(name): count for name, count in rest["skipped"].items()}),
                    rest["read"],
                )
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
            return None


def screen(
    sources: Sequence[ParallelSource],
    filters: Filters,
    tests: TestSets | None,
    *,
    processes: int,
    method: str | None = None,
    watch: Callable[[int], None] = lambda _: None,
) -> Screened:
    """Read all sources once. ``watch`` gets the number of pairs so far.

    Raises:
        InputError, UsageError: a source cannot be read; see :func:`open_source`.
    """
    skipped, read = Skipped(), [0] * len(sources)
    judged: list[_Judged] = []
    overlapping: list[int] = []
    overlap = Overlap()
    done = 0

    def pairs() -> Iterator[Direction]:
        for number, source in enumerate(sources):
            for pair in open_source(source, skipped):
                read[number] += 1
                yield pair

    with Pool(JudgeChunk(filters, tests), processes, method=method) as pool:
        for result in pool.map(chunks(pairs(), CHUNK)):
            for place, name, pair in result.overlap:
                overlapping.append(done + place)
                overlap.add(name, pair)
            judged.append(_Judged(result.verdicts, result.fingerprints, []))
            done += len(result.verdicts)
            watch(done)
    verdicts = np.concatenate([part.verdicts for part in judged]) if judged else np.zeros(0, np.uint8)
    marks = Fingerprints.joined([part.fingerprints for part in judged])
    overlap.pairs = done
    return Screened(verdicts, marks, overlapping, overlap, skipped, read)


def chunks(entries: Iterable[Entry], size: int) -> Iterator[list[Entry]]:
    """Lists of ``size`` entries; the last may be shorter."""
    iterator = iter(entries)
    while chunk := list(islice(iterator, size)):
        yield chunk


def read_all(sources: Sequence[ParallelSource]) -> Iterator[Direction]:
    """The pairs of all sources again, in the same order."""
    for source in sources:
        yield from open_source(source, Skipped())
