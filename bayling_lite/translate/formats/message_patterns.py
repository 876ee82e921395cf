"""Patterns of ICU MessageFormat with texts for several cases: ``{count, plural, one {# file} other {# files}}``.

Where such a pattern is the whole message, each of its texts is a message of its own, and is translated. Where it stands
in the midst of a sentence, its texts are halves of sentences, and the message is left to a person.
"""

from __future__ import annotations

import re

_HEAD = re.compile(r"\{\s*[\w.-]+\s*,\s*(?:plural|select|selectordinal)\s*,")
_WHOLE_HEAD = re.compile(rf"\s*{_HEAD.pattern}(?:\s*offset\s*:\s*\d+)?")
_CASE = re.compile(r"\s*(?:=\d+|[\w-]+)\s*\{")
_END = re.compile(r"\s*\}\s*\Z")
_BRACE = re.compile(r"[{}]")


def is_message_pattern(text: str) -> bool:
    """Whether there is such a pattern in a text."""
    return bool(_HEAD.search(text))


def case_texts(text: str) -> tuple[tuple[int, int], ...]:
    """Where the texts of a message that is one such pattern stand; none where they cannot stand for themselves."""
    head = _WHOLE_HEAD.match(text)
    if not head or "'{" in text or "'}" in text:  # quoted braces
        return ()
    found: list[tuple[int, int]] = []
    at = head.end()
    while case := _CASE.match(text, at):
        end = _closing(text, case.end())
        if end is None or _HEAD.search(text, case.end(), end):
            return ()
        inner = text[case.end() : end]
        start = case.end() + len(inner) - len(inner.lstrip())
        found.append((start, start + len(inner.strip())))
        at = end + 1
    return tuple(found) if _END.match(text, at) else ()


def _closing(text: str, start: int) -> int | None:
    """The place of the brace that closes one opened before ``start``."""
    depth = 1
    for brace in _BRACE.finditer(text, start):
        depth += 1 if brace[0] == "{" else -1
        if not depth:
            return brace.start()
    return None
