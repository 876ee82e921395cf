"""64-bit fingerprints in sorted arrays: eight bytes for each text that was seen, where a Python set takes a hundred.

Two different texts share a fingerprint once in 2**64 comparisons: among 100 million texts, the chance that any two do
is about 3 in 10,000, and what it costs is one dialogue.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]


def hash64(*texts: str, seed: int = 0) -> int:
    """The fingerprint of a sequence of texts; of another seed, another one."""
    digest = hashlib.blake2b(digest_size=8, salt=(seed % 2**64).to_bytes(8, "big"))
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return int.from_bytes(digest.digest(), "big")


def as_hashes(values: Iterable[int]) -> Hashes:
    """An array of fingerprints, in the order given."""
    return np.fromiter(values, dtype=np.uint64)


def first_occurrences(hashes: Hashes) -> npt.NDArray[np.bool_]:
    """For each entry whether it is the first of its value."""
    first = np.zeros(len(hashes), dtype=np.bool_)
    first[np.unique(hashes, return_index=True)[1]] = True
    return first


def repeated(hashes: Hashes) -> Hashes:
    """The values that occur more than once, sorted."""
    values, counts = np.unique(hashes, return_counts=True)
    return values[counts > 1]


def contains(sorted_hashes: Hashes, wanted: Hashes) -> npt.NDArray[np.bool_]:
    """For each entry of ``wanted`` whether it is in the sorted array."""
    if not len(sorted_hashes):
        return np.zeros(len(wanted), dtype=np.bool_)
    places = np.searchsorted(sorted_hashes, wanted)
    found: npt.NDArray[np.bool_] = sorted_hashes[np.minimum(places, len(sorted_hashes) - 1)] == wanted
    return found


class SeenHashes:
    """A growing set of fingerprints.

    Sorted arrays of doubling sizes, merged like carries of a binary counter: adding n of them costs O(n log² n) in
    numpy, looking one up O(log² n).
    """

    def __init__(self) -> None:
        self._levels: list[Hashes] = []

    def __len__(self) -> int:
        return sum(len(level) for level in self._levels)

    def add(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """Take note of some; for each whether it is new, and the first of its value among them."""
        new = first_occurrences(hashes)
        for level in self._levels:
            new &= ~contains(level, hashes)
        fresh = np.sort(hashes[new])
        while self._levels and len(self._levels[-1]) <= 2 * len(fresh):
            fresh = np.sort(np.concatenate([self._levels.pop(), fresh]), kind="stable")
        if len(fresh):
            self._levels.append(fresh)
        return new
