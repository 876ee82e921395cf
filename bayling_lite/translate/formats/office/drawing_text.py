"""Text of drawings (DrawingML, ECMA-376 part 1, 21.1.2): shapes, tables on slides, titles of charts, diagrams."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

from lxml import etree

from bayling_lite.languages import RIGHT_TO_LEFT, Language
from bayling_lite.translate.formats.base import Cut, Layout, Unit
from bayling_lite.translate.formats.office.document import Found, Twins, attribute_found, text_found
from bayling_lite.translate.formats.office.package import short_name
from bayling_lite.translate.formats.office.runs import Alone, Item, Paragraph, Run, Text, append
from bayling_lite.translate.formats.xml_tree import Element
from bayling_lite.translate.markup import Marked

# Attributes of run properties that say nothing of how a run looks.
_INVISIBLE = {"lang", "altLang", "dirty", "err", "smtClean", "noProof", "bmk"}
_SHOW_ON_SPACES = {"u", "strike"}
_PROPERTIES = {"a:pPr", "a:endParaRPr"}


@dataclass(frozen=True, slots=True)
class DrawingParagraph:
    """An ``a:p`` with text in it."""

    element: Element
    unit: Unit
    twin: Hashable = None

    def write(self, target: Marked, layout: Layout) -> Sequence[Element]:
        """Put the translation in the place of the text, or into a paragraph after it."""
        if not layout.bilingual:
            _write(self.element, target, layout.target)
            return (self.element,)
        copy = deepcopy(self.element)
        copy.tail = None
        self.element.addnext(copy)
        _write(copy, target, layout.target)
        return (self.element, copy)


def find_drawing_text(
    root: Element, place: str, twin: Hashable = None, *, of_workbook: bool = False
) -> Iterator[Found]:
    """The paragraphs and alternative texts of a part, those in charts and diagrams included.

    With a ``twin``, equal texts of all parts that have it are the same. The names of what a chart shows are text, too,
    but not in charts ``of_workbook``, which take them from its cells.
    """
    twin_of = Twins(place)
    for element in root.iter("*"):
        name = short_name(element)
        if name == "a:p":
            yield from drawing_paragraph_found(element, place, twin or twin_of(element))
        elif name.endswith(":cNvPr"):
            for attribute in ("descr", "title"):
                yield from attribute_found(element, attribute, f"{place}, alternative text", twin or twin_of(element))
        elif name == "c:v" and not of_workbook and _is_name(element):
            yield from text_found(element, place, twin or (place, "names"))


def _is_name(value: Element) -> bool:
    """Whether a value in a chart is the name of a series or a category, and not a number."""
    around = [short_name(element) for element in itertools.islice(value.iterancestors(), 2)]
    return around[0] == "c:tx" or (around[0] == "c:pt" and around[1] in ("c:strCache", "c:strLit", "c:lvl"))


def drawing_paragraph_found(element: Element, place: str, twin: Hashable = None) -> Iterator[Found]:
    """An ``a:p``, if there is text in it."""
    paragraph = drawing_paragraph(element)
    if paragraph.has_text:
        yield DrawingParagraph(element, Unit(paragraph.marked, Cut.SENTENCES, place), twin)


def drawing_paragraph(element: Element) -> Paragraph:
    """Take an ``a:p`` apart."""
    items: list[Item] = []
    for child in element:
        name = short_name(child)
        if name == "a:r":
            properties = next((one for one in child if short_name(one) == "a:rPr"), None)
            text = next((one.text for one in child if short_name(one) == "a:t"), None)
            items.append(Text(text or "", _look(properties)))
        elif name and name not in _PROPERTIES:
            shown = child[0] if name == "mc:AlternateContent" and len(child) else child
            reads = "\n" if name == "a:br" else "".join(str(text) for text in shown.itertext()).strip()
            items.append(Alone(partial(_just, child), reads))
    return Paragraph(items)


def _just(element: Element) -> Sequence[Element]:
    return (element,)


def _look(properties: Element | None) -> Run:
    if properties is None:
        return Run(((), b""))
    attributes = {str(key): str(value) for key, value in properties.attrib.items() if key not in _INVISIBLE}
    children = b"".join(etree.tostring(child, method="c14n", with_tail=False) for child in properties)
    return Run((tuple(sorted(attributes.items())), children), properties, not _SHOW_ON_SPACES.isdisjoint(attributes))


def _write(element: Element, target: Marked, language: Language) -> None:
    paragraph = drawing_paragraph(element)
    namespace = etree.QName(element).namespace
    last: Iterable[Element] = [child for child in element if short_name(child) == "a:endParaRPr"]
    for child in list(element):
        if short_name(child) != "a:pPr":
            element.remove(child)

    def write_text(parent: Element, text: str, run: Run | None) -> None:
        new = etree.SubElement(parent, f"{{{namespace}}}r")
        properties = None if run is None or run.made_of is None else deepcopy(run.made_of)
        if properties is None:
            properties = etree.Element(f"{{{namespace}}}rPr")
        properties.set("lang", "zh-CN" if language.code == "zh" else language.code)
        append(new, (properties,))
        etree.SubElement(new, f"{{{namespace}}}t").text = text

    paragraph.write(target, element, write_text)
    append(element, last)
    _set_direction(element, right_to_left=language.code in RIGHT_TO_LEFT)


def _set_direction(paragraph: Element, *, right_to_left: bool) -> None:
    properties = paragraph[0] if len(paragraph) and short_name(paragraph[0]) == "a:pPr" else None
    if properties is None and right_to_left:
        properties = etree.Element(f"{{{etree.QName(paragraph).namespace}}}pPr")
        paragraph.insert(0, properties)
    if properties is not None and right_to_left != (properties.get("rtl", "0") in ("1", "true")):
        properties.set("rtl", "1" if right_to_left else "0")
        sides = {"l": "r", "r": "l"}
        if properties.get("algn") in sides:
            properties.set("algn", sides[properties.get("algn", "")])
