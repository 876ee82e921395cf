"""The blocks of a Markdown document by line: where paragraphs, headings and cells stand in its text.

Sources: the CommonMark specification, version 0.31.2; GitHub Flavored Markdown for tables; Pandoc's manual for
footnotes and definition lists.
"""

from __future__ import annotations

import functools
import itertools
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token
from mdit_py_plugins.admon import admon_plugin
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin

from bayling_lite.translate.formats.markdown.rules import watch

_NEWLINE = re.compile(r"\r\n?|\n")
_FRONT_MATTER = re.compile(r"(?:---[ \t]*\n(?=\s*(?:#.*\n\s*)*[\w\"'-]+\s*:)|\+\+\+[ \t]*\n)")
_FRONT_MATTER_END = {"-": re.compile(r"(?:---|\.\.\.)[ \t]*"), "+": re.compile(r"\+\+\+[ \t]*")}
# Lines that other programs than CommonMark's take for markup: containers, templates, attributes, tables of contents.
_OWN_LINE = re.compile(
    r":{3,}.*|\{\{.*\}\}|\{%.*%\}|\{[:#.][^{}]*\}|\[\[?(?:toc|TOC|_TOC_)\]\]?|(?:import|export) .*[;'\"}]", re.DOTALL
)
_ALERT = re.compile(r"\[![A-Za-z]+\][+-]?")
_TASK = re.compile(r"\[[ xX]\][ \t]+")
_CONTAINERS = re.compile(r"[ \t]*(?:(?:>|[-*+]|\d{1,9}[.)]|:|~|\[\^[^\]]+\]:)[ \t]*)*")
_AFTER_CONTENT = re.compile(r'\s*(?:\s#+)?"?\s*')
_SPACE = re.compile(r"\s*")
_DEFINITION_TITLE = re.compile(
    r"""\s(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'|\((?P<round>(?:[^()\\]|\\.)*)\))\s*\Z""",
    re.DOTALL,
)
_BAR = re.compile(r"(?<!\\)\|")


@functools.cache
def parser() -> MarkdownIt:
    """The parser: CommonMark with tables, strikethrough, footnotes, definitions, formulas and admonitions."""
    md = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    md.use(footnote_plugin, inline=False, move_to_end=False)
    md.use(deflist_plugin)
    md.use(admon_plugin)
    md.use(dollarmath_plugin, allow_space=False, allow_digits=False, double_inline=True)
    md.block.ruler.before("fence", "own_line", _own_line, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    # Inlines are parsed when they are needed; every other rule of the core changes text.
    md.core.ruler.enableOnly(["normalize", "block"])
    md.inline.ruler.disable("footnote_ref")
    watch(md)
    return md


def _own_line(state: StateBlock, start: int, _end: int, silent: bool) -> bool:
    if state.is_code_block(start):
        return False
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]].rstrip()
    if not line or line[0] not in ":{[ie" or not _OWN_LINE.fullmatch(line):
        return False
    if not silent:
        state.line = start + 1
    return True


Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a block of text stands.

    ``kind`` is ``paragraph``, ``item`` (of a list), ``heading``, ``underlined``, ``cell``, ``term``, ``label``
    (of an admonition), ``html`` or ``definition`` (of a link, for its title). ``spans`` are its lines, without what
    stands before and after their text; ``tail`` where that ends which belongs to it after the last.
    """

    kind: str
    spans: tuple[Span, ...]
    tail: int


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a block, its lines joined by newlines, and its places in the document."""

    text: str
    starts: tuple[int, ...]  # of the lines in the content
    places: tuple[int, ...]  # the same in the document

    def place(self, at: int) -> int:
        """The place in the document of a place in the content."""
        line = bisect_right(self.starts, at) - 1
        return self.places[line] + at - self.starts[line]


def content(text: str, spot: Spot) -> Content:
    """What a block says."""
    lines = [text[start:end] for start, end in spot.spans]
    starts = itertools.accumulate((len(line) + 1 for line in lines[:-1]), initial=0)
    return Content("\n".join(lines), tuple(starts), tuple(start for start, _ in spot.spans))


class Blocks:
    """The blocks of a text, and what the parser has to know of the whole for the parsing of one (``env``)."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = list(_lines(text))
        first = self._front_matter()
        body = "\n".join(text[start:end] for start, end in self._lines[first:])
        self._lines = self._lines[first:]
        if body.startswith("\ufeff"):
            body = body[1:]
            self._lines[0] = (self._lines[0][0] + 1, self._lines[0][1])
        env: dict[str, Any] = {}
        tokens = parser().parse(body, env)
        self.env: dict[str, Any] = {"references": env.get("references", {})}
        spots = [*self._spots(tokens), *self._definitions()]
        self.spots = tuple(sorted(spots, key=lambda spot: spot.spans[0]))

    def _front_matter(self) -> int:
        """The number of lines at the beginning that are metadata in YAML or TOML."""
        text = self._text.removeprefix("\ufeff")
        found = _FRONT_MATTER.match(text)
        if not found:
            return 0
        ends = _FRONT_MATTER_END[text[0]]
        numbered = enumerate(self._lines[1:], start=2)
        return next((number for number, span in numbered if ends.fullmatch(self._text, *span)), 0)

    def _spots(self, tokens: Sequence[Token]) -> Iterator[Spot]:
        cells: list[Span] = []
        opens_item = False
        for before, token in itertools.pairwise(tokens):
            if before.type == "tr_open" and before.map:
                cells = self._cells(before.map[0], nested=before.level > 2)
            if before.type == "html_block" and before.map:
                start, end = self._lines[before.map[0]][0], self._lines[before.map[1] - 1][1]
                yield Spot("html", ((start, end),), end)
            if token.type != "inline" or not token.map or not token.content:
                cells = cells[1:] if before.type in ("th_open", "td_open") else cells
                opens_item = before.type == "list_item_open"
                continue
            if before.type in ("th_open", "td_open"):
                # A cell whose text is not where it should be is left alone.
                if cells and _is_cell(self._text[slice(*cells[0])], token.content):
                    yield Spot("cell", (cells[0],), cells[0][1])
                cells = cells[1:]
            else:
                yield from self._block(before, token, opens_item=opens_item)
            opens_item = before.type == "list_item_open"

    def _block(self, before: Token, token: Token, *, opens_item: bool) -> Iterator[Spot]:
        """The place of a block other than a cell, of whose text the lines end with."""
        first, last = token.map or (0, 0)
        wanted = [line.strip() for line in token.content.split("\n")]
        lines = self._lines[first : first + len(wanted)]
        found = [span for line, text in zip(lines, wanted, strict=False) if (span := self._span(line, text))]
        if len(found) < len(wanted):
            return
        # The spaces of a hard break belong to the content.
        spans = (*((start, line[1]) for (start, _), line in zip(found[:-1], lines, strict=False)), found[-1])
        kind = {"heading_open": "heading", "dt_open": "term", "admonition_title_open": "label"}.get(before.type, "")
        tail = spans[-1][1]
        if kind == "heading":
            kind = kind if before.markup.startswith("#") else "underlined"
            tail = self._lines[(before.map[1] if before.map else last) - 1][1]
        elif not kind:
            kind = "item" if before.hidden or opens_item else "paragraph"
            spans = self._without_marks(spans, item=opens_item)
        if spans:
            yield Spot(kind, spans, tail)

    def _span(self, line: Span, wanted: str) -> Span | None:
        """Where a line of a block's content stands in its line of the document: at the end, or before closing marks."""
        start, end = line
        whole = self._text[start:end]
        at = whole.rfind(wanted)
        if not wanted or at < 0 or not _AFTER_CONTENT.fullmatch(whole, at + len(wanted)):
            return None
        return start + at, start + at + len(wanted)

    def _without_marks(self, spans: tuple[Span, ...], *, item: bool) -> tuple[Span, ...]:
        """The lines of a paragraph without the box of a task or the name of an alert."""
        start, end = spans[0]
        if _ALERT.fullmatch(self._text, start, end):
            return spans[1:]
        found = _TASK.match(self._text, start, end) if item else None
        return ((found.end(), end), *spans[1:]) if found else spans

    def _cells(self, line: int, *, nested: bool) -> list[Span]:
        """The cells of a row, without the space around them; those without text too."""
        start, end = self._lines[line]
        row = self._text[start:end]
        lead = (_CONTAINERS if nested else _SPACE).match(row)
        at = lead.end() if lead else 0
        stops = [found.start() for found in _BAR.finditer(row, at)]
        edges = [at - 1, *stops, len(row.rstrip())]
        cells = [(first + 1, last) for first, last in itertools.pairwise(edges)]
        cells = cells[1:] if cells and cells[0][0] == cells[0][1] else cells
        return [_stripped(self._text, start + first, start + last) for first, last in cells]

    def _definitions(self) -> Iterator[Spot]:
        """The titles of link definitions."""
        for definition in self.env["references"].values():
            if not definition.get("title") or not definition.get("map"):
                continue
            first, last = definition["map"]
            start, end = self._lines[first][0], self._lines[last - 1][1]
            found = _DEFINITION_TITLE.search(self._text, start, end)
            name = found and next((name for name in ("double", "single", "round") if found[name]), None)
            if found and name:
                yield Spot("definition", (found.span(name),), found.end(name))


def _lines(text: str) -> Iterator[Span]:
    start = 0
    for newline in _NEWLINE.finditer(text):
        yield start, newline.start()
        start = newline.end()
    yield start, len(text)


def _stripped(text: str, start: int, end: int) -> Span:
    inside = text[start:end]
    core = inside.strip()
    return (start + inside.index(core), start + inside.index(core) + len(core)) if core else (start, start)


def _is_cell(source: str, content_: str) -> bool:
    return source == content_ or source.replace("\\|", "|") == content_.replace("\\|", "|")
