"""How a translated entry of a gettext catalogue is written: its strings, wrapped as the catalogue is, its flags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bayling_lite.languages import Language
from bayling_lite.translate.formats.edits import Edit
from bayling_lite.translate.formats.po.plurals import usual_plural_forms
from bayling_lite.translate.formats.po.scanner import PoEntry, PoLine, escaped
from bayling_lite.translate.formats.subtitles.line_breaks import columns

_WIDTH = 79
_WRAPPED = re.compile(r'(?<!\\n)(?<!"")(?<! "")"[ \t]*(?:\r\n|\r|\n)[ \t]*"')
_LONG = re.compile(r'^(?:msg\w+(?:\[\d+\])? )?".{100,}"\s*$', re.MULTILINE)
_WORD = re.compile(
    r"\\.|[^\s\\\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]+[ ]*"
    r"|[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef][，。、；：？！）》」』】”’]*[ ]*|\s+",
    re.DOTALL,
)
_CODES = {"zh": "zh_CN"}  # what gettext calls a language, where it is another name


@dataclass(frozen=True, slots=True)
class PoStyle:
    """``new_line`` ends a line; ``width`` is where strings are wrapped, 0 for nowhere."""

    new_line: str
    width: int

    @classmethod
    def of(cls, text: str) -> PoStyle:
        """The style of a catalogue."""
        found = re.search(r"\r\n|\n|\r", text)
        wraps = _WRAPPED.search(text) or not _LONG.search(text)
        return cls(found[0] if found else "\n", _WIDTH if wraps else 0)

    def string(self, keyword: str, value: str) -> str:
        """A keyword and its string, without the last line break."""
        lines = re.findall(r"[^\n]*\n|[^\n]+", value)
        whole = f'{keyword} "{escaped(value)}"'
        if len(lines) <= 1 and (not self.width or columns(whole) <= self.width):
            return whole
        pieces = (piece for line in lines for piece in self._wrapped(escaped(line)))
        return self.new_line.join([f'{keyword} ""', *(f'"{piece}"' for piece in pieces)])

    def _wrapped(self, line: str) -> Iterator[str]:
        """A line of a string, escaped, in pieces that fit between quotes."""
        if not self.width:
            yield line
            return
        piece, width = "", 0
        for found in _WORD.finditer(line):
            word = found[0]
            wide = columns(word)
            # An escape stays with what it follows: it takes no more than two columns.
            if piece and width + columns(word.rstrip(" ")) > self.width - 2 and not word.startswith("\\"):
                yield piece
                piece, width = "", 0
            piece += word
            width += wide
        yield piece


def comment_edits(entry: PoEntry) -> Iterator[Edit]:
    """Take out that the entry is fuzzy, and what it was before."""
    for comment in entry.comments:
        if comment.text.startswith("#|"):
            yield Edit(comment.start, comment.end, "")
        elif comment.text.startswith("#,"):
            yield from _without_fuzzy(comment)


def _without_fuzzy(comment: PoLine) -> Iterator[Edit]:
    flags = [flag.strip() for flag in comment.text[2:].split(",")]
    if "fuzzy" not in flags:
        return
    rest = [flag for flag in flags if flag not in {"fuzzy", ""}]
    # The line but for its line break; without flags, all of it.
    end = comment.end if not rest else comment.start + len(comment.text)
    yield Edit(comment.start, end, f"#, {', '.join(rest)}" if rest else "")


_LANGUAGE = re.compile(r'("Language:[ \t]*)([^"\\]*)(\\n")')
_CHARSET = re.compile(r"(charset=)([\w.:-]+)")
_PLURALS = re.compile(r'("Plural-Forms:[ \t]*)(nplurals=INTEGER;[^"\\]*)(\\n")')
_HAS_PLURALS = re.compile(r'"Plural-Forms:')


def header_edits(
    text: str, header: PoEntry, target: Language, style: PoStyle, *, plurals: bool, charset: str | None
) -> Iterator[Edit]:
    """Declare the target language, and fill in what a template leaves open and a translation needs.

    ``plurals`` says that plural forms are needed, ``charset`` is another encoding to declare.
    """
    string = header.strings["msgstr"]
    raw = text[string.start : string.end]
    new = _CHARSET.sub(lambda found: found[1] + (charset or found[2].replace("CHARSET", "UTF-8")), raw)
    declared = _LANGUAGE.search(new)
    if declared and declared[2].strip().replace("-", "_").split("_")[0].casefold() != target.code:
        new = _LANGUAGE.sub(lambda found: found[1] + _CODES.get(target.code, target.code) + found[3], new, count=1)
    if plurals:
        forms = usual_plural_forms(target)
        new = _PLURALS.sub(lambda found: found[1] + forms + found[3], new)
        if not _HAS_PLURALS.search(new) and header.strings["msgstr"].value.endswith("\n"):
            new += f'{style.new_line}"Plural-Forms: {forms}\\n"'
    if "fuzzy" in header.flags:
        yield from comment_edits(header)
    if new != raw:
        yield Edit(string.start, string.end, new)
