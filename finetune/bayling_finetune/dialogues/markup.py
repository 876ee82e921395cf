"""Code and markup within a text: what a translation carries over as it is, and what nobody asks to reword.

Placeholders (``%s``, ``{name}``, ``$HOME``), commands and options, paths, addresses, tags, and names that are written
as no word of a language is (``useState``, ``sys.path``, ``max_length``, ``fetch()``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_LONGEST = 200  # characters of a piece of code within a sentence; bounds what an unclosed mark makes the pattern read
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_CODE = re.compile(
    rf"``?[^`\n]{{1,{_LONGEST}}}``?"
    r"|[a-z]{2,9}://[^\s<>\"'，。（）]*[^\s<>\"'，。（）.,;:!?)]"
    r"|[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{1,64}"
    rf"|</?[A-Za-z!][^<>\n]{{0,{_LONGEST}}}>"
    r"|&#?\w{2,8};"
    r"|%(?:\(\w{1,40}\))?[-+#0]?\d{0,3}(?:\.\d{1,3})?[sdifrxXeEgGcu@](?![A-Za-z])|%\d\$?[sd]"
    rf"|[{{]{{1,2}}[^{{}}\n]{{0,{_LONGEST}}}[}}]{{1,2}}"
    r"|[$@]\{?[A-Za-z_]\w*\}?"
    r"|(?<![\w-])--?[A-Za-z][\w-]*(?:=\S+)?"
    r"|(?<![\w/])~?(?:/[\w.@+-]+){2,}/?"
    r"|\\[A-Za-z]+"
    rf"|\b(?!(?:[A-Za-z]\.)+[A-Za-z]\b){_NAME}(?:(?:\.|::|->){_NAME})+(?:\(\))?"
    rf"|\b{_NAME}\((?:[^()\s]{{0,60}}\))?"
    r"|\b[A-Za-z0-9]*_[A-Za-z0-9_]*\b"
    r"|\b[a-z]+[A-Z][A-Za-z0-9]*\b|\b(?:[A-Z][a-z0-9]+){2,}\b|\b[A-Z]{2,}[A-Z0-9]*[a-z]*[A-Z]+[A-Za-z]*\b"
    r"|\b[A-Z0-9]*[A-Z][A-Z0-9]+\b(?=\s|[^\w.])"
    r"|\w*\d\w*[A-Za-z]\w*"
)


def code_spans(text: str) -> list[tuple[int, int]]:
    """The pieces of a text that are code or markup: half-open spans, in order."""
    return [match.span() for match in _CODE.finditer(text)]


def overlaps(span: tuple[int, int], others: Sequence[tuple[int, int]]) -> bool:
    """Whether a span has a character in common with one of the others."""
    start, stop = span
    return any(start < other_stop and other_start < stop for other_start, other_stop in others)
