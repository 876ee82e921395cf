"""Styles that can be put on a text or taken off it for certain, without a model and without any other change."""

from __future__ import annotations

from bayling_finetune.dialogues.styles import contractions, numbers, punctuation, spelling
from bayling_finetune.dialogues.styles.values import Variant
from bayling_lite.languages import Language

__all__ = ["Variant", "variants"]


def variants(text: str, language: Language) -> list[Variant]:
    """Every other way of writing a text that is certain, in a fixed order; forms of address are not among them."""
    code = language.code
    found = contractions.variants(text) if code == "en" else []
    return [
        *found,
        *spelling.variants(text, code),
        *numbers.variants(text, code),
        *punctuation.variants(text, code),
    ]
