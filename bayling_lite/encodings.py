"""Names of text encodings."""

from __future__ import annotations

import codecs

from bayling_lite.errors import UsageError


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
