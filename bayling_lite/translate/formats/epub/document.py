"""EPUB 2 and 3: the chapters of a book in reading order, its tables of contents, its title and description.

Chapters are XHTML and are dealt with as the module ``html`` does. All other parts are copied as they are: pictures,
fonts, styles, the order of the archive. A book in which anything was translated declares the target language.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bayling_lite.translate.formats.archive import Archive
from bayling_lite.translate.formats.base import FormatOptions, Layout, Source, TranslatedUnit, Unit
from bayling_lite.translate.formats.epub.package import read_package
from bayling_lite.translate.formats.epub.xml_texts import Wanted, find_texts
from bayling_lite.translate.formats.html.document import HtmlDocument, read_html
from bayling_lite.translate.formats.html.encoding import decode_html


@dataclass(frozen=True, slots=True)
class EpubPart:
    """A part of a book with text in it."""

    name: str
    document: HtmlDocument


@dataclass(frozen=True, slots=True)
class EpubDocument:
    """A book. The last of its parts is the package document, which says what language the book is in."""

    archive: Archive
    parts: tuple[EpubPart, ...]
    form: None = None
    suffix: str = ".epub"
    can_be_bilingual: bool = True

    def units(self) -> Iterator[Unit]:
        """The text of the chapters, then of the tables of contents, then the book's title and description."""
        for part in self.parts:
            for unit in part.document.units():
                yield replace(unit, place=f"{part.name}, {unit.place}")

    def write(self, translations: Iterator[TranslatedUnit], layout: Layout) -> Iterator[bytes]:
        """The book in another language."""
        new: dict[str, bytes] = {}
        any_changed = False
        for part in self.parts:
            writer = part.document.writer(layout)
            if part is self.parts[-1]:
                writer.changed = any_changed
            text = "".join(writer.write(translations))
            if writer.changed:
                form = part.document.form
                new[part.name] = text.encode(form.encoding, form.errors)
                any_changed = True
        yield from self.archive.rewritten(new)


def read(source: Source, options: FormatOptions) -> EpubDocument:  # noqa: ARG001
    """Read an EPUB.

    Raises:
        InputError: it is not an EPUB, is damaged, protected against being read, or tries to harm.
    """
    archive = Archive(source)
    package = read_package(archive, source.name)
    description = _labels(archive, source.name, package.opf, _is_description, language="language")
    parts = []
    for name in package.texts:
        part = Source(f"{source.name}: {name}", archive.read(name))
        parts.append(EpubPart(name, read_html(part, ".html" if name in package.html else ".xhtml")))
    parts += [_labels(archive, source.name, name, _is_label) for name in package.contents]
    language = description.document.parts.language
    return EpubDocument(archive, (*(_in_language(part, language) for part in parts), description))


def _in_language(part: EpubPart, language: str) -> EpubPart:
    """A part that is in the language of the book where it does not declare its own."""
    parts = part.document.parts
    return replace(part, document=replace(part.document, parts=replace(parts, language=parts.language or language)))


def _labels(archive: Archive, source: str, name: str, wanted: Wanted, *, language: str = "") -> EpubPart:
    decoded = decode_html(Source(f"{source}: {name}", archive.read(name)))
    parts = find_texts(decoded.text, wanted, language=language)
    return EpubPart(name, HtmlDocument(decoded.text, parts, xml=True, form=decoded.form))


def _is_label(path: Sequence[str]) -> bool:
    """Whether an element of an NCX is read: the book's title, and the entries of its table of contents."""
    inside, name = path[-2:-1], path[-1]
    is_entry = inside == ["navlabel"] and "pagelist" not in path
    return name == "text" and (is_entry or inside == ["doctitle"])


def _is_description(path: Sequence[str]) -> bool:
    return path[-1] in ("title", "description") and "metadata" in path
