"""What people's rankings came to, a table for each study and aspect."""

from __future__ import annotations

from collections.abc import Iterable

from bayling_lite.evaluate.ranking.summary import RankingSummary
from bayling_lite.evaluate.report.values import Ranking


def rankings_of(summaries: Iterable[RankingSummary]) -> tuple[Ranking, ...]:
    """The rankings, in the order of their studies."""
    return tuple(map(_ranking, summaries))


def _ranking(summary: RankingSummary) -> Ranking:
    return Ranking(
        study=summary.study,
        family=summary.family,
        set_name=summary.set_name,
        aspect=summary.aspect.label,
        systems=summary.standings,
        n_items=summary.n_items,
        n_ranked=summary.n_ranked,
        n_rankings=summary.n_rankings,
        n_skipped=summary.n_skipped,
        n_shared=summary.n_shared,
        n_persons=len(summary.persons),
        alpha=summary.alpha,
        w=summary.w,
        signatures=summary.signatures,
    )
