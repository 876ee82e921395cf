"""Which measured system is better beyond chance: the best of each set against every other one, paired."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayling_lite.evaluate.report.layouts import direction
from bayling_lite.evaluate.report.values import Comparison
from bayling_lite.evaluate.values import Score, SetResult

if TYPE_CHECKING:
    from bayling_lite.evaluate.translation.resampling import Array


class Significance:
    """Comparisons of the measured systems, each made once."""

    def __init__(self, sets: Iterable[Sequence[SetResult]]) -> None:
        self.comparisons = tuple(one for results in sets for one in _of_set(results))
        found: dict[tuple[str, str, str, str], bool] = {}
        for one in self.comparisons:
            key = (one.family, one.set_name, one.metric, one.system)
            found[key] = found.get(key, True) and one.significant
        self._best = frozenset(key for key, better in found.items() if better)

    def __call__(self, family: str, set_name: str, metric: str, system: str) -> bool:
        """Whether a system is better than each of the others, on a set by a metric, significantly."""
        return (family, set_name, metric, system) in self._best


def _of_set(results: Sequence[SetResult]) -> list[Comparison]:
    """The best by each metric against the others, as far as the results can be compared item by item."""
    if len(results) < 2 or any(result.against for result in results):
        return []
    # Comparable are those that were measured on the same items as the most.
    items = [tuple((output.id, output.reference) for output in result.outputs) for result in results]
    common = max(items, key=items.count)
    comparable = [result for result, ids in zip(results, items, strict=True) if ids == common]
    metrics = dict.fromkeys(score.metric for result in comparable for score in result.scores)
    return [one for metric in metrics for one in _by_metric(metric, comparable)]


def _by_metric(metric: str, results: Sequence[SetResult]) -> list[Comparison]:
    from bayling_lite.evaluate.translation.resampling import N_SAMPLES, interval, is_significant, p_value
    from bayling_lite.evaluate.translation.significance import rule

    scored = [(result, score) for result in results if (score := result.score(metric))]
    # Only what was computed in the same way can be compared.
    rules = [rule(score.signature) for _, score in scored]
    usual = max(rules, key=rules.count)
    scored = [one for one, found in zip(scored, rules, strict=True) if found == usual]
    sampled = _sampled(metric, scored)
    if len(sampled) < 2 or not direction(metric):
        return []
    best, *others = sorted(sampled, key=lambda one: -direction(metric) * one.value)
    made = []
    for other in others:
        difference = best.value - other.value
        low, high = interval(best.resampled - other.resampled)
        p = p_value(other.resampled, best.resampled, difference)
        made.append(
            Comparison(
                family=best.result.family,
                set_name=best.result.set_name,
                metric=metric,
                system=best.result.system,
                other=other.result.system,
                difference=difference,
                p=p,
                significant=is_significant(p, low, high),
                low=low,
                high=high,
                test=f"paired bootstrap resampling, {N_SAMPLES:,} samples",
            )
        )
    return made


@dataclass(frozen=True, slots=True)
class _Sampled:
    """A score, and what it is on each resampled set."""

    result: SetResult
    value: float
    resampled: Array


def _sampled(metric: str, scored: Sequence[tuple[SetResult, Score]]) -> list[_Sampled]:
    """All that can be resampled, on the same resampled sets."""
    from bayling_lite.evaluate.translation.metrics import resampled_scores
    from bayling_lite.evaluate.translation.resampling import resampled_sums

    tables = [(result, score, table) for result, score in scored if (table := _statistics(result, score)) is not None]
    # Of one column, the score is the mean, whatever it is called.
    sums = resampled_sums([table for _, _, table in tables]) if len(tables) > 1 else []
    return [
        _Sampled(result, score.value, resampled_scores(metric if table.shape[1] > 1 else "mean", each, len(table)))
        for (result, score, table), each in zip(tables, sums, strict=False)
    ]


def _statistics(result: SetResult, score: Score) -> Array | None:
    """For each item the numbers whose sums make the score, (items, k); None where a score is not made so."""
    import numpy as np  # not for --help

    from bayling_lite.evaluate.translation.measuring import STATISTICS

    kept = [output.details.get(STATISTICS, {}).get(score.metric) for output in result.outputs]
    if kept and all(kept):
        return np.array(kept, dtype=np.float64)
    # A score that is the mean of what each item is worth can be resampled from that.
    qualities = [output.quality for output in result.outputs]
    if not qualities or None in qualities:
        return None
    values = 100 * np.array(qualities, dtype=np.float64)
    return values[:, None] if abs(float(values.mean()) - score.value) < 1e-6 else None
