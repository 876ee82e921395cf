"""Text that stands in a Markdown document as it is, whatever it holds.

After CommonMark 0.31 (https://spec.commonmark.org/0.31.2/). Every line of a text gets the mark of a block quotation, so
nothing in it can end the quotation; what would be markup is escaped, so it is read as written.
"""

from __future__ import annotations

import re

# Signs that can begin markup anywhere; an underscore inside a word cannot.
_ANYWHERE = re.compile(r"[\\`*<>\[\]&~|$]|(?<!\w)_|_(?!\w)")
# What makes a block of a line: headings (also the second line of one), lists, rules, and indented code.
_LINE_START = re.compile(r"^(?P<sign>#{1,6}(?=\s|$)|[-+=]|\d{1,9}(?=[.)]))")
_DIGITS = re.compile(r"^\d{1,9}")
_FENCE = re.compile(r"`{3,}|~{3,}")


def lines(text: str) -> list[str]:
    """The lines of a text as a Markdown reader sees them: a lone carriage return ends one, too."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def inline(text: str) -> str:
    """A text in one line, to stand in a heading or a sentence."""
    return _escaped(" ".join(text.split()))


def quoted(text: str) -> str:
    """A text as a block quotation, line by line."""
    last = len(found := lines(text)) - 1
    shown = []
    for number, line in enumerate(found):
        content = _literal_line(line)
        # Without a mark at its end a line would run on into the next.
        goes_on = number < last and content and found[number + 1].strip()
        shown.append(f"> {content}{chr(92) if goes_on else ''}".rstrip())
    return "\n".join(shown)


def quoted_markdown(text: str) -> str:
    """A text that is Markdown, as a block quotation; where it holds HTML, which could reach beyond that, as it is."""
    if "<" in text:
        return fenced(text)
    return "\n".join(f"> {line}".rstrip() for line in lines(text))


def fenced(text: str, info: str = "markdown") -> str:
    """A text as a block of code, behind a fence that it does not hold."""
    longest = max((len(found[0]) for found in _FENCE.finditer(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join((f"{fence}{info}", *lines(text), fence))


def _literal_line(line: str) -> str:
    """A line as it is: spaces at its beginning, which would make code of it, become spaces that do not break."""
    rest = line.lstrip(" \t")
    indent = "".join("\u00a0\u00a0\u00a0\u00a0" if sign == "\t" else "\u00a0" for sign in line[: len(line) - len(rest)])
    if not rest:
        return ""
    rest = _escaped(rest)
    start = _LINE_START.match(rest)
    if start is not None and not indent:
        digits = _DIGITS.match(rest)
        rest = f"{digits[0]}\\{rest[digits.end() :]}" if digits else f"\\{rest}"
    return indent + rest


def _escaped(text: str) -> str:
    # A zero-width joint keeps readers that make links of bare addresses from swallowing what follows.
    return _ANYWHERE.sub(lambda found: f"\\{found[0]}", text)
