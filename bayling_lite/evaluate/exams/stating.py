r"""The letters that a text gives as its answer to a question with options: what the strict rule counts.

Models of today say it in many ways: ``The correct answer is **(B)**``, ``**Answer:** B``, ``故选：ACD``, ``\boxed{B}``.
Only such forms are read here, never a letter that merely occurs. Reading takes time linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain

_ALL = "ABCDEFG"

_THOUGHT = re.compile(r"\A.*</think>|<think>.*\Z", re.DOTALL)

# Fullwidth forms are read as the plain ones; the marks of Markdown and of formulas say nothing.
_PLAIN: dict[int, int | str] = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_PLAIN |= dict.fromkeys(map(ord, "*`#"), "") | {ord("$"): " "}

# One letter, or several in one manner: (B) · (A)(C) · (A), (C), and (D), or B · ACD · A、C和D · A, C, and D. With
# nothing but spaces between them, only where the line ends after the last one: "B A car" has one.
_AND = (
    r"(?:(?:\s?[,、;/&+]\s?(?:(?:and|or)\s|[和与及或])?|\s(?:and|or)\s|\s?[和与及或]\s?)(?:选项)?"
    r"|\s(?=[A-G](?:\s[A-G]){0,5}[.。]?(?:\n|\Z)))"
)
_IN_BRACKETS = rf"[(\[【]\s?[A-G]\s?[)\]】](?:(?:{_AND})?[(\[【]\s?[A-G]\s?[)\]】]){{0,6}}"
# "A car" begins with an article, and "E = mc" with a quantity.
_NO_WORD = r"(?!A\s(?!(?:because|since|as|for|and|but|or|not|is)\b)[a-z])"
_BARE = rf"{_NO_WORD}[A-G](?:(?:{_AND})?[A-G]){{0,6}}(?![A-Za-z0-9_^']|\s?=)"
_RUN = rf"(?P<run>{_IN_BRACKETS}|{_BARE})"

_OPEN = r"[\s:\"'“”‘’(\[【{\\]{0,8}?"
_TOLD = rf"{_OPEN}(?:the )?(?:(?i:correct )?(?i:choice|option|answer)s?|选项|选)?{_OPEN}{_RUN}"
_IS = r"(?:\s?(?i:is|are|(?:should|would|must|will) be)\b|(?:应该|应当|应)?[是为])"
_RIGHT = r"(?:(?i:answers?)|答案|(?i:correct|right|best)\s(?i:choice|option)s?|正确的?选项)"

_BOXED = re.compile(rf"\\f?boxed\s?\{{(?:\\[a-z]{{1,9}})?{_OPEN}{_RUN}[)\]}}.\s]{{0,4}}\}}")
_STATED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_RIGHT}[\"'”】]?(?:{_IS}|\s?:|(?<=】)){_TOLD}",
        rf"(?i:answer)\s(?i:to|for|of)\s[^.:\n]{{1,60}}?{_IS}{_TOLD}",
        rf"(?:(?i:choices?|options?)|选项|一项){_IS}{_TOLD}",
        rf"(?<![不未别勿若果可])(?<!不应)选[择取]?{_TOLD}",
        rf"(?<![A-Za-z]){_RUN}\s(?i:is|are) the (?i:only |most )?(?i:correct|right|best) (?i:answer|choice|option)",
    )
)
_BEGUN = (
    re.compile(rf"{_OPEN}(?:(?i:the )?(?i:final |correct )?(?i:answer|choice|option)|(?:正确)?(?:答案|选项)){_TOLD}"),
    re.compile(rf"{_OPEN}{_RUN}(?:(?<=[)\]】])|[ \t]{{0,9}}(?:[)\].。:;、,\n]|\Z))"),
)

# Another letter at the beginning of the next line: these are the options once more, and no answer.
_LISTED = re.compile(r"[^\n]{0,400}\n\s{0,9}[(\[【]?([A-G])[)\]】.:、]")


def stated_letters(said: str, options: Sequence[str]) -> frozenset[str]:
    """The letters that a text gives as its answer: those of its boxes, else of its statements, else of its beginning.

    None where two of the same strength differ, where it leaves the choice ("A or B"), or where no option has them.
    """
    text = _THOUGHT.sub("", said).translate(_PLAIN)
    begun = (match for match in (pattern.match(text) for pattern in _BEGUN) if match)
    answers = (
        _answers(text, _BOXED.finditer(text))
        or _answers(text, chain.from_iterable(pattern.finditer(text) for pattern in _STATED))
        or _answers(text, begun)
    )
    answer = answers.pop() if len(answers) == 1 else frozenset[str]()
    return answer if answer <= _letters_of(options) else frozenset()


def _answers(text: str, matches: Iterable[re.Match[str]]) -> set[frozenset[str]]:
    """What was matched, as sets of letters; the empty set for what leaves the choice."""
    answers = set()
    for match in matches:
        run = match["run"]
        letters = frozenset(re.findall("[A-G]", run))
        listed = _LISTED.match(text, match.start("run"))
        if not (listed and listed[1] not in letters):
            answers.add(frozenset() if "or" in run or "或" in run else letters)
    return answers


def _letters_of(options: Sequence[str]) -> frozenset[str]:
    """The letters up to that of the last option; all where the options stand in one text, or in the passage.

    Files that were read from print lack an option here and there: the one of (A), (C) and (D) that is called D is no
    third one.
    """
    if len(options) < 2:
        return frozenset(_ALL)
    begun = [match[1] for match in (re.match(r"\s*[(\[（【]?([A-G])", option) for option in options) if match]
    return frozenset(_ALL[: max(len(options), *(_ALL.index(letter) + 1 for letter in begun), 0)])
