"""HTML and XHTML: paragraphs, headings, cells and labels are units; tags inside of them are codes.

What is read: text, titles, options, and the attributes that people read (``alt``, ``title``, ``placeholder``,
``aria-label``, the page's description, what stands on a button). Left as they are: scripts, styles, templates, code,
preformatted text, formulas, drawings, comments, and what says ``translate="no"`` or ``class="notranslate"``.

A unit in which nothing was changed stands as it stood. In one that was translated, white space is single spaces, soft
hyphens and ``<wbr>`` are gone, and characters are written as references where the source unit wrote them so, or the
encoding has them not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from bayling_lite.translate.formats.base import Cut, FormatOptions, Layout, Source, TextForm, TranslatedUnit, Unit
from bayling_lite.translate.formats.html.encoding import decode_html
from bayling_lite.translate.formats.html.parts import Parts, find_parts
from bayling_lite.translate.formats.html.runs import AttributeText, Run
from bayling_lite.translate.formats.html.writing import PLAIN, HtmlWriter

_XML = re.compile("\ufeff?\\s*<\\?xml\\s")
_SUFFIXES = (".html", ".htm", ".xhtml")


@dataclass(frozen=True, slots=True)
class HtmlDocument:
    """An HTML document, or a fragment of one."""

    text: str
    parts: Parts
    xml: bool
    form: TextForm
    suffix: str = ".html"
    can_be_bilingual: bool = True

    def units(self) -> Iterator[Unit]:
        """What people read, in order; attributes before the text that their tags stand in."""
        line, done = 1, 0
        for part in self.parts.parts:
            line += self.text.count("\n", done, part.span.start)
            done = max(done, part.span.start)
            if isinstance(part, Run):
                for attribute in part.attributes:
                    yield _attribute_unit(attribute, line + self.text.count("\n", done, attribute.span.start))
                cut = Cut.WHOLE if part.container in PLAIN - {"textarea"} else Cut.SENTENCES
                yield Unit(part.source, cut, f"line {line}")
            elif isinstance(part, AttributeText):
                yield _attribute_unit(part, line)

    def write(self, translations: Iterator[TranslatedUnit], layout: Layout) -> Iterator[str]:
        """The document in another language; bilingual, source and translation one below the other."""
        yield from self.writer(layout).write(translations)

    def writer(self, layout: Layout) -> HtmlWriter:
        """What writes it, for those who want to know whether anything was translated."""
        return HtmlWriter(self.text, self.parts, layout, xml=self.xml)


def _attribute_unit(attribute: AttributeText, line: int) -> Unit:
    return Unit(attribute.source, Cut.WHOLE, f"line {line}, {attribute.label}")


def read(source: Source, options: FormatOptions) -> HtmlDocument:  # noqa: ARG001
    """Read an HTML file.

    Raises:
        InputError: it is not text, or has a paragraph of too many tags.
    """
    suffix = PurePath(source.name).suffix.lower()
    suffix = suffix if suffix in _SUFFIXES else ".html"
    return read_html(source, suffix)


def read_html(source: Source, suffix: str) -> HtmlDocument:
    """Read HTML, as XML where it says that it is, or ``suffix`` says so.

    Raises:
        InputError: as :func:`read`.
    """
    decoded = decode_html(source)
    xml = suffix == ".xhtml" or _XML.match(decoded.text) is not None
    parts = find_parts(decoded.text, xml=xml, name=source.name)
    return HtmlDocument(decoded.text, parts, xml, decoded.form, suffix)
