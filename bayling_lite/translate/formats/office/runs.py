"""Paragraphs of runs: text whose pieces have properties (bold, a font, a link), as office documents have it.

A format takes a paragraph apart into items; here they become a text with codes, and a translation becomes elements
again. The properties that most of a paragraph has are no code: only what departs from them is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from bayling_lite.translate.formats.xml_characters import legal
from bayling_lite.translate.formats.xml_tree import Element
from bayling_lite.translate.markup import FIRST_CODE, LAST_CODE, Code, CodeKind, Marked, MarkedBuilder

_LINE_BREAKS = re.compile(r"[ \t]*[\r\n\v\f]+[ \t]*")
_CODE = re.compile(f"([{chr(FIRST_CODE)}-{chr(LAST_CODE)}])")


@dataclass(frozen=True, slots=True)
class Run:
    """The properties of a piece of text. Those with the same ``key`` look the same.

    ``made_of`` is what the format makes such a piece of anew. ``shows`` says that a space shows them, too: it is
    underlined, say.
    """

    key: Hashable
    made_of: Any = None
    shows: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text with the same properties."""

    text: str
    run: Run


@dataclass(frozen=True, slots=True, eq=False)
class Alone:
    """Something that is not text. ``make`` gives its elements, ready to be put into a paragraph.

    ``written`` is for what is text in the document but not in a sentence: a line break. ``once`` says that a document
    can have only one of it: a bookmark, a number that counts on. A copy of the paragraph has at most what it reads.
    """

    make: Callable[[], Iterable[Element]] = tuple
    reads: str = ""
    written: str = ""
    once: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Something around items: ``shell`` is the element, ``inner`` the one of its children, or itself, that has them.

    ``inner`` is emptied of its items when the group is written. A group without an element of its own, a field, has
    only what stands ``before`` its items and ``after`` them.
    """

    items: list[Item]
    shell: Element | None = None
    inner: Element | None = None
    before: Callable[[], Iterable[Element]] = tuple
    after: Callable[[], Iterable[Element]] = tuple


Item = Text | Alone | Group
WriteText = Callable[[Element, str, Run | None], None]
"""Puts text with properties at the end of an element."""


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """What a pair of codes stands for: properties, or a group with the properties that most of it has."""

    run: Run | None
    group: Group | None = None


class Paragraph:
    """A paragraph that was taken apart: ``marked`` is its text, ``base`` the properties that most of it has."""

    def __init__(self, items: list[Item]) -> None:
        self._builder = MarkedBuilder()
        self._added: list[Alone | _Pair] = []
        self._pairs = count(1)
        self.base = _dominant(items)
        try:
            self._add(items, self.base)
        except ValueError:  # more codes than a text can have: nobody wrote this to be read, so it stays as it is
            self._builder, self._added = MarkedBuilder(), []
        self.marked = self._builder.build()
        # A character of the document that looks like a code got one as well, with itself as what it stands for.
        ours = (index for index, code in enumerate(self.marked.codes) if not code.raw)
        self._slots = dict(zip(ours, self._added, strict=True))

    @property
    def has_text(self) -> bool:
        """Whether there is a letter or a digit in it."""
        return has_text(self.marked)

    def write(self, target: Marked, parent: Element, write_text: WriteText, *, copy: bool = False) -> None:
        """Put a translation at the end of ``parent``, which was emptied.

        With ``copy``, what there can be only once is left out.
        """
        writing = _Writing(parent, self.base, write_text, copy=copy)
        for piece in _CODE.split(target.text):
            index = ord(piece) - FIRST_CODE if _CODE.fullmatch(piece) else -1
            slot = self._slots.get(index)
            if slot is None:
                writing.text(target.codes[index].raw if index >= 0 else piece)
            elif isinstance(slot, Alone):
                writing.alone(slot)
            elif target.codes[index].kind == "open":
                writing.open(slot)
            else:
                writing.close(slot)
        writing.flush()
        while writing.stack:
            writing.close(writing.stack[-1][0])

    def _code(self, kind: CodeKind, slot: Alone | _Pair, pair: int = 0, reads: str = "") -> None:
        self._added.append(slot)
        self._builder.code(Code(kind, pair=pair, reads=reads))

    def _add(self, items: list[Item], base: Run | None) -> None:
        """Add items, those with other properties than ``base`` in pairs of codes."""
        current, opened, pair = base, _Pair(base), 0  # the properties of the text, and the pair that is open for them
        following = _following_runs(items)
        for item, following_run in zip(items, following, strict=True):
            wanted = _wanted(item, current, following_run) or base
            if wanted and current and wanted.key != current.key:
                if pair:
                    self._code("close", opened, pair)
                current, opened, pair = wanted, _Pair(wanted), 0
                if base and wanted.key != base.key:
                    pair = next(self._pairs)
                    self._code("open", opened, pair)
            self._add_one(item, base)
        if pair:
            self._code("close", opened, pair)

    def _add_one(self, item: Item, base: Run | None) -> None:
        if isinstance(item, Text):
            self._builder.text(_LINE_BREAKS.sub(" ", item.text))
        elif isinstance(item, Alone):
            self._code("alone", item, reads=item.reads)
        else:
            inside = _dominant(item.items) or base
            slot, pair = _Pair(inside, item), next(self._pairs)
            self._code("open", slot, pair)
            self._add(item.items, inside)
            self._code("close", slot, pair)


class _Writing:
    """A paragraph while it is written: where the next piece goes, and with which properties."""

    def __init__(self, place: Element, base: Run | None, write_text: WriteText, *, copy: bool) -> None:
        self.stack: list[tuple[_Pair, Element]] = []  # what is open, and the place around it
        self._place = place
        self._base = base
        self._write_text = write_text
        self._copy = copy
        self._text = ""

    @property
    def _run(self) -> Run | None:
        return self.stack[-1][0].run if self.stack else self._base

    def text(self, text: str) -> None:
        self._text += text

    def flush(self) -> None:
        """Write the text there is since the last code."""
        text, self._text = legal(self._text), ""
        if text:
            self._write_text(self._place, text, self._run)

    def alone(self, slot: Alone) -> None:
        self.flush()
        only_text = slot.reads.strip() if self._copy and slot.once else ""
        if slot.written or only_text:
            self._write_text(self._place, slot.written or only_text, self._run)
        elif not (self._copy and slot.once):
            append(self._place, slot.make())

    def open(self, pair: _Pair) -> None:
        self.flush()
        self.stack.append((pair, self._place))
        if pair.group is not None:
            append(self._place, pair.group.before())
            if pair.group.shell is not None and pair.group.inner is not None:
                append(self._place, (pair.group.shell,))
                self._place = pair.group.inner

    def close(self, pair: _Pair) -> None:
        """Close a pair; properties that were opened in it and go on are opened anew after it."""
        self.flush()
        if not any(open_ == pair for open_, _ in self.stack):
            return
        crossed: list[_Pair] = []
        while True:
            closed, self._place = self.stack.pop()
            if closed.group is not None:
                append(self._place, closed.group.after())
            if closed == pair:
                break
            if closed.group is None:
                crossed.append(closed)
        for again in reversed(crossed):
            self.open(again)


def append(parent: Element, elements: Iterable[Element]) -> None:
    """Put elements at the end of another, without what stood behind them."""
    for element in elements:
        element.tail = None
        parent.append(element)


def has_text(marked: Marked) -> bool:
    """Whether there is a letter or a digit in a text."""
    return any(character.isalnum() for character in marked.bare)


def _dominant(items: list[Item]) -> Run | None:
    """The properties of most of the text that is in no group, the first of equals."""
    runs = {item.run.key: item.run for item in reversed(items) if isinstance(item, Text)}
    sizes: Counter[Hashable] = Counter()
    for item in items:
        if isinstance(item, Text):
            sizes[item.run.key] += len(item.text.strip())
    return runs[max(sizes, key=sizes.__getitem__)] if sizes else None


def _wanted(item: Item, current: Run | None, following: Run | None) -> Run | None:
    """The properties that an item stands in: its own, or those there are as long as they go on after it."""
    if isinstance(item, Text):
        return current if item.text.isspace() and not item.run.shows else item.run
    goes_on = isinstance(item, Alone) and current and following and current.key == following.key
    return current if goes_on else None


def _following_runs(items: list[Item]) -> Iterator[Run | None]:
    """For each item, the properties of the next text before the next group."""
    following: list[Run | None] = []
    run: Run | None = None
    for item in reversed(items):
        following.append(run)
        run = None if isinstance(item, Group) else item.run if isinstance(item, Text) else run
    return reversed(following)
