"""TSV, and two text files aligned line by line."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from bayling_finetune.dialogues.sources.decoding import lines
from bayling_finetune.dialogues.sources.values import ParallelSource, Reason, Skipped
from bayling_lite.errors import InputError, UsageError


def read_tsv(source: ParallelSource, skipped: Skipped) -> Iterator[tuple[str, str]]:
    """Source and target of each line, as they stand there. Quotes mean nothing. Blank lines count as empty.

    Raises:
        InputError: the file cannot be read, or a line has not the columns; the message names the line.
        UsageError: ``columns`` are no numbers from 1.
    """
    first, second = _numbers(source)
    path = source.paths[0]
    for number, line in enumerate(lines(path, source.encoding), start=1):
        if line is None:
            skipped[Reason.LONG_LINE] += 1
            continue
        if not line.strip():
            skipped[Reason.EMPTY] += 1
            continue
        columns = line.split("\t")
        if len(columns) != 2 and not source.columns:
            more = " Name the two to take with --columns, for example --columns 1,2."
            if len(columns) == 1:
                more = " A line without a TAB is no pair: put one in, or take the line out."
            found = f"{len(columns)} column{'s' if len(columns) > 1 else ''}"
            raise InputError(f"{path}, line {number}: expected source TAB target, found {found}.{more}")
        if len(columns) <= max(first, second):
            raise InputError(
                f"{path}, line {number}: there is no column {max(first, second) + 1}, only {len(columns)}."
            )
        yield columns[first], columns[second]


def _numbers(source: ParallelSource) -> tuple[int, int]:
    """Indices of the two columns, from 0."""
    if not source.columns:
        return 0, 1
    if not all(column.isdecimal() and int(column) for column in source.columns):
        given = ",".join(source.columns)
        raise UsageError(f"{source.name}: the columns of a TSV file are numbers from 1, not {given}.")
    first, second = (int(column) - 1 for column in source.columns)
    return first, second


def read_aligned(source: ParallelSource, skipped: Skipped) -> Iterator[tuple[str, str]]:
    """Line n of the first file with line n of the second.

    The lines are counted before the first pair is given: in files of different length, somewhere before the end every
    pair is a wrong one.

    Raises:
        InputError: a file cannot be read, or one has more lines than the other; the message names both counts.
    """
    first, second = source.paths
    counts = [_count(path, source.encoding) for path in source.paths]
    if counts[0] != counts[1]:
        raise InputError(
            f"{first} has {counts[0]:,} lines, {second} has {counts[1]:,}: line by line they cannot be translations "
            "of each other. Align them first."
        )
    both = zip_longest(lines(first, source.encoding), lines(second, source.encoding), fillvalue="")
    for left, right in both:
        if left is None or right is None:
            skipped[Reason.LONG_LINE] += 1
        else:
            yield left, right


def _count(path: Path, encoding: str | None) -> int:
    return sum(1 for _ in lines(path, encoding))
