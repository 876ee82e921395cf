"""OpenDocument texts (ODT): paragraphs and headings of the text, headers, footers, notes, tables and text boxes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath

from bayling_lite.errors import InputError
from bayling_lite.translate.formats.archive import Archive
from bayling_lite.translate.formats.base import Cut, FormatOptions, Layout, Source, Unit
from bayling_lite.translate.formats.office.document import Found, Part, PartsDocument, text_found
from bayling_lite.translate.formats.office.odf_looks import with_looks
from bayling_lite.translate.formats.office.odf_paragraphs import (
    TEXT,
    Styles,
    odf_name,
    odf_paragraph,
    write_odf_paragraph,
)
from bayling_lite.translate.formats.xml_tree import Element, XmlTree
from bayling_lite.translate.markup import Marked

_MANIFEST = "META-INF/manifest.xml"
_ENCRYPTED = re.compile(rb"<(?:[\w.-]+:)?encryption-data\b")
_PARAGRAPHS = {"text:p", "text:h"}
_NOT_TRANSLATED = {"text:tracked-changes", "office:annotation", "office:forms", "text:variable-decls", "office:scripts"}
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_XML_ID = "{http://www.w3.org/XML/1998/namespace}id"


@dataclass(frozen=True, slots=True)
class OdfParagraph:
    """A ``text:p`` or a ``text:h`` with text in it."""

    element: Element
    unit: Unit
    styles: Styles
    twin: None = None

    def write(self, target: Marked, layout: Layout) -> Sequence[Element]:
        """Put the translation in the place of the text, or into a paragraph after it."""
        if not layout.bilingual:
            write_odf_paragraph(self.element, self.styles, target)
            return (self.element,)
        copy = deepcopy(self.element)
        copy.tail = None
        self.element.addnext(copy)
        write_odf_paragraph(copy, self.styles, target, copy=True)
        for name in (_XML_ID, f"{TEXT}id"):
            copy.attrib.pop(name, "")
        style = copy.get(f"{TEXT}style-name")
        if style is not None:
            copy.set(f"{TEXT}style-name", self.styles.without_break(style))
        if odf_name(copy) == "text:h":
            copy.set(f"{TEXT}is-list-header", "true")  # without a number, the one before has it
        return (self.element, copy)


def read(source: Source, options: FormatOptions) -> PartsDocument:  # noqa: ARG001
    """Read an OpenDocument text.

    Raises:
        InputError: it is none, is damaged or protected by a password.
    """
    archive = Archive(source)
    _check(archive, source)
    parts = [Part("content.xml", _find)]
    parts += [Part(name, _find_in_object) for name in archive.names if _is_object(name)]
    parts += [Part(name, find) for name, find in (("styles.xml", _find), ("meta.xml", _find_title)) if name in archive]
    return PartsDocument(archive, parts, PurePath(source.name).suffix or ".odt", partial(_finish, archive))


def _finish(archive: Archive, changed: dict[str, bytes], layout: Layout) -> None:
    """Have the styles say of the translation what they say of the source."""
    for name in ("content.xml", "styles.xml"):
        if name in archive:
            tree = XmlTree(changed.get(name) or archive.read(name), archive.label(name))
            changed[name] = with_looks(tree, layout)


def _check(archive: Archive, source: Source) -> None:
    kind = archive.read("mimetype") if "mimetype" in archive else b""
    if "content.xml" not in archive or b"opendocument.text" not in kind:
        raise InputError(f"{source.name} is a zip archive but not an OpenDocument text.")
    # Not parsed: nothing else of it is needed, and templates that come with LibreOffice have one that is broken.
    if _MANIFEST in archive and _ENCRYPTED.search(archive.read(_MANIFEST)):
        raise InputError(f"{source.name} is protected by a password. Save it without one.")


def _is_object(name: str) -> bool:
    """Whether a part is the content of something embedded: a chart, say."""
    return name.endswith("/content.xml") and name.count("/") == 1


def _find(tree: XmlTree) -> Iterator[Found]:
    styles = Styles(tree.root)
    label = "" if tree.name.endswith("content.xml") else "header or footer, "
    count = 0
    for element in tree.root.iter("*"):
        name = odf_name(element)
        if name in _PARAGRAPHS:
            count += 1
            paragraph = odf_paragraph(element, styles)
            if paragraph.has_text and not _stays(element):
                unit = Unit(paragraph.marked, Cut.SENTENCES, f"{label}paragraph {count}")
                yield OdfParagraph(element, unit, styles)
        elif name in ("svg-compatible:title", "svg-compatible:desc") and not _stays(element):
            yield from text_found(element, "alternative text")


def _stays(element: Element) -> bool:
    """Whether a paragraph is in what nobody reads, was deleted, is a note among authors, or shows a value."""
    for around in element.iterancestors():
        name = odf_name(around)
        if name in _NOT_TRANSLATED or (name == "text:section" and around.get(f"{TEXT}display") == "none"):
            return True
        if name == "table:table-cell" and around.get(f"{_OFFICE}value-type", "string") != "string":
            return True
    return False


def _find_in_object(tree: XmlTree) -> Iterator[Found]:
    """The titles of a chart; its tables are numbers, and names that go with them."""
    styles = Styles(tree.root)
    for element in tree.root.iter(f"{TEXT}p"):
        parent = element.getparent()
        if parent is not None and odf_name(parent) in ("chart:title", "chart:subtitle", "chart:footer"):
            paragraph = odf_paragraph(element, styles)
            if paragraph.has_text:
                yield OdfParagraph(element, Unit(paragraph.marked, Cut.SENTENCES, "chart"), styles)


def _find_title(tree: XmlTree) -> Iterator[Found]:
    for element in tree.root.iter("*"):
        if odf_name(element) in ("dc:title", "dc:subject"):
            yield from text_found(element, "document properties")
