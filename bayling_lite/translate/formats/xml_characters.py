"""The characters that XML can have (https://www.w3.org/TR/xml/#charsets)."""

from __future__ import annotations

import re

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def legal(text: str) -> str:
    """A text without the characters that XML cannot have."""
    return _ILLEGAL.sub("", text)
