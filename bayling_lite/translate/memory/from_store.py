"""Stored segments as units of a translation memory."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bayling_lite.translate.markup import Code, CodeKind, Marked, MarkedBuilder
from bayling_lite.translate.memory.units import Unit, Variant
from bayling_lite.translate.store import StoredSegment

_TAG = re.compile(r"<(?P<close>/)?(?P<prefix>[a-z]*)(?P<number>\d{1,6})(?P<alone>/)?>")
UNDETERMINED = "und"
"""What ISO 639 has for a language that is not known."""


def as_unit(segment: StoredSegment) -> Unit:
    """A stored segment with codes for its tags."""
    prefix = _prefix(segment.source)
    return Unit(
        (
            Variant(segment.source_language or UNDETERMINED, _with_codes(segment.source, prefix)),
            Variant(segment.target_language, _with_codes(segment.target, prefix)),
        ),
        segment.created,
        (("x-model", segment.model),),
    )


def _prefix(source: str) -> str | None:
    """The letters that the tags of a text begin with: where the text itself has such tags, ours have later letters."""
    present = {found["prefix"] for found in _TAG.finditer(source)}
    last = None
    for prefix in _prefixes():
        if prefix not in present:
            return last
        last = prefix
    return last


def _prefixes() -> Iterator[str]:
    """In the order in which :func:`bayling_lite.translate.markup.tagged` tries them."""
    yield ""
    for length in range(1, 4):
        yield from (chr(ord("a") + index) * length for index in range(26))


def _with_codes(text: str, prefix: str | None) -> Marked:
    builder = MarkedBuilder()
    done = 0
    for found in _TAG.finditer(text):
        if found["prefix"] != prefix or (found["close"] and found["alone"]):
            continue
        builder.text(text[done : found.start()])
        kind: CodeKind = "close" if found["close"] else "alone" if found["alone"] else "open"
        builder.code(Code(kind, found[0], int(found["number"])))
        done = found.end()
    builder.text(text[done:])
    return builder.build()
