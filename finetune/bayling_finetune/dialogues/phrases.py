"""Phrase pairs out of a sentence pair's word alignment, strictly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from bayling_finetune.dialogues.alignment_training import Alignment
from bayling_finetune.dialogues.tools import AlignedPhrase
from bayling_finetune.dialogues.values import Direction
from bayling_finetune.dialogues.words import Word, doubtful_borders, is_content, is_negation
from bayling_lite.languages import Language

LONGEST = 4
"""Words of a phrase, on each side."""

_LINK = 0.25  # the probability of a partner that makes a phrase inconsistent, if it is outside
_ANCHOR = 0.5  # the geometric mean of both directions that one link of a phrase must have
_DOUBT = 0.02  # evidence that is worth half
_SURE = 0.7  # the score a phrase pair must have


@dataclass(frozen=True)
class _Side:
    """The words of one side.

    ``lost``: words without a partner that mean something, or turn a meaning round.
    ``low`` and ``high``: the first partner of each word, and the one after the last; ``low`` is -1 where there is none.
    ``breaks``: how many words up to this one are followed by more than a space. ``doubtful``: places in the text that
    may be within a word.
    """

    words: Sequence[Word]
    content: list[bool]
    lost: list[bool]
    breaks: list[int]
    low: list[int]
    high: list[int]
    doubtful: set[int]

    @classmethod
    def of(
        cls, text: str, language: Language, words: Sequence[Word], content: list[bool], links: npt.NDArray[np.bool_]
    ) -> _Side:
        breaks, count = [], 0
        for left, right in pairwise(words):
            count += left.end != right.start and text[left.end : right.start] != " "
            breaks.append(count)
        low: list[int] = np.where(links.any(1), links.argmax(1), -1).tolist()
        return cls(
            words,
            content,
            [
                partner < 0 and (meaning or is_negation(word, language))
                for word, partner, meaning in zip(words, low, content, strict=True)
            ],
            [*breaks, count + 1],
            low,
            (links.shape[1] - links[:, ::-1].argmax(1)).tolist(),
            doubtful_borders(text, language),
        )

    def together(self, start: int, stop: int) -> bool:
        """Whether nothing but spaces stands between the words from ``start`` to before ``stop``."""
        return stop - start == 1 or self.breaks[stop - 2] == (self.breaks[start - 1] if start else 0)

    def cuts_words(self, start: int, stop: int) -> bool:
        """Whether it may begin or end within a word."""
        return self.words[start].start in self.doubtful or self.words[stop - 1].end in self.doubtful

    def stands_alone(self, start: int, stop: int) -> bool:
        """Whether nothing beside it might belong to it: no lost word without punctuation between."""
        if start > 0 and self.lost[start - 1] and self.together(start - 1, start + 1):
            return False
        return not (stop < len(self.words) and self.lost[stop] and self.together(stop - 1, stop + 1))


def phrase_pairs(
    direction: Direction, source_words: Sequence[Word], reference_words: Sequence[Word], alignment: Alignment
) -> list[AlignedPhrase]:
    """All phrases of up to :data:`LONGEST` words whose words have their partners in each other, and only there.

    Args:
        direction: the sentence pair.
        source_words: words of the source, m.
        reference_words: words of the reference, n.
        alignment: arrays of shape (m, n).
    """
    source_content = [is_content(word, direction.source_language) for word in source_words]
    reference_content = [is_content(word, direction.target_language) for word in reference_words]
    links = _links(alignment, source_content, reference_content)
    source = _Side.of(direction.source, direction.source_language, source_words, source_content, links)
    reference = _Side.of(direction.reference, direction.target_language, reference_words, reference_content, links.T)
    scores = _Scores(alignment, source, reference)
    found: list[AlignedPhrase] = []
    for start, low in enumerate(reference.low):
        if low < 0:
            continue
        high = 0
        for stop in range(start + 1, min(start + LONGEST, len(reference.words)) + 1):
            if reference.low[stop - 1] < 0:
                continue
            low, high = min(low, reference.low[stop - 1]), max(high, reference.high[stop - 1])
            if high - low > LONGEST or not reference.together(start, stop):
                break
            if not _consistent(source, low, high, start, stop) or any(reference.lost[start:stop]):
                continue
            if reference.cuts_words(start, stop) or source.cuts_words(low, high):
                continue
            alone = reference.stands_alone(start, stop) and source.stands_alone(low, high)
            if alone or _alike(source.words[low:high], reference.words[start:stop]):
                score = scores.score(low, high, start, stop)
                if score >= _SURE:
                    found.append(_phrase(source, reference, (low, high), (start, stop), score))
    return found


def _links(alignment: Alignment, source: list[bool], reference: list[bool]) -> npt.NDArray[np.bool_]:
    """The partners of each word: either direction's choice; both directions' where only one of the words is content:
    articles and the like choose some word beside them for want of a partner.
    """
    forward, backward = alignment.forward >= _LINK, alignment.backward >= _LINK
    unlike: npt.NDArray[np.bool_] = np.not_equal.outer(source, reference)
    links: npt.NDArray[np.bool_] = np.where(unlike, forward & backward, forward | backward)
    return links


def _consistent(source: _Side, low: int, high: int, start: int, stop: int) -> bool:
    """Whether these words of the source stand together, none is lost, and none has a partner outside."""
    for word in range(low, high):
        if source.low[word] >= 0 and (source.low[word] < start or source.high[word] > stop):
            return False
    return source.together(low, high) and not any(source.lost[low:high])


def _alike(first: Sequence[Word], second: Sequence[Word]) -> bool:
    """Whether it is the same name or number on both sides, whatever stands beside it."""
    return len(first) == len(second) and all(one.form == other.form for one, other in zip(first, second, strict=True))


class _Scores:
    """How sure the blocks of an alignment are. Lists, because blocks of few words are quicker without arrays."""

    def __init__(self, alignment: Alignment, source: _Side, reference: _Side) -> None:
        self._backward: list[list[float]] = alignment.backward.tolist()
        self._forward: list[list[float]] = alignment.forward.T.tolist()
        trust = alignment.evidence / (alignment.evidence + _DOUBT)
        self._trust: list[list[float]] = trust.tolist()
        self._trust_turned: list[list[float]] = trust.T.tolist()
        self._content = source.content, reference.content

    def score(self, low: int, high: int, start: int, stop: int) -> float:
        """The least, over the content words of both sides, of the probability within the block, less where the
        evidence from other sentences is thin; 0 without a link that both directions choose.
        """
        rows, columns = range(low, high), range(start, stop)
        if not any(self._backward[i][j] * self._forward[j][i] >= _ANCHOR**2 for i in rows for j in columns):
            return 0.0
        source, reference = self._content
        every = not (any(source[low:high]) and any(reference[start:stop]))
        least = 1.0
        for i in rows:
            if every or source[i]:
                least = min(least, sum(self._backward[i][start:stop]) * max(self._trust[i][start:stop]))
        for j in columns:
            if every or reference[j]:
                least = min(least, sum(self._forward[j][low:high]) * max(self._trust_turned[j][low:high]))
        return least


def _phrase(
    source: _Side, reference: _Side, rows: tuple[int, int], columns: tuple[int, int], score: float
) -> AlignedPhrase:
    (first, last), (start, end) = (rows[0], rows[1] - 1), (columns[0], columns[1] - 1)
    return AlignedPhrase(
        source=(source.words[first].start, source.words[last].end),
        reference=(reference.words[start].start, reference.words[end].end),
        score=score,
        content=source.content[first] and source.content[last] and reference.content[start] and reference.content[end],
    )
