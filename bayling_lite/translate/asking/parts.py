"""A segment cut into shorter ones, where it is too much for a model as a whole, and put together again."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bayling_lite.languages import Language
from bayling_lite.translate.markup import Marked
from bayling_lite.translate.sentences import is_wide, sentence_spans

_MOST_PARTS = 8
# Columns: nothing shorter is cut, and no part is wanted shorter.
_WORTH_CUTTING = 40
_WIDEST = 400
_CLAUSE_END = re.compile(r"[,;:)—–](?=\s)|[，、：；]")
_NEAR_MIDDLE = 0.3
_CLAUSE_ENDS = ",;:，；：、"
_SENTENCE_ENDS = ".。"


@dataclass(frozen=True, slots=True)
class TextPart:
    """A part of a text, and the white space before it."""

    source: Marked
    before: str


def cut_in_parts(source: Marked) -> tuple[TextPart, ...]:
    """The sentences of a text, or of a single one its clauses; empty where there is nothing to gain."""
    text = source.text
    spans = list(sentence_spans(text, _WIDEST))
    if len(spans) < 2:
        columns = sum(2 if is_wide(char) else 1 for char in text)
        if columns < _WORTH_CUTTING:
            return ()
        spans = _clauses(text) or list(sentence_spans(text, columns * 3 // 5))
    if not 2 <= len(spans) <= _MOST_PARTS:
        return ()
    ends = [0, *(end for _, end in spans)]
    return tuple(
        TextPart(source.part(start, end), text[before:start]) for (start, end), before in zip(spans, ends, strict=False)
    )


def _clauses(text: str) -> list[tuple[int, int]]:
    """Two parts of a sentence, cut at the mark that is nearest to its middle; empty where there is none near it."""
    ends = [found.end() for found in _CLAUSE_END.finditer(text) if abs(found.end() / len(text) - 0.5) <= _NEAR_MIDDLE]
    if not ends:
        return []
    end = min(ends, key=lambda at: abs(at - len(text) / 2))
    return [(0, end), (end + len(text[end:]) - len(text[end:].lstrip()), len(text))]


def joined(parts: tuple[TextPart, ...], translations: list[str], target: Language) -> str:
    """The translations of the parts as one text, with the spaces that the target language wants between them."""
    text = ""
    for number, (part, translation) in enumerate(zip(parts, translations, strict=True)):
        if number < len(parts) - 1:
            translation = _ending_like(part.source.text, translation)
        text += (_gap(part.before, text[-1:], translation[:1], target) if number else part.before) + translation
    return text


def _gap(space: str, left: str, right: str, target: Language) -> str:
    wide = bool(left and is_wide(left)) or bool(right and is_wide(right))
    if target.spaced:
        return space or ("" if wide else " ")
    return "" if wide else space


def _ending_like(source: str, translation: str) -> str:
    """A clause's translation without the full stop that its source has not."""
    last = source[-1:]
    if translation[-1:] not in _SENTENCE_ENDS or last in _SENTENCE_ENDS or translation.endswith(".."):
        return translation
    if last in _CLAUSE_ENDS:
        wide = is_wide(translation[-1])
        mark = {",": "，", ";": "；", ":": "："}.get(last, last) if wide else last
        return translation[:-1] + mark
    return translation[:-1]
