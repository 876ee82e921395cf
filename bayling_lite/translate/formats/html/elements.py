"""The elements of HTML: which stand in a line, which end a paragraph, and how far each reaches in a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bayling_lite.translate.formats.html.tokens import Token


def names(text: str) -> frozenset[str]:
    """The names in a text."""
    return frozenset(text.split())


VOID = names(
    "area base basefont bgsound br col command embed frame hr img input keygen link meta param source track wbr"
)
BLOCKS = names("""
    address article aside audio base blockquote body button caption center col colgroup datalist dd details dialog dir
    div dl dt fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html iframe
    label legend li link listing main menu meta nav noframes noscript ol optgroup option p param plaintext pre search
    section select source summary table tbody td textarea tfoot th thead title tr track ul video xmp
    """)
"""What a sentence does not go across."""
UNTOUCHED = names("""
    code kbd samp var tt svg math script style template pre listing xmp plaintext iframe noembed noframes object applet
    canvas rt rp rtc
    """)
"""What is left as it is, with all that is in it."""
READABLE = names("code kbd samp var tt")
"""What of that is read as part of a sentence."""
_KNOWN = BLOCKS | names("""
    a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd map mark nobr object output progress q rb rp
    rt ruby s samp script slot small span strike strong style sub sup template time tt u var
    """)
_ENDS_P = names("""
    address article aside blockquote center details dialog dir div dl dd dt fieldset figcaption figure footer form h1 h2
    h3 h4 h5 h6 header hgroup hr li listing main menu nav ol p plaintext pre search section summary table ul xmp
    """)
# A start tag that ends elements, which ones, and what holds them.
_ENDS = {
    "li": (frozenset({"li"}), frozenset({"ul", "ol", "menu", "dir"})),
    "dt": (frozenset({"dt", "dd"}), frozenset({"dl"})),
    "dd": (frozenset({"dt", "dd"}), frozenset({"dl"})),
    "tr": (frozenset({"tr"}), frozenset({"table"})),
    "td": (frozenset({"td", "th"}), frozenset({"tr", "table"})),
    "th": (frozenset({"td", "th"}), frozenset({"tr", "table"})),
    "tbody": (frozenset({"thead", "tbody", "tfoot"}), frozenset({"table"})),
    "thead": (frozenset({"thead", "tbody", "tfoot"}), frozenset({"table"})),
    "tfoot": (frozenset({"thead", "tbody", "tfoot"}), frozenset({"table"})),
    "option": (frozenset({"option"}), frozenset({"select", "datalist", "optgroup"})),
    "optgroup": (frozenset({"option", "optgroup"}), frozenset({"select"})),
}
_FARTHEST = 200  # how many open elements are looked through, so that time is linear whatever is open


@dataclass(frozen=True, slots=True)
class Extents:
    """How far elements reach, all by the index of a token.

    ``ends`` gives a start tag's token after its element's last one; ``partners`` a start tag's end tag and the other
    way round, where the element has one.
    """

    ends: dict[int, int]
    partners: dict[int, int]


def extents(tokens: Sequence[Token], *, xml: bool) -> Extents:
    """Find out how far the elements of a document reach, closed as they should be or not."""
    nesting = _Nesting(xml)
    for index, token in enumerate(tokens):
        if token.kind == "start":
            nesting.start(index, token)
        elif token.kind == "end":
            nesting.end(index, token.name)
    nesting.close(0, len(tokens))
    return Extents(nesting.ends, nesting.partners)


class _Nesting:
    def __init__(self, xml: bool) -> None:
        self.ends: dict[int, int] = {}
        self.partners: dict[int, int] = {}
        self._xml = xml
        self._open: list[tuple[int, str]] = []
        self._count: Counter[str] = Counter()

    def start(self, index: int, token: Token) -> None:
        """A start tag."""
        name = token.name
        if not self._xml:
            if name in _ENDS_P:
                self._end_of_p(index)
            if name in _ENDS:
                self._implied(index, *_ENDS[name])
        if (token.empty and (self._xml or name not in _KNOWN)) or (not self._xml and name in VOID):
            self.ends[index] = index + 1
        else:
            self._open.append((index, name))
            self._count[name] += 1

    def end(self, index: int, name: str) -> None:
        """An end tag; one without a start tag is none. That of something in a line does not close paragraphs."""
        if not self._count[name]:
            return
        crosses = self._xml or name in BLOCKS
        for depth in range(len(self._open) - 1, max(-1, len(self._open) - 1 - _FARTHEST), -1):
            start, opened = self._open[depth]
            if opened == name:
                self.close(depth + 1, index)
                self._open.pop()
                self._count[name] -= 1
                self.ends[start] = index + 1
                self.partners[start] = index
                self.partners[index] = start
                return
            if not crosses and opened in BLOCKS:
                return

    def close(self, depth: int, index: int) -> None:
        """Close all elements from a depth on, before a token."""
        while len(self._open) > depth:
            start, name = self._open.pop()
            self._count[name] -= 1
            self.ends[start] = index

    def _end_of_p(self, index: int) -> None:
        if self._count["p"]:
            for depth in range(len(self._open) - 1, max(-1, len(self._open) - 1 - _FARTHEST), -1):
                name = self._open[depth][1]
                if name == "p":
                    self.close(depth, index)
                if name in BLOCKS:
                    return

    def _implied(self, index: int, ended: frozenset[str], holders: frozenset[str]) -> None:
        if any(self._count[name] for name in ended):
            for depth in range(len(self._open) - 1, max(-1, len(self._open) - 1 - _FARTHEST), -1):
                name = self._open[depth][1]
                if name in ended:
                    self.close(depth, index)
                    return
                if name in holders:
                    return
