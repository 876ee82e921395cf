"""Text encodings: their names, and the marks that tell them."""

from __future__ import annotations

import codecs

from bayling_lite.errors import UsageError

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""What a text may begin with, and the encoding that says so, which leaves the mark in the text."""


def check_encoding(name: str) -> str:
    """The encoding's name as Python spells it.

    Raises:
        UsageError: there is no such text encoding.
    """
    try:
        codec = codecs.lookup(name)
        "".encode(codec.name)
    except (LookupError, ValueError) as error:
        raise UsageError(
            f"Unknown encoding {name!r}. Common ones: utf-8, utf-16, gb18030, big5, shift_jis, cp1252."
        ) from error
    return codec.name
