"""Codes put back into a translation that was made without them.

The text goes to the model without its codes; of those that a reader sees as words (variables, pieces of code) the words
go with it. In the answer each finds its place again, from the outside to the inside:

- words that stand for a code are looked for as they are;
- what stood between two codes of a pair is looked for by its own translation, asked for alone, else as it is, else
  about where it stood;
- a code that stands for nothing goes about where it stood: to a word's end or beginning, beside the same punctuation.

Pairs come out nested as they were, and every code is there exactly once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bayling_lite.translate.asking.placing import Anchors, Span, Taken, Target
from bayling_lite.translate.markup import Marked, is_code

_SPACES = re.compile(r"\s+")


@dataclass(eq=False, slots=True)
class _Node:
    """A code or a pair of them, with what stands in it. ``start`` and ``end`` are places in the plain text.

    ``left`` and ``right`` say whether there is a space beside it in the source. ``span`` is its place in the answer.
    """

    opening: str
    start: int
    index: int
    closing: str = ""
    end: int = 0
    left: bool = False
    right: bool = False
    words: str = ""
    breaks: bool = False  # whether it reads as white space and has none beside it
    kind: str = "alone"
    children: list[_Node] = field(default_factory=list)
    span: Span = (0, 0)

    @property
    def empty(self) -> bool:
        return self.start == self.end


def plainly(source: Marked) -> str:
    """A text without its codes, as the model is asked for it: on one line, with the words that codes stand for."""
    return _read(source)[0]


def inner_texts(source: Marked) -> tuple[str, ...]:
    """What stands between pairs of codes, where there are letters in it: to be translated alone, each once."""
    plain, root = _read(source)
    texts = [plain[node.start : node.end].strip() for node in _below(root) if node.closing]
    return tuple(dict.fromkeys(text for text in texts if text != plain and any(map(str.isalpha, text))))


def projected(source: Marked, answer: str, inner: Mapping[str, str]) -> Marked:
    """The answer with the codes of the source.

    Args:
        source: the text with its codes.
        answer: a translation of :func:`plainly` of it.
        inner: translations of some of its :func:`inner_texts`.
    """
    plain, root = _read(source)
    target = Target(answer, plain)
    root.span = (0, len(answer))
    waiting = [root]
    while waiting:
        parent = waiting.pop()
        _place_children(parent, plain, target, inner)
        waiting += [child for child in parent.children if child.children]
    return source.replaced(_written(root, target))


def tidied(source: Marked, target: Marked) -> Marked:
    """A translation without spaces inside a pair of codes where the source has none there."""
    text = target.text
    for character in source.used:
        kind, at = source.code(character).kind, source.text.index(character)
        if kind == "open" and not source.text[at + 1 : at + 2].isspace():
            before, _, after = text.partition(character)
            text = before + character + after.lstrip(" ")
        elif kind == "close" and not source.text[at - 1 : at].isspace():
            before, _, after = text.partition(character)
            text = before.rstrip(" ") + character + after
    return target.replaced(text)


def _read(source: Marked) -> tuple[str, _Node]:
    """The plain text, and the codes as a tree under a node for the whole."""
    matching = _Matching(source)
    root = _Node("", 0, -1, kind="root")
    open_ = [root]
    plain: list[str] = []
    length = 0

    def add(text: str) -> None:
        nonlocal length
        text = _SPACES.sub(" ", text)
        if text.startswith(" ") and (not plain or plain[-1].endswith(" ")):
            text = text[1:]
        if text:
            plain.append(text)
            length += len(text)

    for index, (at, character) in enumerate((at, one) for at, one in enumerate(source.text) if is_code(one)):
        add(source.text[matching.after_last(at) : at])
        code = source.code(character)
        if at in matching.closes:
            node = open_.pop()
            node.closing, node.end = character, length
            node.right = source.text[at + 1 : at + 2].isspace()
            continue
        node = _Node(character, length, index, kind=code.kind, left=source.text[at - 1 : at].isspace() and at > 0)
        node.right = source.text[at + 1 : at + 2].isspace()
        open_[-1].children.append(node)
        if at in matching.opens:
            open_.append(node)
        else:
            node.words = code.reads.strip()
            node.breaks = bool(code.reads) and not (node.words or node.left or node.right)
            add(code.reads)
            node.end = length
            node.start = node.end - len(_SPACES.sub(" ", node.words)) if node.words else node.end
    add(source.text[matching.after_last(len(source.text)) :])
    text = "".join(plain)
    root.end = len(text)
    return text, root


class _Matching:
    """Which codes of a text open and close a whole pair that crosses no other; where the text between them begins."""

    def __init__(self, source: Marked) -> None:
        self.opens: set[int] = set()
        self.closes: set[int] = set()
        self._after = {0: 0}
        places = [at for at, character in enumerate(source.text) if is_code(character)]
        waiting: list[tuple[int, int]] = []  # pair, place
        open_: set[int] = set()
        ends = {code.pair: at for at in places if (code := source.code(source.text[at])).kind == "close"}
        last = 0
        for at in places:
            self._after[at] = last
            last = at + 1
            code = source.code(source.text[at])
            if code.kind == "open" and ends.get(code.pair, -1) > at:
                waiting.append((code.pair, at))
                open_.add(code.pair)
            elif code.kind == "close" and code.pair in open_:
                # What was opened since and is still open crosses this pair: its codes stand alone.
                while code.pair in open_:
                    pair, opened = waiting.pop()
                    open_.remove(pair)
                self.opens.add(opened)
                self.closes.add(at)
        self._after[len(source.text)] = last

    def after_last(self, at: int) -> int:
        """Where the text before a code, or before the end, begins."""
        return self._after[at]


def _below(root: _Node) -> list[_Node]:
    nodes, waiting = [], list(reversed(root.children))
    while waiting:
        node = waiting.pop()
        nodes.append(node)
        waiting += reversed(node.children)
    return nodes


def _place_children(parent: _Node, plain: str, target: Target, inner: Mapping[str, str]) -> None:
    """Give the codes directly in a pair their places within the pair's own: the certain ones first."""
    taken = Taken(len(target.text))
    whole = (parent.start, parent.end)
    rest = []
    for node in parent.children:
        text = node.words or plain[node.start : node.end].strip()
        found = target.find((node.start, node.end), _wanted(node, text, inner), whole, parent.span, taken)
        if found is None:
            rest.append(node)
        else:
            node.span = found
            taken.add(found)
    missing = set(map(id, rest))
    anchors = Anchors([((node.start, node.end), node.span) for node in parent.children if id(node) not in missing])
    for node in rest:
        if node.closing and not node.empty:
            node.span = target.about((node.start, node.end), whole, parent.span, taken, anchors)
            taken.add(node.span)
        else:
            at = target.beside(node.start, whole, parent.span, taken, anchors, side=_side(node))
            node.span = (at, at)


def _wanted(node: _Node, text: str, inner: Mapping[str, str]) -> tuple[str, ...]:
    """The words by which a code or a pair is found in the answer, the surest first."""
    if node.words:
        return (text,)
    if not node.closing or not text:
        return ()
    return (inner[text], text) if text in inner else (text,)


def _side(node: _Node) -> str:
    """Which end of a space between words a code clings to: the word before it, the word after it, or neither."""
    if node.kind == "close" or (node.right and not node.left):
        return "left"
    if node.kind == "open" or (node.left and not node.right):
        return "right"
    return "between"


def _written(root: _Node, target: Target) -> str:
    """The answer with the codes at their places."""
    text = target.text
    pieces: list[str] = []
    done = 0
    # Nodes to write, and closing codes with the place where they stand; the next one last.
    waiting: list[_Node | tuple[str, int]] = list(reversed(_in_order(root)))
    while waiting:
        item = waiting.pop()
        start = item[1] if isinstance(item, tuple) else item.span[0]
        if start > done:
            pieces.append(text[done:start])
            done = start
        if isinstance(item, tuple):
            pieces.append(item[0])
            continue
        separate = item.kind == "alone" and not item.closing and item.span[0] == item.span[1]
        spaced = separate and item.left and item.right and target.spaced_at(done)
        before = " " if spaced and pieces and not text[:done].endswith(" ") else ""
        after = " " if spaced and not before and done < len(text) else ""
        if separate and item.words and not spaced and target.spaced_at(done):
            # Words of its own that the answer lacks: they do not join those beside them.
            beside = text[max(0, done - 1) : done], text[done : done + 1]
            before, after = (" " if one.isalnum() else "" for one in beside)
        pieces.append(before + item.opening + after)
        if item.words:
            done = max(done, item.span[1])
        if item.breaks:
            pieces[-2:-1] = [piece.rstrip() for piece in pieces[-2:-1]]
            done += len(text[done:]) - len(text[done:].lstrip())
        if item.closing:
            waiting.append((item.closing, max(done, item.span[1])))
        waiting += reversed(_in_order(item))
    return "".join([*pieces, text[done:]])


def _in_order(node: _Node) -> list[_Node]:
    return sorted(node.children, key=lambda child: (child.span[0], child.index))
