"""Where several systems stand on a set by a metric: the ranks that chance leaves them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bayling_lite.evaluate.translation.significance import Comparison


@dataclass(frozen=True, slots=True)
class Standing:
    """A system among those measured on the same set.

    ``first`` is one more than the number of systems that are significantly better, ``last`` how many there are less
    those that are significantly worse: its rank is between them (the rank ranges of WMT's findings).
    """

    system: str
    value: float
    first: int
    last: int


def by_set(comparisons: Sequence[Comparison]) -> Iterator[tuple[Comparison, ...]]:
    """Comparisons in groups of the same set and metric, as they are ordered."""
    for _, group in itertools.groupby(comparisons, lambda one: (one.family, one.set_name, one.against, one.metric)):
        yield tuple(group)


def standings(group: Sequence[Comparison], better: int) -> tuple[Standing, ...]:
    """Where the systems stand, the best first; none where not each was compared with each, on the same items.

    Args:
        group: the comparisons of one set and metric.
        better: 1 where more is better, -1 where less is.
    """
    values = {one.baseline: one.baseline_value for one in group} | {one.system: one.value for one in group}
    count = len(values)
    if len(group) != count * (count - 1) // 2 or len({one.n_items for one in group}) != 1:
        return ()
    above, below = dict.fromkeys(values, 0), dict.fromkeys(values, 0)
    for one in group:
        if one.significant:
            is_better = one.difference * better > 0
            above[one.baseline if is_better else one.system] += 1
            below[one.system if is_better else one.baseline] += 1
    found = (Standing(name, value, above[name] + 1, count - below[name]) for name, value in values.items())
    return tuple(sorted(found, key=lambda one: (-better * one.value, one.first, one.last)))
