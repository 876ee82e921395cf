"""Lexical translation probabilities from sentence pairs, by expectation maximisation.

IBM Model 1 (Brown et al. 1993) in both directions, then with a prior for the diagonal (Dyer et al. 2013, "fast_align"),
at last by agreement: the product of both directions' posteriors is what is counted (Liang et al. 2006), which keeps
rare words from attracting whatever has no better partner.

Sentences of the same two lengths are computed together as dense arrays. Two words are a candidate when they occur
together at least twice; what was seen once proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Keys = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

UNKNOWN = 0
"""The number of all words that are too rare to learn."""

_FLOOR = 1e-7  # the probability of two words that are no candidates, while learning
_TENSION = 2.0  # half of fast_align's: Chinese moves much, such as times and places to the front
_NULL = 0.08  # prior of a word that corresponds to none, as in fast_align
_CHUNK = 1_000_000  # word pairs computed at once
_PLAIN, _DIAGONAL, _AGREEING = 2, 2, 4  # iterations of each stage
_PRUNE = 0.005


class Alignment(NamedTuple):
    """How a sentence pair's words correspond; three arrays of shape (m, n).

    ``forward``: p(i | j), columns sum to at most 1 (the rest is "no word"); ``backward``: p(j | i), rows do;
    ``evidence``: how the two words go together anywhere, the geometric mean of both lexical probabilities.
    """

    forward: Floats
    backward: Floats
    evidence: Floats

    def turned(self) -> Alignment:
        """Seen from the other language."""
        return Alignment(self.backward.T, self.forward.T, self.evidence.T)


@dataclass(frozen=True, slots=True)
class Tables:
    """Probabilities of words of two languages, "first" and "second".

    ``keys``: sorted, ``first * len(null_forward) + second``; ``forward``: p(second | first) and ``backward``:
    p(first | second) of each key; ``null_forward``: p(second | no word), by second word; ``null_backward`` likewise.
    """

    keys: Keys
    forward: Floats
    backward: Floats
    null_forward: Floats
    null_backward: Floats

    def align(self, first: Ints, second: Ints, same: Sequence[tuple[int, int]] = ()) -> Alignment:
        """How probable each pair of words of a sentence pair is, in both directions.

        Args:
            first: word numbers, shape (m,).
            second: word numbers, shape (n,).
            same: positions (in first, in second) of words that are written alike: names, numbers, foreign words.
        """
        wanted = (first.astype(np.int64)[:, None] * len(self.null_forward) + second).ravel()
        place = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        known = self.keys[place] == wanted
        shape = (len(first), len(second))
        forward = np.where(known, self.forward[place], np.float32(0)).reshape(shape)
        backward = np.where(known, self.backward[place], np.float32(0)).reshape(shape)
        for i, j in same:
            forward[i, j] = backward[i, j] = 0.9
        diagonal = _diagonal(*shape)
        return Alignment(
            _share(forward, diagonal, self.null_forward[second], 0),
            _share(backward, diagonal, self.null_backward[first], 1),
            np.sqrt(forward * backward),
        )

    def turned(self) -> Tables:
        """Seen from the other language."""
        keys = self.keys % len(self.null_forward) * len(self.null_backward) + self.keys // len(self.null_forward)
        order = np.argsort(keys, kind="stable")
        return Tables(keys[order], self.backward[order], self.forward[order], self.null_backward, self.null_forward)


def train(first: Sequence[Ints], second: Sequence[Ints], sizes: tuple[int, int]) -> Tables:
    """Learn from sentences of word numbers below ``sizes``; :data:`UNKNOWN` stands for words too rare to learn.

    No sentence is empty. About 16 bytes of memory for each pair of words in each pair of sentences.
    """
    groups = [_Group(np.stack(firsts), np.stack(seconds)) for firsts, seconds in _by_shape(first, second)]
    keys = _candidates(groups, sizes[1])
    for group in groups:
        group.find(keys, sizes[1])
    # One entry more than there are candidates: that of all pairs that are none.
    forward = np.append(np.ones(len(keys), np.float32), np.float32(_FLOOR))
    estimate = _Estimate(forward, forward.copy(), np.ones(sizes[1], np.float32), np.ones(sizes[0], np.float32))
    owners = (keys // sizes[1]).astype(np.int32), (keys % sizes[1]).astype(np.int32)
    for number in range(_PLAIN + _DIAGONAL + _AGREEING):
        counts = _Counts(len(keys), sizes)
        for group in groups:
            group.count(estimate, counts, diagonal=number >= _PLAIN, agreeing=number >= _PLAIN + _DIAGONAL)
        estimate = counts.estimate(owners)
    kept = np.flatnonzero((estimate.forward[:-1] >= _PRUNE) & (estimate.backward[:-1] >= _PRUNE))
    if not len(kept):  # nothing learnt; one entry that nothing finds keeps the look-up simple
        one = np.zeros(1, np.float32)
        return Tables(np.full(1, -1, np.int64), one, one, estimate.null_forward, estimate.null_backward)
    return Tables(
        keys[kept],
        estimate.forward[kept],
        estimate.backward[kept],
        estimate.null_forward,
        estimate.null_backward,
    )


@dataclass(slots=True)
class _Estimate:
    forward: Floats
    backward: Floats
    null_forward: Floats
    null_backward: Floats


class _Counts:
    """Expected counts of one iteration, in double precision: millions of small numbers are added up."""

    def __init__(self, candidates: int, sizes: tuple[int, int]) -> None:
        self.forward = np.zeros(candidates + 1)
        self.backward = np.zeros(candidates + 1)
        self.null_forward = np.zeros(sizes[1])
        self.null_backward = np.zeros(sizes[0])

    def estimate(self, owners: tuple[Ints, Ints]) -> _Estimate:
        """The most probable tables for these counts."""
        return _Estimate(
            _normal(self.forward, owners[0], len(self.null_backward)),
            _normal(self.backward, owners[1], len(self.null_forward)),
            _distribution(self.null_forward),
            _distribution(self.null_backward),
        )


class _Group:
    """All sentence pairs of m and n words: arrays (S, m) and (S, n) of words, and (S, m, n) of candidates."""

    def __init__(self, first: Ints, second: Ints) -> None:
        self.first, self.second = first, second
        self.index: Ints = np.empty((0,), np.int32)
        self.shape = first.shape[1], second.shape[1]

    def keys(self, size: int) -> Keys:
        """The key of each pair of words: (S, m, n)."""
        keys: Keys = self.first.astype(np.int64)[:, :, None] * size + self.second[:, None, :]
        return keys

    def find(self, keys: Keys, size: int) -> None:
        """Look up the candidates once for all iterations."""
        self.index = np.empty((len(self.first), *self.shape), np.int32)
        flat = self.index.reshape(-1)
        wanted = self.keys(size).reshape(-1)
        for start in range(0, len(wanted), _CHUNK):
            part = wanted[start : start + _CHUNK]
            order = np.argsort(part)  # looking up in order is many times faster
            place = np.searchsorted(keys, part[order])
            known = keys[np.minimum(place, len(keys) - 1)] == part[order] if len(keys) else np.zeros(len(part), bool)
            flat[start : start + _CHUNK][order] = np.where(known, place, len(keys))

    def count(self, estimate: _Estimate, counts: _Counts, *, diagonal: bool, agreeing: bool) -> None:
        """Add the expected counts of these sentences."""
        m, n = self.shape
        prior = _diagonal(m, n, _TENSION if diagonal else 0.0)
        step = max(1, _CHUNK // (m * n))
        for start in range(0, len(self.first), step):
            index = self.index[start : start + step]
            first, second = self.first[start : start + step], self.second[start : start + step]
            forward = _share(estimate.forward[index], prior, estimate.null_forward[second], 0)
            backward = _share(estimate.backward[index], prior, estimate.null_backward[first], 1)
            np.add.at(counts.null_forward, second.ravel(), (1 - forward.sum(1, dtype=np.float64)).ravel())
            np.add.at(counts.null_backward, first.ravel(), (1 - backward.sum(2, dtype=np.float64)).ravel())
            flat = index.ravel()
            if agreeing:
                np.add.at(counts.forward, flat, (forward * backward).ravel().astype(np.float64))
            else:
                np.add.at(counts.forward, flat, forward.ravel().astype(np.float64))
                np.add.at(counts.backward, flat, backward.ravel().astype(np.float64))
        if agreeing:
            counts.backward = counts.forward


def _by_shape(first: Sequence[Ints], second: Sequence[Ints]) -> Iterator[tuple[list[Ints], list[Ints]]]:
    def shape(number: int) -> tuple[int, int]:
        return len(first[number]), len(second[number])

    for (m, n), numbers in groupby(sorted(range(len(first)), key=shape), key=shape):
        chosen = list(numbers)
        step = max(1, 4 * _CHUNK // (m * n))
        for start in range(0, len(chosen), step):
            part = chosen[start : start + step]
            yield [first[number] for number in part], [second[number] for number in part]


def _candidates(groups: Sequence[_Group], size: int) -> Keys:
    """The sorted keys that occur at least twice, both words known."""
    total = sum(group.first.size * group.shape[1] for group in groups)
    keys = np.empty(total, np.int64)
    end = 0
    for group in groups:
        part = group.keys(size)
        known = (group.first != UNKNOWN)[:, :, None] & (group.second != UNKNOWN)[:, None, :]
        added = part[known]
        keys[end : end + len(added)] = added
        end += len(added)
    keys = keys[:end]
    keys.sort()
    again = keys[1:] == keys[:-1]
    again[1:] &= ~again[:-1]
    chosen: Keys = keys[1:][again]
    return chosen


@lru_cache(maxsize=512)
def _diagonal(m: int, n: int, tension: float = _TENSION) -> tuple[Floats, Floats]:
    """Priors of i given j, and of j given i: the nearer to the diagonal, the likelier; each (m, n)."""
    rows = (np.arange(m, dtype=np.float32)[:, None] + 0.5) / m
    columns = (np.arange(n, dtype=np.float32)[None, :] + 0.5) / n
    weight = np.exp(-tension * np.abs(rows - columns), dtype=np.float32)
    return weight / weight.sum(0, keepdims=True), weight / weight.sum(1, keepdims=True)


def _share(table: Floats, prior: tuple[Floats, Floats], null: Floats, direction: int) -> Floats:
    """Posteriors: each word's candidates and "no word" (``null``) share 1. Axes at the end: (m, n)."""
    weighted = table * ((1 - _NULL) * prior[direction])
    axis = -2 if direction == 0 else -1
    total = weighted.sum(axis, keepdims=True) + np.expand_dims(_NULL * null + _FLOOR, axis)
    shared: Floats = weighted / total
    return shared


def _normal(counts: npt.NDArray[np.float64], owners: Ints, size: int) -> Floats:
    totals = np.bincount(owners, counts[:-1], size)
    table = np.full(len(counts), _FLOOR, np.float32)
    table[:-1] = counts[:-1] / np.maximum(totals[owners], 1e-12)
    return table


def _distribution(counts: npt.NDArray[np.float64]) -> Floats:
    shares: Floats = ((counts + 0.01) / (counts.sum() + 0.01 * len(counts))).astype(np.float32)
    return shares
