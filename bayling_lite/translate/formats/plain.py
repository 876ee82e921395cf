"""Plain text: sentences are the segments, everything between them is layout."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from bayling_lite.languages import Language
from bayling_lite.translate.formats.base import Cut, FormatOptions, Layout, Source, TextForm, TranslatedUnit, Unit
from bayling_lite.translate.formats.decoding import decode
from bayling_lite.translate.markup import plain_text
from bayling_lite.translate.segments import DEFAULT_LIMIT, Segment, SplitText, gap, iter_segments, split
from bayling_lite.translate.sentences import is_wide

_LINE_BREAK = re.compile(r"\s*[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]\s*")
_NEWLINE = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class PlainText:
    """A text cut into sentences, all of them at hand."""

    parts: SplitText

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The sentences in order."""
        return self.parts.segments

    def writer(self, target: Language) -> PlainWriter:
        """Begin to write the text in another language."""
        return PlainWriter(self.parts.segments, target, self.parts.after)


@dataclass(frozen=True, slots=True)
class PlainDocument:
    """A text file. Its sentences are cut as they are asked for, so a long text needs little more memory than itself."""

    text: str
    limit: int = DEFAULT_LIMIT
    form: TextForm = field(default_factory=TextForm)
    suffix: str = ".txt"
    can_be_bilingual: bool = True

    def units(self) -> Iterator[Unit]:
        """The sentences."""
        line = 1
        for segment in iter_segments(self.text, self.limit):
            line += len(_NEWLINE.findall(segment.before))
            yield Unit(plain_text(segment.text), Cut.WHOLE, f"line {line}")
            line += len(_NEWLINE.findall(segment.raw))

    def write(self, translations: Iterator[TranslatedUnit], layout: Layout) -> Iterator[str]:
        """The text in another language, sentence by sentence.

        In two languages, each line is followed by its translation, and so is each paragraph whose lines go on in one
        another, beginning in the same column.
        """
        if layout.bilingual:
            yield from self._write_both(translations, layout.target)
            return
        done = 0

        def counted() -> Iterator[Segment]:
            nonlocal done
            for segment in iter_segments(self.text, self.limit):
                done += len(segment.before) + len(segment.raw)
                yield segment

        writer = PlainWriter(counted(), layout.target)
        while writer.goes_on:
            yield writer.end(next(translations).target.reads)
        yield self.text[done:]

    def _write_both(self, translations: Iterator[TranslatedUnit], target: Language) -> Iterator[str]:
        newline = _NEWLINE.search(self.text)
        done = 0
        for group in _lines_of(iter_segments(self.text, self.limit)):
            last = done + sum(len(segment.before) + len(segment.raw) for segment in group)
            yield self.text[done:last]
            done = last
            indent = _indent(_NEWLINE.split(group[0].before)[-1])
            writer = PlainWriter([replace(group[0], before=indent), *group[1:]], target)
            answers = [next(translations) for _ in group]
            if not all(answer.unchanged for answer in answers):
                yield newline[0] if newline else "\n"
                yield from (writer.end(answer.target.reads) for answer in answers)
        yield self.text[done:]


def _lines_of(segments: Iterable[Segment]) -> Iterator[list[Segment]]:
    """The segments line by line; lines that go on in one another count as one."""
    group: list[Segment] = []
    for segment in segments:
        if group and not segment.inside and _NEWLINE.search(segment.before):
            yield group
            group = []
        group.append(segment)
    if group:
        yield group


def _indent(before: str) -> str:
    """White space as wide as what stands before a line's text; marks of quotations stay."""
    wide = "".join("  " if is_wide(char) and not char.isspace() else char for char in before.lstrip("\ufeff"))
    return re.sub(r"[^\s>]", " ", wide)


def cut(text: str, limit: int = DEFAULT_LIMIT) -> PlainText:
    """Cut a text into sentences of at most ``limit`` columns."""
    return PlainText(split(text, limit))


def uncut(text: str) -> PlainText:
    """A text as one segment, without the white space around it."""
    core = text.strip()
    before, _, after = text.partition(core)
    return PlainText(SplitText((Segment(core, core, before),), after))


def read(source: Source, options: FormatOptions) -> PlainDocument:
    """Read a text file.

    Raises:
        InputError: it is not text.
    """
    decoded = decode(source)
    return PlainDocument(decoded.text, options.limit, decoded.form)


def on_one_line(answer: str) -> str:
    """A model's answer as a segment takes it: no white space around it, no line break in it."""
    return _LINE_BREAK.sub(" ", answer.strip())


class PlainWriter:
    """Puts translations into the layout of a text.

    A segment that comes back untranslated stands as it stood in the source, wrapped lines and spaces included, as long
    as the one before it does too. So a translation that begins like its source is held back, where that makes a
    difference, until it departs from it.
    """

    def __init__(self, segments: Iterable[Segment], target: Language, after: str = "") -> None:
        self._coming = iter(segments)
        self._segment: Segment | None = None  # the current one
        self._previous: Segment | None = None
        self._after = after
        self._target = target
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
        segment = self._current
        unchanged = translation in (segment.text, segment.raw)
        if unchanged and not self._written:
            before = segment.before if self._unchanged else self._gap(segment.raw[0])
            text = before + segment.raw
            self._last = segment.raw[-1]
        else:
            text = self._write(translation[len(self._written) :])
        self._previous, self._segment = segment, None
        self._unchanged = unchanged
        self._written = self._held = ""
        return text

    def finish(self) -> str:
        """The layout after the last segment."""
        return self._after

    @property
    def goes_on(self) -> bool:
        """Whether there is another segment."""
        if self._segment is None:
            self._segment = next(self._coming, None)
        return self._segment is not None

    @property
    def _current(self) -> Segment:
        if self._segment is None:
            self._segment = next(self._coming)
        return self._segment

    def _may_be_unchanged(self, body: str) -> bool:
        segment = self._current
        matters = segment.raw != segment.text or self._gap(body[0]) != segment.before
        return matters and segment.text.startswith(body)

    def _write(self, text: str) -> str:
        before = "" if self._written or not text else self._gap(text[0])
        self._written += text
        self._last = text[-1:] or self._last
        return before + text

    def _gap(self, right: str) -> str:
        segment = self._current
        if not segment.inside or self._previous is None:
            return segment.before
        return gap(segment, self._previous, self._last, right, self._target)
