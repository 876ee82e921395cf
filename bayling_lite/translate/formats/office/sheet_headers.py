"""Headers and footers of worksheets (ECMA-376 part 1, 18.3.1.46): text with codes such as ``&P`` for the page."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from bayling_lite.translate.formats.base import Cut, Layout, Unit
from bayling_lite.translate.formats.office.runs import has_text
from bayling_lite.translate.formats.xml_characters import legal
from bayling_lite.translate.formats.xml_tree import Element
from bayling_lite.translate.markup import Code, Marked, MarkedBuilder

HEADERS = ("oddHeader", "oddFooter", "evenHeader", "evenFooter", "firstHeader", "firstFooter")
LONGEST = 255  # characters of a header with its codes; a workbook with a longer one is taken for damaged
_CODE = re.compile(r'(&(?:"[^"]*"|K[0-9A-Fa-f]{6}|K\d\d[+-]\d{3}|\d+|[^&]))')
_SECTIONS = ("&L", "&C", "&R")


@dataclass(frozen=True, slots=True)
class FoundHeader:
    """A header or a footer with text in it."""

    element: Element
    unit: Unit
    twin: Hashable = None

    def write(self, target: Marked, layout: Layout) -> Sequence[Element]:
        """Change the text, where there is room: for two texts there never is."""
        text = ""
        for piece in target.pieces:
            new = legal(piece).replace("&", "&&") if isinstance(piece, str) else piece.raw
            # A number after a font size would be part of it.
            between = " " if re.search(r"&\d+$", text) and new[:1].isdigit() else ""
            text += between + new
        if len(text) <= LONGEST and not layout.bilingual:
            self.element.text = text
        return (self.element,)


def header_found(element: Element, place: str) -> Iterator[FoundHeader]:
    """The text of a header or a footer, if there is any."""
    builder = MarkedBuilder()
    # "&&" is an ampersand; put away while the codes are found.
    for number, piece in enumerate(_CODE.split((element.text or "").replace("&&", "\0"))):
        if number % 2:
            code = piece.replace("\0", "&&")
            builder.code(Code("alone", raw=code, reads="\n" if code in _SECTIONS else ""))
        else:
            builder.text(piece.replace("\0", "&"))
    marked = builder.build()
    if has_text(marked):
        yield FoundHeader(element, Unit(marked, Cut.SENTENCES, place))
