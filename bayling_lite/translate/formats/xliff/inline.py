"""The inline elements of XLIFF, 1.2 and 2: which pair up, which stand alone, which hold text."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from bayling_lite.translate.formats.variables import VariableMarker
from bayling_lite.translate.formats.xliff.scanner import Node, node_of, tokens
from bayling_lite.translate.formats.xml_characters import legal
from bayling_lite.translate.markup import Code, CodeKind, Marked

_AROUND_TEXT = frozenset({"g", "pc", "mrk"})
_HALVES: dict[str, CodeKind] = {
    "bpt": "open", "bx": "open", "sc": "open", "sm": "open",
    "ept": "close", "ex": "close", "ec": "close", "em": "close",
}  # fmt: skip
_LINE_BREAKS = frozenset({"lb", "x-lb", "x-br", "br", "fmt:lb", "xlf:lb"})


@dataclass(frozen=True, slots=True)
class Inline:
    """An inline element, or one of the tags of one that has text in it. ``key`` is that of its pair."""

    kind: CodeKind
    raw: str
    key: tuple[str, str] | None = None
    reads: str = ""


@dataclass(frozen=True, slots=True)
class InlineText:
    """A run of text as it reads."""

    text: str


def inlines(text: str, start: int, end: int) -> Iterator[Inline | InlineText]:
    """What is in a source or a target."""
    reader = _Reader(text)
    for token in tokens(text, start, end):
        found = reader.next(token)
        if found is not None:
            yield found


class _Reader:
    """Makes inline elements of markup, token by token."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._held: list[Node] = []  # an element that is one code, and those open in it
        self._open: list[tuple[str, str]] = []  # the keys of elements with text in them
        self._count = 0

    def next(self, token: str | re.Match[str]) -> Inline | InlineText | None:
        """What a token completes."""
        if self._held:
            return None if isinstance(token, str) or not token["name"] else self._within(token)
        if isinstance(token, str):
            return InlineText(html.unescape(token))
        if token["cdata"] is not None:
            return InlineText(token["cdata"])
        if not token["name"]:
            return Inline("alone", token[0])
        if token["close"]:
            return Inline("close", token[0], self._open.pop() if self._open else None)
        return self._opened(token)

    def _within(self, token: re.Match[str]) -> Inline | None:
        """A tag inside an element that is one code."""
        if not token["close"]:
            if not token["empty"]:
                self._held.append(node_of(token))
            return None
        node = self._held.pop()
        if self._held:
            return None
        return _one_code(
            node, self._text[node.start : token.end()], _plain(self._text[node.inner_start : token.start()])
        )

    def _opened(self, token: re.Match[str]) -> Inline | None:
        node = node_of(token)
        if token["empty"]:
            return Inline("alone", token[0]) if node.name in _AROUND_TEXT else _one_code(node, token[0], "")
        if node.name not in _AROUND_TEXT or _is_protected(node):
            self._held.append(node)
            return None
        self._count += 1
        self._open.append(("around", str(self._count)))
        return Inline("open", token[0], self._open[-1])


def _is_protected(node: Node) -> bool:
    return node.attributes.get("translate") == "no" or node.attributes.get("mtype") == "protected"


def _plain(raw: str) -> str:
    return html.unescape(re.sub(r"<[^<>]*>", "", raw))


def _one_code(node: Node, raw: str, inner: str) -> Inline:
    attributes = node.attributes
    kind = _HALVES.get(node.name, "alone")
    if kind != "alone":
        number = attributes.get("rid") or attributes.get("startRef") or attributes.get("i") or attributes.get("id", "")
        return Inline(kind, raw, (node.name[-2:] if node.name in {"sm", "em"} else "half", number))
    if attributes.get("ctype", "").casefold() in _LINE_BREAKS or attributes.get("subType", "") in _LINE_BREAKS:
        return Inline("alone", raw, reads="\n")
    if node.name == "mrk":
        return Inline("alone", raw, reads=inner)
    shown = attributes.get("equiv-text") or attributes.get("equiv") or inner
    return Inline("alone", raw, reads="" if shown.lstrip().startswith("<") else shown)


def marked(text: str, start: int, end: int, *, cdata: bool) -> Marked:
    """A stretch of a source as a model sees it. With ``cdata`` it is the inside of one section of character data.

    Raises:
        ValueError: it has more codes than a text can have.
    """
    marker = VariableMarker()
    if cdata:
        return marker.run(text[start:end]).builder.build()
    found = list(inlines(text, start, end))
    keys = Counter(item.key for item in found if isinstance(item, Inline) and item.key is not None)
    pairs = {key: marker.new_pair() for key, count in keys.items() if count == 2}
    for item in found:
        if isinstance(item, InlineText):
            marker.run(item.text, escape)
        elif item.key in pairs:
            marker.builder.code(Code(item.kind, item.raw, pairs[item.key], item.reads))
        else:
            marker.builder.code(Code("alone", item.raw, reads=item.reads))
    return marker.builder.build()


def written(target: Marked, *, cdata: bool) -> str:
    """A translation as it stands in the document."""
    pieces = []
    for piece in target.pieces:
        if isinstance(piece, Code):
            pieces.append(piece.raw)
        else:
            pieces.append(legal(piece).replace("]]>", "]] >") if cdata else escape(legal(piece)))
    return "".join(pieces)
