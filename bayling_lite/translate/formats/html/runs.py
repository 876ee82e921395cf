"""A line of text in HTML: tags, comments and text between two blocks, made into one unit.

Tags around text become pairs of codes, all else codes of their own. What the model need not see it does not: tags that
follow one another are one code, an element without text is one, and what stands at either edge (an image, a line break,
tags around the whole) is left to the document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bayling_lite.translate.formats.html.text import Manner, TextReader
from bayling_lite.translate.formats.html.tokens import Attribute, Token
from bayling_lite.translate.markup import Code, Marked

_REFERENCE_TO_SPACE = r"&nbsp;?|&#0*160;|&#[xX]0*[aA]0;|&e[nm]sp;|&thinsp;"
_LEADING = re.compile(rf"(?:\s|{_REFERENCE_TO_SPACE})*+")
_TRAILING = re.compile(r"(?:\s|(?P<reference>&[A-Za-z0-9#]{3,7};))\Z")
_IS_SPACE = re.compile(_REFERENCE_TO_SPACE)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the document."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class AttributeText:
    """The value of an attribute that people read; ``label`` says which one it is."""

    span: Span
    quote: str
    source: Marked
    manner: Manner
    label: str


@dataclass(frozen=True, slots=True)
class LanguageMark:
    """The value of an attribute that names a language."""

    span: Span
    value: str


@dataclass(frozen=True, slots=True)
class Block:
    """The element that a run is all the contents of. ``end`` is where the element ends in the document."""

    tag: Token
    end: int
    closed: bool


@dataclass(frozen=True, slots=True)
class Run:
    """A unit of text in the document.

    ``codes`` says where the codes of ``source`` stand, ``once`` which of them may not be repeated in a copy;
    ``wrapping`` are the tags around the whole, from outside in, as (start tag, end tag). ``attributes`` and
    ``languages`` are those of the tags inside.
    """

    span: Span
    source: Marked
    manner: Manner
    codes: Mapping[int, Span]
    once: frozenset[int]
    wrapping: tuple[tuple[Span, Span], ...]
    attributes: tuple[AttributeText, ...]
    languages: tuple[LanguageMark, ...]
    container: str
    block: Block | None = None


@dataclass(slots=True)
class Piece:
    """A piece of a run: text or a code. Opening and closing ones of a pair have the index of the start tag's token."""

    kind: Literal["text", "open", "close", "alone"]
    start: int
    end: int
    pair: int = -1
    reads: str = ""
    once: bool = False


@dataclass(frozen=True, slots=True)
class Core:
    """The pieces of a run without what is at its edges."""

    pieces: Sequence[Piece]
    wrapping: tuple[tuple[Span, Span], ...]


def core(pieces: Sequence[Piece], text: str) -> Core | None:
    """What of a run is for the model; None if there is nothing to translate."""
    return _trimmed(_chained(_reduced(pieces, text)), text)


def _is_space(piece: Piece, text: str) -> bool:
    return piece.kind == "text" and _LEADING.match(text, piece.start, piece.end).end() == piece.end  # type: ignore[union-attr]


def _reduced(pieces: Sequence[Piece], text: str) -> list[Piece]:
    """Pairs without text between them become single codes, and those that follow one another become one."""
    done: list[Piece] = []
    for piece in pieces:
        if piece.kind == "close":
            start = _start_of_empty(done, piece.pair, text)
            if start is not None:
                inside = done[start:]
                del done[start:]
                reads, once = "".join(each.reads for each in inside), any(each.once for each in inside)
                piece = Piece("alone", inside[0].start, piece.end, reads=reads, once=once)
        if piece.kind == "alone" and done and done[-1].kind == "alone":
            last = done.pop()
            piece = Piece("alone", last.start, piece.end, -1, last.reads + piece.reads, last.once or piece.once)
        done.append(piece)
    return done


def _start_of_empty(done: Sequence[Piece], pair: int, text: str) -> int | None:
    for index in range(len(done) - 1, -1, -1):
        piece = done[index]
        if piece.kind == "open":
            return index if piece.pair == pair else None
        if piece.kind == "close" or (piece.kind == "text" and not _is_space(piece, text)):
            return None
    return None


def _chained(pieces: Sequence[Piece]) -> list[Piece]:
    """Pairs around the same text become one pair."""
    closes = {piece.pair: index for index, piece in enumerate(pieces) if piece.kind == "close"}
    done: list[Piece] = []
    renamed: dict[int, int] = {}
    for index, piece in enumerate(pieces):
        last = done[-1] if done else None
        if piece.kind == "open" and last and last.kind == "open" and index:
            outer = closes[pieces[index - 1].pair]
            if closes[piece.pair] + 1 == outer:
                renamed[piece.pair] = last.pair
                last.end = piece.end
                continue
        if piece.kind == "close":
            pair = renamed.get(piece.pair, piece.pair)
            if last and last.kind == "close" and last.pair == pair:
                last.end = piece.end
                continue
            done.append(Piece("close", piece.start, piece.end, pair))
            continue
        done.append(Piece(piece.kind, piece.start, piece.end, piece.pair, piece.reads, piece.once))
    return done


def _trimmed(pieces: Sequence[Piece], text: str) -> Core | None:
    first, last = 0, len(pieces) - 1
    wrapping: list[tuple[Span, Span]] = []
    while first <= last:
        left, right = pieces[first], pieces[last]
        if _is_edge(left, text):
            first += 1
        elif _is_edge(right, text):
            last -= 1
        elif left.kind == "open" and right.kind == "close" and left.pair == right.pair:
            wrapping.append((Span(left.start, left.end), Span(right.start, right.end)))
            first, last = first + 1, last - 1
        else:
            break
    kept = list(pieces[first : last + 1])
    if not any(piece.kind == "text" for piece in kept):
        return None
    if kept[0].kind == "text":
        kept[0] = Piece("text", _LEADING.match(text, kept[0].start, kept[0].end).end(), kept[0].end)  # type: ignore[union-attr]
    if kept[-1].kind == "text":
        kept[-1] = Piece("text", kept[-1].start, _end_of_text(text, kept[-1].start, kept[-1].end))
    return Core(kept, tuple(wrapping))


def _is_edge(piece: Piece, text: str) -> bool:
    return _is_space(piece, text) or (piece.kind == "alone" and not piece.reads.strip())


def _end_of_text(text: str, start: int, end: int) -> int:
    while end > start:
        if text[end - 1].isspace():
            end -= 1
            continue
        found = _TRAILING.search(text, max(start, end - 10), end)
        if not found or not _IS_SPACE.fullmatch(found[0]):
            break
        end = found.start()
    return end


def read_text(text: str, pieces: Sequence[Piece], reader: TextReader) -> tuple[dict[int, Span], frozenset[int]]:
    """Feed pieces to a reader; gives where its codes stand, and which of them stand once."""
    codes: dict[int, Span] = {}
    once = set()
    pairs: dict[int, int] = {}
    for piece in pieces:
        raw = text[piece.start : piece.end]
        if piece.kind == "text":
            reader.text(raw)
            continue
        pair = 0 if piece.kind == "alone" else pairs.setdefault(piece.pair, len(pairs) + 1)
        index = reader.code(Code(piece.kind, raw, pair, piece.reads))
        codes[index] = Span(piece.start, piece.end)
        if piece.once:
            once.add(index)
    return codes, frozenset(once)


def attribute_text(text: str, attribute: Attribute, label: str, *, xml: bool) -> AttributeText | None:
    """An attribute's value as a unit; None if there is nothing to translate in it."""
    start = _LEADING.match(text, attribute.start, attribute.end).end()  # type: ignore[union-attr]
    end = _end_of_text(text, start, attribute.end)
    if not any(map(str.isalpha, text[start:end])):
        return None
    reader = TextReader(xml=xml, attribute=True)
    reader.text(text[start:end])
    source = reader.build()
    if not any(map(str.isalpha, source.bare)):
        return None
    return AttributeText(Span(start, end), attribute.quote, source, reader.manner, label)
