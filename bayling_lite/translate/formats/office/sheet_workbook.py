"""What else changes in a workbook when texts of its cells do: formulas are calculated anew, lines break in cells."""

from __future__ import annotations

import re
from collections.abc import Collection

from lxml import etree

from bayling_lite.translate.formats.office.package import short_name
from bayling_lite.translate.formats.xml_tree import Element, XmlTree

_ROW = re.compile(rb"<(?:\w+:)?row\s[^>]*>")
_OWN_HEIGHT = re.compile(rb"""\scustomHeight=["'](?:1|true)["']""")
_HEIGHT = re.compile(rb"""\sht=(?:"[^"]*"|'[^']*')""")
_BEFORE_CALCULATION = {"s:sheets", "s:functionGroups", "s:externalReferences", "s:definedNames"}


def calculated_anew(workbook: XmlTree) -> bytes:
    """The workbook part, saying that formulas are to be calculated: what they last gave may be text of other cells."""
    before = [element for element in workbook.root if short_name(element) in _BEFORE_CALCULATION]
    how = next((element for element in workbook.root if short_name(element) == "s:calcPr"), None)
    place = before[-1] if how is None else how
    number = workbook.numbers([place])[place]
    if how is None:
        how = _new(place, "calcPr")
        place.addnext(how)
    how.set("fullCalcOnLoad", "1")
    return workbook.patched({number: [how] if how is place else [place, how]})


def with_lines(styles: XmlTree, wanted: Collection[int]) -> bytes:
    """The part of styles, in which cells of some styles, by number, show line breaks in their text."""
    found = [
        element
        for list_ in styles.root
        if short_name(list_) == "s:cellXfs"
        for number, element in enumerate(one for one in list_ if short_name(one) == "s:xf")
        if number in wanted
    ]
    numbers = styles.numbers(found)
    for style in found:
        alignment = next((child for child in style if short_name(child) == "s:alignment"), None)
        if alignment is None:
            alignment = _new(style, "alignment")
            style.insert(0, alignment)
        alignment.set("wrapText", "1")
        style.set("applyAlignment", "1")
    return styles.patched({numbers[style]: [style] for style in found})


def with_fitting_rows(sheet: bytes) -> bytes:
    """The part of a sheet without the heights its rows were given for the text they had, not by its author.

    A row of no height is made to fit its text when it is shown. Only tags are looked at: a sheet can be very large.
    """
    return _ROW.sub(lambda row: row[0] if _OWN_HEIGHT.search(row[0]) else _HEIGHT.sub(b"", row[0]), sheet)


def _new(beside: Element, name: str) -> Element:
    return etree.Element(f"{{{etree.QName(beside).namespace}}}{name}")
