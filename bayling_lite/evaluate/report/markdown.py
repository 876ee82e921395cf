"""The report as Markdown that reads well as it is: columns are padded, texts of models stand in fenced blocks."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from bayling_lite.evaluate.report.html_tables import cell_marks, row_name
from bayling_lite.evaluate.report.listings import Listing, comparison_listing, problem_listing, ranking_listing
from bayling_lite.evaluate.report.marks import MARKS
from bayling_lite.evaluate.report.markup import cells, visible
from bayling_lite.evaluate.report.values import Cell, Example, Origin, Report, Row, RunLine, Table
from bayling_lite.evaluate.report.words import (
    COMPARED,
    about,
    duration,
    examples_about,
    listed,
    prompted,
    quality_text,
    ranking_caption,
    reused,
    same_signatures,
    shown_text,
    when,
)

# What Markdown would take for markup; a backslash before it makes it a character.
_MARKUP = re.compile(r"([\\`*_\[\]<>|#~&$])")


def to_markdown(report: Report) -> str:
    """A report as Markdown, with tables as GitHub writes them. Its figures are in the page."""
    return "\n\n".join(filter(None, _blocks(report))) + "\n"


def _blocks(report: Report) -> Iterator[str]:
    yield MARKS[".md"]
    yield f"# {_inline(report.title)}"
    yield _inline(about(report))
    for number, table in enumerate(report.tables, 1):
        yield from _table(table, number)
    if report.rankings:
        yield "## Ranking by people"
        for one in report.rankings:
            yield _inline(ranking_caption(one))
            yield _listing(ranking_listing(one))
    if report.comparisons:
        yield "## Significance"
        yield _inline(COMPARED)
        yield _listing(comparison_listing(report.comparisons))
    if report.runs:
        yield "## How it was run, and how fast"
        yield "\n".join(map(_run, report.runs))
    if report.problems:
        yield "## Problems and incomplete sets"
        yield _listing(problem_listing(report.problems))
    if report.signatures or report.rankings:
        yield "## Signatures"
        yield _grid(("task", "metric", "sets", "signature"), same_signatures(report))
    if report.sources:
        yield "## Published figures"
        yield "\n".join(f"- {_inline(one)}" for one in report.sources)
    if report.examples:
        yield "## Examples"
        yield _inline(examples_about(report))
        yield from map(_example, report.examples)


def _table(table: Table, number: int) -> Iterator[str]:
    yield f"## Table {number}. {_inline(table.title)}"
    yield _inline(table.caption)
    yield _by_group(table) if any(column.group for column in table.columns) else _by_set(table)
    yield "\n".join(f"- {f'{_inline(note.mark)}: ' if note.mark else ''}{_inline(note.text)}" for note in table.notes)


def _by_set(table: Table) -> str:
    """A column for each set, as on the page."""
    rows = [[_name(row), *map(_cell, row.cells)] for row in table.rows]
    rows.append(["items", *(f"{column.n_items:,}" for column in table.columns)])
    header = ("system", *(column.label for column in table.columns))
    return _grid(header, rows, range(1, len(header)), escaped=True)


def _by_group(table: Table) -> str:
    """A line for each system and set, so that the table does not become too wide to be read."""
    labels = tuple(dict.fromkeys(column.label for column in table.columns))
    groups = dict.fromkeys(column.group for column in table.columns)
    rows = []
    for group in groups:
        places = {column.label: place for place, column in enumerate(table.columns) if column.group == group}
        n_items = next(column.n_items for column in table.columns if column.group == group)
        for row in table.rows:
            found = [row.cells[places[label]] if label in places else Cell() for label in labels]
            if any(cell.text for cell in found):
                rows.append([_inline(group), _name(row), f"{n_items:,}", *map(_cell, found)])
    header = ("set", "system", "items", *labels)
    return _grid(header, rows, range(2, len(header)), escaped=True)


def _name(row: Row) -> str:
    return f"{_inline(row_name(row))}{' (published)' if row.origin is Origin.PUBLISHED else ''}"


def _cell(cell: Cell) -> str:
    if cell.value is None:
        return cell.text or "–"
    marks = cell_marks(cell)
    text = f"**{cell.text}**" if cell.best else cell.text
    return f"{text} {_inline(marks)}" if marks else text


def _listing(listing: Listing) -> str:
    return _grid(listing.header, listing.rows, listing.numbers)


def _example(example: Example) -> str:
    parts = [f"### {_inline(f'{example.family} {example.set_name}, item {example.id}')}"]
    parts += ["Asked:", _fenced(example.asked)]
    if example.reference:
        parts += ["Reference:", _fenced((example.reference,))]
    for said in example.said:
        worth = quality_text(said)
        parts += [f"{_inline(said.system)}{f' ({_inline(worth)})' if worth else ''}:", _fenced(said.said)]
    return "\n\n".join(parts)


def _fenced(texts: Iterable[str]) -> str:
    """Texts in a block of their own, whose fence is longer than any in them."""
    text = "\n\n".join(visible(shown_text(one)) for one in texts)
    longest = max((len(found) for found in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _run(run: RunLine) -> str:
    told = [
        f"outputs made elsewhere: {listed(run.origins, 'files')}" if run.origins else run.model,
        *((f"fingerprint {run.fingerprint[:16]}",) if run.fingerprint else ()),
        *((f"template {run.template}",) if run.template else ()),
        *(run.device, run.decoding, prompted(run)),
        f"{run.n_outputs:,} outputs",
    ]
    if run.n_generated and run.tokens_per_second:
        told.append(f"{run.n_generated:,} tokens in {duration(run.seconds)}, {run.tokens_per_second:,.1f} tokens/s")
    if run.n_reused:
        told.append(reused(run))
    told.append(when(run))
    line = "; ".join(" ".join(part.split()) for part in told if part)
    return f"- {_inline(run.system)}, {_inline(run.family)} ({_inline(listed(run.sets))}): {_inline(line)}"


def _grid(
    header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Collection[int] = (), *, escaped: bool = False
) -> str:
    """A table with padded columns; those in ``numbers`` stand to the right."""
    lines = [list(map(_inline, header)), *(list(row) if escaped else list(map(_inline, row)) for row in rows)]
    widths = [max(3, *(cells(line[place]) for line in lines)) for place in range(len(header))]
    turned = [place in numbers for place in range(len(header))]
    rule = [
        f"{'-' * (width - 1)}:" if to_right else "-" * width for width, to_right in zip(widths, turned, strict=True)
    ]
    padded = [
        [
            " " * (width - cells(text)) + text if to_right else text + " " * (width - cells(text))
            for text, width, to_right in zip(line, widths, turned, strict=True)
        ]
        for line in lines
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in [padded[0], rule, *padded[1:]])


def _inline(text: str) -> str:
    """Text in a line, nothing of it markup."""
    return _MARKUP.sub(r"\\\1", " ".join(visible(text).split()))
