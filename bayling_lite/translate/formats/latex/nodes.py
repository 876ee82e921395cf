"""What the nodes of pylatexenc, and the pieces made of them, are to a translator."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pylatexenc.latexwalker import LatexCharsNode, LatexEnvironmentNode, LatexGroupNode, LatexMacroNode

from bayling_lite.translate.formats.latex import syntax as syntax
from bayling_lite.translate.formats.patching import Piece

PARAGRAPH_BREAK = re.compile(r"(?<![ \t])[ \t]*(?:\r\n|\r|\n)[ \t]*(?:\r\n|\r|\n)\s*")
OPTIONAL = re.compile(r"\[[^\[\]{}\n]*\]")
_COUNT = re.compile(r"\([a-z]+\)(?=\{)")
_SETTING = re.compile(r"[=\\{}]")
_WORD = re.compile(r"[^\W\d_]{2}")
_WORD_AND_SPACE = re.compile(rf"{_WORD.pattern}[,;:]? ")
_HAN = re.compile(r"[\u3400-\u9fff]{2}")


def arguments(node: Any) -> list[Any]:
    """The arguments in braces or brackets that are there."""
    arguments = (node.nodeargd.argnlist or []) if node.nodeargd else []
    return [argument for argument in arguments if isinstance(argument, LatexGroupNode)]


def behind_arguments(text: str, at: int, groups: dict[int, Any]) -> int:
    """Where the arguments end that stand right behind a macro. ``groups`` are those in braces by their places."""
    while at < len(text):
        if at in groups:
            at += groups[at].len
        elif found := OPTIONAL.match(text, at) or _COUNT.match(text, at):
            at = found.end()
        else:
            break
    return at


def has_blocks(nodes: Sequence[Any]) -> bool:
    """Whether a group holds more than a part of a sentence."""
    return any(
        (isinstance(node, LatexEnvironmentNode) and node.environmentname not in syntax.FORMULAS)
        or (isinstance(node, LatexCharsNode) and PARAGRAPH_BREAK.search(node.chars))
        or (isinstance(node, LatexMacroNode) and node.macroname in syntax.ENDS | syntax.TITLES | {"item"})
        for node in nodes
    )


def is_edge(piece: Piece) -> bool:
    """Whether a piece at the edge of a block does not belong to it: space, a comment, a label."""
    return piece.name in ("comment", "layout") or (piece.kind == "text" and not piece.reads.strip())


def numbered(run: list[Piece]) -> list[Piece]:
    """Pieces with their pairs numbered from 1; half a pair stands alone."""
    counts: dict[int, int] = {}
    for piece in run:
        if piece.pair:
            counts[piece.pair] = counts.get(piece.pair, 0) + 1
    whole = [number for number, count in counts.items() if count == 2]
    numbers = {old: new for new, old in enumerate(whole, start=1)}
    return [
        replace(piece, pair=numbers[piece.pair])
        if piece.pair in numbers
        else replace(piece, pair=0, kind="alone")
        if piece.pair
        else piece
        for piece in run
    ]


def is_font(node: Any) -> bool:
    """Whether a node is a change of the font."""
    return isinstance(node, LatexMacroNode) and node.macroname in syntax.FONTS


def is_prose(text: str) -> bool:
    """Whether the argument of a macro that is not known is a text: words, and nothing that a program would read."""
    if _SETTING.search(text):
        return False
    word = _WORD_AND_SPACE.search(text)
    return bool(_HAN.search(text) or (word and _WORD.search(text, word.end())))
