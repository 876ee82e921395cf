"""Where the parts of an XLIFF document stand: its files and units, element by element, by place.

The document has been parsed before, so what is read here is well-formed.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_MARKUP = re.compile(
    r"""<!--.*?-->|<\?.*?\?>|<!\[CDATA\[(?P<cdata>.*?)\]\]>
    | <!DOCTYPE (?>[^\[<>"']+|"[^"]*"|'[^']*')*+
      (?:\[ (?><!--.*?-->|<\?.*?\?>|"[^"]*"|'[^']*'|[^\]"'])*+ \]\s*)? >
    | <(?P<close>/)?(?P<name>[^\s<>/]+)(?P<attributes>(?>[^<>"'/]+|"[^"]*"|'[^']*'|/(?!>))*+)(?P<empty>/)?>""",
    re.DOTALL | re.VERBOSE,
)
_ATTRIBUTE = re.compile(r"""([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_UNITS = frozenset({"trans-unit", "unit"})


@dataclass(slots=True)
class Node:
    """An element, from ``start`` to ``end``, what is in it from ``inner_start`` to ``inner_end``.

    ``name`` has no prefix; ``attributes`` have none but ``xml:``.
    """

    name: str
    qualified: str
    attributes: dict[str, str]
    start: int
    inner_start: int
    inner_end: int = 0
    end: int = 0
    children: list[Node] = field(default_factory=list)

    def all(self, name: str) -> list[Node]:
        """Its children of a name."""
        return [child for child in self.children if child.name == name]

    def first(self, name: str) -> Node | None:
        """Its first child of a name."""
        return next((child for child in self.children if child.name == name), None)

    @property
    def is_empty_tag(self) -> bool:
        """Whether it is written as one tag, ``<target/>``."""
        return self.inner_start == self.end


@dataclass(frozen=True, slots=True)
class Found:
    """A unit with the file it is in. ``translatable`` is what the elements around it say, and it itself."""

    unit: Node
    file: Node
    root: Node
    translatable: bool


def tokens(text: str, start: int, end: int) -> Iterator[str | re.Match[str]]:
    """The runs of text, as they stand, and the markup of a stretch of a document."""
    done = start
    for found in _MARKUP.finditer(text, start, end):
        if found.start() > done:
            yield text[done : found.start()]
        yield found
        done = found.end()
    if done < end:
        yield text[done:end]


def node_of(found: re.Match[str]) -> Node:
    """The element that a tag opens."""
    attributes = {
        name if name.startswith("xml:") else name.rpartition(":")[2]: html.unescape(double or single)
        for name, double, single in _ATTRIBUTE.findall(found["attributes"])
        if not name.startswith("xmlns")
    }
    qualified = found["name"]
    return Node(qualified.rpartition(":")[2], qualified, attributes, found.start(), found.end())


def units(text: str) -> Iterator[Found]:
    """The units of a document in order."""
    open_: list[Node] = []
    allowed = [True]
    inside = 0  # how many of the open elements are within a unit, it included
    for found in _MARKUP.finditer(text):
        if not found["name"]:
            continue
        if not found["close"]:
            node = node_of(found)
            if inside:
                open_[-1].children.append(node)
            starts = not inside and node.name in _UNITS
            inside += bool(inside) or starts
            open_.append(node)
            says = node.attributes.get("translate")
            allowed.append(allowed[-1] if says is None or inside > 1 else says != "no")
            if not found["empty"]:
                continue
        node = open_.pop()
        translatable = allowed.pop()
        node.inner_end = node.inner_start if found["empty"] else found.start()
        node.end = found.end()
        if inside:
            inside -= 1
            if not inside:
                file = next((above for above in reversed(open_) if above.name == "file"), None)
                if file is not None:
                    yield Found(node, file, open_[0], translatable)
