"""Which words of a language stand beside each other somewhere: a cheap test of whether a word fits in a place.

A word whose left and right neighbour have both been its neighbours in real sentences is nearly always of the right
part of speech, gender and form there, whatever the language; no grammar is needed for that. What was never seen proves
nothing: many words that would fit are refused.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable

import numpy as np

from bayling_finetune.dialogues.differences import tokens
from bayling_finetune.dialogues.hashes import Hashes, contains, hash64
from bayling_lite.languages import Language

_MIX = 0x9E3779B97F4A7C15  # 2**64 divided by the golden ratio: a pair is another one than its reverse
_MASK = 2**64 - 1
_TOGETHER = 100_000  # pairs that are sorted at once


class Neighbours:
    """Pairs of words or marks that were seen side by side, as a sorted array of fingerprints."""

    def __init__(self, pairs: Hashes) -> None:
        self.pairs = pairs

    @classmethod
    def seen(cls, texts: Iterable[str], language: Language) -> Neighbours:
        """In these texts. Eight bytes for each different pair."""
        known: dict[str, int] = {}
        waiting: list[int] = []
        sorted_parts: list[Hashes] = []
        for text in texts:
            last = None
            for token in tokens(text, language):
                word = text[token.start : token.stop]
                number = known.get(word)
                if number is None:
                    number = known[word] = hash64(word)
                if last is not None:
                    waiting.append((last * _MIX + number) & _MASK)
                last = number
            if len(waiting) >= _TOGETHER:
                sorted_parts.append(np.unique(np.array(waiting, np.uint64)))
                waiting = []
        sorted_parts.append(np.unique(np.array(waiting, np.uint64)))
        return cls(np.unique(np.concatenate(sorted_parts)))

    def joined(self, other: Neighbours) -> Neighbours:
        """What was seen in either."""
        return Neighbours(np.union1d(self.pairs, other.pairs))

    def fits(self, words: str, text: str, span: tuple[int, int], language: Language) -> bool:
        """Whether each neighbour that these words would have in place of a span of a text was seen beside them."""
        start, stop = span
        inner = _hashes(words, language)
        if not inner:
            return False
        before = _hashes(text[max(0, start - _REACH) : start], language)[-1:]
        row = (*before, *inner, *_hashes(text[stop : stop + _REACH], language)[:1])
        pairs = [(one * _MIX + other) & _MASK for one, other in itertools.pairwise(row)]
        return bool(contains(self.pairs, np.array(pairs, np.uint64)).all())


_REACH = 40
"""Characters in which the neighbours of a place are looked for."""


@functools.lru_cache(maxsize=1 << 14)
def _hashes(text: str, language: Language) -> tuple[int, ...]:
    """Of each word or mark of a short text. Many are asked for: each sample of a corpus, each place of a sentence."""
    return tuple(hash64(text[token.start : token.stop]) for token in tokens(text, language))
