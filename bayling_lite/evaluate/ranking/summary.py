"""What people's rankings say: shares of first places, mean ranks, and how far the people agree."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bayling_lite.evaluate.ranking.agreement import fractional_ranks, kendall_w, krippendorff_alpha
from bayling_lite.evaluate.ranking.store import FOLDER, StudyStore
from bayling_lite.evaluate.ranking.values import Aspect, Ballot, Item, Study

FIRST_SIGNATURE = "metric:first-places|unit:person-item|ties:split"
MEAN_RANK_SIGNATURE = "metric:mean-rank|unit:person-item|ties:mean-of-places"
ALPHA_SIGNATURE = "metric:krippendorff-alpha|level:ordinal|unit:item-system|values:rank|ties:mean-of-places"
W_SIGNATURE = "metric:kendall-w|average:items|ties:corrected"
_RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Standing:
    """How one system stands by one aspect.

    ``first`` is its share of first places in percent, where k systems that share a first place have 1/k of it each, so
    that all shares together are 100; ``low`` and ``high`` bound its 95 % interval (bootstrap over items; None for a
    single item, which says nothing of others). ``best`` is the share of rankings, in percent, in which no other system
    was better. ``mean_rank`` is from 1 (best); systems that are tied share the mean of the places that they take
    together.
    """

    system: str
    first: float
    low: float | None
    high: float | None
    best: float
    mean_rank: float


@dataclass(frozen=True, slots=True)
class RankingSummary:
    """The rankings of a study by one aspect.

    ``family`` and ``set_name`` are empty for files of outputs. Of ``n_items`` items, ``n_ranked`` have been ranked by
    somebody; ``n_rankings`` are one for each person and item. ``n_skipped`` items were passed over by somebody,
    ``reasons`` counts why. ``standings`` has the best first; it is empty before the first ranking. ``alpha`` and
    ``w`` are None where they are not defined, for one person above all; ``n_shared`` items were ranked by several.
    """

    study: str
    family: str
    set_name: str
    aspect: Aspect
    systems: tuple[str, ...]
    n_items: int
    n_ranked: int
    n_rankings: int
    n_skipped: int
    n_shared: int
    persons: tuple[str, ...]
    standings: tuple[Standing, ...]
    reasons: tuple[tuple[str, int], ...]
    alpha: float | None
    w: float | None

    @property
    def signatures(self) -> tuple[str, ...]:
        """How the numbers were computed: first places, mean ranks, alpha, W."""
        return FIRST_SIGNATURE, MEAN_RANK_SIGNATURE, ALPHA_SIGNATURE, W_SIGNATURE


def summaries(out: Path) -> tuple[RankingSummary, ...]:
    """All studies in a results folder, by name, and each by its aspects. Those that nobody has begun are left out.

    Raises:
        InputError: a study's file is damaged.
    """
    found: list[RankingSummary] = []
    for path in sorted((out / FOLDER).glob("*.sqlite")):
        with StudyStore(path, readonly=True) as store:
            if store.study() is not None:
                found += [summary for summary in summarize(store) if summary.n_rankings]
    return tuple(found)


def summarize(store: StudyStore) -> tuple[RankingSummary, ...]:
    """One study, a summary for each of its aspects.

    Raises:
        InputError: the study was not begun, or its file is damaged.
    """
    study, items, ballots = store.needed(), list(store.items()), store.ballots()
    return tuple(_by_aspect(study, items, ballots, aspect) for aspect in study.aspects)


def complete_ballots(study: Study, items: Sequence[Item], ballots: Sequence[Ballot]) -> list[Ballot]:
    """Those in which every system has its place by every aspect of the item. The others do not count (yet)."""
    n = len(study.systems)
    return [ballot for ballot in ballots if ballot.complete(study.aspects_of(items[ballot.position]), n)]


def places(ballot: Ballot, aspect: Aspect) -> tuple[float, ...]:
    """The fractional ranks of the systems, in the order of the study, by an aspect of a complete ballot."""
    given = ballot.ranks[aspect]
    return fractional_ranks([given[system] for system in range(len(given))])


def _by_aspect(study: Study, items: Sequence[Item], ballots: Sequence[Ballot], aspect: Aspect) -> RankingSummary:
    counted = [ballot for ballot in complete_ballots(study, items, ballots) if aspect in ballot.ranks]
    rankings: defaultdict[int, list[tuple[float, ...]]] = defaultdict(list)
    for ballot in counted:
        rankings[ballot.position].append(places(ballot, aspect))
    applicable = [item for item in items if aspect in study.aspects_of(item)]
    skipped = [b for b in ballots if b.skipped and aspect in study.aspects_of(items[b.position])]
    shared = [each for each in rankings.values() if len(each) > 1]
    concordances = [w for w in map(kendall_w, shared) if w is not None]
    return RankingSummary(
        study=study.name,
        family=study.family,
        set_name=study.set_name,
        aspect=aspect,
        systems=study.systems,
        n_items=len(applicable),
        n_ranked=len(rankings),
        n_rankings=len(counted),
        n_skipped=len({ballot.position for ballot in skipped}),
        n_shared=len(shared),
        persons=tuple(sorted({ballot.person for ballot in counted})),
        standings=_standings(study, rankings),
        reasons=tuple(Counter(ballot.skipped for ballot in skipped).most_common()),
        alpha=krippendorff_alpha(unit for each in shared for unit in zip(*each, strict=True)),
        w=sum(concordances) / len(concordances) if concordances else None,
    )


def _standings(study: Study, rankings: Mapping[int, Sequence[tuple[float, ...]]]) -> tuple[Standing, ...]:
    """The systems, best first: by their share of first places, then by their mean rank."""
    if not rankings:
        return ()
    flat = [ranking for each in rankings.values() for ranking in each]
    bounds = _intervals(study, rankings)
    found = []
    for number, system in enumerate(study.systems):
        firsts = [_first(ranking, number) for ranking in flat]
        found.append(
            Standing(
                system=system,
                first=100 * sum(firsts) / len(flat),
                low=bounds[number][0],
                high=bounds[number][1],
                best=100 * sum(bool(first) for first in firsts) / len(flat),
                mean_rank=sum(ranking[number] for ranking in flat) / len(flat),
            )
        )
    return tuple(sorted(found, key=lambda standing: (-standing.first, standing.mean_rank)))


def _first(ranking: Sequence[float], system: int) -> float:
    """The system's share of the first place of a ranking."""
    best = min(ranking)
    return 1 / list(ranking).count(best) if ranking[system] == best else 0.0


def _intervals(
    study: Study, rankings: Mapping[int, Sequence[tuple[float, ...]]]
) -> list[tuple[float, float]] | list[tuple[None, None]]:
    """95 % intervals of the shares of first places: percentiles of samples of the items, drawn with replacement."""
    if len(rankings) < 2:
        return [(None, None)] * len(study.systems)
    import numpy as np  # not for --help

    firsts = np.array(
        [
            [sum(_first(ranking, system) for ranking in each) for system in range(len(study.systems))]
            for each in rankings.values()
        ]
    )  # (items, systems)
    counts = np.array([len(each) for each in rankings.values()])  # (items,)
    n = len(counts)
    drawn = np.random.default_rng(study.seed).multinomial(n, np.full(n, 1 / n), _RESAMPLES)  # (samples, items)
    shares = 100 * (drawn @ firsts) / (drawn @ counts)[:, None]
    low, high = np.percentile(shares, [2.5, 97.5], axis=0)
    return [(float(below), float(above)) for below, above in zip(low, high, strict=True)]
