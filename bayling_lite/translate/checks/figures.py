"""Numbers: those of the source are in the translation, in whatever form, and no others."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bayling_lite.translate.asking.values import Problem, ProblemKind
from bayling_lite.translate.checks.pair import Pair
from bayling_lite.translate.checks.values import Figure, figures, values

# Below this a number is often said otherwise or not at all ("one", "both", "a few").
_SMALL = 10
_MANY_DIGITS = 3
# 11:30 is half past eleven, halb zwölf, onze heures et demie, 十一点半.
_OF_AN_HOUR = re.compile(r"(?i)\b(?:halb|half|quarter|viertel|quart|demie?)|[半刻]")


def numbers(pair: Pair) -> list[Problem]:
    """Fatal where a number became another, or one of three digits and more is lost; else to look at."""
    source, target = figures(pair.source), figures(pair.target)
    if not source and not target:
        return []
    lost = _missing(source, pair.target, target)
    added = _missing(target, pair.source, source)
    if not lost and not added:
        return []
    detail = "; ".join(
        f"{', '.join(figure.text for figure in some[:3])} {what}"
        for some, what in ((lost, "missing"), (added, "never given"))
        if some
    )
    swapped = bool(lost and added)
    fatal = swapped or any(len(figure.digits) >= _MANY_DIGITS for figure in lost)
    return [Problem(ProblemKind.NUMBERS, detail, fatal=fatal)]


def _missing(some: Sequence[Figure], text: str, there: Sequence[Figure]) -> list[Figure]:
    """The numbers that are nowhere in a text."""
    known = values(text)
    digits = "".join(filter(str.isdigit, text))
    return [figure for figure in some if not _stands(figure, text, known, digits, there)]


def _stands(figure: Figure, text: str, known: set[float], digits: str, there: Sequence[Figure]) -> bool:
    if figure.values & known or max(figure.values) <= _SMALL:
        return True
    own = figure.digits
    # '90s for 1990s, 15:00 for 3 pm, and numbers that are cut or joined differently.
    if len(own) >= _MANY_DIGITS and own in digits:
        return True
    if any(len(other.digits) > 1 and (own.endswith(other.digits) or other.digits.endswith(own)) for other in there):
        return True
    if ":" in figure.text and _OF_AN_HOUR.search(text):
        return True
    return any(value + 12 in known or value - 12 in known for value in figure.values if value <= 24)
