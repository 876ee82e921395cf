"""From the tokens of an answer to its text: whole characters only, and nothing from a stop string onwards."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Mapping

from bayling_lite.engine.placeholders import Replacer
from bayling_lite.engine.thinking import Thinking, overlap


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
        keep = max(overlap(held, stop) for stop in self._stop)
        self._held = held[len(held) - keep :]
        return held[: len(held) - keep]

    def flush(self) -> str:
        """The end has come: return what was held back, for it did not become a stop string."""
        held, self._held = self._held, ""
        return held


class TextStream:
    """Turns the tokens of an answer into pieces of text for the reader.

    A byte-fallback token holds part of a character, so bytes wait until their character is whole. Bytes that can never
    become one turn into U+FFFD as soon as that is certain. Then thoughts are taken out, placeholders replaced, and
    everything from a stop string onwards cut off, in this order: stop strings are looked for in what the reader sees.
    """

    def __init__(
        self,
        stop: Iterable[str] = (),
        *,
        replacements: Mapping[str, str] | None = None,
        thinking: Thinking | None = None,
    ) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._thinking = thinking
        self._replacer = Replacer(replacements) if replacements else None
        self._scanner = StopScanner(stop)
        self._halved = False

    @property
    def stopped(self) -> bool:
        """Whether a stop string has appeared."""
        return self._scanner.stopped

    @property
    def reasoning(self) -> str:
        """What the model thought before its answer."""
        return self._thinking.reasoning if self._thinking else ""

    @property
    def whole(self) -> bool:
        """Whether the tokens say what the text says: no stop string, half character or thought was taken away.

        Placeholders do not count, for the same text in a later turn stands for the same tokens.
        """
        return not (self.stopped or self._halved or (self._thinking is not None and self._thinking.hid))

    @property
    def thinking(self) -> bool:
        """Whether the model is thinking, so that what comes is no part of its answer."""
        return self._thinking is not None and self._thinking.inside

    def feed(self, data: bytes, control: str | None = None) -> str:
        """Take the bytes of one token, or the name of a control token, which has none; return the ready text."""
        if control is None:
            return self._show(self._decoder.decode(data))
        # What was half a character before a control token stays one.
        text = self._decoder.decode(data, final=True)
        return self._replace(self._thinking.feed(text, control) if self._thinking else text)

    def finish(self, *, cut: bool) -> str:
        """The last piece.

        Bytes of an unfinished character become U+FFFD when the model stopped there by itself. When the text was ``cut``
        (length, cancelled) it was we who halved the character, and it is dropped.
        """
        rest = self._decoder.decode(b"", final=True)
        self._halved = cut and bool(rest)
        text = self._show("" if cut else rest)
        if self._thinking:
            text += self._replace(self._thinking.finish())
        if self._replacer:
            text += self._scanner.feed(self._replacer.finish())
        return text + self._scanner.flush()

    def _show(self, text: str) -> str:
        return self._replace(self._thinking.feed(text) if self._thinking else text)

    def _replace(self, text: str) -> str:
        return self._scanner.feed(self._replacer.feed(text) if self._replacer else text)
