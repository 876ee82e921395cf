"""Which terms bind a segment that is refined, and which it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bayling_lite.messages import Conversation, Role
from bayling_lite.translate.glossary import Term, applying, occurs
from bayling_lite.translate.refining.quotes import overrules
from bayling_lite.translate.results import TranslatedSegment


def binding(
    terms: Sequence[Term], source: str, conversation: Conversation, required: Sequence[str] = ()
) -> tuple[Term, ...]:
    """The terms that a segment must have: those that apply to its source, but for those that the user has overruled in
    its conversation, and not asked for again since.

    ``required`` are the words that the last instruction of the conversation asks for.
    """
    instructions = [message.content for message in conversation if message.role is Role.USER][1:]
    return tuple(term for term in applying(terms, source) if not _withdrawn(term, instructions, required))


def _withdrawn(term: Term, instructions: Sequence[str], required: Sequence[str]) -> bool:
    withdrawn = False
    for number, instruction in enumerate(instructions, 1):
        overruled = overrules(instruction, term, required if number == len(instructions) else ())
        withdrawn = withdrawn if overruled is None else overruled
    return withdrawn


def words_of(terms: Iterable[Term]) -> tuple[str, ...]:
    """The words that terms want, each once."""
    return tuple(dict.fromkeys(wanted for _, wanted in terms))


def missing_terms(segments: Iterable[TranslatedSegment], terms: Sequence[Term]) -> tuple[Term, ...]:
    """The terms that segments should have and have not, once for each such segment."""
    return lacking((segment, binding(terms, segment.source, segment.conversation)) for segment in segments)


def lacking(bound: Iterable[tuple[TranslatedSegment, Sequence[Term]]]) -> tuple[Term, ...]:
    """Of the terms that bind segments, those that are not in them, once for each segment."""
    return tuple(
        term
        for segment, terms in bound
        if segment.status != "kept"
        for term in terms
        if not occurs(term[1], segment.text)
    )
