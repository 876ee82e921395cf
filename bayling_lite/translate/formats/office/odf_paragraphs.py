"""Paragraphs of OpenDocument texts (ODF 1.3 part 3, 6): taken apart into runs, and written with another text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache, partial

from lxml import etree

from bayling_lite.translate.formats.office.code_styles import is_for_code
from bayling_lite.translate.formats.office.runs import Alone, Group, Item, Paragraph, Run, Text, append
from bayling_lite.translate.formats.xml_tree import Element
from bayling_lite.translate.markup import Marked

TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_NAMESPACE = re.compile(r"\{urn:oasis:names:tc:opendocument:xmlns:([a-z-]+):1\.0\}")
_WHITE = re.compile(r"[ \t\r\n]+")
_COUNT = re.compile("[0-9]{1,3}")
_SPACES = re.compile("( {2,})")
_GROUPS = {"text:a", "text:meta", "text:meta-field", "text:text-input", "content-control"}
_READS = {"text:tab": "\t", "text:line-break": "\n"}
# What LibreOffice notes of its own work: which session wrote a run, where pages ended.
_TRACES = {"text:soft-page-break"}
_UNSEEN = re.compile(r"\}(paragraph-)?rsid$|\}(language|country|script|rfc-language-tag)(-asian|-complex)?$")
_SHOW_ON_SPACES = ("underline", "background-color", "line-through", "border")
# Where there can be only one of a thing, or a second would be another thing.
_ONCE = re.compile(
    "drawing:|dr3d:|office:annotation|text:((note|bookmark)(?!-ref)|reference-mark|change|user-index|toc-mark|alphabetical)"
)


@lru_cache(maxsize=4096)
def _short(tag: str) -> str:
    if tag.startswith("{http://purl.org/dc/elements/1.1/}"):
        return "dc:" + tag.rpartition("}")[2]
    found = _NAMESPACE.match(tag)
    return f"{found[1]}:{tag[found.end() :]}" if found else tag.rpartition("}")[2]


def odf_name(element: Element) -> str:
    """An element's name with the usual prefix of its namespace: ``text:p``. Empty for what is no element."""
    return _short(element.tag) if isinstance(element.tag, str) else ""


class Styles:
    """What the styles of spans in a part look like, which are for code, and which paragraphs begin a page."""

    def __init__(self, root: Element) -> None:
        self._without_break: dict[str, str] = {}
        self._looks: dict[str, str] = {}
        self._hidden: set[str] = set()
        self._parents: dict[str, str] = {}
        for automatic in root.iter("{*}automatic-styles"):
            for style in automatic:
                self._parents[style.get(_of("style", "name"), "")] = style.get(_of("style", "parent-style-name"), "")
                if style.get(_of("style", "family")) == "text":
                    self._add(style)
                elif _breaks(style):
                    name = style.get(_of("style", "name"), "")
                    self._without_break[name] = self._parents[name]

    def _add(self, style: Element) -> None:
        name = style.get(_of("style", "name"), "")
        properties = [element for element in style if odf_name(element) == "style:text-properties"]
        attributes = {str(key): str(value) for one in properties for key, value in one.attrib.items()}
        seen = sorted(f"{key}={value}" for key, value in attributes.items() if not _UNSEEN.search(key))
        self._looks[name] = " ".join([self._parents[name], *seen]).strip()
        if attributes.get(_of("text", "display")) == "none":
            self._hidden.add(name)

    def look(self, name: str) -> str:
        """What a style looks like; nothing where it changes nothing that can be seen."""
        return self._looks.get(name, name)

    def without_break(self, name: str) -> str:
        """The style of a paragraph that follows one of a style on the same page."""
        return self._without_break.get(name, name)

    def is_hidden(self, name: str) -> bool:
        """Whether text of a style is not shown."""
        return name in self._hidden

    def is_code(self, name: str) -> bool:
        """Whether text of a style is code."""
        return is_for_code(self._parents.get(name, name).replace("_20_", " "))


def _breaks(style: Element) -> bool:
    """Whether a paragraph of a style begins a page or a column."""
    names = {str(name).rpartition("}")[2] for element in style.iter("*") for name in element.attrib}
    return not names.isdisjoint({"break-before", "break-after", "master-page-name"})


def _of(prefix: str, name: str) -> str:
    return f"{{urn:oasis:names:tc:opendocument:xmlns:{prefix}:1.0}}{name}"


def odf_paragraph(element: Element, styles: Styles) -> Paragraph:
    """Take a ``text:p`` or a ``text:h`` apart."""
    if styles.is_code(element.get(f"{TEXT}style-name", "")):
        return Paragraph([])
    return Paragraph(_Reader(styles).items(element, ()))


class _Reader:
    """Goes through a paragraph, where white space means one space, and none at the beginning."""

    def __init__(self, styles: Styles) -> None:
        self._styles = styles
        self._after_space = True

    def items(self, parent: Element, spans: tuple[Element, ...]) -> list[Item]:
        """What is in an element; ``spans`` are those around it."""
        items: list[Item] = []
        run = self._run(spans)
        self._text(parent.text, run, items)
        for child in parent:
            self._add(child, spans, run, items)
            self._text(child.tail, run, items)
        return items

    def _add(self, child: Element, spans: tuple[Element, ...], run: Run, items: list[Item]) -> None:
        name = odf_name(child)
        if name == "text:s":
            count = child.get(_of("text", "c"), "1")
            items.append(Text(" " * (int(count) if _COUNT.fullmatch(count) else 1), run))
            self._after_space = False
        elif name == "text:span" and not self._stays(child):
            items += self.items(child, (*spans, child))
        elif name in _GROUPS:
            items.append(Group(self.items(child, spans), child, child, before=partial(_emptied, child)))
        elif name and name not in _TRACES:
            self._after_space = False
            once = bool(_ONCE.match(name))
            hidden = name == "text:span" and not self._styles.is_code(child.get(f"{TEXT}style-name", ""))
            reads = "" if once or hidden else _READS.get(name) or _shown(child, name)
            # The number of a figure counts on whenever it stands in a document.
            items.append(Alone(partial(_in_spans, child, spans), reads, once=once or name == "text:sequence"))

    def _stays(self, span: Element) -> bool:
        style = span.get(f"{TEXT}style-name", "")
        return self._styles.is_hidden(style) or self._styles.is_code(style)

    def _text(self, text: str | None, run: Run, items: list[Item]) -> None:
        collapsed = _WHITE.sub(" ", text or "")
        if self._after_space:
            collapsed = collapsed.removeprefix(" ")
        if collapsed:
            self._after_space = collapsed.endswith(" ")
            items.append(Text(collapsed, run))

    def _run(self, spans: tuple[Element, ...]) -> Run:
        looks = tuple(filter(None, (self._styles.look(span.get(f"{TEXT}style-name", "")) for span in spans)))
        return Run(looks, spans if looks else (), any(word in look for look in looks for word in _SHOW_ON_SPACES))


def _shown(element: Element, name: str) -> str:
    """What a reader sees of a field: what it computed; of a word with its pronunciation, the word."""
    of = next(element.iterchildren(f"{TEXT}ruby-base"), element) if name == "text:ruby" else element
    return "".join(str(text) for text in of.itertext())


def _emptied(element: Element) -> Iterable[Element]:
    element.text = None
    for child in list(element):
        element.remove(child)
    return ()


def _in_spans(element: Element, spans: tuple[Element, ...]) -> Iterable[Element]:
    """An element in spans of its own, like those it was in."""
    element.tail = None
    for span in reversed(spans):
        around = _like(span)
        around.append(element)
        element = around
    return (element,)


def _like(span: Element) -> Element:
    return etree.Element(span.tag, {str(key): str(value) for key, value in span.attrib.items()})


def write_odf_paragraph(element: Element, styles: Styles, target: Marked, *, copy: bool = False) -> None:
    """Write another text into a paragraph; into a ``copy`` of one, without what there can be only once."""
    paragraph = odf_paragraph(element, styles)
    _emptied(element)
    after_space = True

    def write_text(parent: Element, text: str, run: Run | None) -> None:
        nonlocal after_space
        place = parent
        for span in run.made_of if run is not None else ():
            inner = _like(span)
            append(place, (inner,))
            place = inner
        for piece in _SPACES.split(_WHITE.sub(_one_for_each, text)):
            spaces = len(piece) if piece.isspace() else len(piece) - len(piece.lstrip(" "))
            plain = min(spaces, 0 if after_space else 1)
            _append_text(place, " " * plain)
            if spaces > plain:
                etree.SubElement(place, f"{TEXT}s", {f"{TEXT}c": str(spaces - plain)})
            _append_text(place, piece[spaces:])
            if piece:
                after_space = piece.endswith(" ") and spaces <= plain

    paragraph.write(target, element, write_text, copy=copy)


def _one_for_each(white: re.Match[str]) -> str:
    return " " * len(white[0])


def _append_text(element: Element, text: str) -> None:
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text
