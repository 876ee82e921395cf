"""Training pairs that are in a test set: a model trained on them has scores there that mean nothing.

Two texts are the same when they agree but for case, spaces and punctuation. A pair overlaps with a test set when

- one side is a sentence of the set, and long enough for that to be no chance, or both sides are, and no mere
  "thank you";
- one side shares 13 words in a row with a sentence of the set, the length that GPT-3's authors took for the same
  purpose (arXiv 2005.14165, appendix C); where there are no spaces, 20 characters.

Of the test sets nothing is kept but fingerprints of 64 bits; of training pairs nothing but counts and a few examples.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice

import numpy as np
import numpy.typing as npt

from bayling_finetune.dialogues.test_sets import sentences
from bayling_finetune.dialogues.values import Direction, fingerprint
from bayling_lite.errors import InputError

_WIDE = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_WORDS, _CHARACTERS = 13, 20  # in a row
# What is as long as this is not written twice by chance; what is shorter than that says nothing at all.
_LONG_WORDS, _LONG_CHARACTERS = 6, 10
_SHORT_WORDS, _SHORT_CHARACTERS = 3, 4
_EXAMPLES = 3  # of each test set


class Policy(StrEnum):
    """What becomes of training pairs that are in a test set."""

    REFUSE = "refuse"
    DROP = "drop"
    ALLOW = "allow"


@dataclass
class Overlap:
    """What was found: how many pairs of how many, by test set, and a few of them."""

    pairs: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, direction: Direction) -> None:
        """Take note of one pair."""
        self.counts[name] += 1
        examples = self.examples.setdefault(name, [])
        if len(examples) < _EXAMPLES:
            examples.append(f"{_shortened(direction.source)} → {_shortened(direction.reference)}")

    def lines(self) -> list[str]:
        """For a report: each test set with its count and examples."""
        return [
            f"{name}: {count:,} of {self.pairs:,} pairs, such as {'; '.join(self.examples[name])}"
            for name, count in self.counts.most_common()
        ]


class TestSets:
    """Fingerprints of everything in some test sets: ten bytes for each sentence and each row of words."""

    __test__ = False  # no test, whatever pytest makes of the name

    def __init__(self, names: Sequence[str], hashes: npt.NDArray[np.uint64], owners: npt.NDArray[np.uint16]) -> None:
        """``hashes``: sorted, without repetitions; ``owners``: for each the index of its test set in ``names``."""
        self.names = tuple(names)
        self._hashes = hashes
        self._owners = owners

    def __len__(self) -> int:
        return len(self._hashes)

    @property
    def digest(self) -> str:
        """A fingerprint (32 hexadecimal digits) of names and sentences."""
        digest = hashlib.blake2b("\n".join(self.names).encode("utf-8", "surrogatepass"), digest_size=16)
        digest.update(self._hashes.tobytes())
        return digest.hexdigest()

    @classmethod
    def load(cls, names: Iterable[str], encoding: str | None = None) -> TestSets:
        """Read test sets: files, folders, or names of sacreBLEU such as ``wmt22/en-zh``.

        Raises:
            InputError: one cannot be read, or holds no sentence.
            UsageError: there is none of that name.
        """
        names = list(dict.fromkeys(names))
        parts, owners = [np.empty(0, np.uint64)], [np.empty(0, np.uint16)]
        for number, name in enumerate(names):
            found = _hash_all(key for text in sentences(name, encoding) for key in _Text(text).keys)
            if not len(found):
                raise InputError(f"The test set {name} holds no sentence.")
            parts.append(found)
            owners.append(np.full(len(found), number, np.uint16))
        hashes, first = np.unique(np.concatenate(parts), return_index=True)
        return cls(names, hashes, np.concatenate(owners)[first])

    def find(self, directions: Sequence[Direction]) -> list[str | None]:
        """For each direction the name of a test set that it is in, or None."""
        found: list[str | None] = [None] * len(directions)
        if not len(self):
            return found
        rows: list[int] = []
        whole: list[int] = []
        keys: list[str] = []
        for row, direction in enumerate(directions):
            for side, text in enumerate((_Text(direction.source), _Text(direction.reference))):
                for number, key in enumerate(text.keys):
                    rows.append(row)
                    keys.append(key)
                    # 0 and 1: a whole, but short, sentence; 2: enough by itself.
                    whole.append(side if number == 0 and not text.long else 2)
        hashes = _digests(keys)
        places = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        sides: dict[tuple[int, int], set[int]] = {}
        for match in np.flatnonzero(self._hashes[places] == hashes).tolist():
            row, owner = rows[match], int(self._owners[places[match]])
            seen = sides.setdefault((row, owner), set())
            seen.add(whole[match])
            if found[row] is None and (2 in seen or seen == {0, 1}):
                found[row] = self.names[owner]
        return found


class _Text:
    """A text as it is compared: its keys, of which the first is the whole sentence; none of one that says nothing."""

    __slots__ = ("keys", "long")

    def __init__(self, text: str) -> None:
        ascii_only = text.isascii()
        if not ascii_only:
            text = unicodedata.normalize("NFKC", text)
        words = fingerprint(text).split()
        whole = "".join(words)
        # In most letters a script without spaces: characters are counted, not words.
        if not ascii_only and len(_WIDE.findall(whole)) * 2 > len(whole):
            self.long = len(whole) >= _LONG_CHARACTERS
            rows = range(len(whole) - _CHARACTERS + 1)
            said = len(whole) >= _SHORT_CHARACTERS
            self.keys = [f"={whole}", *(whole[start : start + _CHARACTERS] for start in rows)] if said else []
        else:
            self.long = len(words) >= _LONG_WORDS
            rows = range(len(words) - _WORDS + 1)
            said = len(words) >= _SHORT_WORDS
            self.keys = [f"={whole}", *(" ".join(words[start : start + _WORDS]) for start in rows)] if said else []


def _digests(keys: Iterable[str]) -> npt.NDArray[np.uint64]:
    joined = b"".join(hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest() for key in keys)
    return np.frombuffer(joined, dtype="<u8").astype(np.uint64, copy=False)


def _hash_all(keys: Iterator[str]) -> npt.NDArray[np.uint64]:
    """Like :func:`_digests`, without holding all texts at once, and each value once."""
    parts = [np.empty(0, np.uint64)]
    while block := list(islice(keys, 1 << 16)):
        parts.append(np.unique(_digests(block)))
    return np.unique(np.concatenate(parts))


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
