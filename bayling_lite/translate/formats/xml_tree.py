"""XML parts of documents: parsed with lxml, safely, and written with all that was not changed as it stood.

A parser understands a document but does not keep how it was written: kinds of quotes, empty elements, line ends. So a
changed document is the source text with the changed elements in the place of the old ones (:meth:`XmlTree.patched`).

No entity is ever declared, expanded or fetched.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from bayling_lite.errors import InputError

Element = etree._Element

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0?\0", "utf-16-le"),
    (b"\0<\0?", "utf-16-be"),
)
# Everything with angle brackets. Atomic groups keep the time linear in the size of what is not well-formed, too.
_MARKUP = re.compile(
    r"""<!--.*?--> | <!\[CDATA\[.*?\]\]> | <\?.*?\?>
    | <!DOCTYPE (?>[^\[<>"']+|"[^"]*"|'[^']*')*+
      (?:\[ (?><!--.*?-->|<\?.*?\?>|"[^"]*"|'[^']*'|[^\]"'])*+ \]\s*)? >
    | (?P<close></[^>]*>)
    | (?P<open><(?>[^<>"']+|"[^"]*"|'[^']*')*+>)""",
    re.DOTALL | re.VERBOSE,
)


class XmlTree:
    """A parsed XML document. ``root`` is its root element; ``name`` is for messages.

    Elements are numbered in the order of the document, from 0, as :meth:`numbers` says before anything is changed.

    Raises:
        InputError: it is not well-formed, declares entities, or is nested too deeply.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        self._data = data
        self.root = _parse(data, name)
        self.encoding = _encoding(data, self.root.getroottree().docinfo.encoding or "utf-8", name)

    def numbers(self, elements: Collection[Element]) -> dict[Element, int]:
        """The numbers of some elements; ``elements`` has to be kept for as long as they are used."""
        wanted = set(elements)
        return {element: number for number, element in enumerate(self.root.iter("*")) if element in wanted}

    def patched(self, changed: Mapping[int, Sequence[Element]]) -> bytes:
        """The document with other elements, any number of them, in the place of some.

        ``changed`` has the numbers of the elements to replace. One inside another that is replaced is of no effect:
        what stands for the other has its final form.
        """
        text = self.text
        pieces: list[str] = []
        done = 0
        number = -1
        open_: list[tuple[int, bool]] = []  # where each open element begins, and whether it is to be replaced
        replacing = 0  # how many of them are
        for found in _tags(text):
            if found["open"]:
                number += 1
                replaced = not replacing and number in changed
                if replaced:
                    pieces.append(text[done : found.start()])
                    pieces += [fragment(element) for element in changed[number]]
                open_.append((number, replaced))
                replacing += replaced
            if found["close"] or found[0].endswith("/>"):
                _, replaced = open_.pop()
                if replaced:
                    done = found.end()
                    replacing -= 1
        pieces.append(text[done:])
        return self._encoded("".join(pieces))

    @property
    def text(self) -> str:
        """The source, as it stands, a byte order mark included."""
        return self._data.decode(self.encoding)

    def _encoded(self, text: str) -> bytes:
        return text.encode(self.encoding, "xmlcharrefreplace")


def stream(data: bytes, name: str, *tags: str) -> Iterator[Element]:
    """The elements of some names, as they end, of a document that is too large for a tree of it.

    What was given before is emptied by and by; an element is whole while it is the last one given.

    Raises:
        InputError: as for :class:`XmlTree`, once it comes to it.
    """
    events = etree.iterparse(BytesIO(data), tag=tags, resolve_entities=False, no_network=True)
    try:
        for number, (_, element) in enumerate(events):
            if number == 0:
                _refuse_entities(element, name)
            yield element
            element.clear()
            while element.getprevious() is not None and element.getparent() is not None:
                element.getparent().remove(element.getprevious())
    except etree.XMLSyntaxError as error:
        raise InputError(f"{name} is not well-formed XML: {error.msg}. Have it written anew.") from error
    if events.root is not None:
        _refuse_entities(events.root, name)


def fragment(element: Element) -> str:
    """An element as it is written where the namespaces of its parent are known."""
    text = _unicode(element)
    parent = element.getparent()
    known = {} if parent is None else parent.nsmap
    end = text.index(">")
    start_tag = text[:end]
    for prefix, uri in known.items():
        if element.nsmap.get(prefix) == uri:
            declaration = f' xmlns{":" + prefix if prefix else ""}="{escape(uri, {chr(34): "&quot;"})}"'
            start_tag = start_tag.replace(declaration, "", 1)
    return start_tag + text[end:]


def _unicode(element: Element) -> str:
    return etree.tostring(element, encoding="unicode", with_tail=False)


def _tags(text: str) -> Iterator[re.Match[str]]:
    return (found for found in _MARKUP.finditer(text) if found["open"] or found["close"])


def _parse(data: bytes, name: str) -> Element:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, strip_cdata=False
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise InputError(f"{name} is not well-formed XML: {error.msg}. Have it written anew.") from error
    except ValueError as error:
        raise InputError(f"{name} is not XML: {error}.") from error
    _refuse_entities(root, name)
    return root


def _refuse_entities(element: Element, name: str) -> None:
    dtd: Any = element.getroottree().docinfo.internalDTD
    if dtd is not None and dtd.entities():
        raise InputError(f"{name} declares entities, which are not read. Have it written without them.")


def _encoding(data: bytes, declared: str, name: str) -> str:
    encoding = next((codec for mark, codec in _MARKS if data.startswith(mark)), declared)
    try:
        data.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise InputError(f"{name} is not {declared} text. Have it written as UTF-8.") from error
    return encoding
