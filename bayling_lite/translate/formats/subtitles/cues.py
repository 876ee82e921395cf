"""What subtitle formats share: cues whose times stay, whose text is translated and broken into lines anew.

The lines of a cue are joined for the model; a line that begins with a dash or with a speaker's name in capitals begins
another person's speech, which is a unit of its own. Dashes, names and tags stay where they are, and so do the notes
around what is sung and the brackets around what is heard. How many cues there are, and their times, never change.
"""

from __future__ import annotations

import itertools
import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bayling_lite.translate.formats.base import Cut, Layout, TextForm, TranslatedUnit, Unit
from bayling_lite.translate.formats.edits import Edit, patched
from bayling_lite.translate.formats.subtitles.line_breaks import COLUMNS, broken
from bayling_lite.translate.formats.variables import has_words
from bayling_lite.translate.markup import Code, Marked, MarkedBuilder
from bayling_lite.translate.sentences import is_wide


@dataclass(frozen=True, slots=True)
class CueSyntax:
    """How a format writes the text of cues.

    ``tag`` finds what is not text; its groups ``name`` and ``close`` tell pairs. ``line_break`` is what ends a line,
    ``new_line`` how one is written (None: as in the cue). ``reads`` is what one sees of a tag, ``escaped`` how text
    is written, and ``unescaped`` the other way round.
    """

    tag: re.Pattern[str]
    line_break: re.Pattern[str]
    new_line: str | None = None
    reads: Callable[[str], str] = lambda _: ""
    escaped: Callable[[str], str] = lambda text: text
    unescaped: Callable[[str], str] = lambda text: text


@dataclass(frozen=True, slots=True)
class Cue:
    """The text of a cue, from ``start`` to ``end`` of the document; when it comes, in words."""

    start: int
    end: int
    time: str


@dataclass(frozen=True, slots=True)
class Speech:
    """What one person says in a cue, by its place in it."""

    start: int
    end: int
    source: Marked


# A dash, or a name in capitals with a colon, with tags and marks around it.
_SPEAKER = re.compile(
    r"[-–—‐‑]+\s*(?![-\d])|>>+\s*|[\[(][^\[\]()]{1,30}[\])]\s*:\s*|(?:[A-ZÄÖÜÉ][A-ZÄÖÜÉ0-9 .'#-]{1,24}):\s+"
)

# What stands around a whole speech: "♪ La la la ♪", "[door closes]".
_NOTES = "♪♫"  # tags, to all formats
_BRACKETED = re.compile(r"\[[^\[\]]+\]|\([^()]+\)")

# Where a cue stands is said once in it.
_PLACED = re.compile(r"\{\\(?:an?\d+|pos\([^(){}]*\))\}")


def speeches(body: str, syntax: CueSyntax) -> tuple[Speech, ...]:
    """The speeches of a cue's text that have words in them."""
    spans: list[list[int]] = []
    at = 0
    for found in itertools.chain(syntax.line_break.finditer(body), [None]):
        end = found.start() if found else len(body)
        begins, start = _after_speaker(body, at, end, syntax)
        if start < end:
            if begins or not spans:
                spans.append([start, end])
            else:
                spans[-1][1] = end
        at = found.end() if found else end
    cut = [_within(body, start, start + len(body[start:end].rstrip()), syntax) for start, end in spans]
    try:
        marked = [(start, end, _marked(body[start:end], syntax)) for start, end in cut]
    except ValueError:  # more tags than a text can have: it is drawn, not spoken
        return ()
    return tuple(Speech(start, end, source) for start, end, source in marked if has_words(source))


def _after_speaker(body: str, start: int, end: int, syntax: CueSyntax) -> tuple[bool, int]:
    """Whether a line begins a speech, and where its text begins."""
    at = start
    tags = _skipped(body, at, end, syntax)
    speaker = _SPEAKER.match(body, tags, end)
    if speaker:
        name = _SPEAKER.match(body, speaker.end(), end)
        return True, _skipped_space(body, (name or speaker).end(), end)
    return False, _skipped_space(body, at, end)


def _within(body: str, start: int, end: int, syntax: CueSyntax) -> tuple[int, int]:
    """A speech without the notes or brackets around it, and without tags around these."""
    tags = deque(syntax.tag.finditer(body, start, end))
    left, right, notes = start, end, False
    while left < right:
        first = tags[0] if tags and tags[0].start() == left else None
        last = tags[-1] if tags and tags[-1].end() == right else None
        if first and (first[0][0] in _NOTES or _is_single(first, syntax)):
            notes |= first[0][0] in _NOTES
            left = tags.popleft().end()
        elif last and (last[0][0] in _NOTES or _is_single(last, syntax)):
            notes |= last[0][0] in _NOTES
            right = tags.pop().start()
        elif first and last and _is_pair(first, last):
            left, right = tags.popleft().end(), tags.pop().start()
        else:
            break
        left = _skipped_space(body, left, right)
        right = left + len(body[left:right].rstrip())
    if _BRACKETED.fullmatch(body, left, right):
        return left + 1, right - 1
    return (left, right) if notes else (start, end)


def _is_single(tag: re.Match[str], syntax: CueSyntax) -> bool:
    """Whether a tag is none of a pair, and nothing that one sees."""
    return not tag.groupdict().get("name") and not syntax.reads(tag[0]).strip()


def _is_pair(first: re.Match[str], last: re.Match[str]) -> bool:
    one, other = first.groupdict(), last.groupdict()
    same = (one.get("name") or "").casefold() == (other.get("name") or "").casefold()
    return same and not one.get("close") and bool(other.get("close"))


def _skipped(body: str, at: int, end: int, syntax: CueSyntax) -> int:
    """The place after white space and tags."""
    while True:
        at = _skipped_space(body, at, end)
        found = syntax.tag.match(body, at, end)
        if not found or found.end() == at:
            return at
        at = found.end()


def _skipped_space(body: str, at: int, end: int) -> int:
    while at < end and body[at].isspace():
        at += 1
    return at


def _marked(text: str, syntax: CueSyntax) -> Marked:
    """A speech as a model sees it: its lines joined, its tags as codes."""
    builder = MarkedBuilder()
    tags = list(syntax.tag.finditer(text))
    codes = _codes(tags, syntax)
    done = 0
    for tag, code in zip(tags, codes, strict=True):
        builder.text(syntax.unescaped(_joined(text[done : tag.start()], syntax)))
        builder.code(code)
        done = tag.end()
    builder.text(syntax.unescaped(_joined(text[done:], syntax)))
    return builder.build()


def _joined(text: str, syntax: CueSyntax) -> str:
    """Text on one line: between Chinese characters a line break is nothing, else it is a space."""
    pieces: list[str] = []
    last = ""  # the character before the break
    lines = syntax.line_break.split(text)
    for number, line in enumerate(lines):
        core = line if number == 0 else line.lstrip()
        core = core if number == len(lines) - 1 else core.rstrip()
        if number:
            wide = bool(last and core) and is_wide(last) and is_wide(core[0])
            pieces.append("" if wide or (not core and number < len(lines) - 1) else " ")
        pieces.append(core)
        last = core[-1:] or last
    return "".join(pieces)


def _codes(tags: Sequence[re.Match[str]], syntax: CueSyntax) -> list[Code]:
    codes: list[Code] = []
    open_: list[tuple[str, int]] = []
    pair = 0
    for index, tag in enumerate(tags):
        groups = tag.groupdict()
        name = (groups.get("name") or "").casefold()
        codes.append(Code("alone", tag[0], reads=syntax.reads(tag[0])))
        if name and groups.get("close"):
            if open_ and open_[-1][0] == name:
                pair += 1
                begin = open_.pop()[1]
                codes[begin] = Code("open", codes[begin].raw, pair)
                codes[index] = Code("close", tag[0], pair)
        elif name:
            open_.append((name, index))
    return codes


class CueDocument(ABC):
    """Subtitles: a text in which cues stand."""

    can_be_bilingual = True

    def __init__(self, text: str, form: TextForm, suffix: str, syntax: CueSyntax) -> None:
        self.text = text
        self.form = form
        self.suffix = suffix
        self.syntax = syntax

    @abstractmethod
    def cues(self) -> Iterator[Cue]:
        """The cues with text that may be translated, in the order of the document, each time the same."""

    def units(self) -> Iterator[Unit]:
        """The speeches."""
        for cue in self.cues():
            found = speeches(self.text[cue.start : cue.end], self.syntax)
            width = COLUMNS if len(found) > 1 else 2 * COLUMNS
            yield from (Unit(speech.source, Cut.WHOLE, cue.time, width=width) for speech in found)

    def write(self, translations: Iterator[TranslatedUnit], layout: Layout) -> Iterator[str]:
        """The subtitles with the translated speeches in the place of the old ones, or below them."""
        return patched(self.text, self._edits(translations, layout))

    def _edits(self, translations: Iterator[TranslatedUnit], layout: Layout) -> Iterator[Edit]:
        for cue in self.cues():
            body = self.text[cue.start : cue.end]
            found = speeches(body, self.syntax)
            new = [next(translations) for _ in found]
            if all(translation.unchanged for translation in new):
                continue
            lines = 1 if len(found) > 1 or layout.bilingual else 2
            pieces: list[str] = []
            done = 0
            for speech, translation in zip(found, new, strict=True):
                if not translation.unchanged:
                    text = broken(translation.target, layout.target, lines, self._new_line(body), self.syntax.escaped)
                    pieces += [body[done : speech.start], text]
                    done = speech.end
            translated = "".join([*pieces, body[done:]])
            if layout.bilingual:
                translated = self._both(body, found, translated)
            yield Edit(cue.start, cue.end, translated)

    def _both(self, body: str, found: Sequence[Speech], translated: str) -> str:
        """Source and translation below each other: each on one line, where one person speaks."""
        if len(found) == 1:
            speech = found[0]
            source = "".join(
                self.syntax.escaped(piece) if isinstance(piece, str) else piece.raw for piece in speech.source.pieces
            )
            body = body[: speech.start] + source + body[speech.end :]
        return body + self._new_line(body) + _PLACED.sub("", translated)

    def _new_line(self, body: str) -> str:
        """How a new line of a cue is begun: as its own lines are, or as the document's."""
        if self.syntax.new_line is not None:
            return self.syntax.new_line
        found = re.search(r"\r\n|\n|\r", body) or re.search(r"\r\n|\n|\r", self.text)
        return found[0] if found else "\n"


def as_time(text: str) -> str:
    """A time as a person reads it, to the second."""
    return re.split(r"[.,]", text.strip())[0]
