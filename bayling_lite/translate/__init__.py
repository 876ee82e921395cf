"""Translating text: segments, the Translator and what it gives back."""

from __future__ import annotations

from bayling_lite.translate.glossary import Term
from bayling_lite.translate.results import Status, TranslatedSegment, Translation
from bayling_lite.translate.stream import TranslationStream
from bayling_lite.translate.translator import Translator

__all__ = ["Status", "Term", "TranslatedSegment", "Translation", "TranslationStream", "Translator"]
