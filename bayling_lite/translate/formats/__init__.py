"""Document formats: each reads a document into units and writes the translations back into its layout.

One module a format, imported when a document of it is opened. Those over libraries that the base installation does not
have come with ``pip install "bayling-lite[documents]"``.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from bayling_lite.errors import InputError, UsageError
from bayling_lite.translate.formats.base import (
    Cut,
    Document,
    FormatOptions,
    Layout,
    Source,
    TextForm,
    TranslatedUnit,
    Unit,
)

__all__ = [
    "FORMATS",
    "Cut",
    "Document",
    "Format",
    "FormatOptions",
    "Layout",
    "Source",
    "TextForm",
    "TranslatedUnit",
    "Unit",
    "find_format",
    "format_of",
    "notes_of",
    "open_document",
    "suffix_of",
]


@dataclass(frozen=True, slots=True)
class Format:
    """A document format: what it is called, what its files' names end with, and the module that reads it."""

    name: str
    label: str
    suffixes: tuple[str, ...]
    module: str


FORMATS = tuple(
    Format(name, label, suffixes, f"{__name__}.{module}")
    for name, label, suffixes, module in (
        ("txt", "plain text", (".txt", ".text"), "plain"),
        ("md", "Markdown", (".md", ".markdown", ".mdown", ".mkd"), "markdown"),
        ("html", "HTML", (".html", ".htm", ".xhtml"), "html"),
        ("srt", "SubRip subtitles", (".srt",), "subtitles.srt"),
        ("vtt", "WebVTT subtitles", (".vtt",), "subtitles.vtt"),
        ("ass", "ASS subtitles", (".ass", ".ssa"), "subtitles.ass"),
        ("docx", "Word", (".docx", ".docm", ".dotx"), "office.docx"),
        ("pptx", "PowerPoint", (".pptx", ".pptm", ".potx", ".ppsx"), "office.pptx"),
        ("xlsx", "Excel", (".xlsx", ".xlsm", ".xltx"), "office.xlsx"),
        ("odt", "OpenDocument text", (".odt", ".ott"), "office.odt"),
        ("epub", "EPUB", (".epub",), "epub"),
        ("po", "gettext catalogue", (".po", ".pot"), "po"),
        ("xliff", "XLIFF", (".xlf", ".xliff", ".sdlxliff", ".mxliff"), "xliff"),
        ("json", "JSON", (".json",), "json"),
        ("jsonl", "JSON Lines", (".jsonl", ".ndjson"), "json"),
        ("csv", "comma-separated values", (".csv",), "csv"),
        ("tsv", "tab-separated values", (".tsv", ".tab"), "csv"),
        ("tex", "LaTeX", (".tex", ".latex", ".ltx"), "latex"),
        ("pdf", "PDF", (".pdf",), "pdf"),
    )
)
_BY_NAME = {format_.name: format_ for format_ in FORMATS}
_BY_SUFFIX = {suffix: format_ for format_ in FORMATS for suffix in format_.suffixes}


def find_format(name: str) -> Format:
    """A format by its name or by what file names end with.

    Raises:
        UsageError: there is none.
    """
    key = name.strip().casefold()
    found = _BY_NAME.get(key) or _BY_SUFFIX.get(key if key.startswith(".") else f".{key}")
    if found is None:
        raise UsageError(f"There is no format {name!r}. Known: {', '.join(_BY_NAME)}.")
    return found


def format_of(suffix: str) -> Format | None:
    """The format of files whose names end so (``.docx``, in any case); None where there is none."""
    return _BY_SUFFIX.get(suffix.casefold())


def suffix_of(document: Document, *, bilingual: bool) -> str:
    """What the name of a written document ends with; a bilingual one may be of another format."""
    return str(getattr(document, "bilingual_suffix", document.suffix)) if bilingual else document.suffix


def notes_of(document: Document) -> tuple[str, ...]:
    """What a person should know of how a document was read: pages that are damaged, for example."""
    notes: tuple[str, ...] = getattr(document, "notes", ())
    return notes


def open_document(source: Source, format_: Format, options: FormatOptions | None = None) -> Document:
    """Read a document.

    Raises:
        InputError: it is not of the format, is damaged, or tries to harm; or a library for it is not installed.
        UsageError: an option that the format cannot take.
    """
    try:
        module = importlib.import_module(format_.module)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith("bayling_lite"):
            raise
        raise InputError(
            f"{source.name} is {format_.label}, for which the package {error.name} is missing: "
            'pip install "bayling-lite[documents]"'
        ) from error
    document: Document = module.read(source, options or FormatOptions())
    return document
