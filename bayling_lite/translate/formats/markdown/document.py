"""Markdown: CommonMark with tables, strikethrough, task lists, footnotes, definition lists, formulas, admonitions.

What is not prose stays: code, addresses, formulas, templates, metadata at the beginning. Texts of images and titles of
links are units of their own. A paragraph that was wrapped comes out on one line.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence

from bayling_lite.errors import InputError
from bayling_lite.translate.formats.base import Cut, Document, FormatOptions, Source, TextForm
from bayling_lite.translate.formats.decoding import decode
from bayling_lite.translate.formats.edits import line_of
from bayling_lite.translate.formats.html import document as html
from bayling_lite.translate.formats.markdown.blocks import Blocks, Spot, content, parser
from bayling_lite.translate.formats.markdown.inline import inline_pieces, moved, shifted, title_block
from bayling_lite.translate.formats.markdown.writing import rendered_inline, rendered_title
from bayling_lite.translate.formats.patching import Block, CodeText, PatchedDocument, Piece, parted

_SUFFIX = ".md"
_MARKS = "*_~`[$<^"
_MOST_MARKS = 50_000  # the parser takes a second for so many
_TITLES = ("title", "definition")


class MarkdownDocument(PatchedDocument):
    """A Markdown file."""

    def __init__(self, text: str, form: TextForm) -> None:
        super().__init__(text, form, _SUFFIX)
        self._blocks = Blocks(text)
        self._parts = dict(self._html())

    def _html(self) -> Iterator[tuple[int, Document]]:
        """The blocks of HTML by their places; those that cannot be read are left alone."""
        for spot in self._blocks.spots:
            start, end = spot.spans[0]
            if spot.kind == "html":
                source = Source("HTML", self.text[start:end].encode(), "utf-8")
                with contextlib.suppress(InputError):
                    yield start, html.read(source, FormatOptions())

    @property
    def paragraphs(self) -> Iterator[tuple[int, int]]:
        """Where the blocks that hold markup begin and end: paragraphs, headings, cells."""
        return ((spot.spans[0][0], spot.spans[-1][1]) for spot in self._blocks.spots if spot.kind != "html")

    def blocks(self) -> Iterator[Block]:
        """Paragraphs, headings, cells, in order."""
        for spot in self._blocks.spots:
            if spot.kind == "html":
                start, end = spot.spans[0]
                if start in self._parts:
                    yield Block(start, end, (), "html", part=self._parts[start])
            elif any(map(str.isalpha, self.text[spot.spans[0][0] : spot.spans[-1][1]])):
                yield from parted(self._block(spot))

    def _block(self, spot: Spot) -> Block:
        if spot.kind == "definition":
            block = title_block(self.text, *spot.spans[0])
            return Block(block.start, block.end, block.pieces, "definition", Cut.WHOLE)
        inside = content(self.text, spot)
        pieces = inline_pieces(parser(), inside.text, self._blocks.env)
        if len(spot.spans) == 1:
            pieces = [shifted(piece, inside.places[0]) for piece in pieces]
        else:
            pieces = [moved(piece, inside.place) for piece in pieces]
        start, end = spot.spans[0][0], spot.spans[-1][1]
        cut = Cut.SENTENCES if spot.kind in ("paragraph", "item", "cell") else Cut.WHOLE
        return Block(start, end, tuple(pieces), spot.kind, cut, spot.tail)

    def rendered(self, block: Block, parts: Sequence[str | Piece], code_text: CodeText) -> str:
        """A block as Markdown that reads as it should."""
        if block.kind in _TITLES:
            return rendered_title(self.text, block, parts, code_text)
        return rendered_inline(self.text, block, parts, code_text, self._blocks.env)

    def both(self, block: Block, source: str, target: str) -> str:
        """A paragraph or heading below another; two lines in an item or a cell; a stroke between two labels."""
        tail = self.text[block.end : block.last]
        newline = self.newline
        line = self.text.rfind("\n", 0, block.start) + 1
        line = self.text.rfind("\r", line, block.start) + 1 or line
        prefix = self.text[line : block.start].removeprefix("\ufeff")
        around = re.sub(r"[^\s>]", " ", prefix)
        if block.kind in ("heading", "underlined"):
            again = re.sub(r"[^\s>#]", " ", prefix)
            return f"{source}{tail}{newline}{around.rstrip()}{newline}{again}{target}{tail}"
        if block.kind in ("cell", "term"):
            return f"{source}<br>{target}{tail}"
        if block.kind not in ("paragraph", "item"):
            return f"{source} / {target}{tail}"
        if block.kind == "item" or around != prefix:
            return f"{source}  {newline}{around}{target}{tail}"
        return f"{source}{newline}{around.rstrip()}{newline}{around}{target}{tail}"


def read(source: Source, _options: FormatOptions) -> MarkdownDocument:
    """Read a Markdown file.

    Raises:
        InputError: it is not text, or there is more markup in a paragraph than anybody writes.
    """
    decoded = decode(source)
    document = MarkdownDocument(decoded.text, decoded.form)
    for start, end in document.paragraphs:
        if sum(decoded.text.count(mark, start, end) for mark in _MARKS) > _MOST_MARKS:
            line = line_of(decoded.text, start)
            raise InputError(
                f"{source.name}: the paragraph on line {line} has more than {_MOST_MARKS:,} marks of emphasis, links "
                "and code. Divide it into several."
            )
    return document
