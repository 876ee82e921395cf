"""The likeliest tokens of several rows of logits, found without sorting a vocabulary."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bayling_lite.errors import EngineError
from bayling_lite.localization import _

Logits = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]
Tokens = npt.NDArray[np.intp]

_BLOCK = 64


class Candidate(NamedTuple):
    """A token after a row: the row's score plus the token's log-probability; then row and token."""

    total: float
    row: int
    token: int


class Ranking:
    """Rows of logits, shape (n, n_vocab), as log-probabilities.

    A row is looked at in blocks of tokens. Their maxima, a sixty-fourth of the row, tell how good the k-th best token
    is at least; only the tokens above that are sorted.

    Raises:
        EngineError: the logits are no numbers.
    """

    def __init__(self, logits: Logits) -> None:
        n_rows, n_vocab = logits.shape
        width = n_vocab // _BLOCK
        # Tokens j, j + width, j + 2 width, ... are a block: the maximum then goes along the memory.
        blocks = logits[:, : width * _BLOCK].reshape(n_rows, _BLOCK, width)
        self._logits = logits
        self._maxima = np.concatenate((blocks.max(axis=1), logits[:, width * _BLOCK :]), axis=1)
        peak = self._maxima.max(axis=1, keepdims=True)
        shares = np.exp(logits - peak)
        self._normalizer = (peak + np.log(shares.sum(axis=1, keepdims=True))).astype(np.float64)[:, 0]
        if not np.isfinite(self._normalizer).all():
            raise EngineError(
                _("The model gives no probabilities (its logits are not numbers): its file may be damaged.")
            )

    def __len__(self) -> int:
        return len(self._logits)

    def logprobs(self, row: int, tokens: Tokens) -> Numbers:
        """Natural log-probabilities of some tokens of a row."""
        values: Numbers = self._logits[row, tokens].astype(np.float64) - self._normalizer[row]
        return values

    def best(self, scores: Numbers, count: int) -> list[Candidate]:
        """The best ``count`` candidates of all rows (fewer where there are fewer), best first.

        ``scores``, shape (n,), is what each row has already.
        """
        shift = scores - self._normalizer
        maxima = (self._maxima + shift[:, None]).ravel()
        bound = np.partition(maxima, -count)[-count] if count < maxima.size else -np.inf
        found: list[Candidate] = []
        for row, bound_of_row in enumerate(bound - shift):
            tokens = self._above(row, bound_of_row)
            totals = self._logits[row, tokens] + shift[row]
            found += map(Candidate, totals.tolist(), [row] * len(tokens), tokens.tolist())
        found.sort(key=lambda candidate: -candidate.total)
        return found[:count]

    def best_of_each(self, scores: Numbers, count: int) -> list[Candidate]:
        """The best ``count`` candidates of every row, row by row, best first."""
        few = count < self._maxima.shape[1]
        bounds = np.partition(self._maxima, -count, axis=1)[:, -count] if few else np.full(len(self), -np.inf)
        found: list[Candidate] = []
        for row, bound in enumerate(bounds):
            tokens = self._above(row, bound)
            totals = self.logprobs(row, tokens) + scores[row]
            order = np.argsort(-totals, kind="stable")[:count]
            found += map(Candidate, totals[order].tolist(), [row] * len(order), tokens[order].tolist())
        return found

    def _above(self, row: int, bound: float) -> Tokens:
        """The tokens of a row that are as good as ``bound``, or a rounding error below it."""
        if self._maxima[row].max() < bound - 1e-3:
            return np.empty(0, np.intp)
        return np.flatnonzero(self._logits[row] >= np.float32(bound - 1e-3))


def logprob(row: Logits, token: int) -> float:
    """The natural log-probability of a token, from a row of logits, shape (n_vocab,)."""
    peak = row.max()
    return float(row[token] - peak - np.log(np.exp(row - peak).sum()))
