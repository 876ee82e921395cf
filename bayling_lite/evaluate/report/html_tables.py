"""The tables of the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from bayling_lite.evaluate.report.listings import Listing
from bayling_lite.evaluate.report.markup import cells, html
from bayling_lite.evaluate.report.notes import SIGNIFICANT
from bayling_lite.evaluate.report.values import Cell, Column, Origin, Row, Table

_MANY_COLUMNS, _CROWD = 9, 15
_LONG_LABEL = 14
_SHORT = 24  # rows that a page of paper holds, with all around them
_MOST_WITH_INTERVALS = 8
_WIDEST_MARKS = 6
_ORIGINS = {Origin.PUBLISHED: "published", Origin.MEASURED: "measured here"}


def table_html(table: Table, number: int) -> str:
    """A table with its caption above and its notes below."""
    marks = max((cells(cell_marks(cell)) for row in table.rows for cell in row.cells), default=0)
    count = len(table.columns)
    many = " crowd" if count >= _CROWD else " many" if count >= _MANY_COLUMNS else ""
    body = "".join(
        _rows(table.columns, origin, list(rows)) for origin, rows in groupby(table.rows, key=lambda row: row.origin)
    )
    short = ' class="short"' if len(table.rows) <= _SHORT else ""
    told = [f"{_mark(note.mark)}{html(note.text)}" for note in table.notes]
    if count <= _MOST_WITH_INTERVALS and any(cell.low is not None for row in table.rows for cell in row.cells):
        told.append("Below a number: its 95 % interval (see Signatures).")
    notes = "".join(f"<li>{note}</li>" for note in told)
    return (
        f'<section id="{html(table.id)}"{short}><p class="caption"><b>Table {number}.</b> <b>{html(table.title)}.</b> '
        f"{html(table.caption)}</p>"
        f'<div class="wide{many}" tabindex="0" role="region" aria-label="{html(table.title)}">'
        f'<table class="w{min(marks, _WIDEST_MARKS)}"><thead>{_head(table.columns)}</thead>'
        f"{body}{_items(table.columns)}</table></div>"
        + (f'<ul class="notes">{notes}</ul>' if notes else "")
        + "</section>"
    )


def cell_marks(cell: Cell) -> str:
    """The marks at a number."""
    letters = [mark for mark in cell.notes if mark.isalpha()]
    signs = "".join(mark for mark in cell.notes if not mark.isalpha())
    return f"{SIGNIFICANT if cell.significant else ''}{signs}{','.join(letters)}"


def row_name(row: Row) -> str:
    """Whose numbers a row has."""
    return f"{row.system} vs. {row.against}" if row.against else row.system


def plain_table(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: Sequence[int] = (),
    unbroken: Sequence[int] = (),
    broad: Sequence[int] = (),
) -> str:
    """A table of cells that are HTML already; the columns in ``numbers`` stand to the right."""
    styles = {**dict.fromkeys(unbroken, "u"), **dict.fromkeys(broad, "h"), **dict.fromkeys(numbers, "n")}
    kinds = [f' class="{styles[place]}"' if place in styles else "" for place in range(len(header))]
    head = "".join(f'<th scope="col"{kind}>{html(name)}</th>' for name, kind in zip(header, kinds, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(row, kinds, strict=True)) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide plain" tabindex="0" role="region" aria-label="{html(header[0])}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def listing_html(listing: Listing) -> str:
    """A listing of plain texts as a table."""
    rows = [[name_html(text) for text in row] for row in listing.rows]
    return plain_table(listing.header, rows, numbers=listing.numbers, unbroken=listing.unbroken)


def name_html(name: str) -> str:
    """A name, which may be written from right to left, apart from the text around it."""
    return f"<bdi>{html(name)}</bdi>"


def _head(columns: Sequence[Column]) -> str:
    names = "".join(
        f'<th scope="col" class="n{" l" if len(column.label) > _LONG_LABEL else ""}">{html(column.label)}</th>'
        for column in columns
    )
    if not any(column.group for column in columns):
        return f'<tr><th scope="col">system</th>{names}</tr>'
    groups = "".join(
        f'<th scope="colgroup" class="group" colspan="{len(list(found))}"><span>{html(group)}</span></th>'
        for group, found in groupby(columns, key=lambda column: column.group)
    )
    return f'<tr><td></td>{groups}</tr><tr><th scope="col">system</th>{names}</tr>'


def _rows(columns: Sequence[Column], origin: Origin, rows: Sequence[Row]) -> str:
    intervals = len(columns) <= _MOST_WITH_INTERVALS
    lines = "".join(
        f'<tr><th scope="row">{name_html(row_name(row))}</th>'
        + "".join(_cell(cell, column, intervals=intervals) for cell, column in zip(row.cells, columns, strict=True))
        + "</tr>"
        for row in rows
    )
    kind = f'<tr class="kind"><th scope="rowgroup" colspan="{len(columns) + 1}">{_ORIGINS[origin]}</th></tr>'
    return f"<tbody>{kind}{lines}</tbody>"


def _cell(cell: Cell, column: Column, *, intervals: bool) -> str:
    if cell.value is None:
        return f'<td class="n">{cell.text or "–"}<span class="k"></span></td>'
    text = f"<b>{cell.text}</b>" if cell.best else cell.text
    about, below = "", ""
    if cell.low is not None and cell.high is not None:
        bounds = f"{cell.low:.{column.decimals}f}–{cell.high:.{column.decimals}f}"
        about = f' title="95 % interval: {bounds}"'
        below = f'<small>{bounds}<span class="k"></span></small>' if intervals else ""
    part = " part" if cell.incomplete else ""
    return f'<td class="n{part}"{about}>{text}<span class="k">{html(cell_marks(cell))}</span>{below}</td>'


def _items(columns: Sequence[Column]) -> str:
    """How many items each set has; of columns in groups, once a group."""
    sizes = "".join(
        f'<td class="n" colspan="{len(found)}">{found[0].n_items:,}<span class="k"></span></td>'
        for _, group in groupby(columns, key=lambda column: (column.group, column.set_name))
        if (found := list(group))
    )
    return f'<tbody><tr class="items"><th scope="row">items</th>{sizes}</tr></tbody>'


def _mark(mark: str) -> str:
    return f"<sup>{html(mark)}</sup> " if mark else ""
