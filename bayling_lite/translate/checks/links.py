"""What must come through as it is: links, e-mail addresses, and places for values."""

from __future__ import annotations

import re
from collections import Counter

from bayling_lite.translate.asking.values import Problem, ProblemKind
from bayling_lite.translate.checks.pair import Pair

_LINK = re.compile(
    r"(?:https?|ftp)://[\x21-\x7e]+|\bwww\.[\x21-\x7e]+|(?<![\w.])[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII
)
_AFTER_LINK = ".,;:!?'\")]}>*_"
_PLACEHOLDER = re.compile(
    r"%(?:\([a-zA-Z_]\w*\))?[-+0#]{0,2}\d*(?:\.\d+)?[sdifgxXuc](?![a-zA-Z])|\{\{?\s*[a-zA-Z_][\w.]{0,40}\s*\}?\}|\{\d+\}|\$\{\w+\}"
)
_OUR_TAG = re.compile(r"[<＜]\s*/?\s*[a-z]{0,2}\d+\s*/?\s*[>＞]|[<＜]/\s*[a-zA-Z]\w*\s*[>＞]")
# A tag that a text speaks of; <name> may as well be something to fill in, which is translated.
_WRITTEN_TAG = re.compile(r"</[a-zA-Z][\w-]*>|<[a-zA-Z][\w-]*(?:\s[^<>]*=[^<>]*|\s?/)>|<\|\w+\|>")


def links(pair: Pair) -> list[Problem]:
    """Fatal: a link that is lost or made up leads nowhere."""
    given, there = _links(pair.source), _links(pair.target)
    problems = [f"{link} is missing" for link in given - there]
    problems += [f"{link} was never given" for link in there - given if link not in pair.source]
    return [Problem(ProblemKind.LINKS, "; ".join(problems[:3]))] if problems else []


def placeholders(pair: Pair) -> list[Problem]:
    """Fatal: a place for a value that is lost (%s, {name}), or a tag that was never given. To look at: a tag that the
    text speaks of is gone.
    """
    given, there = (Counter(_PLACEHOLDER.findall(text)) for text in (pair.source, pair.target))
    problems = [f"{found} is missing" for found in given if found not in pair.target]
    problems += [f"{found} was never given" for found in there if found not in pair.source]
    tags = [found for found in _OUR_TAG.findall(pair.target) if found not in pair.source]
    problems += [f"{found} was never given" for found in tags]
    if problems:
        return [Problem(ProblemKind.MARKUP, "; ".join(problems[:3]))]
    gone = [f"{found} is missing" for found in _WRITTEN_TAG.findall(pair.source) if found not in pair.target]
    return [Problem(ProblemKind.MARKUP, "; ".join(gone[:3]), fatal=False)] if gone else []


def literals(text: str) -> list[tuple[int, int]]:
    """Where the links and places for values stand in a text, in order."""
    found = [(one.start(), one.start() + len(_trimmed(one[0]))) for one in _LINK.finditer(text)]
    inside = {at for start, end in found for at in range(start, end)}
    found += [one.span() for one in _PLACEHOLDER.finditer(text) if one.start() not in inside]
    return sorted(found)


def _links(text: str) -> set[str]:
    return {_trimmed(found) for found in _LINK.findall(text)}


def _trimmed(link: str) -> str:
    """A link without the marks of the sentence after it; a closing bracket belongs to it where it was opened in it."""
    while link and link[-1] in _AFTER_LINK:
        if link[-1] in ")]}" and link.count({")": "(", "]": "[", "}": "{"}[link[-1]]) >= link.count(link[-1]):
            break
        link = link[:-1]
    return link
