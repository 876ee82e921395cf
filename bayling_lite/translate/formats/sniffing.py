"""What format a document is of, told by how it begins: for what comes without a name."""

from __future__ import annotations

import io
import json
import re
import zipfile

from bayling_lite.translate.formats import Format, find_format

_ZIP = b"PK\x03\x04"
_PARTS = (("word/", "docx"), ("ppt/", "pptx"), ("xl/", "xlsx"))
_MEDIA_TYPES = ((b"application/vnd.oasis.opendocument.text", "odt"), (b"application/epub+zip", "epub"))
# An XML declaration, comments and processing instructions may come first.
_PROLOGUE = rb"(?:\xef\xbb\xbf)?\s*(?:(?><\?[^>]{0,500}\?>|<!--.{0,2000}?-->)\s*)*+"
_MARKUP = tuple(
    (re.compile(_PROLOGUE + pattern, re.IGNORECASE | re.DOTALL), name)
    for pattern, name in ((rb"(?:<!doctype\s+html\b|<html[\s>])", "html"), (rb"<xliff[\s>]", "xliff"))
)
_BEGINNINGS = tuple(
    (re.compile(rb"(?:\xef\xbb\xbf)?" + pattern), name)
    for pattern, name in (
        (rb"WEBVTT(?=[ \t\r\n]|$)", "vtt"),
        (rb"\s*\d+[ \t]*\r?\n\d{1,2}:\d\d:\d\d[,.]\d{1,3} *--> *\d", "srt"),
        (rb"\s*\[Script Info\][ \t\r]*\n", "ass"),
        (rb"(?:#[^\n]*\n|[ \t\r]*\n)*+msgid[ \t]+\"[^\n]*\r?\n(?:\"[^\n]*\n)*+msgstr[ \t]+\"", "po"),
        (rb"(?:%[^\n]*\n|[ \t\r]*\n)*+\\document(?:class|style)[\[{]", "tex"),
    )
)
_LOOKED_AT = 10_000


def sniff(data: bytes) -> Format:
    """The format of a document: what it says it is, else plain text."""
    return find_format(_name(data))


def _name(data: bytes) -> str:
    beginning = data[:_LOOKED_AT]
    if beginning.startswith(b"%PDF-"):
        return "pdf"
    if beginning.startswith(_ZIP):
        return _archive(data)
    found = next((name for pattern, name in (*_MARKUP, *_BEGINNINGS) if pattern.match(beginning)), None)
    return found or _values(data) or "txt"


def _values(data: bytes) -> str | None:
    """Whether it is JSON, or lines of JSON: an object or a list, and nothing after it."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"{", b"["):
        return None
    for text, name, kinds in ((data, "json", (dict, list)), (data.strip().split(b"\n", 1)[0], "jsonl", dict)):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, kinds):
            return name
    return None


def _archive(data: bytes) -> str:
    """Which of the formats that are archives. What is damaged is left to whoever reads it."""
    beginning = data[:_LOOKED_AT]
    # Both want this to be the first part, and not compressed.
    if beginning[30:38] == b"mimetype":
        return next((name for type_, name in _MEDIA_TYPES if beginning.startswith(type_, 38)), "docx")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return "docx"
    return next((name for folder, name in _PARTS if any(part.startswith(folder) for part in names)), "docx")
