"""Text into Markdown that reads as that text: what would turn into markup is escaped, and nothing else.

Whether something is markup is asked of the parser: what was written is parsed, and where it finds more than was meant,
that is escaped; where it finds less, since emphasis has to stand next to a word, it gets a space.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bayling_lite.translate.formats.markdown.blocks import parser
from bayling_lite.translate.formats.markdown.inline import ENTITY, inline_pieces
from bayling_lite.translate.formats.patching import Block, CodeText, Piece, Spelling

_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_SPECIAL = frozenset("\\`*_[]<>~^$&{}!")
_EMPHASIS = frozenset(("em", "strong", "s"))
_MOST_TRIES = 8
_BREAKABLE = (" ", "\n")  # space between words; two of them would be a line break, or end the paragraph
_LONGEST_ENTITY = 40
_LINE_START = re.compile(r"(\r\n?|\n)[ \t>]*")
_BEGINS_BLOCK = re.compile(r"[-+*#>=~:|`_<!?\d]")
_SPACES = re.compile(r"[ \t\r\n]{2,}|[\t\r\n]")  # to a reader, one space


@dataclass(slots=True)
class _Cell:
    """A character of text or several that mean nothing, or a code, as it is to be written."""

    text: str  # as the parser sees it
    out: str  # as it stands in the document
    piece: Piece | None = None

    def escape(self) -> bool:
        """Whether it can be escaped and was not."""
        if self.piece is not None or self.text not in _PUNCTUATION:
            return False
        self.text = self.out = f"\\{self.text}"
        return True


def rendered_title(text: str, block: Block, parts: Sequence[str | Piece], code_text: CodeText) -> str:
    """The title of a link, for between its quotes."""
    target = "".join(part if isinstance(part, str) else code_text(part) for part in parts)
    quote = text[block.start - 1 : block.start]
    closing = {"(": "()"}.get(quote, quote)
    spelling = Spelling(text, block, target)
    written = [spelling.of(char) or char for char in _SPACES.sub(" ", target)]
    # Code and tags may begin in a title and end behind the link.
    binding = {"`", "<"}.difference(text[block.start : block.end])
    for at, char in enumerate(written):
        following = written[at + 1][:1] if at + 1 < len(written) else quote
        if char in closing or char in binding or (char == "\\" and following in _PUNCTUATION):
            written[at] = f"\\{char}"
        elif char == "&" and ENTITY.match("".join(written[at : at + _LONGEST_ENTITY])):
            written[at] = "\\&"
    return "".join(written)


def rendered_inline(
    text: str, block: Block, parts: Sequence[str | Piece], code_text: CodeText, env: dict[str, Any]
) -> str:
    """The content of a paragraph, heading, cell or label."""
    cells = _apart(_cells(text, block, parts, code_text))
    for attempt in range(_MOST_TRIES):
        if not (_mend_inlines(cells, env, all_=attempt == _MOST_TRIES - 2) or _mend_block(cells, block.kind)):
            break
    out = "".join(cell.out for cell in cells)
    # Behind a backslash, the border of a cell would not be one.
    return f"{out} " if block.kind == "cell" and out.endswith("\\") else out


def _cells(text: str, block: Block, parts: Sequence[str | Piece], code_text: CodeText) -> list[_Cell]:
    target = "".join(part for part in parts if isinstance(part, str))
    spelling = Spelling(text, block, target)
    # What the block as a whole may not hold.
    always = {"cell": "|\\", "alt": "[]\\`<", "note": "[]\\`<"}.get(block.kind, "")
    cells: list[_Cell] = []
    labels = _Labels(text)
    # A cell for each character that may have to be escaped or is spelled in its own way, and for the space at an end.
    single = f"[{re.escape(''.join(sorted(_PUNCTUATION)) + spelling.chars)}]"
    alone = re.compile(rf"{single}|\A\s+|(?<!\s)\s+\Z|(?:(?!{single}|(?<!\s)\s+\Z).)+", re.DOTALL)
    for part in parts:
        if isinstance(part, str):
            for run in alone.findall(_SPACES.sub(" ", part)):
                way = spelling.of(run) or run
                way = f"\\{run}" if way == run and run in always else way
                cells.append(_Cell(_LINE_START.sub("\n", way), way))
        else:
            out = labels.code(part, code_text(part), len(cells), cells)
            cells.append(_Cell(_LINE_START.sub("\n", out), out, part))
    for wrap, behind in itertools.pairwise(cells):
        # A mark or number at the beginning of a line could begin another block.
        if wrap.text == "\n" and not (wrap.piece or behind.piece) and _BEGINS_BLOCK.match(behind.text):
            wrap.text = wrap.out = " "
    return cells


class _Labels:
    """Links whose text is also the name of their definition: when it changes, they have to say the name."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._open: dict[int, tuple[Piece, int]] = {}

    def code(self, piece: Piece, out: str, at: int, cells: list[_Cell]) -> str:
        if piece.name != "link" or not piece.pair:
            return out
        if piece.kind == "open":
            self._open[piece.pair] = piece, at
        elif out in ("]", "][]") and piece.pair in self._open:
            opening, first = self._open[piece.pair]
            label = self._text[opening.end : piece.start]
            now = "".join(cell.out for cell in cells[first + 1 : at])
            return out if _name(now) == _name(label) else f"][{label}]"
        return out


def _name(label: str) -> str:
    """What counts of the name of a link definition."""
    return " ".join(label.split()).casefold()


def _apart(cells: list[_Cell]) -> list[_Cell]:
    """The same without space just within emphasis, or beside other space, and without emphasis of nothing."""
    done: list[_Cell] = []
    for cell in cells:
        at = len(done)
        if _is_space(cell):
            while at and _is(done[at - 1], "open"):
                at -= 1
            if at and cell.text in _BREAKABLE and (_is_break(done[at - 1]) or done[at - 1].text in _BREAKABLE):
                continue
        elif _is_break(cell):
            while at and done[at - 1].text in _BREAKABLE:
                at -= 1
            del done[at:]
        elif _is(cell, "close"):
            while at and _is_space(done[at - 1]):
                at -= 1
            if at and _is(done[at - 1], "open"):
                del done[at - 1]
                continue
        done.insert(at, cell)
    return done


def _is_space(cell: _Cell) -> bool:
    return cell.piece is None and cell.text.isspace()


def _is_break(cell: _Cell) -> bool:
    return cell.piece is not None and cell.piece.name == "break"


def _is(cell: _Cell, kind: str) -> bool:
    return cell.piece is not None and cell.piece.kind == kind and cell.piece.name in _EMPHASIS


def _mend_inlines(cells: list[_Cell], env: dict[str, Any], *, all_: bool) -> bool:
    """Escape what is taken for markup, and make room for what is not; whether there was anything."""
    if all_:
        return sum(cell.escape() for cell in cells if cell.text in _SPECIAL) > 0
    starts, at = {}, 0
    meant: dict[tuple[int, int], _Cell] = {}
    for position, cell in enumerate(cells):
        starts[at] = position
        if cell.piece is not None or len(cell.text) > 1:
            meant[at, at + len(cell.text)] = cell
        at += len(cell.text)
    found = inline_pieces(parser(), "".join(cell.text for cell in cells), env)
    marks = [piece for piece in found if (piece.kind != "text" or piece.spelled) and piece.name not in ("url", "wrap")]
    there = {(piece.start, piece.end): piece for piece in marks}
    changed = False
    for piece in marks:
        if (piece.start, piece.end) not in meant and piece.start in starts:
            changed |= cells[starts[piece.start]].escape()
    lost = [cell for span, cell in meant.items() if cell.piece and not _is_found(cell.piece, there.get(span))]
    return changed or _escape_brackets(cells, lost) or _escape_beside(cells, lost) or _make_room(cells, lost)


def _is_found(meant: Piece, found: Piece | None) -> bool:
    """Whether a code was recognised; a delimiter of emphasis may be taken for another."""
    if found is None or meant.name not in _EMPHASIS:
        return found is not None
    return (found.kind, found.name) == (meant.kind, meant.name)


def _escape_brackets(cells: list[_Cell], lost: list[_Cell]) -> bool:
    """Escape the brackets in the texts of links that are not recognised."""
    pairs = {cell.piece.pair for cell in lost if cell.piece is not None and cell.piece.name == "link"}
    inside: set[int] = set()
    changed = False
    for cell in cells:
        if cell.piece is not None and cell.piece.pair in pairs:
            inside ^= {cell.piece.pair}
        elif inside and cell.text in ("[", "]"):
            changed |= cell.escape()
    return changed


def _escape_beside(cells: list[_Cell], lost: list[_Cell]) -> bool:
    """Escape the characters of text that make one delimiter with a code which is not recognised, or hide it."""
    pairs = {cell.piece.pair for cell in lost if cell.piece is not None}
    changed = False
    for left, right in itertools.pairwise(cells):
        code = left.piece or right.piece
        if code is not None and code.pair in pairs and left.text[-1:] in (right.text[:1], "\\"):
            changed |= left.escape() | right.escape()
    return changed


def _make_room(cells: list[_Cell], lost: list[_Cell]) -> bool:
    """Help emphasis that is not recognised: by the other delimiter, else by a space around it."""
    pairs = {cell.piece.pair for cell in lost if cell.piece is not None and cell.piece.name in _EMPHASIS}
    codes = [cell for cell in cells if cell.piece is not None and cell.piece.pair in pairs]
    if any("_" in cell.text for cell in codes):
        for cell in codes:
            cell.text = cell.out = cell.out.replace("_", "*")
        return True
    places = {place for kind in ("open", "close") for place in _without_room(cells, pairs, kind)}
    cells[:] = [new for at, cell in enumerate(cells) for new in ([_Cell(" ", " ")] * (at in places) + [cell])]
    return bool(places)


def _without_room(cells: list[_Cell], pairs: set[int], kind: str) -> Iterator[int]:
    """Where delimiters of these pairs have no space outside of them; several of a kind have it together."""
    outside: int | None = None
    for at in range(len(cells)) if kind == "open" else reversed(range(len(cells))):
        piece = cells[at].piece
        if piece is None or not _is(cells[at], kind):
            outside = at
        elif piece.pair in pairs and outside is not None:
            beside = cells[outside].text[-1:] if kind == "open" else cells[outside].text[:1]
            if not beside.isspace():
                yield outside + 1 if kind == "open" else outside


def _mend_block(cells: list[_Cell], kind: str) -> bool:
    """Escape what makes another block of the content; whether there was anything."""
    text = "".join(cell.text for cell in cells)
    if kind in ("cell", "label", "alt", "note") or _is_block(text, kind):
        return False
    if kind == "heading":
        return bool(cells) and cells[-1].escape()
    first = True
    changed = False
    for cell in cells:
        if kind == "underlined" and cell.text == "|":  # with one, also escaped, it is the head of a table
            cell.text = cell.out = "&#124;"
            changed = True
    for position, cell in enumerate(cells):
        if first:
            changed |= _escape_start(cells, position)
            if changed:
                return True
        first = cell.text.endswith("\n")
    return changed


def _is_block(text: str, kind: str) -> bool:
    frame = {"heading": "# {}", "underlined": "{}\n---"}.get(kind, "{}")
    tokens = parser().parse(frame.format(text) if kind in ("heading", "underlined") else text, {})
    type_ = "heading_open" if kind in ("heading", "underlined") else "paragraph_open"
    if kind == "item" and re.match(r"\[[ xX]\]\s", text):
        return False
    return len(tokens) == 3 and tokens[0].type == type_ and _lines(tokens[1].content) == _lines(text)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n")]


def _escape_start(cells: list[_Cell], position: int) -> bool:
    """Escape what begins a line: a mark, or the full stop after a number."""
    while position < len(cells) and cells[position].text.isdigit():
        position += 1
    return position < len(cells) and cells[position].escape()
