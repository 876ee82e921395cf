"""Repetition: a model that goes round in circles, measured against what repeats itself in the source."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from bayling_lite.translate.asking.values import Problem, ProblemKind
from bayling_lite.translate.checks.pair import Pair
from bayling_lite.translate.sentences import is_wide

_LONGEST_UNIT = 80
_TAIL = 320
# Runs of words (of Chinese characters) that come again, though not at once; and how often before it is a circle.
_RUN_OF_WORDS, _RUN_OF_CHARACTERS = 3, 5
_OFTEN, _TOO_OFTEN = 4, 6
_SHORTEST_TWICE = 10
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s*")
_NO_WORD = re.compile(r"[\W_]+")


def repetition(pair: Pair) -> list[Problem]:
    """Fatal: what repeats itself beyond its source is nothing a translator wrote."""
    for found in (_circle(pair.target, pair.source), _runs(pair), _twice(pair)):
        if found:
            return [Problem(ProblemKind.REPETITION, found)]
    return []


def ends_in_circles(pair: Pair) -> Problem | None:
    """Whether a text that is being written repeats its end again and again; with some patience, as it may yet stop."""
    unit, count = _repeated_end(pair.target[-_TAIL:])
    if count >= 2 * _allowed(unit) and count > 2 * _most_repeated(unit, pair.source):
        return Problem(ProblemKind.REPETITION, _shown(unit, count))
    return None


def _allowed(unit: str) -> int:
    """How often something may stand in a row: laughter and dashes more often than words."""
    length = len(unit.strip()) * (2 if any(map(is_wide, unit)) else 1)
    return 7 if length <= 2 else 5 if length <= 6 else 4 if length <= 12 else 3


def _circle(text: str, source: str) -> str:
    """What stands too often in a row in a text, and less often in its source."""
    for found in re.finditer(rf"(\S.{{0,{_LONGEST_UNIT - 1}}}?)(\s?\1)+", text):
        unit = found[1]
        count = len(re.findall(re.escape(unit), found[0]))
        if not any(map(str.isalnum, unit)):
            continue
        if count >= _allowed(unit) and count > 1.5 * max(1, _most_repeated(unit, source)):
            return _shown(unit, count)
    return ""


def _repeated_end(text: str) -> tuple[str, int]:
    """What a text ends with again and again, and how often."""
    best = ("", 1)
    for period in range(1, min(_LONGEST_UNIT, len(text) // 2) + 1):
        same = 0
        while same < len(text) - period and text[-1 - same] == text[-1 - same - period]:
            same += 1
        count = same // period + 1
        if count > 1 and count * period > len(best[0]) * best[1] and any(map(str.isalnum, text[-period:])):
            best = (text[-period:], count)
    return best


def _most_repeated(unit: str, source: str) -> int:
    """How often anything stands in a row in the source, for a unit that may be its translation."""
    most = source.lower().count(unit.strip().lower())
    for found in re.finditer(rf"(\S.{{0,{_LONGEST_UNIT - 1}}}?)(?:\s?\1)+", source):
        if any(map(str.isalnum, found[1])):
            most = max(most, len(found[0]) // len(found[1]))
    return most


def _runs(pair: Pair) -> str:
    """Runs of words that come again and again with others between them."""
    tokens, source = pair.target_words, pair.source_words
    wide = sum(map(is_wide, "".join(tokens[:50]))) > len(tokens[:50]) // 2
    size = _RUN_OF_CHARACTERS if wide else _RUN_OF_WORDS
    run, count = _most_frequent(tokens, size)
    # The source's own runs are looked for at the length that they have in its script.
    own_wide = bool(source) and is_wide(source[0][0])
    _, own = _most_frequent(source, 2 if own_wide or wide else size)
    covered = count * size / max(1, len(tokens))
    if count > 1.5 * own and ((count >= _OFTEN and covered >= 0.5) or (count >= _TOO_OFTEN and covered >= 0.3)):
        return _shown(("" if wide else " ").join(run), count)
    return ""


def _most_frequent(tokens: Sequence[str], size: int) -> tuple[tuple[str, ...], int]:
    counts = Counter(tuple(tokens[at : at + size]) for at in range(len(tokens) - size + 1))
    return counts.most_common(1)[0] if counts else ((), 0)


def _twice(pair: Pair) -> str:
    """A text that is said twice where the source says it once."""

    def sentences(text: str) -> list[str]:
        plain = (_NO_WORD.sub(" ", part).strip().lower() for part in _SENTENCE_END.split(text))
        return [part for part in plain if part]

    plain, source = (_NO_WORD.sub("", text).lower() for text in (pair.target, pair.source))
    half = plain[: len(plain) // 2]
    long_enough = len(half) * (2 if half and is_wide(half[0]) else 1) >= _SHORTEST_TWICE
    if long_enough and half * 2 == plain and source[: len(source) // 2] * 2 != source:
        return _shown(half, 2)
    said, own = sentences(pair.target), sentences(pair.source)
    if len(said) > len(own):
        counts = Counter(part for part in said if len(part) * (2 if is_wide(part[0]) else 1) >= 12)
        part, count = counts.most_common(1)[0] if counts else ("", 0)
        if count > 1 and count > max(Counter(own).values(), default=1):
            return _shown(part, count)
    return ""


def _shown(unit: str, count: int) -> str:
    unit = " ".join(unit.split())
    return f"“{unit[:40]}{'…' if len(unit) > 40 else ''}” {count} times"
