"""Walks through a document: what its segments are, what stands around each, and how much there is to do."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bayling_lite.engine.base import ModelInfo
from bayling_lite.languages import Language
from bayling_lite.translate.formats.base import Document, Unit
from bayling_lite.translate.job.cutting import CutUnit, Piece, cut
from bayling_lite.translate.job.fitting import sentence_limit, whole_limit, written_in

# Characters that tell the language of a document well enough.
_SAMPLE = 4000
# Units to look through for the segments that follow one.
_MOST_UNITS_AHEAD = 16


@dataclass(frozen=True, slots=True)
class Text:
    """A segment where it stands: ``before`` and ``after`` are the texts around it, the nearest last and first.

    ``width`` is the most columns there is room for; 0 for any, and where it shares them with others.
    """

    piece: Piece
    reads: str
    translatable: bool
    place: str
    notes: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    width: int = 0


@dataclass(frozen=True, slots=True)
class Survey:
    """How much there is to do: segments, those of them with a word in them, and the characters of those.

    ``source`` is the language given or detected; None where there is no word, or none in a script of the languages that
    were thought of.
    """

    segments: int
    translatable: int
    characters: int
    source: Language | None


@dataclass(slots=True)
class Plan:
    """What a job would do. Of the segments that need a translation, ``from_memory`` are in the translation memory;
    the others ask ``distinct`` things, of which ``stored`` are in the store. ``prompt_tokens`` are what the model would
    read for the rest, before any retry.
    """

    survey: Survey
    distinct: int = 0
    stored: int = 0
    from_memory: int = 0
    prompt_tokens: int = 0

    @property
    def to_translate(self) -> int:
        """Segments that the model would be asked for."""
        return self.distinct - self.stored


@dataclass(slots=True)
class _Cut:
    """A unit and its segments."""

    unit: Unit
    cut: CutUnit
    pieces: list[tuple[Piece, str, bool]]  # with what each reads as, and whether there is a word in it
    words: list[str]  # what reads with a word in it


def survey(document: Document, info: ModelInfo, source: Language | None) -> Survey:
    """Walk through a document; its language is detected among those of the model, unless it is given."""
    segments = translatable = characters = sampled = 0
    sample: list[str] = []
    for unit in _units(document, info):
        segments += len(unit.pieces)
        for text in unit.words:
            translatable += 1
            characters += len(text)
            if sampled < _SAMPLE:
                sample.append(text)
                sampled += len(text)
    found = source if source is not None else written_in("\n".join(sample), info.languages)
    return Survey(segments, translatable, characters, found if translatable else None)


def texts(document: Document, info: ModelInfo, neighbours: tuple[int, int]) -> Iterator[tuple[CutUnit, Text | None]]:
    """The segments in order, each with its unit and as many neighbours; None for a unit that has none."""
    n_before, n_after = neighbours
    recent: deque[str] = deque(maxlen=n_before)
    for unit, following in _with_following(_units(document, info), n_after):
        if not unit.pieces:
            yield unit.cut, None
        width = unit.unit.width if len(unit.pieces) == 1 else 0
        words = [*recent, *unit.words, *following]
        at = len(recent)  # in words, of the segment or of the next one with a word
        for piece, reads, translatable in unit.pieces:
            before = tuple(words[max(0, at - n_before) : at])
            after = tuple(words[at + translatable : at + translatable + n_after])
            yield unit.cut, Text(piece, reads, translatable, unit.unit.place, unit.unit.notes, before, after, width)
            at += translatable
        recent.extend(unit.words)


def _units(document: Document, info: ModelInfo) -> Iterator[_Cut]:
    limit, most = sentence_limit(info), whole_limit(info)
    for unit in document.units():
        cut_ = cut(unit, limit, most)
        pieces = [(piece, piece.source.reads, piece.translatable) for piece in cut_.pieces]
        yield _Cut(unit, cut_, pieces, [reads for _, reads, translatable in pieces if translatable])


def _with_following(units: Iterator[_Cut], count: int) -> Iterator[tuple[_Cut, list[str]]]:
    """Each unit with the first texts of those that follow it."""
    ahead: deque[_Cut] = deque()
    for unit in units:
        if ahead and (len(ahead) > _MOST_UNITS_AHEAD or not count):
            yield ahead.popleft(), _first(ahead, count)
        ahead.append(unit)
        while len(ahead) > 1 and sum(len(one.words) for one in ahead) - len(ahead[0].words) >= count:
            yield ahead.popleft(), _first(ahead, count)
    while ahead:
        yield ahead.popleft(), _first(ahead, count)


def _first(units: Iterable[_Cut], count: int) -> list[str]:
    """The first texts of some units."""
    return list(itertools.islice(itertools.chain.from_iterable(unit.words for unit in units), count))
