"""Server-sent events, as chat servers send them: the data of each, from bytes that arrive in any portions.

The format: https://html.spec.whatwg.org/multipage/server-sent-events.html. Of it, chat servers use one line of data per
event, and comments to keep the connection alive. An answer that is one JSON object instead, from a server that streams
nothing, comes out as one piece of data too.
"""

from __future__ import annotations

from bayling_lite.errors import EngineError

_BOM = b"\xef\xbb\xbf"
_LONGEST_LINE = 1 << 24
"""Bytes; an event holds a token with its alternatives, and a whole answer is a thousandth of this."""


class TooLong(EngineError):
    """A line is longer than any answer."""


class EventReader:
    """Bytes in, data out. Bytes that are not UTF-8 become U+FFFD."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0  # bytes of the buffer that hold no line's end
        self._whole: list[bytes] | None = None  # the lines of an answer that is one JSON object
        self._n_bytes = 0
        self._begun = False

    def feed(self, piece: bytes) -> list[str]:
        """The data of the events that are now complete.

        Raises:
            TooLong: a line, or an answer in one, has more than 16 MiB.
        """
        self._buffer += piece
        found: list[str] = []
        while (end := self._buffer.find(b"\n", self._searched)) >= 0:
            self._take(bytes(self._buffer[:end]), found)
            del self._buffer[: end + 1]
            self._searched = 0
        self._searched = len(self._buffer)
        if len(self._buffer) + self._n_bytes > _LONGEST_LINE:
            raise TooLong
        return found

    def finish(self) -> list[str]:
        """The end has come: what the last line held."""
        found: list[str] = []
        self._take(bytes(self._buffer), found)
        if self._whole is not None:
            found.append(b"\n".join(self._whole).decode("utf-8", "replace"))
        self._buffer.clear()
        return found

    def _take(self, line: bytes, found: list[str]) -> None:
        if self._whole is None and not self._begun:
            line = line.removeprefix(_BOM)
            if line.lstrip()[:1] == b"{":
                self._whole = []
        if self._whole is not None:
            self._whole.append(line)
            self._n_bytes += len(line)
            return
        text = line.decode("utf-8", "replace").rstrip("\r")
        if not text.strip():
            return
        self._begun = True
        name, _, value = text.partition(":")
        if name == "data":
            found.append(value.removeprefix(" "))
        elif name == "error":  # llama-server's, of some versions
            found.append(f'{{"error": {value}}}')
        elif name not in ("", "event", "id", "retry"):
            found.append(text)  # a page of HTML, or the like: whoever reads it says so
