"""What a translation memory holds: units, each a text in several languages."""

from __future__ import annotations

from dataclasses import dataclass

from bayling_lite.translate.markup import Marked

MOST_VARIANTS = 64
"""Texts of one unit; further ones are left out."""
LONGEST_TEXT = 100_000
"""Characters of a text; longer ones, which are no segments, are left out."""


@dataclass(frozen=True, slots=True)
class Variant:
    """The text of a unit in one language.

    ``language`` is a BCP-47 tag. In a unit, codes with the same ``pair`` stand for the same thing in every variant.
    """

    language: str
    text: Marked


@dataclass(frozen=True, slots=True)
class Unit:
    """A translation unit. ``created`` counts seconds since 1970, 0 when unknown; ``properties`` are (type, value)."""

    variants: tuple[Variant, ...]
    created: float = 0.0
    properties: tuple[tuple[str, str], ...] = ()
