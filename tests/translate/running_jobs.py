"""Document jobs on the pretended translator, and what they are about."""

from __future__ import annotations

from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.languages import find_language
from bayling_lite.translate.asking.segment_translator import SegmentTranslator
from bayling_lite.translate.formats import Unit
from bayling_lite.translate.job.document_job import DocumentJob
from tests.translate.pretending import SMALL, Texts, asked_text, chinese

ENGLISH, CHINESE, GERMAN = (find_language(code) for code in ("en", "zh", "de"))
NAMES = ["Anna", "Peter", "Maria", "Johann", "Clara", "Robert", "Emma", "Felix", "Laura", "Simon", "Nina", "Oskar"]
VERBS = ["reads", "writes", "sees", "finds", "keeps", "paints", "sells"]
THINGS = ["book", "letter", "house", "garden", "river", "bridge", "picture", "window"]


def sentences(count: int) -> list[str]:
    """Different short sentences."""
    return [
        f"{NAMES[number % 12]} {VERBS[number % 7]} the {THINGS[number % 8]} number {number}." for number in range(count)
    ]


def job_of(
    units: list[str] | list[Unit] | Texts, engine: ScriptedEngine | None = None, **options: object
) -> DocumentJob:
    document = units if isinstance(units, Texts) else Texts(units)
    translator = SegmentTranslator(engine or ScriptedEngine(chinese, info=SMALL))
    given = {"target": "zh", "source": "en", **options}
    return DocumentJob(document, translator, **given)  # type: ignore[arg-type]


def text_of(job: DocumentJob) -> str:
    return "".join(piece for piece in job.run() if isinstance(piece, str))


def asked(engine: ScriptedEngine) -> list[str]:
    return [asked_text(request.conversation) for request in engine.requests]
