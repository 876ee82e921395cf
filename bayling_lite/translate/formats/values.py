"""Texts that a program holds as one value, the string of a message or a cell: cut into paragraphs, put together again.

A line break is the end of a paragraph where a sentence ends before it, or a blank line or a list item follows; else it
stands inside a sentence. Lines that were wrapped at a margin are joined, and the translation is wrapped there again;
otherwise the line break is a code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bayling_lite.translate.formats.base import TranslatedUnit
from bayling_lite.translate.formats.message_patterns import case_texts, is_message_pattern
from bayling_lite.translate.formats.subtitles.line_breaks import columns, wrapped
from bayling_lite.translate.formats.variables import Syntax, VariableMarker, has_words
from bayling_lite.translate.markup import Marked
from bayling_lite.translate.sentences import ends_sentence, is_wide

_BREAK = re.compile(r"(?:\r\n|\r|\n)\s*")
_BLANK = re.compile(r"(?:\r\n|\r|\n)[ \t]*(?:\r\n|\r|\n)")
_NARROWEST = 40  # columns
_FULL = 0.6  # of the margin
_ITEM = re.compile(r"(?:[-*+•‣–—]|\(?\d{1,3}[.)])\s+")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A piece of a value to translate: where it begins and ends in it, and its text with codes.

    ``margin`` is the width in columns at which it was wrapped, 0 where it was not, and ``new_line`` what stands between
    two of its lines, with indentation. ``entities`` are those that became characters, as for
    :meth:`str.translate`.
    """

    start: int
    end: int
    source: Marked
    margin: int = 0
    new_line: str = ""
    entities: dict[int, str] = field(default_factory=dict)

    def written(self, target: Marked) -> str:
        """A translation as it stands in the value."""
        target = target.replaced(target.text.translate(self.entities))
        return wrapped(target, self.margin, self.new_line) if self.margin else target.raw()


def paragraphs(value: str, syntax: Syntax = Syntax.ALL) -> tuple[Paragraph, ...]:
    """What there is to translate in a value, in order: nothing where it has no words."""
    spans = _spans(value)
    if is_message_pattern(value):
        spans = iter(case_texts(value))
        syntax |= Syntax.NUMBER_SIGN
    found = []
    for start, end in spans:
        try:
            paragraph = _paragraph(value, start, end, syntax)
        except ValueError:  # more codes than a text can have: it is not for people to read
            continue
        if has_words(paragraph.source):
            found.append(paragraph)
    return tuple(found)


def _paragraph(value: str, start: int, end: int, syntax: Syntax) -> Paragraph:
    text = value[start:end]
    breaks = {found[0] for found in _BREAK.finditer(text)}
    if len(breaks) == 1:
        new_line = breaks.pop()
        lines = text.split(new_line)
        widths = [columns(line) for line in lines]
        # All but the last reach close to the margin: the next word had no room. Of two, that can be said only where
        # the second begins in the midst of a sentence. In Markdown, spaces before a line break mean that it stays.
        margin = max(widths)
        full = all(width >= margin * _FULL for width in widths[:-1]) and f" {new_line}" not in text
        if margin >= _NARROWEST and full and (len(lines) > 2 or lines[1][:1].islower()):
            marker = VariableMarker(syntax).readable(_on_one_line(lines))
            return Paragraph(start, end, marker.builder.build(), margin, new_line, marker.entities)
    marker = VariableMarker(syntax).readable(text)
    return Paragraph(start, end, marker.builder.build(), entities=marker.entities)


def _on_one_line(lines: Sequence[str]) -> str:
    """Lines joined: between Chinese characters with nothing, else with a space."""
    pieces = [lines[0]]
    for line in lines[1:]:
        wide = bool(pieces[-1]) and bool(line) and is_wide(pieces[-1][-1]) and is_wide(line[0])
        pieces += ["", line] if wide else [" ", line]
    return "".join(pieces)


def _spans(value: str) -> Iterator[tuple[int, int]]:
    start = len(value) - len(value.lstrip())
    if "\n" in value or "\r" in value:
        for found in _BREAK.finditer(value, start):
            if found.end() == len(value):
                break
            item = _ITEM.match(value, found.end())
            last = value[max(start, found.start() - 60) : found.start()].rstrip()
            if _BLANK.search(found[0]) or item or ends_sentence(last):
                end = start + len(value[start : found.start()].rstrip())
                if end > start:
                    yield start, end
                start = item.end() if item else found.end()
    end = len(value.rstrip())
    if end > start:
        yield start, end


def rebuilt(value: str, found: Sequence[Paragraph], translations: Iterator[TranslatedUnit]) -> str | None:
    """The value with its paragraphs' translations, one for each in order; None where all came back unchanged."""
    pieces: list[str] = []
    done = 0
    changed = False
    for paragraph in found:
        translation = next(translations)
        if not translation.unchanged:
            changed = True
            pieces += [value[done : paragraph.start], paragraph.written(translation.target)]
            done = paragraph.end
    return "".join([*pieces, value[done:]]) if changed else None
