"""Word documents (DOCX): paragraphs of the text, of headers and footers, notes and text boxes; alternative texts."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath

from lxml import etree

from bayling_lite.translate.formats.archive import Archive
from bayling_lite.translate.formats.base import Cut, FormatOptions, Layout, Source, Unit
from bayling_lite.translate.formats.office.document import (
    Found,
    Part,
    PartsDocument,
    Twins,
    attribute_found,
    find_properties,
)
from bayling_lite.translate.formats.office.drawing_text import drawing_paragraph_found, find_drawing_text
from bayling_lite.translate.formats.office.package import main_part, open_package, part_tree, related, short_name
from bayling_lite.translate.formats.office.word_paragraphs import (
    is_page_break,
    is_plain,
    shows_data,
    unbind,
    word_paragraph,
    write_paragraph,
)
from bayling_lite.translate.formats.office.word_styles import Styles, read_styles
from bayling_lite.translate.formats.xml_tree import Element, XmlTree
from bayling_lite.translate.markup import Marked

_ABOVE_NUMBERING = {"w:pStyle", "w:keepNext", "w:keepLines", "w:pageBreakBefore", "w:framePr", "w:widowControl"}
_TEXT_ATTRIBUTES = {"wp:docPr": ("descr", "title"), "pic:cNvPr": ("descr",), "v:shape": ("alt",)}
_TEXT_ATTRIBUTES |= {"v:textpath": ("string",)}  # a watermark


@dataclass(frozen=True, slots=True)
class WordParagraph:
    """A ``w:p`` with text in it. ``element`` is the content control around it, if that has to change, or itself."""

    element: Element
    paragraph: Element
    unit: Unit
    styles: Styles
    twin: Hashable = None

    def write(self, target: Marked, layout: Layout) -> Sequence[Element]:
        """Put the translation in the place of the text, or into a paragraph after it."""
        if not layout.bilingual:
            unbind(self.element)
            write_paragraph(self.paragraph, target, layout.target, self.styles)
            return (self.element,)
        first = self._first()
        if first is self.paragraph:
            unbind(self.element)
        copy = deepcopy(self.paragraph)
        copy.tail = None
        first.addnext(copy)
        write_paragraph(copy, target, layout.target, self.styles, copy=True)
        _make_second(copy, self.paragraph)
        return (self.element, copy) if self.element is first else (self.element,)

    def _first(self) -> Element:
        """What another paragraph may follow: itself, or a content control of plain text, which has room for one."""
        content = self.paragraph.getparent()
        around = None if content is None else content.getparent()
        return self.element if around is self.element and is_plain(self.element) else self.paragraph


def read(source: Source, options: FormatOptions) -> PartsDocument:  # noqa: ARG001
    """Read a Word document.

    Raises:
        InputError: it is none, is damaged or protected by a password.
    """
    archive = open_package(source)
    main = main_part(archive, source, "w:document")
    return PartsDocument(archive, _parts(archive, main), PurePath(source.name).suffix or ".docx")


def _parts(archive: Archive, main: str) -> list[Part]:
    texts = [main, *related(archive, [main], "footnotes", "endnotes", "header", "footer")]
    drawings = related(archive, texts, "chart", "chartEx", "diagramData", "diagramDrawing")
    styles = read_styles(part_tree(archive, name).root for name in related(archive, [main], "styles"))
    labels = {name: "" if name == main else PurePath(name).stem for name in texts}
    parts = [Part(name, partial(_find, name=label, styles=styles)) for name, label in labels.items()]
    parts += [Part(name, partial(_find_drawing, name=name)) for name in drawings]
    parts += [Part(name, find_properties) for name in related(archive, [""], "core-properties")]
    return parts


def _find(tree: XmlTree, name: str, styles: Styles) -> Iterator[Found]:
    count = 0
    twin_of, picture_of = Twins(name), Twins(name, "inline", "anchor")
    for element in tree.root.iter("*"):
        kind = short_name(element)
        if kind == "w:p":
            count += 1
            paragraph = word_paragraph(element, styles)
            if paragraph.has_text and not _is_deleted(element):
                place = f"{name}, paragraph {count}" if name else f"paragraph {count}"
                unit = Unit(paragraph.marked, Cut.SENTENCES, place)
                controls = (one for one in element.iterancestors("{*}sdt") if shows_data(one) or is_plain(one))
                yield WordParagraph(next(controls, element), element, unit, styles, twin_of(element))
        elif kind == "a:p":
            yield from drawing_paragraph_found(element, f"{name} drawing".strip(), twin_of(element))
        elif kind in _TEXT_ATTRIBUTES:
            twin = twin_of(element) or picture_of(element)
            place = "watermark" if kind == "v:textpath" else "alternative text"
            for attribute in _TEXT_ATTRIBUTES[kind]:
                yield from attribute_found(element, attribute, place, twin)


def _is_deleted(element: Element) -> bool:
    return any(
        short_name(around) in ("w:del", "w:moveFrom") for around in element.iterancestors("{*}del", "{*}moveFrom")
    )


def _find_drawing(tree: XmlTree, name: str) -> Iterator[Found]:
    # A diagram is there twice: as what it says, and as it was last drawn.
    twin = "diagrams" if PurePath(name).parent.name == "diagrams" else None
    return find_drawing_text(tree.root, PurePath(name).stem, twin)


def _make_second(copy: Element, first: Element) -> None:
    """Make a paragraph that was copied one that follows: without a number, an identity or a page break of its own."""
    for key in [key for key in copy.attrib if str(key).endswith(("}paraId", "}textId"))]:
        del copy.attrib[key]
    for control in copy.iter("{*}sdtPr"):
        _remove(control, "w:id")
    while len(first) > 1 and _breaks_page(first[-1]):  # the page ends after the translation
        copy.append(first[-1])
    properties = next((child for child in copy if short_name(child) == "w:pPr"), None)
    if properties is None:
        return
    names = {short_name(child) for child in properties}
    _remove(properties, "w:numPr", "w:pageBreakBefore", "w:pPrChange")
    if names & {"w:numPr", "w:pStyle"}:
        _without_number(properties)
    for child in first:
        if short_name(child) == "w:pPr":
            _remove(child, "w:sectPr")  # the section ends after the translation, which has a copy of this


def _breaks_page(run: Element) -> bool:
    contents = [child for child in run if short_name(child) != "w:rPr"]
    return short_name(run) == "w:r" and bool(contents) and all(map(is_page_break, contents))


def _remove(parent: Element, *names: str) -> None:
    for child in list(parent):
        if short_name(child) in names:
            parent.remove(child)


def _without_number(properties: Element) -> None:
    """Say that a paragraph has no number, which its style may give it."""
    namespace = f"{{{etree.QName(properties).namespace}}}"
    number = etree.Element(f"{namespace}numPr")
    etree.SubElement(number, f"{namespace}numId").set(f"{namespace}val", "0")
    above = [child for child in properties if short_name(child) in _ABOVE_NUMBERING]
    if above:
        above[-1].addnext(number)
    else:
        properties.insert(0, number)
