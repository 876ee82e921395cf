"""The blocks of a LaTeX document: its paragraphs, titles, captions, notes, items and cells, from the parser's nodes."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

from pylatexenc.latexwalker import (
    LatexCharsNode,
    LatexCommentNode,
    LatexEnvironmentNode,
    LatexGroupNode,
    LatexMacroNode,
    LatexMathNode,
    LatexSpecialsNode,
)

from bayling_lite.translate.formats.base import Cut
from bayling_lite.translate.formats.latex import signs as signs
from bayling_lite.translate.formats.latex import syntax as syntax
from bayling_lite.translate.formats.latex.nodes import (
    OPTIONAL,
    PARAGRAPH_BREAK,
    arguments,
    behind_arguments,
    has_blocks,
    is_edge,
    is_font,
    is_prose,
    numbered,
)
from bayling_lite.translate.formats.patching import Block, Piece
from bayling_lite.translate.sentences import is_wide

_WRAP = re.compile(r"(?<![ \t])(?:[ \t]*(?:\r\n|\r|\n)[ \t]*|[ \t]{2,}|\t)")
# What has a meaning, where the parser took it for text.
_ACTIVE = re.compile(r"\\(?:[A-Za-z@]+|.)?|[_^#{}$%&]", re.DOTALL)
_SHORTHAND = re.compile(r"\"(?:[aouAOUsS`'=~|-])")
_SHORT = 4


def find_blocks(text: str, nodes: Sequence[Any], *, german: bool = False, kind: str = "text") -> list[Block]:
    """The blocks of a stretch of a document, in order. ``german`` says that ``"a`` stands for an umlaut."""
    walk = _Walk(text, german=german, kind=kind)
    walk.flow(nodes)
    walk.flush()
    blocks: list[Block] = []
    for block in sorted(walk.blocks, key=lambda block: block.start):
        # Where braces are missing, the parser takes one for the end of several groups.
        if not blocks or block.start >= blocks[-1].end:
            blocks.append(block)
    return blocks


class _Walk:
    """Goes through nodes in order and collects pieces until a block is whole."""

    def __init__(self, text: str, *, german: bool, kind: str) -> None:
        self.blocks: list[Block] = []
        self._text = text
        self._german = german
        self._kind = kind
        self._run: list[Piece] = []
        self._pairs = 0
        self._done = 0  # everything before this place was taken

    def flow(self, nodes: Sequence[Any]) -> None:
        """Take nodes that follow each other."""
        present = [node for node in nodes if node is not None]
        groups = {node.pos: node for node in present if isinstance(node, LatexGroupNode)}
        for node in present:
            if node.pos + node.len > self._done:
                self._node(node, groups)
                self._done = max(self._done, node.pos + node.len)

    def flush(self) -> None:
        """End the block, if there is one."""
        run = numbered(self._trimmed())
        self._run = []
        if run:
            cut = Cut.WHOLE if self._kind == "title" else Cut.SENTENCES
            self.blocks.append(Block(run[0].start, run[-1].end, tuple(run), self._kind, cut))

    def _trimmed(self) -> list[Piece]:
        """The pieces without space and comments around them."""
        run, first, last = self._run, 0, len(self._run)
        while first < last and is_edge(run[first]):
            first += 1
        while last > first and is_edge(run[last - 1]):
            last -= 1
        run = self._without_gaps(run[first:last])
        if run and run[0].kind == "text" and not run[0].spelled:
            run[0] = self._prose(run[0].end - len(run[0].reads.lstrip()), run[0].end)
        if run and run[-1].kind == "text" and not run[-1].spelled:
            run[-1] = self._prose(run[-1].start, run[-1].start + len(run[-1].reads.rstrip()))
        return run

    def _without_gaps(self, run: list[Piece]) -> list[Piece]:
        """The pieces with one more for each stretch between them that the parser left out, such as a stray brace."""
        whole: list[Piece] = []
        for piece in run:
            if whole and piece.start > whole[-1].end:
                whole.append(Piece(whole[-1].end, piece.start, "alone"))
            if not whole or piece.start >= whole[-1].end:
                whole.append(piece)
        return whole

    def _prose(self, start: int, end: int) -> Piece:
        return Piece(start, end, "text", self._text[start:end])

    def _node(self, node: Any, groups: dict[int, Any]) -> None:
        start, end = node.pos, node.pos + node.len
        if isinstance(node, LatexCharsNode):
            self._chars(max(start, self._done), end)
        elif isinstance(node, LatexCommentNode):
            self._alone(start, end, name="comment")
        elif isinstance(node, LatexGroupNode):
            self._group(node)
        elif isinstance(node, LatexMathNode):
            self._alone(start, end, self._text[start:end], name="math")
        elif isinstance(node, LatexSpecialsNode):
            self._special(node)
        elif isinstance(node, LatexEnvironmentNode):
            self._environment(node)
        elif isinstance(node, LatexMacroNode):
            self._macro(node, groups)

    def _alone(self, start: int, end: int, reads: str = "", name: str = "", inner: Sequence[Block] = ()) -> None:
        self._run.append(Piece(start, end, "alone", reads, name=name, inner=tuple(inner)))

    def _spelled(self, start: int, end: int, reads: str, name: str = "") -> None:
        self._run.append(Piece(start, end, "text", reads, spelled=True, name=name))

    def _chars(self, start: int, end: int) -> None:
        done = start
        for found in PARAGRAPH_BREAK.finditer(self._text, start, end):
            self._words(done, found.start())
            self.flush()
            done = found.end()
        self._words(done, end)

    def _words(self, start: int, end: int) -> None:
        """Text without a paragraph's end."""
        text, done = self._text, start
        marks = [*_WRAP.finditer(text, start, end), *_ACTIVE.finditer(text, start, end)]
        if self._german:
            marks += _SHORTHAND.finditer(text, start, end)
        for found in sorted(marks, key=lambda found: found.start()):
            if found.start() < done:
                continue
            self._plain(done, found.start())
            done = found.end()
            if found[0][0] == '"':
                self._spelled(*found.span(), signs.shorthand(found[0][1]))
            elif _ACTIVE.fullmatch(found[0]):
                self._alone(*found.span(), found[0])
            else:
                around = text[max(start, found.start() - 1) : found.start()] + text[done : min(end, done + 1)]
                wide = len(around) == 2 and all(map(is_wide, around))
                self._spelled(*found.span(), "" if wide else " ", "wrap")
        self._plain(done, end)

    def _plain(self, start: int, end: int) -> None:
        if start < end:
            self._run.append(self._prose(start, end))

    def _special(self, node: Any) -> None:
        start, end, chars = node.pos, node.pos + node.len, node.specials_chars
        if chars == "&" and self._kind == "cell":
            self.flush()
        elif chars in signs.SPECIALS:
            self._spelled(start, end, signs.SPECIALS[chars])
        else:
            self._alone(start, end, chars)

    def _group(self, node: Any) -> None:
        start, end = node.pos, node.pos + node.len
        inside = [child for child in node.nodelist if child is not None]
        if all(isinstance(child, LatexCharsNode) for child in inside) and end - start < _SHORT:
            # Characters in braces keep from being joined with others, or from being an option.
            self._spelled(start, end, self._text[start + 1 : end - 1])
        elif not any(map(str.isalpha, self._text[start:end])):
            self._alone(start, end)
        elif has_blocks(inside):
            self.flush()
            self.flow(inside)
            self.flush()
        else:
            fonts = itertools.takewhile(is_font, inside)
            self._pair(start, max((font.pos + font.len for font in fonts), default=start + 1), inside, end - 1, end)

    def _pair(self, start: int, opened: int, inside: Sequence[Any], closing: int, end: int) -> None:
        """Markup around text of the sentence."""
        if self._text[closing:end][:1] != "}":
            self._alone(start, end)
            return
        self._pairs += 1
        number = self._pairs
        self._run.append(Piece(start, opened, "open", pair=number))
        self._done = opened
        self.flow(inside)
        self._run.append(Piece(closing, end, "close", pair=number))

    def _environment(self, node: Any) -> None:
        start, end = node.pos, node.pos + node.len
        name = node.environmentname
        if name in syntax.FORMULAS:
            self._alone(start, end, name="math")
            return
        self.flush()
        if name in syntax.OPAQUE:
            return
        kind, self._kind = self._kind, "cell" if name in syntax.TABLES else "text"
        self._arguments_of(node)
        self.flow(node.nodelist)
        self.flush()
        self._kind = kind

    def _arguments_of(self, node: Any) -> None:
        """Pass over the arguments of an environment, also of one that is not known; titles in them are blocks."""
        at = node.nodelist[0].pos if node.nodelist and node.nodelist[0] is not None else node.pos
        groups = {child.pos: child for child in node.nodelist if isinstance(child, LatexGroupNode)}
        titled = node.environmentname in syntax.TITLED
        for argument in arguments(node) if titled else []:
            self._inner_blocks(argument, "title")
        while True:
            if at in groups:
                if titled:
                    self._inner_blocks(groups[at], "title")
                at = groups[at].pos + groups[at].len
            elif found := OPTIONAL.match(self._text, at):
                at = found.end()
            else:
                break
        self._done = max(self._done, at)

    def _inner_blocks(self, node: Any, kind: str) -> None:
        if isinstance(node, LatexGroupNode):
            self.blocks += find_blocks(self._text, node.nodelist, german=self._german, kind=kind)

    def _macro(self, node: Any, groups: dict[int, Any]) -> None:
        name, start, end = node.macroname, node.pos, node.pos + node.len
        present = arguments(node)
        if name in syntax.TITLES or name in syntax.CAPTIONS:
            self.flush()
            for argument in present if name in syntax.TITLES else present[-1:]:
                self._inner_blocks(argument, "title" if name in syntax.TITLES else "caption")
        elif name == "item":
            self.flush()
            for argument in present:
                self._inner_blocks(argument, "title")
        elif name in syntax.BREAKS:
            if self._kind == "cell" and name != "newline":
                self.flush()
            else:
                self._alone(start, end, "\n", name="break")
        elif name in syntax.ENDS:
            self.flush()
            self._done = behind_arguments(self._text, end, groups)
        elif name in syntax.DEFINITIONS:
            self.flush()
            self._done = max(end, min((at + group.len for at, group in groups.items() if at >= end), default=end))
        elif name in syntax.NOTES and present:
            inner = find_blocks(self._text, present[-1].nodelist, german=self._german, kind="note")
            self._alone(start, end, name="note", inner=inner)
        elif name == "texttt" and present and not any(map(str.isspace, self._text[start:end])):
            self._alone(start, end, self._text[present[-1].pos + 1 : end - 1], "code")
        elif name in syntax.INLINE and present:
            last = present[-1]
            self._pair(start, last.pos + 1, last.nodelist, last.pos + last.len - 1, end)
        else:
            self._sign(node, groups)

    def _sign(self, node: Any, groups: dict[int, Any]) -> None:
        """A macro that stands for a character, or one that is not known."""
        name, start, end = node.macroname, node.pos, node.pos + node.len
        if name in signs.ACCENTS:
            reads = signs.accented(name, self._text[start + 1 + len(name) : end])
            if reads:
                self._spelled(start, end, reads)
                return
        elif name in signs.SIGNS:
            end = end + 2 if self._text.startswith("{}", end) and name.isalpha() else end
            self._spelled(start, end, signs.SIGNS[name])
            self._done = end
            return
        behind = behind_arguments(self._text, end, groups)
        group = groups.get(end)
        inside = self._text[end + 1 : behind - 1]
        if group is not None and group.pos + group.len == behind and is_prose(inside):
            self._pair(start, end + 1, group.nodelist, behind - 1, behind)
        else:
            self._alone(start, behind, signs.NAMES.get(name, ""), "layout" if name in syntax.LAYOUT else "")
        self._done = behind
