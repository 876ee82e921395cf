"""Bootstrap resampling: what a score would have been on other test sets of the same kind.

A corpus score is a function of sums over sentences. A resampled set is a sentence count each, so that the sums of all
resampled sets are one product of matrices; a thousand sets of two thousand sentences take a tenth of a second.

Sources: Koehn 2004, Statistical Significance Tests for Machine Translation Evaluation (EMNLP 2004). The draws, the
interval and the p-value are those of sacreBLEU with its default seed, so that its numbers and these agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

N_SAMPLES = 1000
SEED = 12345
SIGNIFICANT = 0.05
"""The usual level."""
_MOST_AT_ONCE = 4_000_000
"""Draws held in memory at once."""


def resampled_sums(statistics: Sequence[Array]) -> list[Array]:
    """Sums of sentence statistics over resampled sets, the same draws for each system.

    Args:
        statistics: of each system or metric an array (sentences, k); all of the same number of sentences.

    Returns:
        For each of them an array (``N_SAMPLES``, k).
    """
    sums: list[list[Array]] = [[] for _ in statistics]
    for counts in _counts(len(statistics[0])):
        for parts, array in zip(sums, statistics, strict=True):
            parts.append(counts @ array)
    return [np.concatenate(parts) for parts in sums]


def interval(values: Array) -> tuple[float, float]:
    """The bounds between which 95 % of the values are, of those that are numbers; there has to be one."""
    ordered = np.sort(values[~np.isnan(values)])
    out = len(ordered) // 40
    return float(ordered[out]), float(ordered[len(ordered) - out - 1])


def p_value(baseline: Array, other: Array, difference: float) -> float:
    """How likely a difference at least this large is where there is none, from scores on the same resampled sets.

    The distances of the two on resampled sets, less their mean, are counted where they exceed the difference on the
    real set. This is sacreBLEU's rule, and that of Moses before it. Where one system is better on nearly every
    resampled set, only such sets count as have it better still: there it is one-sided, and an interval is stricter.
    Without a difference it is 1; there sacreBLEU has 1/1001 for a system against itself, and chance for others.
    """
    if not difference:
        return 1.0
    distances = np.abs(other - baseline)
    distances = distances[~np.isnan(distances)]
    exceeding = np.count_nonzero(distances - distances.mean() > abs(difference))
    # One is added because the set at hand is one of those that could have been drawn.
    return float((exceeding + 1) / (len(distances) + 1))


def is_significant(p: float, low: float, high: float) -> bool:
    """Whether a difference is significant at the level of 5 %: by the test, and by its interval as well."""
    return p < SIGNIFICANT and not low <= 0 <= high


def _counts(n_sentences: int) -> Iterator[Array]:
    """How often each sentence is in each resampled set, some sets at a time: (sets, sentences)."""
    generator = np.random.default_rng(SEED)
    step = max(1, _MOST_AT_ONCE // n_sentences)
    for start in range(0, N_SAMPLES, step):
        n_sets = min(step, N_SAMPLES - start)
        drawn = generator.choice(n_sentences, size=(n_sets, n_sentences), replace=True)
        drawn += np.arange(n_sets)[:, None] * n_sentences
        counts = np.bincount(drawn.ravel(), minlength=n_sets * n_sentences)
        yield counts.reshape(n_sets, n_sentences).astype(np.float64)
