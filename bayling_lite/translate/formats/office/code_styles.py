"""Styles of office documents that are for code, told by the names that common programs give them."""

from __future__ import annotations

# Those of Word and of pandoc, and of LibreOffice for what HTML has such elements for. Its "Preformatted Text" is not
# among them: files of plain text have it throughout.
_NAMES = frozenset({"code", "code block", "code char", "inline code", "listing", "macro", "source code", "verbatim"})
_NAMES |= {"verbatim char", "html code", "html keyboard", "html preformatted", "html sample", "html typewriter"}
_NAMES |= {"source text", "teletype", "user entry"}


def is_for_code(style: str) -> bool:
    """Whether text of a style of this name is code, which is not translated."""
    return style.strip().casefold() in _NAMES
