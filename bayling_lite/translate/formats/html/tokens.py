"""HTML cut into tokens, none of its characters lost.

The rules are those of the HTML standard (https://html.spec.whatwg.org/multipage/parsing.html#tokenization): whatever
stands in a file is cut as a browser cuts it, in time linear in its length. The standard library's ``html.parser`` is
not used, because it says nothing of where attributes stand, takes quadratic time on unclosed markup and cuts broken
markup otherwise in each of the Python versions there are.

Kinder than a browser to what is not closed: a quote or a title that never ends does not swallow the rest. What template
languages put into HTML (``<?php … ?>``, ``<% … %>``) is one token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

TokenKind = Literal["text", "raw", "start", "end", "other"]

RAW_TEXT = frozenset({"script", "style", "xmp", "iframe", "noembed", "noframes", "plaintext"})
TEXT_ONLY = frozenset({"title", "textarea"})
_FOREIGN = frozenset({"svg", "math"})

_SPACE = " \t\n\f\r"
_HTML_MARKUP = re.compile(r"<(?=[A-Za-z/!?%])")
_XML_MARKUP = re.compile(r"<(?=[^\s<>&\"'=0-9.;,+-])")
_NAME = re.compile(rf"[^{_SPACE}/>]*+")
_ATTRIBUTE = re.compile(
    rf"[{_SPACE}/]*+(?P<name>[^{_SPACE}/>][^{_SPACE}/>=]*+)"
    rf"(?:[{_SPACE}]*+=[{_SPACE}]*+(?:\"(?P<double>[^\"]*+)\"|'(?P<single>[^']*+)'|(?P<bare>[^{_SPACE}>]++)))?+"
)
_TAG_END = re.compile(rf"[{_SPACE}/]*+>")
_DOCTYPE = re.compile(r"<!DOCTYPE[^\[>]*+(?:\[[^\]]*+\][^>]*+)?+>", re.IGNORECASE)
_COMMENT_END = re.compile("--!?>")


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of a tag. ``start`` and ``end`` are of its value, between the quotes; both 0 where it has none."""

    name: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of HTML from ``start`` to ``end``: text, the contents of a script, a tag, or something else.

    ``name`` of a tag is in small letters, and in XML without the prefix of a namespace. ``empty`` tags end with ``/>``.
    """

    kind: TokenKind
    start: int
    end: int
    name: str = ""
    attributes: tuple[Attribute, ...] = ()
    empty: bool = False

    def attribute(self, *names: str) -> Attribute | None:
        """The first attribute that has one of the names and a value."""
        return next((found for found in self.attributes if found.name in names and found.quote != "none"), None)


def tokens(text: str, *, xml: bool = False) -> Iterator[Token]:
    """The tokens of a document in order; together they are the document."""
    yield from _Tokenizer(text, xml).run()


class _Tokenizer:
    def __init__(self, text: str, xml: bool) -> None:
        self._text = text
        self._xml = xml
        self._markup = _XML_MARKUP if xml else _HTML_MARKUP
        self._foreign = 0  # how deep in svg or math
        self._absent: set[str] = set()  # what has been looked for up to the end, in vain

    def run(self) -> Iterator[Token]:
        done = 0
        while done < len(self._text):
            found = self._markup.search(self._text, done)
            start = found.start() if found else len(self._text)
            if start > done:
                yield Token("text", done, start)
            if not found:
                return
            token = self._token(start)
            yield token
            done = token.end
            if token.kind == "start" and not self._xml:
                for content in self._contents(token):
                    yield content
                    done = content.end

    def _token(self, start: int) -> Token:
        following = self._text[start + 1]
        if following == "/":
            named = self._text[start + 2 : start + 3]
            if named.isalpha() or (self._xml and named in ("_", ":")):
                return self._tag("end", start, start + 2)
            return Token("other", start, self._after(">", start))
        if following == "!":
            return Token("other", start, self._declaration_end(start))
        if following == "?":
            closed = self._xml or self._text.startswith(("<?php", "<?=", "<?xml "), start)
            return Token("other", start, self._after("?>" if closed else ">", start))
        if following == "%":
            return Token("other", start, self._after("%>", start))
        return self._tag("start", start, start + 1)

    def _declaration_end(self, start: int) -> int:
        if self._text.startswith("<!--", start):
            found = _COMMENT_END.search(self._text, start + (4 if self._xml else 2))
            return found.end() if found else len(self._text)
        if self._text.startswith("<![CDATA[", start):
            return self._after("]]>", start)
        doctype = _DOCTYPE.match(self._text, start)
        return doctype.end() if doctype else self._after(">", start)

    def _after(self, closing: str, start: int) -> int:
        """Where something that begins at ``start`` ends; at the next ``>``, or the end, where it is not closed."""
        for end in dict.fromkeys((closing, ">")):
            found = -1 if end in self._absent else self._text.find(end, start)
            if found >= 0:
                return found + len(end)
            self._absent.add(end)
        return len(self._text)

    def _tag(self, kind: Literal["start", "end"], start: int, at: int) -> Token:
        name = _NAME.match(self._text, at)
        assert name is not None  # noqa: S101  # it matches nothing, too
        attributes: list[Attribute] = []
        at = name.end()
        while found := _ATTRIBUTE.match(self._text, at):
            at = found.end()
            attributes.append(self._attribute(found))
        end = _TAG_END.match(self._text, at)
        if end is None:  # a tag that the document ends in
            return Token("other", start, len(self._text))
        local = name[0].lower()
        if self._xml:
            local = local.rpartition(":")[2]
        empty = end[0].endswith("/>")
        self._count_foreign(kind, local, empty)
        return Token(kind, start, end.end(), local, tuple(attributes), empty)

    def _attribute(self, found: re.Match[str]) -> Attribute:
        name = found["name"] if self._xml else found["name"].lower()
        for group, quote in (("double", '"'), ("single", "'"), ("bare", "")):
            if found[group] is not None:
                return Attribute(name, found.start(group), found.end(group), quote)
        return Attribute(name, 0, 0, "none")

    def _count_foreign(self, kind: str, name: str, empty: bool) -> None:
        if name in _FOREIGN and not empty:
            self._foreign = max(0, self._foreign + (1 if kind == "start" else -1))

    def _contents(self, tag: Token) -> Iterator[Token]:
        """The contents of an element that has no elements in it."""
        if tag.name not in RAW_TEXT | TEXT_ONLY or (self._foreign and tag.empty):
            return
        closing = f"</{tag.name}"
        found = None
        if closing not in self._absent:
            found = re.compile(rf"{closing}(?=[{_SPACE}/>])", re.IGNORECASE).search(self._text, tag.end)
        if found is None:
            self._absent.add(closing)
        if tag.name in RAW_TEXT:
            end = found.start() if found else len(self._text)
            if end > tag.end:
                yield Token("raw", tag.end, end)
        elif found and found.start() > tag.end:
            yield Token("text", tag.end, found.start())
