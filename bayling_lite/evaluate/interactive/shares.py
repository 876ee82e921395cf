"""How many of how many, in percent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayling_lite.evaluate.translation.metrics import bounded_score
from bayling_lite.evaluate.translation.resampling import N_SAMPLES, SEED
from bayling_lite.evaluate.values import Score


def share_score(metric: str, counts: Sequence[Sequence[float]], signature: str) -> Score | None:
    """The share over all items, with its 95 % interval over resampled sets of items; None for none of none.

    ``counts`` has for each item how many were right, and of how many.
    """
    if not sum(total for _right, total in counts):
        return None
    table = np.array(counts, dtype=np.float64)
    return bounded_score(metric, table, f"{signature}|bs:{N_SAMPLES}|seed:{SEED}")
