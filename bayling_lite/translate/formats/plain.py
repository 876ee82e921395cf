"""Plain text: sentences are the segments, everything between them is layout."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from bayling_lite.languages import Language
from bayling_lite.translate.formats.base import Cut, FormatOptions, Layout, Source, TextForm, TranslatedUnit, Unit
from bayling_lite.translate.formats.decoding import decode
from bayling_lite.translate.markup import plain_text
from bayling_lite.translate.segments import DEFAULT_LIMIT, Segment, SplitText, gap, split

_LINE_BREAK = re.compile(r"\s*[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]\s*")


@dataclass(frozen=True, slots=True)
class PlainText:
    """A text cut into sentences."""

    parts: SplitText
    form: TextForm = field(default_factory=TextForm)
    suffix: str = ".txt"
    can_be_bilingual: bool = True

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The sentences in order."""
        return self.parts.segments

    def writer(self, target: Language) -> PlainWriter:
        """Begin to write the text in another language."""
        return PlainWriter(self.parts, target)

    def units(self) -> Iterator[Unit]:
        """The sentences."""
        line = 1
        for segment in self.segments:
            line += segment.before.count("\n")
            yield Unit(plain_text(segment.text), Cut.WHOLE, f"line {line}")
            line += segment.raw.count("\n")

    def write(self, translations: Iterator[TranslatedUnit], layout: Layout) -> Iterator[str]:
        """The text in another language, sentence by sentence."""
        writer = self.writer(layout.target)
        for _ in self.segments:
            yield writer.end(next(translations).target.reads)
        yield writer.finish()


def cut(text: str, limit: int = DEFAULT_LIMIT) -> PlainText:
    """Cut a text into sentences of at most ``limit`` columns."""
    return PlainText(split(text, limit))


def read(source: Source, options: FormatOptions) -> PlainText:
    """Read a text file.

    Raises:
        InputError: it is not text.
    """
    decoded = decode(source)
    return PlainText(split(decoded.text, options.limit), decoded.form)


def on_one_line(answer: str) -> str:
    """A model's answer as a segment takes it: no white space around it, no line break in it."""
    return _LINE_BREAK.sub(" ", answer.strip())


class PlainWriter:
    """Puts translations into the layout of a text.

    A segment that comes back untranslated stands as it stood in the source, wrapped lines and spaces included, as long
    as the one before it does too. So a translation that begins like its source is held back, where that makes a
    difference, until it departs from it.
    """

    def __init__(self, parts: SplitText, target: Language) -> None:
        self._parts = parts
        self._target = target
        self._position = 0
        self._unchanged = True  # whether the last segment stands as in the source
        self._last = ""  # the character the text written so far ends with
        self._written = ""  # of the current segment, without the layout before it
        self._held = ""  # what was fed and not written yet

    def feed(self, piece: str) -> str:
        """The next piece of the current segment's translation; gives the text it makes certain."""
        text = self._held + piece
        if not self._written:
            text = text.lstrip()
        body = text.rstrip()
        if not body or (not self._written and self._may_be_unchanged(body)):
            self._held = text
            return ""
        self._held = text[len(body) :]
        return self._write(_LINE_BREAK.sub(" ", body))

    def end(self, translation: str) -> str:
        """The current segment's whole translation; gives what :meth:`feed` has not given of it."""
        segment = self._parts.segments[self._position]
        unchanged = translation in (segment.text, segment.raw)
        if unchanged and not self._written:
            before = segment.before if self._unchanged else self._gap(segment.raw[0])
            text = before + segment.raw
            self._last = segment.raw[-1]
        else:
            text = self._write(translation[len(self._written) :])
        self._position += 1
        self._unchanged = unchanged
        self._written = self._held = ""
        return text

    def finish(self) -> str:
        """The layout after the last segment."""
        return self._parts.after

    def _may_be_unchanged(self, body: str) -> bool:
        segment = self._parts.segments[self._position]
        matters = segment.raw != segment.text or self._gap(body[0]) != segment.before
        return matters and segment.text.startswith(body)

    def _write(self, text: str) -> str:
        before = "" if self._written or not text else self._gap(text[0])
        self._written += text
        self._last = text[-1:] or self._last
        return before + text

    def _gap(self, right: str) -> str:
        segments = self._parts.segments
        segment = segments[self._position]
        if not segment.inside:
            return segment.before
        return gap(segment, segments[self._position - 1], self._last, right, self._target)
