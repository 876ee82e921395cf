"""Whether one system is better than another, or was only luckier: paired bootstrap resampling (Koehn 2004).

Two results of the same set are compared sentence by sentence, on those sentences that both have. What a metric needs
for that is in the outputs: BLEU's, chrF++'s and COMET's statistics, or, of a score that is the mean of the outputs'
qualities (accuracy), the qualities themselves.
"""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bayling_lite.errors import InputError
from bayling_lite.evaluate.translation.measuring import REFERENCES, STATISTICS
from bayling_lite.evaluate.translation.metrics import corpus_score, is_share, resampled_scores
from bayling_lite.evaluate.translation.resampling import (
    N_SAMPLES,
    SEED,
    Array,
    interval,
    is_significant,
    p_value,
    resampled_sums,
)
from bayling_lite.evaluate.values import Output, Score, SetResult

SIGNATURE = f"test:paired-bootstrap|samples:{N_SAMPLES}|seed:{SEED}"
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two systems on one set by one metric, on the ``n_items`` items that both have.

    ``value`` and ``baseline_value`` are in the metric's unit. ``low`` and ``high`` bound the 95 % interval of their
    difference; ``p`` is the probability that a difference at least this large is chance, as sacreBLEU computes it.
    ``score_signature`` says how both scores are made, ``signature`` how they are compared.
    """

    family: str
    set_name: str
    metric: str
    baseline: str
    system: str
    n_items: int
    baseline_value: float
    value: float
    low: float
    high: float
    p: float
    against: str = ""
    score_signature: str = ""
    signature: str = SIGNATURE

    @property
    def difference(self) -> float:
        """How much better the system is than the baseline; negative where it is worse."""
        return self.value - self.baseline_value

    @property
    def significant(self) -> bool:
        """Whether the difference is significant at the usual level of 5 %: by the test, and by the interval as well."""
        return is_significant(self.p, self.low, self.high)


Resampled = dict[tuple[int, str], tuple[tuple[str, ...], Array]]
"""Scores on resampled sets, by the identity of a result and metric, with the items that they are of."""


def compare(
    baseline: SetResult,
    other: SetResult,
    metrics: Container[str] | None = None,
    *,
    resampled: Resampled | None = None,
) -> tuple[Comparison, ...]:
    """Compare two results of the same set by every metric that both have statistics for, in the order of the scores.

    Args:
        baseline: one of them.
        other: the other one.
        metrics: which metrics; None for all.
        resampled: where to keep what costs most, for further comparisons of the same results.

    Raises:
        InputError: they are of different sets, or of different versions of it: another source or reference.
    """
    if (baseline.family, baseline.set_name, baseline.against) != (other.family, other.set_name, other.against):
        raise InputError(f"{baseline.set_name} of {baseline.system} and {other.set_name} of {other.system} differ.")
    pairs = tuple(_pairs(baseline, other))
    if len(pairs) < _FEWEST:
        return ()
    comparisons = []
    for score in baseline.scores if metrics is None else (one for one in baseline.scores if one.metric in metrics):
        theirs = other.score(score.metric)
        if theirs is None or rule(score.signature) != rule(theirs.signature):
            continue
        tables = [_table(result, score.metric, outputs) for result, outputs in _sides(baseline, other, pairs)]
        first, second = tables
        if first is not None and second is not None:
            ids = tuple(output.id for output, _ in pairs)
            scores = [
                _resampled(result, score.metric, table, ids, {} if resampled is None else resampled)
                for result, table in ((baseline, first), (other, second))
            ]
            comparisons.append(_comparison(baseline, other, score, (first, second), scores))
    return tuple(comparisons)


def comparisons(
    results: Sequence[SetResult], baseline: str = "", metrics: Container[str] | None = None
) -> tuple[Comparison, ...]:
    """Compare systems on every set that several have: each with the ``baseline``, or, for none, each with each.

    Results are taken in the order in which they are given, which says who is compared with whom. What comes of it is
    ordered by set, and then by metric; ``metrics`` None are all.

    Raises:
        InputError: two results of a set are of different versions of it.
    """
    found: list[Comparison] = []
    for group in _by_set(results).values():
        resampled: Resampled = {}
        of_set: list[Comparison] = []
        for first, second in itertools.combinations(group, 2):
            if not baseline:
                of_set += compare(first, second, metrics, resampled=resampled)
            elif baseline in (first.system, second.system):
                pair = (first, second) if first.system == baseline else (second, first)
                of_set += compare(*pair, metrics, resampled=resampled)
        order = list(dict.fromkeys(one.metric for one in of_set))
        found += sorted(of_set, key=lambda one: order.index(one.metric))
    return tuple(found)


def rule(signature: str) -> str:
    """What of a signature says how a score is made, without what only says with which program."""
    parts = (part for part in signature.split("|") if part.split(":")[0] not in ("version", "from", "bs", "seed"))
    return "|".join(parts)


def _by_set(results: Sequence[SetResult]) -> Mapping[tuple[str, str, str], list[SetResult]]:
    groups: dict[tuple[str, str, str], list[SetResult]] = {}
    for result in results:
        groups.setdefault((result.family, result.set_name, result.against), []).append(result)
    return groups


def _pairs(baseline: SetResult, other: SetResult) -> Iterator[tuple[Output, Output]]:
    """The outputs of the same items."""
    theirs = {output.id: output for output in other.outputs}
    for output in baseline.outputs:
        pair = theirs.get(output.id)
        if pair is None:
            continue
        if _references(output) != _references(pair) or _differ(output.asked, pair.asked):
            raise InputError(
                f"Item {output.id} of {baseline.set_name} is another one for {baseline.system} than for "
                f"{other.system}: they were measured on different versions of the set. Measure one of them again."
            )
        yield output, pair


def _references(output: Output) -> tuple[str, ...]:
    """All that an output is compared with."""
    return tuple(output.details.get(REFERENCES, (output.reference,)))


def _differ(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    """Whether two items are not the same; of scripts that depend on the answers, as far as both went."""
    return bool(first and second) and first[0] != second[0]


def _sides(
    baseline: SetResult, other: SetResult, pairs: Sequence[tuple[Output, Output]]
) -> Iterator[tuple[SetResult, list[Output]]]:
    yield baseline, [first for first, _second in pairs]
    yield other, [second for _first, second in pairs]


def _table(result: SetResult, metric: str, outputs: Sequence[Output]) -> Array | None:
    """A metric's statistics, (outputs, k); None where there are none."""
    rows = [output.details.get(STATISTICS, {}).get(metric) for output in outputs]
    if all(rows):
        table = np.array(rows, dtype=np.float64)
        return None if is_share(metric, table) and not table[:, 1].any() else table
    qualities = [output.quality for output in result.outputs]
    score = result.score(metric)
    if score is None or not _is_mean(score, qualities):
        return None
    return np.array([[100 * (output.quality or 0.0)] for output in outputs])


def _is_mean(score: Score, qualities: Sequence[float | None]) -> bool:
    """Whether a score is the mean of the qualities, in percent."""
    known = [quality for quality in qualities if quality is not None]
    return len(known) == len(qualities) > 0 and abs(100 * sum(known) / len(known) - score.value) < 1e-6


def _resampled(result: SetResult, metric: str, table: Array, ids: tuple[str, ...], kept: Resampled) -> Array:
    """A result's scores on the resampled sets, which are the same ones for all results on the same items."""
    key = (id(result), metric)
    if key not in kept or kept[key][0] != ids:
        kept[key] = (ids, resampled_scores(metric, resampled_sums([table])[0], len(table)))
    return kept[key][1]


def _comparison(
    baseline: SetResult, other: SetResult, score: Score, tables: tuple[Array, Array], resampled: Sequence[Array]
) -> Comparison:
    metric, n_items = score.metric, len(tables[0])
    values = [corpus_score(metric, table.sum(0).tolist(), n_items) for table in tables]
    first, second = resampled
    low, high = interval(second - first)
    return Comparison(
        family=baseline.family,
        set_name=baseline.set_name,
        metric=metric,
        baseline=baseline.system,
        system=other.system,
        n_items=n_items,
        baseline_value=values[0],
        value=values[1],
        low=low,
        high=high,
        p=p_value(first, second, values[1] - values[0]),
        against=baseline.against,
        score_signature=score.signature,
    )
