"""Translation memories: TMX 1.1 to 1.4b (LISA OSCAR; https://www.gala-global.org/tmx-14b).

No tree is built: the parser's events go into one unit at a time, so that memory does not grow with the file. Entities
are refused (defusedxml), as their expansion can be endless; the DOCTYPE that most memories begin with is not fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from bayling_finetune.dialogues.sources.decoding import MAX_CHARACTERS, decoded
from bayling_finetune.dialogues.sources.values import ParallelSource, Reason, Skipped, base_code
from bayling_lite.errors import InputError, UsageError

# Formatting codes of the original document: they go, and so does what they enclose.
_CODES = frozenset({"bpt", "ept", "ph", "it", "ut"})
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
# Translations of one unit in the two languages; more are left out.
_MAX_PAIRS = 16
_MAX_VARIANTS = 64
_DECLARATION = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z][\w.-]*)["']""")
# XML 1.0 has no place for these, yet real memories hold them, plain or as references.
_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]"
    r"|&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|x0*(?:[0-8bcefBCEF]|1[0-9a-fA-F]|[dD][89a-fA-F][0-9a-fA-F]{2}|[fF]{3}[efEF]));"
)
_REFERENCE_LENGTH = 12

Unit = list[tuple[str, str]]  # the language tags of a unit and their segments, without inline codes


def read_tmx(source: ParallelSource, skipped: Skipped) -> Iterator[tuple[str, str]]:
    """Every segment of the source language with every one of the target language in its unit.

    Raises:
        InputError: the file cannot be read, is no TMX, defines entities, or has no unit with both languages.
    """
    first, second = source.source.code, source.target.code
    path, found, tags = source.paths[0], False, set[str]()
    for unit in units(path, source.encoding, skipped):
        sides: dict[str, dict[str, None]] = {first: {}, second: {}}
        for tag, text in unit:
            if len(tags) < _MAX_VARIANTS:
                tags.add(tag)
            if (code := base_code(tag)) in sides:
                sides[code][text] = None
        pairs = [(left, right) for left in sides[first] for right in sides[second]][:_MAX_PAIRS]
        if not pairs:
            skipped[Reason.LANGUAGES_MISSING] += 1
        found = found or bool(pairs)
        yield from pairs
    if not found:
        there = f"its languages are {', '.join(sorted(tags))}" if tags else "it holds no segments"
        raise InputError(f"{path} has no unit with both {first} and {second}: {there}.")


def units(path: Path, encoding: str | None, skipped: Skipped) -> Iterator[Unit]:
    """The translation units of a memory; segments that are too long are left out and counted.

    Raises:
        InputError: the file cannot be read, is no TMX, or defines entities.
    """
    handler = _Handler(path, skipped)
    parser = DefusedXMLParser(target=handler, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    try:
        for block in _blocks(path, encoding):
            parser.feed(block)
            yield from handler.take()
        parser.close()
    except ParseError as error:
        raise InputError(f"{path} is not well-formed XML: {error}. Repair it or export it again.") from error
    except DefusedXmlException as error:
        raise InputError(f"{path} defines XML entities, which is refused: no memory needs them.") from error
    yield from handler.take()


def _blocks(path: Path, encoding: str | None) -> Iterator[str]:
    """The file's text without what XML forbids; a reference is never cut in two."""
    rest = ""
    for block in decoded(path, encoding, declared=_declared):
        text = rest + block
        cut = text.rfind("&", max(0, len(text) - _REFERENCE_LENGTH))
        text, rest = (text, "") if cut < 0 else (text[:cut], text[cut:])
        yield _CONTROL.sub("", text)
    yield _CONTROL.sub("", rest)


def _declared(block: bytes) -> str | None:
    """The encoding by the first bytes of an XML file without a byte order mark (XML 1.0, appendix F)."""
    if block.startswith(b"<\0"):
        return "utf-16-le"
    if block.startswith(b"\0<"):
        return "utf-16-be"
    match = _DECLARATION.match(block)
    if match is None:
        return None
    name = match[1].decode("ascii").casefold()
    if name.startswith(("utf-16", "ucs-2", "iso-10646")):  # it could be read so far: it is not
        return None
    try:
        "".encode(name)
    except LookupError as error:
        raise UsageError(
            f"The file declares the unknown encoding {name}: name the right one with --encoding."
        ) from error
    return name


class _Handler:
    """What the parser calls; gathers finished units."""

    def __init__(self, path: Path, skipped: Skipped) -> None:
        self._path, self._skipped = path, skipped
        self._units: list[Unit] = []
        self._unit: Unit = []
        self._language = ""
        self._parts: list[str] | None = None  # of the open segment
        self._length = 0
        self._codes = 0  # open elements from an inline code inwards
        self._had_codes = False
        self._root = True

    def take(self) -> list[Unit]:
        """The units finished since."""
        taken, self._units = self._units, []
        return taken

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        tag = name.rpartition("}")[2].lower()
        if self._root:
            self._root = False
            if tag != "tmx":
                raise InputError(f"{self._path} is XML, but no TMX: its first element is <{tag[:40]}>.")
        if self._parts is not None:
            if self._codes or tag in _CODES:
                self._codes, self._had_codes = self._codes + 1, True
        elif tag == "tu":
            self._unit = []
        elif tag == "tuv":
            self._language = attributes.get(_XML_LANG) or attributes.get("lang", "")
        elif tag == "seg":
            self._parts, self._length, self._codes, self._had_codes = [], 0, 0, False

    def data(self, text: str) -> None:
        if self._parts is None or self._codes:
            return
        self._length += len(text)
        if self._length <= MAX_CHARACTERS:
            self._parts.append(text)
        else:
            self._parts.clear()

    def end(self, name: str) -> None:
        if self._codes:
            self._codes -= 1
            return
        tag = name.rpartition("}")[2].lower()
        if tag == "seg" and self._parts is not None:
            if self._length > MAX_CHARACTERS:
                self._skipped[Reason.LONG_LINE] += 1
            elif len(self._unit) < _MAX_VARIANTS:
                text = "".join(self._parts)
                # Where a code stood between spaces, one space is left.
                self._unit.append((self._language, re.sub(" {2,}", " ", text) if self._had_codes else text))
            self._parts = None
        elif tag == "tu":
            self._units.append(self._unit)
            self._unit = []

    def close(self) -> None:
        """The parser's last call."""
