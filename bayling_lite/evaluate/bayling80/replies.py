"""Reading a judge's reply: two scores, or nothing.

A reply is read as a careful person would: by the form that was asked for (``[[8]] [[9]]`` on the last line, or on
another line of its own if no line says otherwise), else by the names of the assistants (``Assistant 1: 8/10``,
``助手1的得分：8分``), else by a first or last line that holds two numbers and nothing else (``8 9``, ``Scores: 8/10 and
9/10``). What the judge repeats of the question and the answers does not count, and neither do numbers in its sentences.
A score beyond the scale makes the reply nonsense. A reply that was cut off counts only where the form that was asked
for stands in it whole: ``8 1`` may have been going to be ``8 10``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from bayling_lite.evaluate.bayling80.verdicts import HIGHEST, LOWEST

_LONGEST = 50_000
"""Characters of a reply that are read, from its end, where the scores are."""

_NUMBER = r"\d{1,3}(?:\.\d{1,2})?"
_UNIT = r"(?:\s*(?:/|out\s+of)\s*10(?!\d|\.\d)|\s*分|\s*points?\b)"

_BRACKETS = rf"\[\[\s*({_NUMBER})(?:{_UNIT})?\s*\]\]"
_REQUESTED = re.compile(rf"{_BRACKETS}[\s,;|]*{_BRACKETS}\s*[.。]?")

_NOUN = r"(?:assistant|answer|response|system|model|助手|助理|回答|答案|系统|模型)"
_SAID = (
    r"(?:final|overall|total|scores?|ratings?|最终|综合|总分|总|得分|评分|分数|打分"
    r"|'s|is|gets?|receives?|deserves|an?|of|的|为|是|得|给|:|=|\||->|→|\"|\)|\(|\[{1,2})"
)
# What follows a score is no noun: "Assistant 1: 10 steps" counts steps.
_END = rf"(?=\s*(?:$|[,;|\]\)}}\"]|[.。](?:\D|$)|(?:and|but|while|vs)\b|[和与而]|{_NOUN}))"
_LABELLED = re.compile(
    rf"{_NOUN}[\s_#]*(?P<which>[12](?!\d)|[ab](?![a-z])|一|二|甲|乙)(?:\s*{_SAID}){{1,6}}\s*"
    rf"(?P<value>{_NUMBER})(?:{_UNIT}|{_END})",
    re.MULTILINE,
)
_FIRST = frozenset("1a一甲")

_PAIR = re.compile(
    r"(?:(?:the|final|overall|total|最终|总)\s*)*(?:scores?|ratings?|得分|评分|分数|打分)?\s*"
    r"(?:are|is|分别为|分别是|为|是)?\s*[:=]?\s*"
    rf"({_NUMBER})(?:{_UNIT})?(?:\s*(?:,|;|、|\||\band\b|\bvs\b\.?|和|与)\s*|\s+)({_NUMBER})(?:{_UNIT})?\s*[.。]?"
)
_ALONE = re.compile(rf"({_NUMBER})(?:{_UNIT})?")

_QUOTED = re.compile(r"[\"“「『]([^\"“”「」『』\n]{2,400})[\"”」』]")
_LEADING = re.compile(r"^[\s#\-•]+")

Pair = tuple[float, float]


def read_scores(reply: str, material: Sequence[str] = (), *, mark: str = "", cut_off: bool = False) -> Pair | None:
    """The scores of the first and the second assistant; None where the reply holds no two that are sure.

    ``material`` are the texts that the judge was shown, in whose fences ``mark`` stood: what is repeated of them is
    passed over. ``cut_off``: the reply has no end.
    """
    shown = [_plain(text) for text in material]
    lines, echoed = _lines_of(reply, shown, mark)
    if not cut_off and lines and (match := _REQUESTED.fullmatch(lines[-1])) and not (echoed[-1] and any(echoed[-2:-1])):
        return _on_scale(match[1], match[2])
    own = [line for line, is_echo in zip(lines, echoed, strict=True) if not is_echo]
    everything = "\n".join(shown)
    own = [_QUOTED.sub(lambda quote: "" if quote[1] in everything else quote[0], line) for line in own]
    text = "\n".join(own)
    if any(map(_REQUESTED.fullmatch, own)):
        return _bracketed(text)
    if cut_off:
        return None
    return _labelled(text, everything) or (_bracketed(text) if "[[" in text else _bare(own))


def _lines_of(reply: str, shown: Sequence[str], mark: str) -> tuple[list[str], list[bool]]:
    """The reply's lines that hold something, without thoughts and fenced texts; and which of them were shown to it."""
    visible = _said(reply)[-_LONGEST:]
    theirs = {stripped for text in shown for line in text.split("\n") if (stripped := _bald(line))}
    lines, echoed = [], []
    fenced = False
    for line in visible.split("\n"):
        if mark and _LEADING.sub("", line).startswith(mark):
            # A fence's first line says who speaks, its last one is short.
            fenced = not fenced
        elif not fenced and (plain := _plain(line).strip()):
            lines.append(plain)
            echoed.append(plain.startswith(">") or _bald(plain) in theirs)
    return lines, echoed


def _said(reply: str) -> str:
    """What follows the thoughts, whose beginning the prompt may have written.

    ``<think>`` within a reply is a word: an answer that holds one, and is quoted, hides nothing.
    """
    if reply.lstrip().startswith("<think>") and "</think>" not in reply:
        return ""
    return reply.rpartition("</think>")[2]


def _labelled(text: str, shown: str) -> Pair | None:
    values: dict[bool, str] = {}
    for match in _LABELLED.finditer(text):
        if match[0] not in shown:
            values[match["which"] in _FIRST] = match["value"]
    return _on_scale(values[True], values[False]) if len(values) == 2 else None


def _bracketed(text: str) -> Pair | None:
    found = re.findall(_BRACKETS, text)
    pairs = set(zip(found[::2], found[1::2], strict=False))
    return _on_scale(*pairs.pop()) if len(pairs) == 1 and not len(found) % 2 else None


def _bare(lines: Sequence[str]) -> Pair | None:
    lines = [re.sub(r"[()\[\]{}]", " ", line).strip() for line in lines]
    if len(lines) > 1 and all(map(_ALONE.fullmatch, lines[-2:])):
        matches = [match for line in lines[-2:] if (match := _ALONE.fullmatch(line))]
        return _on_scale(matches[0][1], matches[1][1])
    pairs = {(match[1], match[2]) for line in (*lines[:1], *lines[-1:]) if (match := _PAIR.fullmatch(line))}
    return _on_scale(*pairs.pop()) if len(pairs) == 1 else None


def _on_scale(first: str, second: str) -> Pair | None:
    ours, theirs = float(first), float(second)
    return (ours, theirs) if min(ours, theirs) >= LOWEST and max(ours, theirs) <= HIGHEST else None


def _plain(text: str) -> str:
    """In lower case, with ordinary digits, colons and brackets, and without Markdown's emphasis."""
    text = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    text = re.sub(r"[*`]|__", "", text)
    return re.sub(r"【+", "[[", re.sub(r"】+", "]]", text))


def _bald(line: str) -> str:
    return _LEADING.sub("", line).strip()
