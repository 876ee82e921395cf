"""Parallel text from files: TSV, TMX, Parquet, two aligned text files; ``.gz`` of all but Parquet.

::

    skipped = Skipped()
    for direction in open_source(ParallelSource((Path("news.en-zh.tsv"),), english, chinese), skipped):
        ...

Every reader gives one pair at a time; memory does not grow with the file.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Protocol

from bayling_finetune.dialogues.sources.cleaning import clean, count_words
from bayling_finetune.dialogues.sources.decoding import check_file
from bayling_finetune.dialogues.sources.values import (
    Format,
    ParallelSource,
    Reason,
    Skipped,
    base_code,
    languages_in_name,
)
from bayling_finetune.dialogues.values import Direction
from bayling_lite.encodings import check_encoding
from bayling_lite.errors import UsageError

__all__ = [
    "Format",
    "ParallelSource",
    "Reader",
    "Reason",
    "Skipped",
    "base_code",
    "clean",
    "languages_in_name",
    "open_source",
]


class Reader(Protocol):
    """Reads one format: gives source and target as they stand there, and counts what it leaves out."""

    def __call__(self, source: ParallelSource, skipped: Skipped) -> Iterator[tuple[str, str]]:
        """All pairs, one at a time."""
        ...


# A module is imported when its format is met: pyarrow and defusedxml are not everybody's.
_READERS: Mapping[Format, str] = MappingProxyType(
    {
        Format.TSV: "text_files:read_tsv",
        Format.ALIGNED: "text_files:read_aligned",
        Format.TMX: "tmx:read_tmx",
        Format.PARQUET: "parquet:read_parquet",
    }
)


def open_source(source: ParallelSource, skipped: Skipped | None = None) -> Iterator[Direction]:
    """The pairs of a source as directions from its source language to its target language, in the file's order.

    Sides are cleaned (:func:`clean`); pairs with an empty one are left out and counted, and so are sources of more than
    ``max_words`` words. That the files can be opened is seen to at once, before the first pair is asked for.

    Raises:
        InputError: a file is missing or unreadable or malformed; the message names the place. Also while reading.
        UsageError: the format cannot be told, an encoding is unknown, or a package is missing.
    """
    read = _reader(source.resolved_format())
    if source.encoding is not None:
        check_encoding(source.encoding)
    for path in source.paths:
        check_file(path)
    return _directions(source, read, skipped if skipped is not None else Skipped())


def _reader(kind: Format) -> Reader:
    module, _, name = _READERS[kind].partition(":")
    try:
        reader: Reader = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"Reading {kind} files needs the package {error.name}: pip install 'bayling-lite[finetune]'."
        ) from error
    return reader


def _directions(source: ParallelSource, read: Reader, skipped: Skipped) -> Iterator[Direction]:
    for raw_left, raw_right in read(source, skipped):
        left, right = clean(raw_left), clean(raw_right)
        if not left or not right:
            skipped[Reason.EMPTY] += 1
        elif source.max_words and count_words(left, source.source) > source.max_words:
            skipped[Reason.TOO_LONG] += 1
        else:
            yield Direction(left, right, source.source, source.target, source.weight, source.origin)
