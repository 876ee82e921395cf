"""PDF, its text alone: to plain text, or bilingual to an HTML page with source and translation side by side.

A PDF is how a document looks, not what it says, and cannot be written anew with other words in it. So the new document
is of another format, and unchanged units give back the text as it was extracted, not the bytes of the PDF. Paragraphs
are put together from lines: words divided at the ends of lines are joined, columns are read one after the other,
running titles and page numbers are left out; code, told by its font, is kept as it is.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath

from bayling_lite.errors import InputError
from bayling_lite.languages import RIGHT_TO_LEFT, Language
from bayling_lite.translate.formats.base import Cut, FormatOptions, Layout, Source, TextForm, TranslatedUnit, Unit
from bayling_lite.translate.formats.pdf.pages import Page, read_pages
from bayling_lite.translate.formats.pdf.paragraphs import Paragraph, paragraphs
from bayling_lite.translate.markup import plain_text

_BULLET = re.compile(r"^[•●◦▪■‣∙]\s+")
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --source: #666; }
@media (prefers-color-scheme: dark) { :root { --source: #aaa; } }
body { margin: 0 auto; max-width: 80rem; padding: 1rem; font: 1rem/1.6 system-ui, sans-serif; }
section { display: grid; grid-template-columns: 1fr 1fr; gap: 0 2rem; border-top: 1px solid var(--line); }
section > * { margin: 0.5rem 0; overflow-wrap: anywhere; }
section > :first-child { color: var(--source); }
section > :only-child { grid-column: 1 / -1; color: inherit; }
h1, h2, h3, h4 { line-height: 1.3; }
pre { white-space: pre-wrap; }
aside { color: var(--source); font-size: 0.8rem; text-align: center; margin: 1.5rem 0 0.5rem; }
@media (max-width: 40rem) { section { grid-template-columns: 1fr; } }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } section { break-inside: avoid; } }
"""


@dataclass(frozen=True, slots=True)
class PdfDocument:
    """The text of a PDF. ``notes`` say what could not be read, for people to know.

    The name of a bilingual document ends with ``bilingual_suffix``.
    """

    title: str
    paragraphs: tuple[Paragraph, ...]
    notes: tuple[str, ...] = ()
    form: TextForm = field(default_factory=TextForm)
    suffix: str = ".txt"
    bilingual_suffix: str = ".html"
    can_be_bilingual: bool = True

    def units(self) -> Iterator[Unit]:
        """The paragraphs of text that have words in them."""
        for paragraph in self.paragraphs:
            if _has_words(paragraph):
                cut = Cut.WHOLE if paragraph.level else Cut.SENTENCES
                yield Unit(plain_text(_without_bullet(paragraph)), cut, f"page {paragraph.page}")

    def write(self, translations: Iterator[TranslatedUnit], layout: Layout) -> Iterator[str]:
        """The text in another language, a blank line between paragraphs; bilingual, a page of HTML."""
        if layout.bilingual:
            yield from self._page(translations, layout)
            return
        for index, paragraph in enumerate(self.paragraphs):
            text = _translated(paragraph, next(translations)) if _has_words(paragraph) else paragraph.text
            yield f"{text}\n" if index == len(self.paragraphs) - 1 else f"{text}\n\n"

    def _page(self, translations: Iterator[TranslatedUnit], layout: Layout) -> Iterator[str]:
        target = layout.target
        language = f' lang="{layout.source.code}"{_direction(layout.source)}' if layout.source else ""
        yield (
            f'<!DOCTYPE html>\n<html lang="{target.code}">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{html.escape(self.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        )
        page = 0
        for paragraph in self.paragraphs:
            if paragraph.page != page:
                page = paragraph.page
                yield f"<aside>{page}</aside>\n"
            name = "pre" if paragraph.code else f"h{paragraph.level}" if paragraph.level else "p"
            source = f"<{name}{language}>{html.escape(paragraph.text, quote=False)}</{name}>"
            translation = next(translations) if _has_words(paragraph) else None
            if translation is None or translation.unchanged:
                yield f"<section>{source}</section>\n"
                continue
            text = html.escape(_translated(paragraph, translation), quote=False)
            copy = f'<{name} lang="{target.code}"{_direction(target)}>{text}</{name}>'
            yield f"<section>{source}\n{copy}</section>\n"
        yield "</body>\n</html>\n"


def _has_words(paragraph: Paragraph) -> bool:
    return not paragraph.code and any(map(str.isalpha, paragraph.text))


def _without_bullet(paragraph: Paragraph) -> str:
    return _BULLET.sub("", paragraph.text)


def _translated(paragraph: Paragraph, translation: TranslatedUnit) -> str:
    bullet = _BULLET.match(paragraph.text)
    return (bullet[0] if bullet else "") + translation.target.raw()


def _direction(language: Language) -> str:
    return ' dir="rtl"' if language.code in RIGHT_TO_LEFT else ""


def read(source: Source, options: FormatOptions) -> PdfDocument:  # noqa: ARG001
    """Read the text of a PDF.

    Raises:
        InputError: it is not a PDF, is damaged, wants a password, has no text, or is larger than can be read here.
    """
    pages = read_pages(source)
    found = paragraphs(pages)
    if not any(map(_has_words, found)):
        raise InputError(f"{source.name} {_why_empty(pages)}")
    _refuse_unknown(source, pages)
    return PdfDocument(PurePath(source.name).stem, found, tuple(_notes(pages)))


def _why_empty(pages: tuple[Page, ...]) -> str:
    if all(page.damaged for page in pages):
        return "is damaged: none of its pages can be read. Get a whole copy of it, or print it to a new PDF."
    if any(page.unknown for page in pages):
        return "does not say which characters its fonts draw. Run OCR over it first (for example ocrmypdf --force-ocr)."
    return "has no text; scanned pages are pictures of it. Run OCR over it first (for example ocrmypdf)."


def _refuse_unknown(source: Source, pages: tuple[Page, ...]) -> None:
    unknown = sum(page.unknown for page in pages)
    known = sum(len(line.text) for page in pages for line in page.lines)
    if unknown > known:
        raise InputError(f"{source.name} {_why_empty(pages)}")


def _notes(pages: tuple[Page, ...]) -> Iterator[str]:
    for what, numbers in (
        ("damaged and left out", [page.number for page in pages if page.damaged]),
        ("without text", [page.number for page in pages if not page.damaged and not page.lines]),
        ("with characters that its fonts do not name", [page.number for page in pages if page.unknown and page.lines]),
    ):
        if numbers:
            shown = ", ".join(map(str, numbers[:10])) + (", …" if len(numbers) > 10 else "")
            yield f"{'page' if len(numbers) == 1 else 'pages'} {shown}: {what}"
