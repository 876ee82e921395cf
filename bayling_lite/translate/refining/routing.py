"""Which segment of a draft a required word belongs to, as the model sees it.

In every segment the place is looked for where the model would likeliest begin the word; the segment with the best of
these places is the one. That costs no more than reading the drafts, and nothing where the engine still knows how it
wrote them.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Generator, Iterable, Sequence

from bayling_lite.engine.base import GenerationRequest, Revision
from bayling_lite.translate.asking.steps import Reply
from bayling_lite.translate.glossary import occurs
from bayling_lite.translate.refining.corrections import answered_request
from bayling_lite.translate.results import TranslatedSegment

# Segments that the model looks at; of more, those that look most like the word. Reading so many takes a fraction of the
# time in which they were translated.
_MOST_READ = 64

Routes = dict[int, tuple[str, ...]]
"""Positions of segments, and the words that belong there."""
Spans = tuple[tuple[int, int], ...]


def route(
    segments: Sequence[TranslatedSegment],
    positions: Iterable[int],
    words: Sequence[str],
    kept: Callable[[TranslatedSegment], Spans] = lambda _segment: (),
) -> Generator[Sequence[GenerationRequest], list[Reply], Routes | None]:
    """Where each of the words belongs, among the segments at some positions: steps that an engine takes.

    A word that is there already belongs where it is; what is ``kept`` of a segment is no place for another. None where
    the engine finds no place for one of them: it thinks before it answers, or the segments do not fit the context.
    """
    candidates, routes = list(positions), Routes()
    for word in words:
        there = [position for position in candidates if occurs(word, segments[position].text)]
        if not there:
            read = candidates
            if len(read) > _MOST_READ:
                read = sorted(read, key=lambda position: -_likeness(word, segments[position]))[:_MOST_READ]
            replies = yield [_trial(segments[position], word, kept(segments[position])) for position in read]
            fits = {position: _fit(reply) for position, reply in zip(read, replies, strict=True)}
            found = {position: fit for position, fit in fits.items() if fit is not None}
            if not found:
                return None
            there = [max(found, key=lambda position: found[position])]
        routes[there[0]] = (*routes.get(there[0], ()), word)
    return routes


def _trial(segment: TranslatedSegment, word: str, kept: Spans) -> GenerationRequest:
    revision = Revision(segment.text, word, trial=True, kept=kept)
    return GenerationRequest(answered_request(segment.conversation), revision=revision)


def _fit(reply: Reply) -> float | None:
    return None if isinstance(reply, Exception) else reply.fit


def _likeness(word: str, segment: TranslatedSegment) -> float:
    """How much of a word is spelled in one piece in a segment, or its source: from 0 to 1."""
    word, said = word.casefold(), f"{segment.text}\n{segment.source}".casefold()
    matcher = difflib.SequenceMatcher(None, said, word, autojunk=False)
    return matcher.find_longest_match().size / len(word)
