"""Reading TMX 1.1 to 1.4b (LISA OSCAR; https://www.gala-global.org/tmx-14b), as a stream.

No tree is built: memory does not grow with the file. A memory comes from anywhere, so nothing in it is obeyed: the
DOCTYPE that most begin with is not fetched, and entities, whose expansion can be endless, are refused.
"""

from __future__ import annotations

import codecs
import html
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat

from bayling_lite.errors import InputError
from bayling_lite.translate.markup import MOST_CODES, Code, CodeKind, MarkedBuilder
from bayling_lite.translate.memory.units import LONGEST_TEXT, MOST_VARIANTS, Unit, Variant

Progress = Callable[[int, int], None]
"""Called with the bytes that are read and those there are."""

_BLOCK = 1 << 18
# Without an element in so many characters it is no memory, and expat would gather them all.
_LONGEST_TOKEN = 1 << 24
_MOST_CODES = MOST_CODES // 3
_DEEPEST = 1000
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_BARE = ((b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"))
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z][\w.-]*)["']""")
# XML 1.0 has no place for these, yet real memories hold them, plain or as references.
_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|&#(?:x(?P<hex>[0-9a-fA-F]{1,8})|(?P<decimal>\d{1,8}));"
)
_LONGEST_REFERENCE = 12
_OPAQUE = frozenset({"bpt", "ept", "ph", "it", "ut"})


def read_tmx(path: Path, progress: Progress | None = None) -> Iterator[Unit]:
    """The units of a memory that have a text in two languages or more, in order.

    Inline codes become codes: ``bpt`` and ``ept`` a pair, ``hi`` a pair around its text, ``ph`` and ``ut`` one that
    stands alone, ``it`` half a pair. What they enclose is their ``raw``.

    Raises:
        InputError: the file cannot be read, is no TMX, is damaged, or defines entities.
    """
    handler = _Handler(path)
    parser = handler.parser()
    try:
        with path.open("rb") as file:
            total = os.fstat(file.fileno()).st_size
            for text in _blocks(file, path):
                handler.waiting += len(text)
                parser.Parse(text, False)
                if handler.waiting > _LONGEST_TOKEN:
                    raise InputError(f"{path} is no translation memory: it goes on without an element.")
                yield from handler.take()
                if progress is not None:
                    progress(file.tell(), total)
        parser.Parse("", True)
    except expat.ExpatError as error:
        reason = f"{expat.ErrorString(error.code)} in line {error.lineno}"
        raise InputError(f"{path} is not well-formed XML: {reason}. Repair it or export it again.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    yield from handler.take()


def _blocks(file: BinaryIO, path: Path) -> Iterator[str]:
    """The file's text without what XML forbids; a reference is never cut in two."""
    block = file.read(_BLOCK)
    encoding = _encoding(block, path)
    decoder, rest = codecs.getincrementaldecoder(encoding)(), ""
    try:
        while block:
            text = rest + decoder.decode(block)
            cut = text.rfind("&", max(0, len(text) - _LONGEST_REFERENCE))
            text, rest = (text, "") if cut < 0 else (text[:cut], text[cut:])
            yield _CONTROL.sub(_allowed, text)
            block = file.read(_BLOCK)
        yield _CONTROL.sub(_allowed, rest + decoder.decode(b"", True))
    except UnicodeError as error:
        raise InputError(f"{path} is not the {encoding} it says it is. Save or export it again as UTF-8.") from error


def _allowed(found: re.Match[str]) -> str:
    """A reference to a character that XML has; nothing in the place of anything else."""
    number = int(found["hex"], 16) if found["hex"] else int(found["decimal"] or 0)
    is_character = number in (9, 10, 13) or 0x20 <= number < 0xD800 or 0xE000 <= number < 0xFFFE
    return found[0] if is_character or 0x10000 <= number <= 0x10FFFF else ""


def _encoding(start: bytes, path: Path) -> str:
    """The encoding by the first bytes (XML 1.0, appendix F)."""
    for mark, encoding in (*_MARKS, *_BARE):
        if start.startswith(mark):
            return encoding
    found = _DECLARED.match(start)
    name = found[1].decode("ascii").casefold() if found else "utf-8"
    if name.startswith(("utf-16", "ucs-2", "iso-10646")):  # the declaration could be read, so it is not
        return "utf-8"
    try:
        if not codecs.lookup(name)._is_text_encoding:
            raise LookupError(name)
    except LookupError as error:
        raise InputError(f"{path} declares the unknown encoding {name}. Save or export it again as UTF-8.") from error
    return name


class _Segment:
    """A text being read: its pieces, and the codes that are open."""

    def __init__(self) -> None:
        self.builder = MarkedBuilder()
        self.length = 0
        self.codes = 0
        self.pairs: dict[str, int] = {}  # by the i of bpt and ept
        self.seen: dict[tuple[str, ...], int] = {}
        self.marked: list[tuple[str, int | None]] = []  # open elements around text; the pair of a hi
        self.opaque: list[tuple[str, Mapping[str, str]]] = []  # open elements from a code inwards
        self.raw: list[str] = []

    def text(self, text: str) -> None:
        self.length += len(text)
        if self.length <= LONGEST_TEXT:
            (self.raw.append if self.opaque else self.builder.text)(text)

    def code(self, kind: CodeKind, pair: int, raw: str = "") -> None:
        self.codes += 1
        if self.codes <= _MOST_CODES:
            self.builder.code(Code(kind, raw, pair))

    @property
    def usable(self) -> bool:
        return self.length <= LONGEST_TEXT and self.codes <= _MOST_CODES


class _Handler:
    """What the parser calls; gathers finished units."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._units: list[Unit] = []
        self._variants: list[Variant] = []
        self._numbers: dict[tuple[str, ...], int] = {}  # of the unit's codes, by what tells them apart
        self._language = ""
        self._segment: _Segment | None = None
        self._root = True
        self._depth = 0
        self.waiting = 0  # characters since an element began

    def parser(self) -> expat.XMLParserType:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.EntityDeclHandler = self._entity
        parser.SkippedEntityHandler = self._undefined
        return parser

    def take(self) -> list[Unit]:
        """The units finished since."""
        taken, self._units = self._units, []
        return taken

    def _entity(self, *_: object) -> None:
        raise InputError(f"{self._path} defines XML entities, which is refused: no memory needs them.")

    def _undefined(self, name: str, is_parameter: bool) -> None:
        # With a DOCTYPE that is not fetched, XML lets them pass. Those of HTML are what is meant.
        text = html.unescape(f"&{name};")
        if text == f"&{name};" and not is_parameter:
            raise InputError(f"{self._path} has the entity {text[:40]}, which is not defined. Export it again.")
        self._data(text)

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self.waiting = 0
        self._depth += 1
        if self._depth > _DEEPEST:
            raise InputError(f"{self._path} is no translation memory: its elements are nested {_DEEPEST} deep.")
        tag = name.rpartition(":")[2].lower()
        if self._root:
            self._root = False
            if tag != "tmx":
                raise InputError(f"{self._path} is XML, but no TMX: its first element is <{tag[:40]}>.")
        if self._segment is not None:
            self._start_inline(self._segment, tag, attributes)
        elif tag == "tu":
            self._variants, self._numbers = [], {}
        elif tag == "tuv":
            self._language = attributes.get("xml:lang") or attributes.get("lang", "")
        elif tag == "seg":
            self._segment = _Segment()

    def _start_inline(self, segment: _Segment, tag: str, attributes: Mapping[str, str]) -> None:
        if segment.opaque or tag in _OPAQUE:
            segment.opaque.append((tag, attributes))
        elif tag == "hi":
            number = self._number(segment, "hi", attributes.get("x") or attributes.get("type", ""))
            segment.marked.append((tag, number))
            segment.code("open", number)
        else:
            segment.marked.append((tag, None))

    def _data(self, text: str) -> None:
        if self._segment is not None:
            self._segment.text(text)

    def _end(self, name: str) -> None:
        self._depth -= 1
        tag = name.rpartition(":")[2].lower()
        segment = self._segment
        if segment is None:
            if tag == "tu" and len({variant.language for variant in self._variants}) > 1:
                self._units.append(Unit(tuple(self._variants)))
        elif segment.opaque:
            tag, attributes = segment.opaque.pop()
            if not segment.opaque:
                raw, segment.raw = "".join(segment.raw), []
                self._finish_code(segment, tag, attributes, raw)
        elif segment.marked:
            _, number = segment.marked.pop()
            if number is not None:
                segment.code("close", number)
        else:
            if segment.usable and len(self._variants) < MOST_VARIANTS and self._language:
                self._variants.append(Variant(self._language, segment.builder.build()))
            self._segment = None

    def _finish_code(self, segment: _Segment, tag: str, attributes: Mapping[str, str], raw: str) -> None:
        known, pair = attributes.get("x"), attributes.get("i", "")
        if tag == "bpt":
            number = self._number(segment, "bpt", f"x{known}" if known else f"i{pair}")
            segment.pairs[pair] = number
            segment.code("open", number, raw)
        elif tag == "ept":
            number = segment.pairs.pop(pair) if pair in segment.pairs else self._number(segment, "ept", pair)
            segment.code("close", number, raw)
        else:
            number = self._number(segment, tag, f"x{known}" if known else raw)
            half: Mapping[str, CodeKind] = {"begin": "open", "end": "close"}
            segment.code(half.get(attributes.get("pos", ""), "alone") if tag == "it" else "alone", number, raw)

    def _number(self, segment: _Segment, *identity: str) -> int:
        """The number of a code in its unit; the second of two that look alike is another one."""
        count = segment.seen[identity] = segment.seen.get(identity, 0) + 1
        number = self._numbers.setdefault((*identity, str(count)), len(self._numbers) + 1)
        if number >= _MOST_CODES:
            segment.codes = _MOST_CODES  # with the next one it cannot be used
        return number
