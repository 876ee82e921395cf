"""Entities of HTML in texts of programs, ``Don&#39;t`` and ``Tom &amp; Jerry``, as the characters they stand for."""

from __future__ import annotations

import html
from collections.abc import Iterable

_MARKS = frozenset("&'\"’‘“”„«»‹›–—…·•\u00a0©®™°€£¥§¿¡")


def readable_entities(entities: Iterable[str], rest: str) -> dict[str, str]:
    """The character for each entity that can be one, in a text whose ``rest`` is neither entity nor code.

    Those are letters and the marks that a sentence has, where the text writes the character in no other way, so that a
    translation can be written as the text is. What could be taken for markup or for a variable stays an entity.
    """
    chars: dict[str, str] = {}
    for entity in sorted(set(entities)):
        char = html.unescape(entity)
        if len(char) == 1 and (char.isalpha() or char in _MARKS) and char not in rest and char not in chars.values():
            chars[entity] = char
    return chars
