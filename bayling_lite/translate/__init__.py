"""Translating text: segments, the Translator and what it gives back.

Names are loaded when they are first used: a prompt that should be there at once, and needs no more than the type of a
term, does not pay for all that translating needs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayling_lite.translate.glossary import Term
    from bayling_lite.translate.results import Status, TranslatedSegment, Translation
    from bayling_lite.translate.stream import TranslationStream
    from bayling_lite.translate.translator import Translator

_HOME_OF = {
    "Status": "bayling_lite.translate.results",
    "Term": "bayling_lite.translate.glossary",
    "TranslatedSegment": "bayling_lite.translate.results",
    "Translation": "bayling_lite.translate.results",
    "TranslationStream": "bayling_lite.translate.stream",
    "Translator": "bayling_lite.translate.translator",
}

__all__ = ["Status", "Term", "TranslatedSegment", "Translation", "TranslationStream", "Translator"]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value
