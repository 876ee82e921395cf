"""Accepted translations as a translation memory (TMX): what `bayling memory import` and other programs take in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from bayling_lite.chat.records.values import StoredDraft, StoredSession, StoredTurn
from bayling_lite.translate.markup import plain_text
from bayling_lite.translate.memory.tmx_writer import write_tmx
from bayling_lite.translate.memory.units import LONGEST_TEXT, Unit, Variant


def tmx(sessions: Iterable[StoredSession]) -> str:
    """The text of a memory; see :func:`units`."""
    found = units(sessions)
    sources = {unit.variants[0].language for unit in found}
    return "".join(write_tmx(found, source_language=sources.pop() if len(sources) == 1 else "*all*"))


def units(sessions: Iterable[StoredSession]) -> list[Unit]:
    """The accepted translations, sentence by sentence, each pair once with its latest time, in order.

    A draft that was changed as a whole is one unit: which of its sentences is the translation of which is not known.
    """
    found: dict[tuple[Variant, ...], Unit] = {}
    for unit in chain.from_iterable(map(_session_units, sessions)):
        found.pop(unit.variants, None)
        found[unit.variants] = unit
    return list(found.values())


def _session_units(session: StoredSession) -> Iterator[Unit]:
    for turn in session.turns:
        if turn.accepted and turn.draft is not None and turn.draft.source is not None:
            yield from _turn_units(session, turn, turn.draft, turn.draft.source)


def _turn_units(session: StoredSession, turn: StoredTurn, draft: StoredDraft, source_language: str) -> Iterator[Unit]:
    for segment in draft.segments:
        source, target = segment.source.strip(), segment.text.strip()
        if segment.status != "ok" or not source or not target or max(len(source), len(target)) > LONGEST_TEXT:
            continue
        model = turn.model or session.model
        yield Unit(
            (Variant(source_language, plain_text(source)), Variant(draft.target, plain_text(target))),
            created=turn.created,
            properties=(*((("x-model", model),) if model else ()), ("x-session", session.short_id)),
        )
