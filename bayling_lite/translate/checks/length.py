"""Length: a translation says about as much as its source."""

from __future__ import annotations

import math
import re

from bayling_lite.languages import Language
from bayling_lite.translate.asking.values import Problem, ProblemKind
from bayling_lite.translate.checks.pair import Pair
from bayling_lite.translate.checks.scripts import weight
from bayling_lite.translate.formats.subtitles.line_breaks import columns

# The lengths of two texts as a natural logarithm of their ratio. Of 40,000 good translations one in 1,000 is beyond
# 0.7; free ones go further, and a heading may be one word in one language and four in another.
_LOOK, _FATAL, _FATAL_OF_LONG = 0.8, 1.1, 0.9
_LONG = 150.0
_SLACK = 10.0
# And of one that does not end like a sentence while its source does.
_CUT_OFF = -0.45
_SHORT = 30.0
_ENDED = re.compile(r"[.!?。！？…:：;；][\"'”’»)）\]」』\s]*$")
# What the same says in more characters than in English or Chinese, as a natural logarithm.
_WORDY = {"en": 0.0, "zh": 0.0, "ja": 0.0, "ko": 0.0, "ar": 0.0, "th": 0.0}
_WORDIER = 0.15


def length(pair: Pair) -> list[Problem]:
    """Fatal where a good part must be missing or added; to look at where it may be."""
    apart = disproportion(pair)
    source, target = weight(pair.source), weight(pair.target)
    share = target / max(1.0, source)
    if apart < _CUT_OFF and source > _SHORT and _ENDED.search(pair.source) and not _ENDED.search(pair.target):
        return [Problem(ProblemKind.LENGTH, f"it breaks off at {share:.0%} of its source's length")]
    apart = abs(apart)
    if apart < _LOOK:
        return []
    detail = f"{share:.1f} times as long as its source" if share >= 1 else f"{share:.0%} of its source's length"
    fatal = apart >= (_FATAL_OF_LONG if max(source, target) > _LONG else _FATAL)
    return [Problem(ProblemKind.LENGTH, detail, fatal=fatal)]


def too_wide(source: str, target: str, width: int) -> list[Problem]:
    """To look at where there is no room for a translation: ``width`` columns, 0 for any. A source that has too little
    room itself may have as much as it takes.
    """
    wide = columns(target)
    if not width or wide <= max(width, columns(source)):
        return []
    return [Problem(ProblemKind.LENGTH, f"it takes {wide} columns where there is room for {width}", fatal=False)]


def disproportion(pair: Pair) -> float:
    """How far from its source's length a translation is, as a natural logarithm: 0 for the usual one."""
    source, target = weight(pair.source), weight(pair.target)
    usual = _wordiness(pair.target_language) - (_wordiness(pair.source_language) if pair.source_language else 0.0)
    return math.log((target + _SLACK) / (source + _SLACK)) - usual * min(1.0, source / 50)


def _wordiness(language: Language) -> float:
    return _WORDY.get(language.code, _WORDIER)
