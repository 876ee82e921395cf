"""How many of the required phrases translations have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bayling_lite.evaluate.interactive.shares import share_score
from bayling_lite.evaluate.values import Score

PHRASE_RATE, ALL_SATISFIED = "phrase rate", "all satisfied"
_ANY_CASE = " (any case)"


def present(phrases: Sequence[str], text: str, *, any_case: bool = False) -> tuple[bool, ...]:
    """For each phrase whether the text has it, as a substring: where its words end does not matter."""
    if any_case:
        phrases, text = [phrase.casefold() for phrase in phrases], text.casefold()
    return tuple(phrase in text for phrase in phrases)


def phrase_statistics(found: Sequence[bool], *, any_case: bool = False) -> dict[str, list[float]]:
    """How many of how many, for each score, of one sentence: from what :func:`present` says of it."""
    label = _ANY_CASE if any_case else ""
    # A sentence of which no phrase is required satisfies nothing.
    satisfied = [float(bool(found) and all(found)), float(bool(found))]
    return {PHRASE_RATE + label: [sum(found), len(found)], ALL_SATISFIED + label: satisfied}


def phrase_scores(statistics: Sequence[Mapping[str, list[float]]], *, any_case: bool = False) -> list[Score]:
    """From the statistics of each sentence, in percent: of all phrases, those that are there; of all sentences with
    phrases, those with each of theirs.
    """
    rule = f"rule:substring|case:{'insensitive' if any_case else 'sensitive'}|average:"
    label = _ANY_CASE if any_case else ""
    scores = (
        share_score(metric + label, [one[metric + label] for one in statistics], rule + average)
        for metric, average in ((PHRASE_RATE, "micro"), (ALL_SATISFIED, "sentences"))
    )
    return [score for score in scores if score is not None]
