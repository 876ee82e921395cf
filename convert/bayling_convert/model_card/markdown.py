"""Text of strangers in Markdown: shown as it is, never as markup, HTML or a link.

Rules: https://spec.commonmark.org/ (2.4 backslash escapes, 4.5 fenced code, 6.1 code spans) and GitHub's tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from bayling_convert.model_card.plain import one_line

_ACTIVE = re.compile(r"([\\`*{}\[\]<>|~&$#!@]|(?<![^\W_])_|_(?![^\W_]))")  # _ within a word is only itself
_LINK = re.compile(r"(?i)(?<=[a-z])(?=://)|(?<=\bwww)(?=\.)")
_LIST = re.compile(r"^(\d*)([-+=.)])")
_BAR = re.compile(r"(?<!\\)\|")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?(?:/[^\s<>\"'`\\^{}|]*)?\Z")


def plain(text: str) -> str:
    """A text on one line that Markdown leaves alone; addresses in it do not become links."""
    shown = _ACTIVE.sub(r"\\\1", one_line(text))
    return _LIST.sub(r"\1\\\2", _LINK.sub(r"\\", shown))


def code(text: str) -> str:
    """A text as a code span."""
    shown = one_line(text)
    if not shown:
        return ""
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence, space = "`" * (longest + 1), " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{space}{shown}{space}{fence}"


def block(text: str, language: str = "") -> str:
    """A text as a fenced code block: line breaks and tabs stay, other control characters do not."""
    shown = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    longest = max((len(run) for run in re.findall(r"`{3,}", shown)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{shown.rstrip(chr(10))}\n{fence}"


def link(text: str, address: str | None) -> str:
    """A link to a web address; only the text where the address is none."""
    if address is None or not _URL.match(address):
        return plain(text)
    return f"[{plain(text)}](<{address}>)"


def file_link(name: str) -> str:
    """A link to a file of the same folder."""
    return f"[{code(name)}]({file_address(name)})"


def picture(description: str, name: str) -> str:
    """A picture of the same folder."""
    return f"![{plain(description)}]({file_address(name)})"


def file_address(name: str) -> str:
    """A file of the same folder as an address; bytes of a name that are no text stay what they are."""
    return f"./{quote(name, safe='', errors='surrogateescape')}"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of cells that are Markdown already, but for the bars in their code, which would end a cell."""
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *([_BAR.sub(r"\\|", cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
