"""Documents that are text with markup in it: what to translate is found at places of the text and replaced there.

A format finds blocks (:class:`Block`), stretches of the text that are one unit each, made of pieces (:class:`Piece`).
Everything outside them, and every block that comes back unchanged, stands as it was.
"""

from __future__ import annotations

import itertools
import re
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bayling_lite.translate.formats.base import Cut, Document, Layout, TextForm, TranslatedUnit, Unit
from bayling_lite.translate.formats.edits import Edit, LineCounter, patched
from bayling_lite.translate.markup import FIRST_CODE, MOST_CODES, Code, CodeKind, Marked, MarkedBuilder, is_code

CodeText = Callable[["Piece"], str]
"""What to write for a code: as it stands in the document, with the translations of what is in it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the text of a block.

    Of ``text``, ``reads`` is what a reader sees; ``spelled`` says that the document has it in another way, as an
    escape or an entity. For codes ``kind``, ``reads`` and ``pair`` are those of :class:`Code`. ``name`` is the format's
    own word for the sort of markup. ``inner`` are the blocks within a code: titles, texts of images, footnotes.
    """

    start: int
    end: int
    kind: CodeKind | Literal["text"]
    reads: str = ""
    spelled: bool = False
    pair: int = 0
    name: str = ""
    inner: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of the document that is one unit, from ``start`` to ``end``.

    ``kind`` is the format's own word for what it is. What belongs to it without being text goes on to ``tail``.
    A block that is a document of another format is ``part``, and has no pieces.
    """

    start: int
    end: int
    pieces: tuple[Piece, ...]
    kind: str = ""
    cut: Cut = Cut.SENTENCES
    tail: int = 0
    part: Document | None = None

    @property
    def last(self) -> int:
        """Where all of it ends."""
        return max(self.end, self.tail)

    @property
    def source(self) -> Marked:
        """Its text, with a code for each piece that is not."""
        builder = MarkedBuilder()
        for piece in self.pieces:
            if piece.kind == "text":
                builder.text(piece.reads)
            else:
                builder.code(Code(piece.kind, pair=piece.pair, reads=piece.reads))
        return builder.build()

    @property
    def inner(self) -> Iterator[Block]:
        """The blocks within its codes."""
        for piece in self.pieces:
            yield from piece.inner


class PatchedDocument(ABC):
    """A document whose blocks are replaced in its text; formats say what they are and how they are written."""

    can_be_bilingual = True

    def __init__(self, text: str, form: TextForm, suffix: str) -> None:
        self.text = text
        self.form = form
        self.suffix = suffix
        newline = re.search(r"\r\n|\n|\r", text)
        self.newline = newline[0] if newline else "\n"

    @abstractmethod
    def blocks(self) -> Iterator[Block]:
        """The blocks that do not stand within another, in order, each time the same."""

    @abstractmethod
    def rendered(self, block: Block, parts: Sequence[str | Piece], code_text: CodeText) -> str:
        """A block's new text in the syntax of the format, where ``parts`` are text as it reads and codes."""

    @abstractmethod
    def both(self, block: Block, source: str, target: str) -> str:
        """A block (without its tail) and its translation, in a bilingual document."""

    def units(self) -> Iterator[Unit]:
        """The blocks that hold a word, and those within them."""
        lines = LineCounter(self.text)
        for block in self.blocks():
            yield from self._units_of(block, f"line {lines.line(block.start)}")

    def _units_of(self, block: Block, place: str) -> Iterator[Unit]:
        if block.part is not None:
            yield from (replace(unit, place=place) for unit in block.part.units())
        source = block.source
        if _has_word(source):
            yield Unit(source, block.cut, place)
        for inner in block.inner:
            yield from self._units_of(inner, place)

    def write(self, translations: Iterator[TranslatedUnit], layout: Layout) -> Iterator[str]:
        """The text with the translations in place of the blocks."""
        return patched(
            self.text,
            (Edit(block.start, block.last, self._written(block, translations, layout)) for block in self.blocks()),
        )

    def _written(self, block: Block, translations: Iterator[TranslatedUnit], layout: Layout) -> str:
        if block.part is not None:
            return "".join(piece for piece in block.part.write(translations, layout) if isinstance(piece, str))
        unit = next(translations) if _has_word(block.source) else None
        inner = [(found, self._written(found, translations, replace(layout, bilingual=False))) for found in block.inner]
        inner.sort(key=lambda item: item[0].start)
        old = self.text[block.start : block.end]
        tail = self.text[block.end : block.last]
        if unit is None or unit.unchanged:
            return _patched(self.text, block.start, block.end, inner) + tail

        def code_text(piece: Piece) -> str:
            return piece.reads if piece.name == "character" else _patched(self.text, piece.start, piece.end, inner)

        new = self.rendered(block, _parts(block, unit.target), code_text)
        return self.both(block, old, new) if layout.bilingual else new + tail


def _has_word(source: Marked) -> bool:
    return any(map(str.isalpha, source.bare))


def _patched(text: str, start: int, end: int, inner: list[tuple[Block, str]]) -> str:
    """A stretch of a text with new blocks in it; ``inner`` has them in order."""
    first, last = (bisect_left(inner, at, key=lambda item: item[0].start) for at in (start, end))
    edits = (Edit(block.start - start, block.last - start, new) for block, new in inner[first:last])
    return "".join(patched(text[start:end], edits))


def _parts(block: Block, target: Marked) -> list[str | Piece]:
    """A translation as runs of text and the pieces of the block that are codes."""
    codes: list[Piece] = []
    for piece in block.pieces:
        if piece.kind != "text":
            codes.append(piece)
        else:
            # What looks like a code in the document was made one.
            codes += [Piece(0, 0, "alone", char, name="character") for char in piece.reads if is_code(char)]
    parts: list[str | Piece] = []
    for is_one, run in itertools.groupby(target.text, is_code):
        text = "".join(run)
        parts += [codes[ord(char) - FIRST_CODE] for char in text] if is_one else [text]
    return parts


def parted(block: Block, most: int = MOST_CODES // 2) -> Iterator[Block]:
    """A block, or several in place of one with more codes than a text can have, cut where no pair is open.

    What cannot be cut so, which nobody wrote for people to read, is left out.
    """
    if sum(map(_n_codes, block.pieces)) <= most:
        yield block
        return
    run: list[Piece] = []
    depth = codes = 0
    for piece in block.pieces:
        run.append(piece)
        depth += (piece.kind == "open") - (piece.kind == "close")
        codes += _n_codes(piece)
        if codes >= most and not depth:
            if codes <= MOST_CODES:
                yield replace(block, start=run[0].start, end=piece.end, pieces=tuple(run), tail=0)
            run, codes = [], 0
    if run and codes <= MOST_CODES:
        yield replace(block, start=run[0].start, pieces=tuple(run))


def _n_codes(piece: Piece) -> int:
    """The number of codes it takes: also text has some where the document's characters look like codes."""
    if piece.kind != "text":
        return 1
    return 0 if piece.reads.isascii() else sum(map(is_code, piece.reads))


class Spelling:
    """How a block spells the characters that it does not write as they are, for its translation to do the same.

    Where a translation has as many of a character as its source, each is spelled as in the source. Otherwise it is
    spelled as the source always does.
    """

    def __init__(self, text: str, block: Block, target: str) -> None:
        found: dict[str, list[str]] = {
            piece.reads: [] for piece in block.pieces if piece.spelled and len(piece.reads) == 1
        }
        for piece in block.pieces:
            if piece.spelled and piece.reads in found:
                found[piece.reads].append(text[piece.start : piece.end])
            elif piece.kind == "text":
                for char in piece.reads:
                    if char in found:
                        found[char].append(char)
        counts = Counter(char for char in target if char in found)
        self._coming = {char: iter(ways) for char, ways in found.items() if counts[char] == len(ways)}
        self._always = {char: ways[0] for char, ways in found.items() if char != " " and len(set(ways)) == 1}

    @property
    def chars(self) -> str:
        """The characters to ask about."""
        return "".join({*self._coming, *self._always})

    def of(self, char: str) -> str | None:
        """The spelling of the next character of the translation; None where the source does not tell."""
        if char in self._coming:
            return next(self._coming[char], None)
        return self._always.get(char)
