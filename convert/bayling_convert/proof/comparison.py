"""What a quantized model does differently from the unquantized one: the figures, and how to read them.

Definitions are those of llama.cpp's ``llama-perplexity --kl-divergence``, except that every token of the vocabulary
counts in the divergence, where that program leaves out those less likely than 1e-7. An uncertainty is one standard
error of the mean over tokens, which are taken as independent.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

EDGES = tuple(float(edge) for edge in 10.0 ** np.arange(-6, 1.5, 0.5))
"""Borders of the histogram's bins in nats, half a decade each; what is outside them counts in the outermost."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its standard error."""

    value: float
    error: float

    @classmethod
    def of_mean(cls, values: npt.NDArray[np.float64]) -> Estimate:
        """The mean of independent values. One alone tells nothing of its error: that is NaN."""
        error = float(values.std(ddof=1)) / values.size**0.5 if values.size > 1 else float("nan")
        return cls(float(values.mean()), error)

    @classmethod
    def exp_of_mean(cls, values: npt.NDArray[np.float64]) -> Estimate:
        """The exponential of the mean, with the error that the mean's becomes."""
        mean = cls.of_mean(values)
        value = float(np.exp(min(mean.value, 700.0)))  # what is beyond is no number any more, and no model either
        return cls(value, value * mean.error)


@dataclass(frozen=True, slots=True)
class Divergence:
    """Kullback-Leibler divergence of the quantized model's next-token distribution from the reference's, in nats.

    Over all scored tokens: mean, quantiles (linear between the two nearest), and ``counts`` of tokens between
    :data:`EDGES`.
    """

    mean: Estimate
    median: float
    p90: float
    p99: float
    maximum: float
    counts: tuple[int, ...]

    @classmethod
    def of(cls, values: npt.NDArray[np.float64]) -> Divergence:
        """The summary of one value per token."""
        median, p90, p99, maximum = (float(value) for value in np.quantile(values, (0.5, 0.9, 0.99, 1.0)))
        counts, _ = np.histogram(np.clip(values, EDGES[0], EDGES[-1]), EDGES)
        return cls(Estimate.of_mean(values), median, p90, p99, maximum, tuple(int(count) for count in counts))


@dataclass(frozen=True, slots=True)
class Answers:
    """What both models answer to one request, always taking the likeliest token.

    ``similarity`` is 1 less the edit distance in tokens over the longer answer's length: 1 when they are the same.
    """

    request: str
    reference: str
    quantized: str
    similarity: float

    @property
    def same(self) -> bool:
        """Whether the two are identical, token by token."""
        return self.similarity == 1.0


@dataclass(frozen=True, slots=True)
class Row:
    """A figure as people read it. ``key`` names it in JSON."""

    key: str
    label: str
    value: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two files of one model on the same dialogues. ``notes`` are sentences that belong to the figures."""

    reference: str
    quantized: str
    template: str
    n_dialogues: int
    n_tokens: int
    reference_perplexity: Estimate
    quantized_perplexity: Estimate
    ratio: Estimate
    divergence: Divergence
    same_top: Estimate
    answers: tuple[Answers, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def same_answers(self) -> int:
        """How many of the answers are identical."""
        return sum(pair.same for pair in self.answers)

    @property
    def similarity(self) -> float:
        """The mean similarity of the answers; NaN when there are none."""
        return float(np.mean([pair.similarity for pair in self.answers])) if self.answers else float("nan")

    def different(self) -> list[Answers]:
        """The answers that differ, the least similar first."""
        return sorted((pair for pair in self.answers if not pair.same), key=lambda pair: pair.similarity)

    def rows(self) -> list[Row]:
        """The figures as a table: for the terminal and for the model card."""
        away = self.divergence
        perplexity = "of the answers; less is better"
        rows = [
            Row("reference_perplexity", "perplexity, reference", _shown(self.reference_perplexity, 3), perplexity),
            Row("quantized_perplexity", "perplexity, quantized", _shown(self.quantized_perplexity, 3), perplexity),
            Row("ratio", "perplexity, ratio", _shown(self.ratio, 4), "1 is no loss"),
            Row("divergence.mean", "KL divergence, mean", _shown(away.mean, 5), "nats; 0 is no loss"),
            Row("divergence.median", "KL divergence, median", f"{away.median:.5f}", "half of the tokens are below"),
            Row("divergence.p90", "KL divergence, 90 %", f"{away.p90:.5f}", "9 tokens in 10 are below"),
            Row("divergence.p99", "KL divergence, 99 %", f"{away.p99:.5f}", "99 tokens in 100 are below"),
            Row("divergence.maximum", "KL divergence, largest", f"{away.maximum:.5f}", "the worst token"),
            Row("same_top", "same likeliest token", _percent(self.same_top), "both would write the same"),
        ]
        if self.answers:
            n, same = len(self.answers), self.same_answers
            rows += [
                Row(
                    "same_answers",
                    "identical translations",
                    f"{same} of {n} ({same / n:.0%})",
                    "greedy decoding",
                ),
                Row(
                    "similarity",
                    "similarity of translations",
                    f"{self.similarity:.3f}",
                    "1 less edits over length",
                ),
            ]
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Everything, fit for JSON (a figure that is not known is None)."""
        values = asdict(self) | {"divergence": asdict(self.divergence) | {"edges": list(EDGES)}}
        values["similarity"] = self.similarity
        values["same_answers"] = self.same_answers
        known: dict[str, Any] = _without_nan(values)
        return known


def _shown(estimate: Estimate, digits: int) -> str:
    if np.isnan(estimate.error):
        return f"{estimate.value:.{digits}f}"
    return f"{estimate.value:.{digits}f} ± {estimate.error:.{digits}f}"


def _percent(estimate: Estimate) -> str:
    return _shown(Estimate(100 * estimate.value, 100 * estimate.error), 2) + " %"


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and np.isnan(value) else value
