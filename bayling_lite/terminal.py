"""Text made fit for a terminal: control sequences out of it, whatever a model, a document or a file name holds.

What goes, after ECMA-48 and the Unicode bidirectional controls that can disguise text (Trojan Source, CVE-2021-42574):
CSI sequences and escape sequences, OSC/DCS/SOS/PM/APC strings with their content, every other C0 and C1 control and
DEL, bidirectional embeddings, overrides and isolates, lone surrogates. Files get text unchanged; this is for screens.
"""

from __future__ import annotations

import os
import re

# Longer "sequences" are not sequences: then only the control characters go, and what they framed stays visible.
_LONGEST_STRING = 4096
_LONGEST_PARAMETER = 64

_PARAMETERS = rf"[0-?]{{0,{_LONGEST_PARAMETER}}}[ -/]{{0,4}}"
_STRING = rf"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x18\x1a\x1b\x80-\x9f]{{0,{_LONGEST_STRING}}}"
_CSI = rf"(?:\x1b\[|\x9b){_PARAMETERS}"
_ESCAPE = r"\x1b[ -/]{0,4}"

_SEQUENCE = re.compile(rf"{_STRING}(?:\x07|\x1b\\|\x9c)|{_CSI}[@-~]|{_ESCAPE}[0-~]")
_UNFINISHED = re.compile(rf"(?:{_STRING}\x1b?|{_CSI}|{_ESCAPE})\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str, *, keep: str = "\n\t") -> str:
    """The text without anything that would steer a terminal; the control characters in ``keep`` stay."""
    if not _CONTROL.search(text):
        return text
    text = _SEQUENCE.sub("", text)
    return _CONTROL.sub(lambda found: found[0] if found[0] in keep else "", text)


def fit(text: str, width: int) -> str:
    """The text, cut with an ellipsis to a width in terminal cells (a Chinese character takes two)."""
    from prompt_toolkit.utils import get_cwidth  # not for --help

    if get_cwidth(text) <= width:
        return text
    cells = 0
    for position, character in enumerate(text):
        cells += get_cwidth(character)
        if cells > width - 1:
            return text[:position] + "…" if width > 0 else ""
    return text


def is_dumb() -> bool:
    """Whether the terminal, if there is one, says that it cannot move its cursor."""
    return os.environ.get("TERM", "").casefold() in ("dumb", "unknown")


class PrintableStream:
    """:func:`printable` for text that comes in pieces: a sequence cut in two by the pieces is still recognised.

    ``feed`` gives what can be shown already and holds back what may be the beginning of a sequence (at most a few
    thousand characters); ``flush`` gives the rest. Together they are what :func:`printable` makes of the whole.
    """

    def __init__(self, *, keep: str = "\n\t") -> None:
        self._keep = keep
        self._held = ""

    def feed(self, piece: str) -> str:
        """Take the next piece, give what is certain."""
        text = self._held + piece
        unfinished = _first_unfinished(text)
        self._held = text[unfinished:]
        return printable(text[:unfinished], keep=self._keep)

    def flush(self) -> str:
        """Give what was held back; the stream can be used again."""
        text, self._held = self._held, ""
        return printable(text, keep=self._keep)


def _first_unfinished(text: str) -> int:
    """Where a sequence begins that the text's end cuts off; the text's length when there is none."""
    found = _UNFINISHED.search(text, max(0, len(text) - _LONGEST_STRING - 3))
    return found.start() if found else len(text)
