"""Text of any origin made fit for a page: nothing in it is markup, and nothing turns the rest of the page around."""

from __future__ import annotations

import re
import unicodedata
from html import escape

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]")


def visible(text: str) -> str:
    """With a mark for every character that has no place in a page, or would turn the text around."""
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def html(text: str) -> str:
    """Text as HTML or SVG, between tags or in quotes."""
    return escape(visible(text))


def cells(text: str) -> int:
    """How wide a text is, a Chinese character as two others."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )


def shortened(text: str, width: int) -> str:
    """The text cut to a width as :func:`cells` counts it, an ellipsis in its middle: names differ at their ends."""
    if cells(text) <= width:
        return text
    tail = text[-(width // 3) :]
    while cells(tail) > width // 3:
        tail = tail[1:]
    head = text[:width]
    while cells(head) > width - 1 - cells(tail):
        head = head[:-1]
    return f"{head}…{tail}"
