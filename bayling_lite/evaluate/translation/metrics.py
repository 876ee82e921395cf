"""BLEU and chrF++ as sacreBLEU computes them, with its signatures, and the statistics of every sentence.

BLEU (Papineni et al. 2002) is of mixed case, with the tokenizer of the target language; chrF++ (Popović 2017) has
character n-grams up to 6 and word n-grams up to 2. Where there is COMET, its scores stand beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayling_lite.errors import UsageError
from bayling_lite.evaluate.translation.resampling import N_SAMPLES, SEED, Array, interval, resampled_sums
from bayling_lite.evaluate.values import Score
from bayling_lite.languages import Language

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric

METRICS = ("BLEU", "chrF++")

TOKENIZERS = {"zh": "zh", "ja": "ja-mecab", "ko": "ko-mecab", "th": "char"}
"""By target language; ``13a`` for all others. Thai has no spaces and no tokenizer in sacreBLEU: characters count."""

_EXTRA = {"ko-mecab": "sacrebleu[ko]"}


@dataclass(frozen=True, slots=True)
class Scored:
    """What hypotheses are worth.

    ``statistics`` has for each sentence, by metric, the numbers whose sums over sentences make the corpus score (see
    :func:`corpus_score`); ``qualities`` its sentence chrF++ / 100, and is empty where that was not asked for.
    """

    scores: tuple[Score, ...]
    statistics: tuple[Mapping[str, list[float]], ...]
    qualities: tuple[float, ...]


def score_lines(
    hypotheses: Sequence[str],
    references: Sequence[Sequence[str]],
    target: Language,
    *,
    tokenizer: str = "",
    metrics: Sequence[str] = METRICS,
) -> Scored:
    """Score hypotheses.

    Args:
        hypotheses: a text each, in one line; an empty one counts as such.
        references: one sequence, as long, for each translator.
        target: what language it all is in.
        tokenizer: of BLEU, one of sacreBLEU's; empty for that of the language.
        metrics: which of :data:`METRICS`. chrF++ takes most of the time.

    Raises:
        UsageError: sacreBLEU or what a tokenizer needs is not installed, or there is no such tokenizer.
    """
    made = {
        name: _bleu(tokenizer or TOKENIZERS.get(target.code, "13a")) if name == "BLEU" else _chrf()
        for name in METRICS
        if name in metrics
    }
    tables = {name: _sentence_statistics(metric, hypotheses, references) for name, metric in made.items()}
    scores = []
    for name, metric in made.items():
        signature = metric.get_signature()
        signature.update("bs", N_SAMPLES)
        signature.update("seed", SEED)
        scores.append(bounded_score(name, tables[name], str(signature)))
    chrf = tables["chrF++"].tolist() if "chrF++" in tables else []
    qualities = tuple(_value(made["chrF++"], row) / 100 for row in chrf)
    rows = zip(*(table.astype(int).tolist() for table in tables.values()), strict=True)
    return Scored(tuple(scores), tuple(dict(zip(tables, row, strict=True)) for row in rows), qualities)


def bounded_score(metric: str, statistics: Array, signature: str) -> Score:
    """A corpus score with its 95 % interval, from the statistics of the sentences, (sentences, k)."""
    low, high = interval(resampled_scores(metric, resampled_sums([statistics])[0], len(statistics)))
    return Score(metric, corpus_score(metric, statistics.sum(0).tolist(), len(statistics)), signature, low, high)


def resampled_scores(metric: str, sums: Array, n_sentences: int) -> Array:
    """The corpus score of each row of sums, (sets, k); NaN where nothing was drawn of which it could be a share."""
    scores = np.array([corpus_score(metric, row, n_sentences) for row in sums.tolist()])
    if is_share(metric, sums):
        scores[sums[:, 1] == 0] = np.nan
    return scores


def is_share(metric: str, statistics: Array) -> bool:
    """Whether a metric's statistics, (rows, 2), are how many of how many."""
    return metric not in METRICS and statistics.shape[1] == 2


def corpus_score(metric: str, sums: Sequence[float], n_sentences: int) -> float:
    """The corpus score of a metric from the sums of its sentences' statistics.

    Those of BLEU and chrF++ are sacreBLEU's; of any other metric there is one number a sentence, and their mean is the
    score; or there are two, how many of how many, and what is right of all of them, in percent, is the score.
    """
    if metric == "BLEU":
        return _value(_formula("BLEU"), sums)
    if metric == "chrF++":
        return _value(_formula("chrF++"), sums)
    if len(sums) > 1:  # of none, nothing
        return 100 * sums[0] / sums[1] if sums[1] else 0.0
    return sums[0] / n_sentences


def tokenizers() -> tuple[str, ...]:
    """What sacreBLEU can tokenize by."""
    _sacrebleu()
    from sacrebleu.metrics.bleu import BLEU

    return tuple(BLEU.TOKENIZERS)


def check_tokenizer(name: str) -> None:
    """See that a tokenizer can be used; nothing is checked for an empty name.

    Raises:
        UsageError: sacreBLEU is not installed or has no such tokenizer, or what it needs is not here.
    """
    if name:
        _bleu(name)


def _bleu(tokenizer: str) -> Metric:
    if tokenizer not in tokenizers():
        raise UsageError(f"sacreBLEU has no tokenizer {tokenizer!r}. It has: {', '.join(tokenizers())}.")
    from sacrebleu.metrics.bleu import BLEU

    try:
        # What looks tokenized is scored all the same, and sacreBLEU need not say so on a terminal.
        return BLEU(tokenize=tokenizer, force=True)
    except (RuntimeError, ImportError, AssertionError) as error:
        extra = _EXTRA.get(tokenizer, "bayling-lite[evaluate]")
        raise UsageError(
            f"BLEU with the tokenizer {tokenizer} needs packages that are not installed here, or other versions of "
            f"them. Install them with: pip install '{extra}'"
        ) from error
    except OSError as error:
        raise UsageError(
            f"The tokenizer {tokenizer} needs a file that sacreBLEU downloads, which failed ({error}). Where there is "
            f"a network, run once: python -c \"import sacrebleu; sacrebleu.BLEU(tokenize='{tokenizer}')\""
        ) from error


def _chrf() -> Metric:
    _sacrebleu()
    from sacrebleu.metrics.chrf import CHRF

    return CHRF(word_order=2)


_FORMULAS: dict[str, Metric] = {}


def _formula(name: str) -> Metric:
    """A metric to make scores from sums with, for which the tokenizer does not matter."""
    if name not in _FORMULAS:
        _FORMULAS[name] = _bleu("none") if name == "BLEU" else _chrf()
    return _FORMULAS[name]


# sacreBLEU's own significance tests are made of the next two methods. They have no public names, but only with them
# every sentence is looked at once.


def _sentence_statistics(metric: Metric, hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> Array:
    return np.array(metric._extract_corpus_statistics(hypotheses, references), dtype=np.float64)


def _value(metric: Metric, sums: Sequence[float]) -> float:
    result: Any = metric._compute_score_from_stats(list(sums))
    return float(result.score)


def _sacrebleu() -> None:
    try:
        import sacrebleu  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise UsageError("Scoring needs sacreBLEU: pip install 'bayling-lite[evaluate]'") from error
