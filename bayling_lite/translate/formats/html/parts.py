"""What there is to translate in HTML, and where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bayling_lite.errors import InputError
from bayling_lite.translate.formats.html.attributes import readable_or_language, wish_of
from bayling_lite.translate.formats.html.elements import BLOCKS, READABLE, UNTOUCHED, VOID, extents, names
from bayling_lite.translate.formats.html.runs import (
    AttributeText,
    Block,
    LanguageMark,
    Piece,
    Run,
    Span,
    core,
    read_text,
)
from bayling_lite.translate.formats.html.text import TextReader
from bayling_lite.translate.formats.html.tokens import Token, tokens
from bayling_lite.translate.markup import is_code

# What would do something a second time, or cannot stand twice.
_ONCE = names("script style template input noscript object applet embed canvas svg rt rp rtc")
_MOST_PIECES = 20_000


@dataclass(frozen=True, slots=True)
class RootTag:
    """The start tag of the root element; names the language of the document and the direction of its script."""

    tag: Token

    @property
    def span(self) -> Span:
        """Where it stands."""
        return Span(self.tag.start, self.tag.end)


@dataclass(frozen=True, slots=True)
class BlockEnd:
    """Where a copy of the last run's block may stand."""

    at: int

    @property
    def span(self) -> Span:
        """Where it stands."""
        return Span(self.at, self.at)


Part = AttributeText | LanguageMark | Run | RootTag | BlockEnd


@dataclass(frozen=True, slots=True)
class Parts:
    """What there is to translate or to change in a document, in order; ``language`` is what the document declares."""

    parts: tuple[Part, ...]
    language: str


def find_parts(text: str, *, xml: bool, name: str) -> Parts:
    """Find what there is to translate.

    Raises:
        InputError: a paragraph has too many codes.
    """
    walk = _Walk(text, xml)
    try:
        walk.walk()
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    return Parts(tuple(walk.parts), walk.language)


class _Walk:
    def __init__(self, text: str, xml: bool) -> None:
        self.parts: list[Part] = []
        self.language = ""
        self._text = text
        self._xml = xml
        self._tokens = list(tokens(text, xml=xml))
        self._extents = extents(self._tokens, xml=xml)
        self._boundary = -1  # the token before the present run
        self._run: list[int] = []  # the tokens of the present run, those that begin something left as it is included
        self._ends: dict[int, int] = {}  # where what is left as it is ends in the run
        self._modes: list[tuple[int, bool]] = []  # up to which token, and whether it is to be translated

    def walk(self) -> None:
        """Go through the document."""
        index = 0
        while index < len(self._tokens):
            while self._modes and index >= self._modes[-1][0]:
                self._modes.pop()
            index = self._step(index, self._tokens[index])
        self._flush(len(self._tokens))

    def _step(self, index: int, token: Token) -> int:
        """Deal with a token; gives the next one."""
        on = not self._modes or self._modes[-1][1]
        wish = wish_of(self._text, token) if token.kind == "start" else None
        is_block = token.name in BLOCKS and token.kind in ("start", "end")
        if not on and not (is_block and wish):
            return index + 1
        if is_block:
            self._flush(index)
            self._boundary = index
        if token.kind == "start" and is_block:
            return self._block(index, token, wish)
        if token.kind == "start" and (wish is False or token.name in UNTOUCHED):
            end = self._end_of_untouched(index)
            self._ends[index] = end
            self._run.append(index)
            return end
        if not is_block:
            if token.name == "br" and token.kind == "start" and self._follows_br():
                self._flush(index)
            self._run.append(index)
            if len(self._run) >= _MOST_PIECES:
                self._flush(index + 1)
                self._boundary = index
        return index + 1

    def _block(self, index: int, token: Token, wish: bool | None) -> int:
        end = self._extents.ends[index]
        if token.name in UNTOUCHED:
            return end
        if wish is not None:
            self._modes.append((end, wish))
        if wish is False:
            return index + 1
        if token.name == "html":
            self._root(token)
        else:
            self.parts += readable_or_language(self._text, token, xml=self._xml)
        return index + 1

    def _end_of_untouched(self, index: int) -> int:
        """Where an element in a line ends; one that is not closed goes no further than its paragraph."""
        end = self._extents.ends[index]
        if index not in self._extents.partners:
            for following in range(index + 1, end):
                token = self._tokens[following]
                if token.kind in ("start", "end") and token.name in BLOCKS:
                    return following
        return end

    def _follows_br(self) -> bool:
        for index in reversed(self._run):
            token = self._tokens[index]
            if token.kind == "start" and token.name == "br":
                return True
            if token.kind != "text" or self._text[token.start : token.end].strip():
                return False
        return False

    def _root(self, token: Token) -> None:
        declared = token.attribute("lang") or token.attribute("xml:lang")
        if declared:
            self.language = self._text[declared.start : declared.end].strip()
        self.parts.append(RootTag(token))

    def _flush(self, boundary: int) -> None:
        """End the present run before a token."""
        run, self._run = self._run, []
        ends, self._ends = self._ends, {}
        if not run:
            return
        tags = [self._tokens[index] for index in run if index not in ends and self._tokens[index].kind == "start"]
        beside = [each for tag in tags for each in readable_or_language(self._text, tag, xml=self._xml)]
        before = self._tokens[self._boundary] if self._boundary >= 0 else None
        unit = self._unit(run, ends, before.name if before and before.kind == "start" else "")
        if unit is None:
            self.parts += beside
            return
        start, end = unit.span.start, unit.span.end
        inside = [each for each in beside if start <= each.span.start < end]
        block = self._whole_block(boundary)
        self.parts += [each for each in beside if each.span.start < start]
        self.parts.append(
            replace(
                unit,
                attributes=tuple(each for each in inside if isinstance(each, AttributeText)),
                languages=tuple(each for each in inside if isinstance(each, LanguageMark)),
                block=block,
            )
        )
        self.parts += [each for each in beside if each.span.start >= end]
        if block:
            self.parts.append(BlockEnd(block.end))

    def _unit(self, run: list[int], ends: dict[int, int], container: str) -> Run | None:
        if not any(self._tokens[index].kind == "text" for index in run):
            return None
        kernel = core(list(self._pieces(run, ends)), self._text)
        if kernel is None:
            return None
        reader = TextReader(xml=self._xml, breaks=container == "textarea")
        codes, once = read_text(self._text, kernel.pieces, reader)
        source = reader.build()
        if not any(character.isalpha() and not is_code(character) for character in source.text):
            return None
        span = Span(kernel.pieces[0].start, kernel.pieces[-1].end)
        return Run(span, source, reader.manner, codes, once, kernel.wrapping, (), (), container)

    def _pieces(self, run: list[int], ends: dict[int, int]) -> Iterator[Piece]:
        present = set(run) - set(ends)
        for index in run:
            token = self._tokens[index]
            if token.kind == "text":
                yield Piece("text", token.start, token.end)
            elif index in ends:
                last = self._tokens[ends[index] - 1]
                once = token.name in _ONCE
                yield Piece("alone", token.start, last.end, reads=self._read(index, ends[index]), once=once)
            elif token.kind in ("start", "end") and self._extents.partners.get(index, -1) in present:
                if token.kind == "start":
                    yield Piece("open", token.start, token.end, index)
                else:
                    yield Piece("close", token.start, token.end, self._extents.partners[index])
            elif token.name == "wbr" and token.kind == "start":
                continue  # where a word of the source may be broken
            else:
                raw = self._text[token.start : token.end]
                reads = "\n" if token.name == "br" else raw if raw.startswith(("<?=", "<%=")) else ""
                once = token.kind == "other" or token.name in _ONCE or token.name not in VOID
                yield Piece("alone", token.start, token.end, reads=reads, once=once)

    def _read(self, index: int, end: int) -> str:
        """What a reader sees of an element that is left as it is."""
        token = self._tokens[index]
        if token.name in UNTOUCHED - READABLE:
            return ""
        reader = TextReader(xml=self._xml)
        for each in self._tokens[index:end]:
            if each.kind == "text":
                reader.text(self._text[each.start : each.end])
        return reader.build().reads.strip()

    def _whole_block(self, boundary: int) -> Block | None:
        """The block that begins where the present run begins and ends where it ends."""
        start = self._boundary
        if start < 0 or self._tokens[start].kind != "start":
            return None
        partner = self._extents.partners.get(start)
        if partner == boundary:
            return Block(self._tokens[start], self._tokens[boundary].end, closed=True)
        if partner is None and self._extents.ends.get(start) == boundary:
            last = self._tokens[boundary].start if boundary < len(self._tokens) else len(self._text)
            return Block(self._tokens[start], last, closed=False)
        return None
