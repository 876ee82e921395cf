"""bayling-lite: a private, offline translator and assistant you can talk to.

::

    from bayling_lite import LlamaEngine, Translator, translate_document

    with LlamaEngine.open("model.gguf") as engine:
        draft = Translator(engine).translate("Good morning.", "zh")
        print(draft.refine("Make it formal.").text)
        translate_document("letter.docx", "zh", engine=engine, store="letter.sqlite")

``bayling translate`` is ``cli/translate.py``, ``bayling-chat`` is ``cli/chat.py``. Names are loaded when they are first
used, so importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayling_lite.engine.base import (
        Completion,
        Engine,
        Generation,
        GenerationRequest,
        Hypothesis,
        ModelInfo,
        SamplingParams,
        SearchParams,
        TokenLogprob,
    )
    from bayling_lite.engine.llama import LlamaEngine
    from bayling_lite.engine.plan import EngineOptions
    from bayling_lite.engine.remote import RemoteEngine
    from bayling_lite.engine.scripted import ScriptedEngine
    from bayling_lite.errors import BaylingError
    from bayling_lite.languages import LANGUAGES, Language, detect_language, find_language
    from bayling_lite.messages import Conversation, Message, Role
    from bayling_lite.prompts import PromptTemplate, Wording
    from bayling_lite.translate import TranslatedSegment, Translation, TranslationStream, Translator
    from bayling_lite.translate.alternatives import AlternativesStream
    from bayling_lite.translate.asking.segment_translator import SegmentTranslator
    from bayling_lite.translate.asking.steering import Steering
    from bayling_lite.translate.job.document_job import DocumentJob
    from bayling_lite.translate.job.documents import translate_document
    from bayling_lite.translate.job.report import JobReport, SegmentRecord
    from bayling_lite.translate.memory import TranslationMemory
    from bayling_lite.translate.restoring import restore_translation
    from bayling_lite.translate.store import Store

__version__ = "0.1.0"

_HOMES = {
    "bayling_lite.engine.base": (
        "Completion",
        "Engine",
        "Generation",
        "GenerationRequest",
        "Hypothesis",
        "ModelInfo",
        "SamplingParams",
        "SearchParams",
        "TokenLogprob",
    ),
    "bayling_lite.engine.llama": ("LlamaEngine",),
    "bayling_lite.engine.plan": ("EngineOptions",),
    "bayling_lite.engine.remote": ("RemoteEngine",),
    "bayling_lite.engine.scripted": ("ScriptedEngine",),
    "bayling_lite.errors": ("BaylingError",),
    "bayling_lite.languages": ("LANGUAGES", "Language", "detect_language", "find_language"),
    "bayling_lite.messages": ("Conversation", "Message", "Role"),
    "bayling_lite.prompts": ("PromptTemplate", "Wording"),
    "bayling_lite.translate": ("TranslatedSegment", "Translation", "TranslationStream", "Translator"),
    "bayling_lite.translate.alternatives": ("AlternativesStream",),
    "bayling_lite.translate.restoring": ("restore_translation",),
    "bayling_lite.translate.job.documents": ("translate_document",),
    "bayling_lite.translate.job.document_job": ("DocumentJob",),
    "bayling_lite.translate.memory": ("TranslationMemory",),
    "bayling_lite.translate.job.report": ("JobReport", "SegmentRecord"),
    "bayling_lite.translate.asking.segment_translator": ("SegmentTranslator",),
    "bayling_lite.translate.asking.steering": ("Steering",),
    "bayling_lite.translate.store": ("Store",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "LANGUAGES",
    "AlternativesStream",
    "BaylingError",
    "Completion",
    "Conversation",
    "DocumentJob",
    "Engine",
    "EngineOptions",
    "Generation",
    "GenerationRequest",
    "Hypothesis",
    "JobReport",
    "Language",
    "LlamaEngine",
    "Message",
    "ModelInfo",
    "PromptTemplate",
    "RemoteEngine",
    "Role",
    "SamplingParams",
    "ScriptedEngine",
    "SearchParams",
    "SegmentRecord",
    "SegmentTranslator",
    "Steering",
    "Store",
    "TokenLogprob",
    "TranslatedSegment",
    "Translation",
    "TranslationMemory",
    "TranslationStream",
    "Translator",
    "Wording",
    "__version__",
    "detect_language",
    "find_language",
    "restore_translation",
    "translate_document",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
