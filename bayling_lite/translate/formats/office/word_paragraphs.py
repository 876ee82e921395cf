"""Paragraphs of Word documents (ECMA-376 part 1, 17.3): taken apart into runs, and written with another text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy

from lxml import etree

from bayling_lite.languages import RIGHT_TO_LEFT, Language
from bayling_lite.translate.formats.office.package import attribute, short_name
from bayling_lite.translate.formats.office.runs import Alone, Group, Item, Paragraph, Run, Text, append
from bayling_lite.translate.formats.office.word_fields import (
    Entry,
    Make,
    Role,
    is_text_field,
    reads_of,
    stands_once,
    with_fields,
)
from bayling_lite.translate.formats.office.word_styles import Styles, child_of
from bayling_lite.translate.formats.xml_tree import Element
from bayling_lite.translate.markup import Marked

_CONTAINERS = {"w:hyperlink", "w:customXml", "w:sdt", "w:ins", "w:moveTo", "w:fldSimple", "w:dir", "w:bdo"}
_OF_CONTAINERS = {"w:sdtPr", "w:sdtEndPr", "w:smartTagPr", "w:customXmlPr", "w:fldData", "w:pPr"}
# Content controls whose text is one of several, or has a form.
_CHOICES = {"w:dropDownList", "w:comboBox", "w:date"}
# What Word leaves behind when it lays a page out or checks the spelling, and writes anew whenever it is needed.
_TRACES = {"w:proofErr", "w:lastRenderedPageBreak", "w:softHyphen"}
_READS = {"w:br": "\n", "w:cr": "\n", "w:tab": "\t", "w:ptab": "\t"}
_REPEATABLE = {*_READS, "w:sym", "w:ruby"}
# Properties that say nothing of how a run looks.
_INVISIBLE = {"w:lang", "w:noProof", "w:rPrChange", "w:ins", "w:del"}
_SHOW_ON_SPACES = {"w:u", "w:strike", "w:dstrike", "w:highlight", "w:shd", "w:bdr"}
_AFTER_LANGUAGE = frozenset({"w:eastAsianLayout", "w:specVanish", "w:oMath", "w:rPrChange"})
_AFTER_DIRECTION = _AFTER_LANGUAGE | {"w:cs", "w:em", "w:lang"}
_AFTER_DIRECTION_OF_PARAGRAPH = frozenset(
    {"w:adjustRightInd", "w:snapToGrid", "w:spacing", "w:ind", "w:contextualSpacing", "w:mirrorIndents"}
    | {"w:suppressOverlap", "w:jc", "w:textDirection", "w:textAlignment", "w:textboxTightWrap", "w:outlineLvl"}
    | {"w:divId", "w:cnfStyle", "w:rPr", "w:sectPr", "w:pPrChange"}
)
_KINDS_OF_LANGUAGE = dict.fromkeys(("zh", "ja", "ko"), "eastAsia") | dict.fromkeys(("ar", "fa", "he"), "bidi")
_XML_SPACE = "{http://www.w3.org/XML/1998/namespace}space"


def word_paragraph(paragraph: Element, styles: Styles) -> Paragraph:
    """Take a ``w:p`` apart."""
    properties = child_of(paragraph, "w:pPr")
    return Paragraph([] if properties is not None and styles.keeps(properties) else _items(paragraph, styles))


def write_paragraph(
    element: Element, target: Marked, language: Language, styles: Styles, *, copy: bool = False
) -> None:
    """Write another text into a ``w:p``; into a ``copy`` of one, without what there can be only once."""
    paragraph = word_paragraph(element, styles)
    inline = [child for child in element if short_name(child) not in _OF_CONTAINERS]
    for child in inline:
        element.remove(child)

    def write_text(parent: Element, text: str, run: Run | None) -> None:
        _write_text(parent, text, run, language)

    paragraph.write(target, element, write_text, copy=copy)
    properties = child_of(element, "w:pPr")
    namespace = f"{{{etree.QName(element).namespace}}}"
    if properties is None:
        properties = etree.Element(f"{namespace}pPr")
    _set_direction(properties, f"{namespace}bidi", _AFTER_DIRECTION_OF_PARAGRAPH, language)
    if len(properties):
        element.insert(0, properties)


def _write_text(parent: Element, text: str, run: Run | None, language: Language) -> None:
    namespace = etree.QName(_word_parent(parent)).namespace
    element = etree.SubElement(parent, f"{{{namespace}}}r")
    properties = deepcopy(run.made_of) if run is not None and run.made_of is not None else None
    if properties is None:
        properties = etree.Element(f"{{{namespace}}}rPr")
    append(element, (properties,))
    _set_language(properties, f"{{{namespace}}}", language)
    _set_direction(properties, f"{{{namespace}}}rtl", _AFTER_DIRECTION, language)
    if language.code in RIGHT_TO_LEFT:
        _look_alike(properties, f"{{{namespace}}}")
    text_element = etree.SubElement(element, f"{{{namespace}}}t")
    text_element.text = text
    if text != text.strip() or "  " in text:
        text_element.set(_XML_SPACE, "preserve")


def _word_parent(parent: Element) -> Element:
    """The element itself, or the one around it that is of Word: its namespace is that of runs."""
    element: Element | None = parent
    while element is not None and not short_name(element).startswith("w:"):
        element = element.getparent()
    return parent if element is None else element


def _set_language(properties: Element, namespace: str, language: Language) -> None:
    """Say what language a run is in, so that its spelling is checked in that."""
    kind = _KINDS_OF_LANGUAGE.get(language.code, "val")
    code = "zh-CN" if language.code == "zh" else language.code
    _property(properties, f"{namespace}lang", _AFTER_LANGUAGE).set(f"{namespace}{kind}", code)


def _look_alike(properties: Element, namespace: str) -> None:
    """Say of scripts from right to left, which have properties of their own, what is said of others."""
    for name in ("b", "i", "sz"):
        plain = properties.find(f"{namespace}{name}")
        if plain is not None and properties.find(f"{namespace}{name}Cs") is None:
            attributes = {str(key): str(value) for key, value in plain.attrib.items()}
            plain.addnext(etree.Element(f"{namespace}{name}Cs", attributes))


def _set_direction(properties: Element, tag: str, later: frozenset[str], language: Language) -> None:
    """Say that a run or a paragraph is written from right to left, or do not."""
    mark = _property(properties, tag, later)
    mark.attrib.clear()
    if language.code not in RIGHT_TO_LEFT:
        properties.remove(mark)


def _property(properties: Element, tag: str, later: frozenset[str]) -> Element:
    """A property, made before those that have to come ``later`` if there is none."""
    found = properties.find(tag)
    if found is None:
        found = etree.Element(tag)
        following = next((child for child in properties if short_name(child) in later), None)
        if following is None:
            properties.append(found)
        else:
            following.addprevious(found)
    return found


def _items(parent: Element, styles: Styles) -> list[Item]:
    return with_fields(list(_entries(parent, styles)))


def _entries(parent: Element, styles: Styles) -> Iterator[Entry]:
    for child in parent:
        name = short_name(child)
        if name == "w:r":
            yield from _run_entries(child, styles)
        elif name == "w:smartTag":  # that a word is a name, say, which its translation may not be
            yield from _entries(child, styles)
        elif name in _CONTAINERS:
            yield from _container(child, name, styles)
        elif name and name not in _TRACES and name not in _OF_CONTAINERS:
            math = name in ("m:oMath", "m:oMathPara")
            reads = "".join(str(text) for text in child.itertext()) if math else ""
            yield _entry(Alone(_just(child), reads, once=not math))


def _just(element: Element) -> Make:
    return lambda: (element,)


def _entry(item: Alone, role: Role = "item", instruction: str = "") -> Entry:
    return Entry(item, item.make, role, instruction)


def _container(element: Element, name: str, styles: Styles) -> Iterator[Entry]:
    inner = element
    instruction = attribute(element, "w:instr") or "" if name == "w:fldSimple" else ""
    computed = name == "w:fldSimple" and not is_text_field(instruction)
    if name == "w:sdt":
        content, properties = child_of(element, "w:sdtContent"), child_of(element, "w:sdtPr")
        inner = element if content is None else content
        computed = properties is not None and any(short_name(child) in _CHOICES for child in properties)
    items = _items(inner, styles)
    if computed or not any(isinstance(item, Text | Group) for item in items):
        yield _entry(Alone(_just(element), reads_of(items), once=not computed or stands_once(instruction)))
        return

    def emptied() -> Iterable[Element]:
        for child in list(inner):
            if short_name(child) not in _OF_CONTAINERS:
                inner.remove(child)
        unbind(element)
        return ()

    yield Entry(Group(items, element, inner, before=emptied), _just(element))


def shows_data(control: Element) -> bool:
    """Whether Word puts data in the place of the text of a content control (``w:sdt``), whatever stands there."""
    return _binding(control) is not None


def is_plain(control: Element) -> bool:
    """Whether a content control is for text without paragraphs."""
    properties = child_of(control, "w:sdtPr")
    return properties is not None and child_of(properties, "w:text") is not None


def unbind(control: Element) -> None:
    """Have a content control show the text in it."""
    binding = _binding(control)
    parent = None if binding is None else binding.getparent()
    if binding is not None and parent is not None:
        parent.remove(binding)


def _binding(control: Element) -> Element | None:
    properties = child_of(control, "w:sdtPr")
    return None if properties is None else child_of(properties, "w:dataBinding")


def _run_entries(run: Element, styles: Styles) -> Iterator[Entry]:
    properties = child_of(run, "w:rPr")
    if properties is not None and styles.hides(properties):
        yield _entry(Alone(_just(run), once=True))
        return
    is_code = properties is not None and styles.is_code(properties)
    look = _look(properties)
    for child in run:
        name = short_name(child)
        make = _in_a_run(child, run, properties)
        if name == "w:t" and is_code:
            yield _entry(Alone(make, child.text or ""))
        elif name == "w:t":
            yield Entry(Text(child.text or "", look), make)
        elif name == "w:noBreakHyphen":
            yield Entry(Text("\u2011", look), make)
        elif name == "w:instrText":
            yield _entry(Alone(make, once=True), "instruction", child.text or "")
        elif name == "w:fldChar":
            kind = attribute(child, "w:fldCharType")
            roles: dict[str | None, Role] = {"begin": "begin", "separate": "separate", "end": "end"}
            yield _entry(Alone(make, once=True), roles.get(kind, "item"))
        elif name and name != "w:rPr" and name not in _TRACES:
            base = child.iterfind("{*}rubyBase/{*}r/{*}t") if name == "w:ruby" else ()
            reads = _READS.get(name) or "".join(text.text or "" for text in base)
            yield _entry(Alone(make, reads, once=name not in _REPEATABLE or is_page_break(child)))


def is_page_break(element: Element) -> bool:
    """Whether a part of a run ends a page or a column."""
    return short_name(element) == "w:br" and attribute(element, "w:type") in ("page", "column")


def _in_a_run(child: Element, run: Element, properties: Element | None) -> Make:
    """A part of a run as a run of its own, made when it is written."""

    def make() -> Iterable[Element]:
        new = etree.Element(run.tag)
        append(new, () if properties is None else (deepcopy(properties),))
        append(new, (child,))
        return (new,)

    return make


def _look(properties: Element | None) -> Run:
    if properties is None:
        return Run("")
    visible: list[str] = []
    shows = False
    for child in properties:
        name = short_name(child)
        attributes = sorted((str(key), str(value)) for key, value in child.attrib.items())
        if name == "w:rFonts":
            # Which of the fonts a character takes that several could show: of no matter to a new text.
            attributes = [(key, value) for key, value in attributes if not key.endswith("}hint")]
        if name in _INVISIBLE or (name == "w:rFonts" and not attributes):
            continue
        shows = shows or name in _SHOW_ON_SPACES
        inside = etree.tostring(child, method="c14n", with_tail=False) if len(child) else ""
        visible.append(f"{name}{attributes}{inside!r}")
    return Run("".join(visible), properties, shows)
