"""Tables in text, CSV and TSV: the cells of columns of text are translated, and only those that change are rewritten.

Delimiter and header are found out. A cell that was quoted is quoted again, another one only if it has to be. A
bilingual table has a further column after each one that is translated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bayling_lite.errors import InputError
from bayling_lite.translate.formats.base import Cut, FormatOptions, Layout, Source, TextForm, TranslatedUnit, Unit
from bayling_lite.translate.formats.csv.columns import ColumnCounter, chosen_columns
from bayling_lite.translate.formats.csv.scanner import Cell, CsvScanner
from bayling_lite.translate.formats.decoding import decode
from bayling_lite.translate.formats.edits import Edit, patched
from bayling_lite.translate.formats.values import Paragraph, paragraphs, rebuilt
from bayling_lite.translate.formats.wording import is_data


@dataclass(frozen=True, slots=True)
class CsvDocument:
    """A table. ``names`` are those of its columns if it has a ``header``; ``columns``, from 0, are those to translate.

    ``by_user`` says that the user chose them, so that every cell of theirs is text.
    """

    text: str
    form: TextForm
    suffix: str
    scanner: CsvScanner
    names: tuple[str, ...]
    header: bool
    columns: frozenset[int]
    by_user: bool
    can_be_bilingual: bool = True

    def units(self) -> Iterator[Unit]:
        """The paragraphs in the cells."""
        for number, row in enumerate(self.scanner.rows(), 1):
            for index, cell in enumerate(row):
                for paragraph in self._paragraphs(number, index, cell):
                    yield Unit(paragraph.source, Cut.SENTENCES, f"row {number}, {self._name(index)}")

    def write(self, translations: Iterator[TranslatedUnit], layout: Layout) -> Iterator[str]:
        """The table with the translated cells in the place of the old ones, or after them."""
        return patched(self.text, self._edits(translations, layout))

    def _edits(self, translations: Iterator[TranslatedUnit], layout: Layout) -> Iterator[Edit]:
        for number, row in enumerate(self.scanner.rows(), 1):
            if layout.bilingual and _is_empty(row):
                continue
            for index, cell in enumerate(row):
                value = rebuilt(cell.value(self.text), self._paragraphs(number, index, cell), translations)
                if layout.bilingual and index in self.columns:
                    if self.header and number == 1:
                        value = f"{self.names[index].strip()} ({layout.target.code})"
                    yield Edit(cell.end, cell.end, self.scanner.delimiter + self._written(value or "", cell))
                elif value is not None:
                    yield Edit(cell.start, cell.end, self._written(value, cell))

    def _paragraphs(self, number: int, index: int, cell: Cell) -> tuple[Paragraph, ...]:
        if index not in self.columns or (self.header and number == 1):
            return ()
        value = cell.value(self.text)
        return () if not self.by_user and is_data(value) else paragraphs(value)

    def _written(self, value: str, old: Cell) -> str:
        delimiter = self.scanner.delimiter
        # A quote stands for itself where the old cell had one, and in a table of tabs as a rule.
        may_have_quotes = '"' in self.text[old.start : old.end]
        breaks = any(char in value for char in (delimiter, "\r", "\n"))
        if old.quoted or breaks or ('"' in value and not may_have_quotes):
            return '"' + value.replace('"', '""') + '"'
        return value

    def _name(self, index: int) -> str:
        if self.header and index < len(self.names) and self.names[index].strip():
            return self.names[index].strip()
        return f"column {index + 1}"


def _is_empty(row: Sequence[Cell]) -> bool:
    return len(row) == 1 and row[0].start == row[0].end


def read(source: Source, options: FormatOptions) -> CsvDocument:
    """Read a table.

    Raises:
        InputError: it is not text, or a quote is never closed.
        UsageError: there is no column that ``options.columns`` names.
    """
    decoded = decode(source)
    text = decoded.text
    suffix = next((end for end in (".tsv", ".tab") if source.name.casefold().endswith(end)), ".csv")
    scanner = CsvScanner(text, source.name, None if suffix == ".csv" else "\t")
    counter = ColumnCounter()
    for row in scanner.rows():
        counter.add([cell.value(text) for cell in row])
    if not counter.rows:
        raise InputError(f"{source.name} is empty: there is no row in it.")
    header = options.header if options.header is not None else counter.has_header() or _named(options, counter.first)
    width = max([len(counter.first), *(index + 1 for index in counter.columns)])
    names = (*counter.first, *("" for _ in range(width - len(counter.first))))
    return CsvDocument(
        text=text,
        form=decoded.form,
        suffix=suffix,
        scanner=scanner,
        names=names,
        header=header,
        columns=chosen_columns(options.columns, names, source.name)
        if options.columns
        else counter.text_columns(header=header),
        by_user=bool(options.columns),
    )


def _named(options: FormatOptions, first: Sequence[str]) -> bool:
    """Whether the user names a column as the first row does."""
    names = {name.strip().casefold() for name in first if not name.strip().isdecimal()}
    return any(column.strip().casefold() in names for column in options.columns)
