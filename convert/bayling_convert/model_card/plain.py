"""Text of a model or a checkpoint made fit to be shown on one line: no control characters, no line breaks."""

from __future__ import annotations

import re

# C0 and C1 controls, line and paragraph separators, bidirectional controls that disguise text, byte order marks,
# surrogates without a partner.
_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]+"
)
_SPACE = re.compile(r"\s+")


def one_line(text: str, *, longest: int = 2000) -> str:
    """The text with every run of white space and control characters as one space, cut at ``longest`` characters."""
    line = _SPACE.sub(" ", _UNSEEN.sub(" ", text)).strip()
    return line if len(line) <= longest else line[: longest - 1] + "…"
