"""The text of some elements of an XML document, and what it says of its language: the lists and labels of a book."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from bayling_lite.translate.formats.html.parts import Part, Parts
from bayling_lite.translate.formats.html.runs import LanguageMark, Piece, Run, Span, core, read_text
from bayling_lite.translate.formats.html.text import TextReader
from bayling_lite.translate.formats.html.tokens import Token, tokens

Wanted = Callable[[Sequence[str]], bool]
"""Whether the text of an element is; given the names of it and of those it is in, from the root on."""

# Descriptions of books are often HTML, written as text.
_ESCAPED_TAG = re.compile(r"&lt;/?[A-Za-z][^&<>]{0,500}&gt;")
_LANGUAGE = re.compile(r"\S+")


def find_texts(text: str, wanted: Wanted, *, language: str = "") -> Parts:
    """Find the text of elements; ``language`` is the name of those whose text names the document's language."""
    parts: list[Part] = []
    path: list[str] = []
    declared = ""
    for token in tokens(text, xml=True):
        if token.kind == "start":
            parts += _languages(text, token)
            if not token.empty:
                path.append(token.name)
        elif token.kind == "end" and path and path[-1] == token.name:
            path.pop()
        elif token.kind == "text" and path:
            if path[-1] == language:
                found = _LANGUAGE.search(text, token.start, token.end)
                if found:
                    declared = declared or found[0]
                    parts.append(LanguageMark(Span(*found.span()), found[0]))
            elif wanted(path):
                run = _run(text, token)
                parts += [run] if run else []
    return Parts(tuple(parts), declared)


def _languages(text: str, token: Token) -> Iterator[LanguageMark]:
    for attribute in token.attributes:
        if attribute.name == "xml:lang" and attribute.end > attribute.start:
            yield LanguageMark(Span(attribute.start, attribute.end), text[attribute.start : attribute.end])


def _run(text: str, token: Token) -> Run | None:
    pieces = []
    done = token.start
    for found in _ESCAPED_TAG.finditer(text, token.start, token.end):
        if found.start() > done:
            pieces.append(Piece("text", done, found.start()))
        pieces.append(Piece("alone", found.start(), found.end()))
        done = found.end()
    if token.end > done:
        pieces.append(Piece("text", done, token.end))
    kernel = core(pieces, text)
    if kernel is None:
        return None
    reader = TextReader(xml=True)
    codes, once = read_text(text, kernel.pieces, reader)
    source = reader.build()
    if not any(map(str.isalpha, source.bare)):
        return None
    span = Span(kernel.pieces[0].start, kernel.pieces[-1].end)
    return Run(span, source, reader.manner, codes, once, kernel.wrapping, (), (), "title")
