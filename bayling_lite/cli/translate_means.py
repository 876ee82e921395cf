"""What ``bayling translate`` translates with: model, store and memory; and a document with them, from file to job."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bayling_lite.cli.files import read_source
from bayling_lite.cli.transfer import ByteProgress
from bayling_lite.cli.translate_options import Options
from bayling_lite.cli.translate_plan import Work
from bayling_lite.settings import Settings
from bayling_lite.translate.asking.segment_translator import SegmentTranslator
from bayling_lite.translate.formats import Document, Format, Source, open_document
from bayling_lite.translate.formats.sniffing import sniff
from bayling_lite.translate.job.document_job import DocumentJob, OnSegment
from bayling_lite.translate.job.fitting import model_language, sentence_limit
from bayling_lite.translate.memory import TranslationMemory
from bayling_lite.translate.store import FILE_NAME, Store

if TYPE_CHECKING:
    from bayling_lite.engine.base import Engine


@dataclass(frozen=True, slots=True)
class Means:
    """What documents are translated with."""

    translator: SegmentTranslator
    store: Store | None
    memory: TranslationMemory | None

    @property
    def engine(self) -> Engine:
        """The engine of the translator."""
        return self.translator.engine


@dataclass(frozen=True, slots=True)
class Opened:
    """A document that was read."""

    source: Source
    format: Format
    document: Document

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it, not even something that needs no translation."""
        return not self.source.data.strip(b"\xef\xbb\xbf \t\r\n")


def open_means(stack: contextlib.ExitStack, engine: Engine, settings: Settings, options: Options) -> Means:
    """Everything that documents are translated with; it is closed with the ``stack``.

    Raises:
        UsageError: a language that the model does not know, or a search that it cannot do.
        InputError: the store or a translation memory is damaged.
        OutputError: they cannot be written.
    """
    asking = options.asking
    model_language(asking.target, engine.info)
    if asking.source is not None:
        model_language(asking.source, engine.info)
    translator = SegmentTranslator(
        engine, beam_size=asking.beam_size, steering=asking.steering, alternatives=asking.alternatives
    )
    if translator.note:
        options.writing.note(translator.note)
    memory = stack.enter_context(TranslationMemory.open(settings))
    for path in asking.memories:
        _load_tmx(memory, path, options)
    if memory.memories and memory.note:
        options.writing.note(memory.note)
    return Means(translator, _store(stack, settings, options), memory if memory.memories else None)


def _load_tmx(memory: TranslationMemory, path: Path, options: Options) -> None:
    """Use a TMX file; the first time it is indexed, which for a large one takes minutes."""
    progress = ByteProgress(shown=options.writing.progress and not options.writing.quiet)
    try:
        memory.load_tmx(path, lambda done, total: progress(done, total, "Indexing"))
    finally:
        progress.end()


def _store(stack: contextlib.ExitStack, settings: Settings, options: Options) -> Store | None:
    path = settings.data_dir / FILE_NAME
    if not options.resume or (options.dry_run and not path.is_file()):
        return None
    return stack.enter_context(Store.open(path, readonly=options.dry_run))


def read_document(work: Work, means: Means, options: Options) -> Opened:
    """Read an input.

    Raises:
        InputError: it cannot be read, or is not what its name says.
        UsageError: an option that its format cannot take.
    """
    name = "-" if work.input.path is None else work.input.name
    source = read_source(name, options.reading.encoding)
    format_ = work.input.format or sniff(source.data)
    chosen = replace(options.reading.chosen, limit=sentence_limit(means.engine.info))
    return Opened(source, format_, open_document(source, format_, chosen))


def make_job(document: Document, means: Means, options: Options, *, on_segment: OnSegment | None = None) -> DocumentJob:
    """The job of a document."""
    asking = options.asking
    return DocumentJob(
        document,
        means.translator,
        target=asking.target,
        source=asking.source,
        terms=asking.terms,
        store=means.store,
        memory=means.memory,
        bilingual=options.writing.bilingual,
        retranslate=options.retranslate,
        on_segment=on_segment,
    )
