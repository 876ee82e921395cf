"""Lines in scripts that are read from the right, whose characters a PDF may give from the left."""

from __future__ import annotations

import re

_FROM_RIGHT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"
_HAS_FROM_RIGHT = re.compile(f"[{_FROM_RIGHT}]")
_FROM_LEFT = re.compile(rf"[^\W_{_FROM_RIGHT}](?:[^{_FROM_RIGHT}]*[^\W_{_FROM_RIGHT}])?")


def turned(text: str) -> str:
    """A line as it is read, of its characters from the left, or the other way round; the same in other scripts.

    Numbers and words of other scripts in it are read from the left. This is how most lines come out of the Unicode
    bidirectional algorithm (https://www.unicode.org/reports/tr9/), which cannot be undone for all of them.
    """
    if not _HAS_FROM_RIGHT.search(text):
        return text
    return _FROM_LEFT.sub(lambda found: found[0][::-1], text[::-1])
