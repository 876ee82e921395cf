"""Ranking by people, as in the BayLing paper: who sees only texts says which is better, on a page of this machine.

The way of a study::

    results or files ──► frozen study ──► pages, blind ──► ballots, kept at once ──► summary, CSV, report
    (reading.py)         (store.py)       (dealing.py,      (store.py)               (summary.py, votes.py)
                                           app.py)
"""

from bayling_lite.evaluate.ranking.summary import RankingSummary, Standing, summaries
from bayling_lite.evaluate.ranking.values import Aspect

__all__ = ["Aspect", "RankingSummary", "Standing", "summaries"]
