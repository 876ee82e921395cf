"""Strings in workbooks (ECMA-376 part 1, 18.4): shared by cells or in a cell, plain or of runs, with line breaks."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from copy import deepcopy
from dataclasses import dataclass

from lxml import etree

from bayling_lite.translate.formats.base import Layout, Unit
from bayling_lite.translate.formats.office.package import short_name
from bayling_lite.translate.formats.office.runs import Alone, Item, Paragraph, Run, Text, append
from bayling_lite.translate.formats.xml_tree import Element
from bayling_lite.translate.markup import Marked

_LINE_BREAK = re.compile(r"((?:_x000D_)?\r?\n)")
_PHONETIC = {"s:rPh", "s:phoneticPr"}
_XML_SPACE = "{http://www.w3.org/XML/1998/namespace}space"


def string_paragraph(element: Element) -> Paragraph:
    """Take an ``si`` or an ``is`` apart."""
    items: list[Item] = []
    for child in element:
        if short_name(child) == "s:t":
            items += _texts(child.text, Run(""))
        elif short_name(child) == "s:r":
            properties = next((one for one in child if short_name(one) == "s:rPr"), None)
            text = next((one.text for one in child if short_name(one) == "s:t"), "")
            items += _texts(text, Run(_look(properties), properties))
    return Paragraph(items)


def _texts(text: str | None, run: Run) -> list[Item]:
    pieces = _LINE_BREAK.split(text or "")
    return [
        Alone(reads="\n", written=piece) if number % 2 else Text(piece, run)
        for number, piece in enumerate(pieces)
        if piece
    ]


def _look(properties: Element | None) -> bytes:
    if properties is None:
        return b""
    return b"".join(sorted(etree.tostring(child, method="c14n", with_tail=False) for child in properties))


def write_string(element: Element, target: Marked, layout: Layout) -> None:
    """Write another text into an ``si`` or an ``is``; below the old one in a bilingual document.

    How the old text is pronounced goes, where it is said.
    """
    paragraph = string_paragraph(element)
    rich = any(short_name(child) == "s:r" for child in element)
    for child in list(element):
        if short_name(child) in _PHONETIC or not layout.bilingual:
            element.remove(child)
    namespace = f"{{{etree.QName(element).namespace}}}"

    def write_text(parent: Element, text: str, run: Run | None) -> None:
        if not rich:
            plain = parent.find(f"{namespace}t")
            _add_text(etree.SubElement(parent, f"{namespace}t") if plain is None else plain, text)
            return
        new = etree.SubElement(parent, f"{namespace}r")
        if run is not None and run.made_of is not None:
            append(new, (deepcopy(run.made_of),))
        _add_text(etree.SubElement(new, f"{namespace}t"), text)

    if layout.bilingual:
        write_text(element, "\n", paragraph.base)
    paragraph.write(target, element, write_text)


def _add_text(element: Element, text: str) -> None:
    element.text = (element.text or "") + text
    if element.text != element.text.strip() or "\n" in element.text:
        element.set(_XML_SPACE, "preserve")


@dataclass(frozen=True, slots=True)
class FoundString:
    """A string with text in it."""

    element: Element
    unit: Unit
    twin: Hashable = None

    def write(self, target: Marked, layout: Layout) -> Sequence[Element]:
        """Change the string."""
        write_string(self.element, target, layout)
        return (self.element,)


@dataclass(frozen=True, slots=True)
class FoundCell:
    """A cell with a shared string that is to change here and to stay elsewhere: it gets the new one for itself."""

    element: Element
    string: Element
    unit: Unit
    twin: Hashable

    def write(self, target: Marked, layout: Layout) -> Sequence[Element]:
        """Put the string into the cell."""
        namespace = f"{{{etree.QName(self.element).namespace}}}"
        own = etree.Element(f"{namespace}is")
        append(own, list(deepcopy(self.string)))
        write_string(own, target, layout)
        for child in list(self.element):
            self.element.remove(child)
        self.element.set("t", "inlineStr")
        append(self.element, (own,))
        return (self.element,)


@dataclass(frozen=True, slots=True)
class FoundHeading:
    """A column of a table, whose name is always the text of the cell above it."""

    element: Element
    unit: Unit
    twin: Hashable

    def write(self, target: Marked, layout: Layout) -> Sequence[Element]:
        """Change the name."""
        new = target.reads
        old = self.element.get("name", "")
        self.element.set("name", f"{old}_x000a_{new}" if layout.bilingual else new)
        return (self.element,)
