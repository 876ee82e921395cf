"""Parquet files, in the layouts that parallel text has on the Hugging Face hub:

``translation: struct<en: string, zh: string>`` (any name), a column for each language (``en``, ``zh``, also ``zh-CN``
or ``eng_Latn``), or ``source`` and ``target``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bayling_finetune.dialogues.sources.decoding import MAX_CHARACTERS, check_file
from bayling_finetune.dialogues.sources.values import ParallelSource, Reason, Skipped, base_code
from bayling_lite.errors import InputError

_ROWS = 64  # read together: few, for where each is huge
_SIDES = (("source", "target"), ("src", "tgt"), ("src", "trg"), ("src", "ref"), ("sentence1", "sentence2"))


def read_parquet(source: ParallelSource, skipped: Skipped) -> Iterator[tuple[str, str]]:
    """Source and target of each row; null is an empty text.

    Raises:
        InputError: the file is none or is cut short, has no such columns, or a text in it is not UTF-8.
    """
    path = source.paths[0]
    for row in rows(path, lambda columns: _choose(source, columns)):
        left, right = (text or "" for text in row)
        if max(len(left), len(right)) > MAX_CHARACTERS:
            skipped[Reason.LONG_LINE] += 1
        else:
            yield left, right


def rows(path: Path, choose: Any) -> Iterator[Sequence[str | None]]:
    """The texts of each row; ``choose`` is given the names of all text columns and names those wanted.

    Raises:
        InputError: as :func:`read_parquet` does.
    """
    check_file(path)
    done = 0
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            wanted = choose(text_columns(file.schema_arrow))
            for batch in file.iter_batches(batch_size=_ROWS, columns=list(dict.fromkeys(wanted))):
                yield from zip(*(_texts(batch, name) for name in wanted), strict=True)
                done += batch.num_rows
    except UnicodeDecodeError as error:
        raise InputError(f"{path}, between rows {done:,} and {done + _ROWS:,}: a text is not UTF-8.") from error
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path} is no Parquet file, or is damaged or cut short ({_first_line(error)}).") from error


def text_columns(schema: Any) -> list[str]:
    """The names of all columns of text; those within a struct as ``struct.field``."""
    names: list[str] = []
    for field in schema:
        if _is_text(field.type):
            names.append(field.name)
        elif pa.types.is_struct(field.type):
            names += [f"{field.name}.{inner.name}" for inner in field.type if _is_text(inner.type)]
    return names


def _is_text(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _choose(source: ParallelSource, columns: list[str]) -> tuple[str, str]:
    if source.columns:
        first, second = source.columns
        if missing := [name for name in source.columns if name not in columns]:
            raise InputError(f"{source.name} has no text column {missing[0]!r}. It has: {_listed(columns)}.")
        return first, second
    by_code = {base_code(name.rpartition(".")[2]): name for name in reversed(columns)}
    by_name = {name.casefold(): name for name in columns}
    for names, (left, right) in ((by_code, (source.source.code, source.target.code)), *((by_name, s) for s in _SIDES)):
        if left in names and right in names:
            return names[left], names[right]
    raise InputError(
        f"Which columns of {source.name} are {source.source.code} and {source.target.code} cannot be told: it has "
        f"{_listed(columns)}. Name two with --columns, source first."
    )


def _listed(columns: list[str]) -> str:
    return ", ".join(columns[:20]) or "no column of text"


def _texts(batch: Any, name: str) -> list[str | None]:
    if name in batch.schema.names:
        column = batch.column(name)
    else:
        struct, _, field = name.partition(".")
        column = pc.struct_field(batch.column(struct), field)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if (pc.max(pc.binary_length(column)).as_py() or 0) > 4 * MAX_CHARACTERS:
        # Enough is left of what is too long to see that it is.
        column = pc.utf8_slice_codeunits(column, 0, MAX_CHARACTERS + 1)
    texts: list[str | None] = column.to_pylist()
    return texts


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200].rstrip(".")
