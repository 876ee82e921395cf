"""Whole documents translated in one call: a file in, a file of the same format out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from bayling_lite.engine.base import Engine
from bayling_lite.errors import InputError, JobCancelled, OutputError, UsageError
from bayling_lite.languages import Language
from bayling_lite.translate.asking.segment_translator import SegmentTranslator
from bayling_lite.translate.asking.steering import Steering
from bayling_lite.translate.formats import (
    FORMATS,
    Format,
    FormatOptions,
    Source,
    find_format,
    format_of,
    open_document,
    suffix_of,
)
from bayling_lite.translate.glossary import Term
from bayling_lite.translate.job.document_job import DocumentJob, OnSegment
from bayling_lite.translate.job.fitting import model_language, sentence_limit
from bayling_lite.translate.job.naming import derived_name
from bayling_lite.translate.job.report import JobReport
from bayling_lite.translate.job.writing import whole_output, write_pieces
from bayling_lite.translate.store import Store

if TYPE_CHECKING:
    from bayling_lite.translate.memory import TranslationMemory


def translate_document(
    document: str | os.PathLike[str] | bytes,
    target: str | Language,
    *,
    engine: Engine | SegmentTranslator,
    output: str | os.PathLike[str] | BinaryIO | None = None,
    source: str | Language | None = None,
    terms: Iterable[Term] = (),
    steering: Steering | None = None,
    store: Store | str | os.PathLike[str] | None = None,
    memory: TranslationMemory | None = None,
    format: str | None = None,  # noqa: A002 - what everybody calls it
    options: FormatOptions | None = None,
    encoding: str | None = None,
    bilingual: bool = False,
    overwrite: bool = False,
    on_segment: OnSegment | None = None,
) -> JobReport:
    """Translate a document; everything in it that is not text stays as it is.

    ::

        report = translate_document("letter.docx", "zh", engine=engine, store="letter.sqlite")
        report.output, report.failed        # letter.zh.docx, 0

    Args:
        document: a file, or a document's bytes.
        target: a language, its BCP-47 code or name.
        engine: what translates, or a translator made for it, with a beam size for example.
        output: the file to write, whole or not at all; None: beside the document, letter.txt becomes letter.zh.txt.
        source: the document's language; None to find out.
        terms: (word, translation) pairs: the translation is required where the word occurs.
        steering: how formal, in which style, what the text is about.
        store: a file where every finished segment is kept, so that another call goes on where this one ended.
        memory: a translation memory to take translations from.
        format: the document's format, by name; None: what its file's name says.
        options: about reading it, see there.
        encoding: of a text; None to find out.
        bilingual: keep the source beside the translation.
        overwrite: whether the output may exist.
        on_segment: called for each finished segment, in order.

    Returns:
        What became of the segments: some may be left in the source language (``failed``).

    Raises:
        UsageError: an unknown language or format, or options that cannot be.
        InputError: the document cannot be read.
        OutputError: the output, or the store, cannot be written.
        EngineError: generating failed; what is finished is in the store.
    """
    translator = engine if isinstance(engine, SegmentTranslator) else SegmentTranslator(engine, steering=steering)
    if translator is engine and steering is not None:
        raise UsageError("A translator has its own steering: give that to it, or an engine here.")
    info = translator.engine.info
    language = model_language(target, info)
    options = replace(options or FormatOptions(), limit=sentence_limit(info))
    opened = open_document(_read(document, encoding), _format(document, format), options)
    suffix = suffix_of(opened, bilingual=bilingual)
    beside = "" if isinstance(document, bytes) else derived_name(Path(document), language, suffix)
    place = _output(document, output, beside, overwrite=overwrite)
    with ExitStack() as stack:
        if store is not None and not isinstance(store, Store):
            store = stack.enter_context(Store.open(Path(store)))
        job = DocumentJob(
            opened,
            translator,
            target=language,
            source=source,
            terms=terms,
            store=store,
            memory=memory,
            bilingual=bilingual,
            on_segment=on_segment,
        )
        return write_translation(job, place)


def write_translation(job: DocumentJob, output: Path | BinaryIO) -> JobReport:
    """Run a job and write what it gives, whole or not at all; gives its report. A cancelled job writes nothing.

    Raises:
        OutputError: the output, or the store, cannot be written.
        EngineError: generating failed; what is finished is in the store.
    """
    try:
        with whole_output(output) as file, closing(job.run()) as pieces:
            form = write_pieces(pieces, job.document.form, file)
    except JobCancelled:
        return job.report
    path = output if isinstance(output, Path) else None
    return replace(job.report, output=path, encoding="" if form is None else form.encoding)


def _read(document: str | os.PathLike[str] | bytes, encoding: str | None) -> Source:
    if isinstance(document, bytes):
        return Source("the document", document, encoding)
    name = os.fspath(document)
    try:
        return Source(name, Path(name).read_bytes(), encoding)
    except (OSError, ValueError) as error:
        raise InputError(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}.") from error


def _format(document: str | os.PathLike[str] | bytes, name: str | None) -> Format:
    if name is not None:
        return find_format(name)
    suffix = "" if isinstance(document, bytes) else Path(document).suffix
    found = format_of(suffix)
    if found is None:
        what = f"What ends with {suffix!r}" if suffix else "A document without a file name's ending"
        raise UsageError(f"{what} is of an unknown format: name it. Known: {', '.join(one.name for one in FORMATS)}.")
    return found


def _output(
    document: str | os.PathLike[str] | bytes,
    output: str | os.PathLike[str] | BinaryIO | None,
    beside: str,
    *,
    overwrite: bool,
) -> Path | BinaryIO:
    """Where the translation goes: ``beside`` is its name if it is to stand beside the document."""
    if output is None:
        if isinstance(document, bytes):
            raise UsageError("A document of bytes has no place: say where its translation goes, with output=.")
        output = Path(document).with_name(beside)
    if not isinstance(output, str | os.PathLike):
        return output
    path = Path(output)
    if path.is_dir():
        raise OutputError(f"{path} is a folder: name a file in it.")
    if not isinstance(document, bytes) and os.path.realpath(path) == os.path.realpath(document):
        raise OutputError(f"{path} is the document itself, which is never overwritten. Name another output.")
    if path.is_file() and not overwrite:
        raise OutputError(f"{path} exists. Name another output, or overwrite it with overwrite=True.")
    return path
