"""Writing documents anew without a model: unchanged, or with every unit changed in a way that can be undone."""

from __future__ import annotations

from collections.abc import Callable

from bayling_lite.languages import find_language
from bayling_lite.translate.formats import FormatOptions, Layout, Source, TranslatedUnit, find_format, open_document
from bayling_lite.translate.formats.base import Document
from bayling_lite.translate.markup import Marked

Change = Callable[[Marked], str]


def opened(data: bytes, format_name: str, *, encoding: str | None = None, **options: object) -> Document:
    source = Source(f"document.{format_name}", data, encoding)
    return open_document(source, find_format(format_name), FormatOptions(**options))  # type: ignore[arg-type]


def written(document: Document, change: Change, *, target: str = "zh", bilingual: bool = False) -> bytes:
    """The document with each unit's text (code characters in it) changed."""
    layout = Layout(find_language(target), find_language("en"), bilingual)
    translations = (TranslatedUnit(unit.source, unit.source.replaced(change(unit.source))) for unit in document.units())
    pieces = list(document.write(translations, layout))
    assert next(translations, None) is None, "a unit was not written"
    if document.form is None:
        assert all(isinstance(piece, bytes) for piece in pieces)
        return b"".join(piece for piece in pieces if isinstance(piece, bytes))
    text = "".join(piece for piece in pieces if isinstance(piece, str))
    return text.encode(document.form.encoding, document.form.errors)


def same(source: Marked) -> str:
    return source.text


def swapped(source: Marked) -> str:
    """Capitals for small letters and the other way round, of ASCII; done twice it is the text again."""
    text = source.text
    return text.swapcase() if text.isascii() else "".join(char.swapcase() if char.isascii() else char for char in text)


def shown(document: Document) -> list[str]:
    """What a reader sees of each unit."""
    return [unit.source.reads for unit in document.units()]
