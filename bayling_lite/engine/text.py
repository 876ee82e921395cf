"""From the bytes of tokens to text: whole characters only, and nothing from a stop string onwards."""

from __future__ import annotations

import codecs
from collections.abc import Iterable


class StopScanner:
    """Holds back the end of a stream while it may be the beginning of a stop string.

    ``stopped`` turns true once one of the strings has appeared; what stood before it has been returned by then.
    """

    def __init__(self, stop: Iterable[str]) -> None:
        self._stop = tuple(stop)
        self._held = ""
        self.stopped = False

    def feed(self, text: str) -> str:
        """Take more text, return what is certainly not part of a stop string."""
        if not self._stop or self.stopped:
            return "" if self.stopped else text
        held = self._held + text
        found = [position for position in (held.find(stop) for stop in self._stop) if position >= 0]
        if found:
            self.stopped, self._held = True, ""
            return held[: min(found)]
        keep = max(_overlap(held, stop) for stop in self._stop)
        self._held = held[len(held) - keep :]
        return held[: len(held) - keep]

    def flush(self) -> str:
        """The end has come: return what was held back, for it did not become a stop string."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of ``text`` that begins ``stop`` without completing it."""
    for length in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0


class TextStream:
    """Turns the bytes of tokens into pieces of text.

    A byte-fallback token holds part of a character, so bytes wait until their character is whole. Bytes that can never
    become one turn into U+FFFD as soon as that is certain.
    """

    def __init__(self, stop: Iterable[str] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._scanner = StopScanner(stop)
        self._bytes = bytearray()

    @property
    def stopped(self) -> bool:
        """Whether a stop string has appeared."""
        return self._scanner.stopped

    def feed(self, data: bytes) -> str:
        """Take the bytes of one token, return the text that is ready."""
        self._bytes += data
        return self._scanner.feed(self._decoder.decode(data))

    def finish(self, *, cut: bool) -> str:
        """The last piece.

        Bytes of an unfinished character become U+FFFD when the model stopped there by itself. When the text was ``cut``
        (length, cancelled) it was we who halved the character, and it is dropped.
        """
        rest = "" if cut else self._decoder.decode(b"", final=True)
        return self._scanner.feed(rest) + self._scanner.flush()

    def spells(self, text: str) -> bool:
        """Whether all bytes fed so far, decoded at once, are this text."""
        return self._bytes.decode(errors="replace") == text
