"""Markdown shown as it arrives: styled text that is only ever added to, so that nothing is printed twice.

After CommonMark 0.31, for what answers of models consist of: headings, lists, quotes, rules, fenced code, bold, italic,
inline code. A marker that only means a style is consumed; those that a reader wants to see without colours as well
(list markers, ``>``, rules, fences) stay, and so does everything else: links, tables, HTML. Nothing is wrapped or
moved, so what is copied from the screen is what the model wrote.
"""

from __future__ import annotations

import re

from bayling_lite.chat.screens import markdown_inline
from bayling_lite.chat.screens.highlighting import Highlighter
from bayling_lite.chat.screens.markdown_inline import LONGEST_SPAN, Context, Fragment
from bayling_lite.terminal import PrintableStream

_FENCE = re.compile(r"(`{3,}|~{3,})[ \t]*([^\s`]*)[^`]*")
_HEADING = re.compile(r"#{1,6}[ \t]")
_RULE = re.compile(r"([-*_])(?:[ \t]*\1){2,}[ \t]*")
_LIST_MARKER = re.compile(r"(?:[-+*]|\d{1,9}[.)])[ \t]")
# Beginnings of lines that more text can make one of the above.
_UNDECIDED = re.compile(r"#{1,6}|`{1,2}|~{1,2}|(?:`{3}|~{3})(?s:.*)|[+]|\d{1,9}[.)]?|([-*_])(?:[ \t]*\1)*[ \t]*|")


class MarkdownStream:
    """Takes an answer in pieces and gives what can be shown of it, as (style, text).

    The texts, put together, are the same however the answer was cut into pieces. Control sequences do not pass.
    """

    def __init__(self) -> None:
        self._safe = PrintableStream()
        self._begin_answer()

    def _begin_answer(self) -> None:
        self._held = ""  # of the current line, not shown yet
        self._style: str | None = None  # of the current line; None while it is not certain what the line is
        self._context = Context()
        self._fence = ""
        self._code = Highlighter("")

    def feed(self, piece: str) -> list[Fragment]:
        """Take the next piece, give what is certain."""
        return self._take(self._safe.feed(piece))

    def flush(self) -> list[Fragment]:
        """Give what was held back; the stream can be used again, for another answer."""
        fragments = self._take(self._safe.flush())
        fragments += self._line(self._held, ended=True)[0]
        self._begin_answer()
        return fragments

    def _take(self, text: str) -> list[Fragment]:
        fragments: list[Fragment] = []
        *lines, rest = (self._held + text).split("\n")
        for line in lines:
            fragments += self._line(line, ended=True)[0]
            fragments.append(("", "\n"))
            self._style, self._context = None, Context()
        shown, taken = self._line(rest, ended=False)
        self._held = rest[taken:]
        return fragments + shown

    def _line(self, text: str, *, ended: bool) -> tuple[list[Fragment], int]:
        """What can be shown of the rest of a line, and how much of it that takes."""
        if self._fence:
            # A line at a time: it may be the one that ends the code, and its colours depend on all of it.
            return (self._in_code(text), len(text)) if ended else ([], 0)
        fragments: list[Fragment] = []
        position = 0
        while self._style is None:
            begun = self._begin(text[position:], ended=ended)
            if begun is None:
                return fragments, position
            shown, taken = begun
            fragments += shown
            position += taken
        shown, taken = self._inside(text[position:], ended=ended)
        return fragments + shown, position + taken

    def _begin(self, text: str, *, ended: bool) -> tuple[list[Fragment], int] | None:
        """The next marker at the beginning of a line; None when it is not certain yet. The last sets the style."""
        rest = text.lstrip(" \t")
        start = len(text) - len(rest)
        shown: list[Fragment] = [("", text[:start])] if start else []
        if not ended and len(rest) < LONGEST_SPAN and _UNDECIDED.fullmatch(rest):
            return None
        if rest.startswith(">"):
            # What is quoted may be a heading or a list itself.
            return [*shown, ("class:quote", ">")], start + 1
        self._style = ""
        if ended and (fence := _FENCE.fullmatch(rest)):
            self._fence, self._code = fence[1], Highlighter(fence[2])
            return [*shown, ("class:fence", rest)], len(text)
        if ended and _RULE.fullmatch(rest):
            return [*shown, ("class:rule", rest)], len(text)
        if heading := _HEADING.match(rest):
            self._style = "class:heading"
            return shown, start + heading.end()
        if marker := _LIST_MARKER.match(rest):
            return [*shown, ("class:list-marker", marker[0])], start + marker.end()
        if rest.startswith("|"):
            self._style = "class:table"
        return shown, start

    def _inside(self, text: str, *, ended: bool) -> tuple[list[Fragment], int]:
        if self._style == "class:table":
            return ([("", text)] if text else []), len(text)
        fragments, taken = markdown_inline.parse(text, self._context, self._style or "", ended=ended)
        self._context = self._context.after(text[:taken])
        return fragments, taken

    def _in_code(self, line: str) -> list[Fragment]:
        closing = line.lstrip("> \t").rstrip()  # quoted code ends in a quoted line
        if len(closing) >= len(self._fence) and not closing.strip(self._fence[0]):
            self._fence, self._style = "", ""
            return [("class:fence", line)]
        return self._code.line(line)
