"""LaTeX: the text of a document; macros, formulas, code, comments and the preamble stay.

Titles, captions, footnotes, items and the cells of tables are units of their own. A paragraph that was wrapped comes
out on one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bayling_lite.translate.formats.base import FormatOptions, Source
from bayling_lite.translate.formats.decoding import Decoded, decode
from bayling_lite.translate.formats.latex.blocks import find_blocks
from bayling_lite.translate.formats.latex.syntax import parse
from bayling_lite.translate.formats.patching import Block, CodeText, PatchedDocument, Piece, Spelling, parted

_SUFFIX = ".tex"
_BEGIN = re.compile(r"^[^%\n]*?\\begin\s*\{document\}", re.MULTILINE)
_END = re.compile(r"^[^%\n]*?(?=\\end\s*\{document\})", re.MULTILINE)
_PREAMBLE = re.compile(r"^[ \t]*\\(?:documentclass|ProvidesPackage|ProvidesClass|NeedsTeXFormat)\b", re.MULTILINE)
_TITLE = re.compile(r"^[ \t]*(\\(?:sub)?title\s*(?:\[[^\]]*\]\s*)?\{)", re.MULTILINE)
_GERMAN = re.compile(r"\\(?:usepackage|documentclass|RequirePackage)\b[^%\\]{0,400}\bn?german\b")
_LABEL = re.compile(r"\\label\s*\{[^{}]*\}")
_SPACE = re.compile(r"(?<![ \t])[ \t]*[\r\n]+\s*")
_ESCAPES = {
    "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "%": "\\%", "&": "\\&", "#": "\\#", "_": "\\_", "$": "\\$",
    "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "\u00a0": "~", "\u202f": "\\,", "\u00ad": "\\-",
}  # fmt: skip
_OPEN_MACRO = re.compile(r"\\[A-Za-z@]+\*?\Z")


class LatexDocument(PatchedDocument):
    """A LaTeX file."""

    def __init__(self, name: str, decoded: Decoded) -> None:
        super().__init__(decoded.text, decoded.form, _SUFFIX)
        # For the parser each newline is one character, at the same place.
        self._even = self.text.replace("\r\n", " \n").replace("\r", "\n")
        self._german = bool(_GERMAN.search(self._even))
        self._found = tuple(self._find(name))

    def _find(self, name: str) -> Iterator[Block]:
        text, done = self._even, 0
        begin = _BEGIN.search(text)
        preamble = begin.start() if begin else len(text) if _PREAMBLE.search(text) else 0
        for title in _TITLE.finditer(text, 0, preamble):
            node = next(iter(parse(name, text, title.start(1), preamble)), None)
            if node is not None and title.start() >= done:
                done = node.pos + node.len
                yield from self._blocks_of([node])
        if begin or not preamble:
            start = begin.end() if begin else 0
            end = _END.search(text, start) if begin else None
            yield from self._blocks_of(parse(name, text, start, end.end() if end else len(text)))

    def _blocks_of(self, nodes: Sequence[object]) -> Iterator[Block]:
        for block in find_blocks(self.text, nodes, german=self._german):
            yield from parted(block)

    def blocks(self) -> Iterator[Block]:
        """Paragraphs, titles, items, cells, in order."""
        yield from self._found

    def rendered(self, block: Block, parts: Sequence[str | Piece], code_text: CodeText) -> str:
        """A block with LaTeX's own characters escaped."""
        spelling = Spelling(self.text, block, "".join(part for part in parts if isinstance(part, str)))
        # What begins with a bracket would be an option of the macro before, unless it was none in the source.
        last = "" if self.text.startswith(("[", "*"), block.start) else "\\\\"
        out: list[str] = []
        for piece in self._pieces(block, parts, code_text, spelling):
            new = _joined(last, piece)
            out.append(new)
            last = last + new if new.isspace() else new or last
        return "".join(out)

    def _pieces(
        self, block: Block, parts: Sequence[str | Piece], code_text: CodeText, spelling: Spelling
    ) -> Iterator[str]:
        is_option = self.text[max(0, block.start - 20) : block.start].rstrip().endswith("[")
        for part in parts:
            if isinstance(part, str):
                chars = _SPACE.sub(" ", part)
                for at, char in enumerate(chars):
                    way = self._escaped(char, spelling, chars[at - 1 : at])
                    yield f"{{{way}}}" if is_option and way in ("[", "]") else way
            else:
                code = code_text(part)
                yield f"{code}\n" if part.name == "comment" and not code.endswith(("\n", "\r")) else code

    def _escaped(self, char: str, spelling: Spelling, before: str) -> str:
        way = spelling.of(char)
        if way is not None:
            return way
        if char == '"' and self._german:
            return "\\textquotedbl{}"
        if (char == before and char in "-`'") or (char == "`" and before in ("!", "?")):
            return f"{{}}{char}"  # no ligature
        return _ESCAPES.get(char, char)

    def both(self, block: Block, source: str, target: str) -> str:
        """A paragraph below another; a stroke between two titles or cells."""
        tail = self.text[block.end : block.last]
        target = _LABEL.sub("", target)  # it can be given once
        return f"{source}{self.newline * 2}{target}{tail}" if block.kind == "text" else f"{source} / {target}{tail}"


def _joined(last: str, piece: str) -> str:
    """A piece as it can stand behind another."""
    if piece in ("[", "*") and last.rstrip().endswith("\\\\"):
        return f"{{{piece}}}"
    if piece[:1].isalpha() and _OPEN_MACRO.search(last):
        return f"{{}}{piece}"
    if piece[:1] in "\r\n" and last.endswith("\n" if piece[:1] == "\n" else ("\n", "\r")):
        return piece.lstrip("\r\n")  # an empty line would end the paragraph
    return piece


def read(source: Source, _options: FormatOptions) -> LatexDocument:
    """Read a LaTeX file.

    Raises:
        InputError: it is not text, or is nested too deep.
    """
    return LatexDocument(source.name, decode(source))
