"""How far people agree: Krippendorff's alpha for ordinal data, and Kendall's coefficient of concordance W.

Sources: K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011); M. G. Kendall and B. Babington Smith, The
Problem of m Rankings (1939), with the correction for ties in S. Siegel, Nonparametric Statistics (1956), chapter 9.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence


def krippendorff_alpha(units: Iterable[Sequence[float]]) -> float | None:
    """Alpha for ordinal values: 1 is full agreement, 0 what chance gives.

    ``units`` are the things that were judged, each with the values that it got, in any order, one from everybody who
    judged it; those with fewer than two values say nothing of agreement and are passed over. None where it is not
    defined: nothing was judged twice, or all values are the same.
    """
    judged = [Counter(unit) for unit in units if len(unit) > 1]
    totals: Counter[float] = sum(judged, Counter())
    distance = _Distances(totals)
    n = totals.total()
    observed = sum(_disagreement(unit, distance) / (unit.total() - 1) for unit in judged)
    expected = _disagreement(totals, distance) / (n - 1) if n > 1 else 0.0
    return 1 - observed / expected if expected else None


class _Distances:
    """The ordinal metric: the square of how many values lie between two, each of them counted half."""

    def __init__(self, totals: Counter[float]) -> None:
        self._middle: dict[float, float] = {}
        below = 0
        for value in sorted(totals):
            self._middle[value] = below + totals[value] / 2
            below += totals[value]

    def __call__(self, first: float, second: float) -> float:
        return (self._middle[first] - self._middle[second]) ** 2


def _disagreement(values: Counter[float], distance: _Distances) -> float:
    """The sum of the distances of all pairs of values, each pair counted in both orders."""
    return sum(
        count * other_count * distance(value, other)
        for value, count in values.items()
        for other, other_count in values.items()
    )


def kendall_w(rankings: Sequence[Sequence[float]]) -> float | None:
    """W of m people's rankings of the same n things, corrected for ties: 1 is full agreement, 0 none.

    A ranking has the fractional ranks of the things (those that are tied share the mean of their places), all rankings
    in the same order. None where it is not defined: fewer than two rankings or things, or everything is tied.
    """
    m, n = len(rankings), len(rankings[0]) if rankings else 0
    if m < 2 or n < 2:
        return None
    sums = [sum(column) for column in zip(*rankings, strict=True)]
    mean = sum(sums) / n
    spread = sum((each - mean) ** 2 for each in sums)
    tied = sum(count**3 - count for ranking in rankings for count in Counter(ranking).values())
    most = m**2 * (n**3 - n) - m * tied
    return 12 * spread / most if most else None


def fractional_ranks(places: Sequence[float]) -> tuple[float, ...]:
    """Ranks from 1, where those that are tied share the mean of the places that they take together."""
    counts = Counter(places)
    ranks, before = {}, 0
    for place in sorted(counts):
        ranks[place] = before + (counts[place] + 1) / 2
        before += counts[place]
    return tuple(ranks[place] for place in places)
