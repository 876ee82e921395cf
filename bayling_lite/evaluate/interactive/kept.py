"""What of a draft is left when it was changed: its tokens that stand in the new one, in the same order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from bayling_lite.engine.words import occurs

# Chinese and Japanese characters each by themselves.
_TOKEN = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+(?:['’-][^\W\u3040-\u30ff\u3400-\u9fff]+)*|[^\w\s]"
)


def tokens(text: str) -> list[str]:
    """Words, Chinese and Japanese characters, and marks."""
    return _TOKEN.findall(text)


def token_spans(text: str) -> list[tuple[int, int]]:
    """Where they are: (start, stop) in characters."""
    return [match.span() for match in _TOKEN.finditer(text)]


def longest_common(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(other) + 1)
    for token in one:
        corner = 0
        for at, against in enumerate(other, start=1):
            corner, row[at] = row[at], corner + 1 if token == against else max(row[at], row[at - 1])
    return row[-1]


def rest_kept(before: str, after: str, *, spans: Iterable[tuple[int, int]] = (), free: int = 0) -> tuple[int, int]:
    """Of the tokens of a draft that were to stay, how many stand in the new one, and how many there are.

    ``spans`` are the parts of the draft, (start, stop) in characters, that were to go, with every token that they
    touch; ``free`` more tokens may go, wherever they are, for something that had to come in.

    Said of the new draft, with the old one as ``after``, it is how much of it was there before: ``spans`` are then the
    parts that had to come in, and ``free`` more tokens may be new.
    """
    gone = tuple(spans)
    untouched = [
        before[start:stop]
        for start, stop in token_spans(before)
        if not any(start < end and begin < stop for begin, end in gone)
    ]
    expected = max(0, len(untouched) - free)
    return min(longest_common(untouched, tokens(after)), expected), expected


def phrases_kept(phrases: Iterable[str], before: str, after: str) -> tuple[int, int]:
    """The same where it is said which phrases were to stay: each with all its tokens, or with none.

    What the draft did not have cannot stay, and is not counted.
    """
    kept = expected = 0
    for phrase in phrases:
        if occurs(phrase, before):
            size = len(tokens(phrase))
            expected += size
            kept += size if occurs(phrase, after) else 0
    return kept, expected
