"""Glossary files: a term a line, as TSV or CSV: the word, its translation and, if you like, a note.

A first line that names the columns is recognised, by what they are (``source``, ``target``, ``note``, in any order) or
by two languages (``en``, ``zh``). Lines that begin with ``#`` and have one cell only are comments.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bayling_lite.errors import InputError, UsageError
from bayling_lite.languages import Language, find_language
from bayling_lite.localization import _
from bayling_lite.reasons import reason
from bayling_lite.translate.formats.base import Source
from bayling_lite.translate.formats.decoding import decode
from bayling_lite.translate.glossary import Term

_SOURCE = {"source", "src", "source term", "term", "word", "from", "原文", "源语", "术语"}
_TARGET = {"target", "tgt", "target term", "translation", "to", "译文", "目标语", "翻译"}
_NOTE = {"note", "notes", "comment", "comments", "description", "definition", "备注", "注释", "说明"}
_MOST_BYTES = 100_000_000
# A cell is a word or a remark: one that is longer is a quotation mark that nobody closed.
_LONGEST_CELL = 10_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a glossary, without the white space around its cells, and the number of the line.

    ``raw`` are the cells as they stand there.
    """

    source: str
    target: str
    note: str
    line: int
    raw: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Glossary:
    """A glossary that was read. ``languages`` are those its first line names: of the words, of their translations."""

    name: str
    entries: tuple[Entry, ...]
    languages: tuple[Language, Language] | None = None

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms, in the order of the file."""
        return tuple((entry.source, entry.target) for entry in self.entries)

    def into(self, target: Language) -> Glossary:
        """The glossary for translating into a language: the same, or with its sides changed.

        Raises:
            UsageError: it names its languages, and this is neither.
        """
        if self.languages is None or self.languages[1] == target:
            return self
        left, right = self.languages
        if left != target:
            raise UsageError(
                _(
                    "{name} is a glossary of {left} and {right}, not {target}.",
                    name=self.name,
                    left=left.localized,
                    right=right.localized,
                    target=target.localized,
                )
            )
        turned = (
            Entry(entry.target, entry.source, entry.note, entry.line, (entry.raw[1], entry.raw[0]))
            for entry in self.entries
        )
        return Glossary(self.name, tuple(turned), (right, left))


def load_glossary(path: Path) -> Glossary:
    """Read a glossary to translate with.

    Raises:
        InputError: it cannot be read, or is not a glossary; a line lacks a cell. The message names the line.
    """
    glossary = read_glossary(path)
    for entry in glossary.entries:
        if not (entry.source and entry.target):
            lacks = (
                _("{word!r} has no translation", word=entry.source)
                if entry.source
                else _("there is no word before the tab")
            )
            raise InputError(
                _(
                    "{name}, line {line}: {lacks}. A line is: word, tab or comma, translation.",
                    name=glossary.name,
                    line=entry.line,
                    lacks=lacks,
                )
            )
    return glossary


def joined_terms(glossaries: Iterable[Glossary], overruling: Iterable[Term] = ()) -> tuple[Term, ...]:
    """The terms of several glossaries, where a later one overrules an earlier one, and some terms all of them.

    Raises:
        UsageError: a word has two translations within one glossary; the message names both lines.
    """
    chosen: dict[str, str] = {}
    for glossary in glossaries:
        own: dict[str, Entry] = {}
        for entry in glossary.entries:
            first = own.setdefault(entry.source, entry)
            if first.target != entry.target:
                raise UsageError(
                    _(
                        "{name}, line {line}: {word!r} is {wanted!r} here and {other!r} on line {first}: choose one. "
                        "All such lines are listed by: bayling glossary check {name}",
                        name=glossary.name,
                        line=entry.line,
                        word=entry.source,
                        wanted=entry.target,
                        other=first.target,
                        first=first.line,
                    )
                )
        chosen |= {entry.source: entry.target for entry in own.values()}
    return tuple((chosen | dict(overruling)).items())


def read_glossary(path: Path) -> Glossary:
    """Read a glossary as it is, cells that lack something included.

    Raises:
        InputError: it cannot be read, is not text, or is not a table; the message names the line.
    """
    name = str(path)
    try:
        if path.stat().st_size > _MOST_BYTES:
            size = f"{path.stat().st_size / 1e6:.0f}"
            raise InputError(_("{name} is too large for a glossary ({size} MB).", name=name, size=size))
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(_("The glossary {name} cannot be read: {reason}.", name=name, reason=reason(error))) from error
    try:
        text = decode(Source(name, data)).text.removeprefix("\ufeff")
    except InputError as error:
        raise InputError(
            _("The glossary {name} is not text that can be recognised: save it as UTF-8.", name=name)
        ) from error
    rows = [(line, cells) for line, cells in _rows(name, text, path.suffix) if any(cell.strip() for cell in cells)]
    rows = [(line, cells) for line, cells in rows if not (len(cells) == 1 and cells[0].startswith("#"))]
    columns, languages = _header(rows[0][1]) if rows else (None, None)
    if columns is not None or languages is not None:
        rows = rows[1:]
    return Glossary(name, tuple(_entry(cells, line, columns or (0, 1, 2)) for line, cells in rows), languages)


def _rows(name: str, text: str, suffix: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of each line, with its number; of a row of several lines, that of its first."""
    delimiter = _delimiter(text, suffix)
    if delimiter == "\t":
        for line, row in enumerate(io.StringIO(text, newline=None), 1):
            yield line, [_unquoted(cell) for cell in row.rstrip("\n").split("\t")]
        return
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    line = 1
    try:
        for cells in reader:
            if any(len(cell) > _LONGEST_CELL for cell in cells):
                raise InputError(
                    _(
                        "{name}, line {line}: a cell of more than {most} characters is no term.",
                        name=name,
                        line=line,
                        most=f"{_LONGEST_CELL:,}",
                    )
                )
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            _("{name}, line {line}: {error}. Is a quotation mark missing?", name=name, line=line, error=error)
        ) from error


def _delimiter(text: str, suffix: str) -> str:
    """What separates the cells: as the name says, else what the first lines have."""
    sample = "\n".join(text.splitlines()[:20]) if len(text) < _MOST_BYTES else text[:_LONGEST_CELL]
    if suffix.casefold() in (".tsv", ".tab") or "\t" in sample:
        return "\t"
    return ";" if sample.count(";") > sample.count(",") else ","


def _unquoted(cell: str) -> str:
    """Spreadsheets put cells with quotation marks between quotation marks; a mark alone is a part of the word."""
    bare = cell.strip()
    inner = bare[1:-1]
    if len(bare) > 1 and bare[0] == bare[-1] == '"' and '"' not in inner.replace('""', ""):
        return inner.replace('""', '"')
    return cell


def _header(cells: list[str]) -> tuple[tuple[int, int, int] | None, tuple[Language, Language] | None]:
    """Which column is what, where the first line says it by name, and the languages, where it names those."""
    names = [" ".join(cell.casefold().replace("_", " ").split()) for cell in cells]
    found = [next((at for at, name in enumerate(names) if name in known), None) for known in (_SOURCE, _TARGET, _NOTE)]
    if found[0] is not None and found[1] is not None:
        return (found[0], found[1], -1 if found[2] is None else found[2]), None
    if len(cells) < 2:
        return None, None
    left, right = _language(cells[0]), _language(cells[1])
    # "German" and "Deutsch" are a term.
    return None, ((left, right) if left is not None and right is not None and left != right else None)


def _language(name: str) -> Language | None:
    """The language that a column is named by: ``en``, ``zh-CN``, ``German``; what only begins so is a word."""
    if not re.fullmatch(r"\s*\w+(?:[-_](?:[A-Za-z]{2}|[A-Za-z]{4}))?\s*", name):
        return None
    try:
        return find_language(name)
    except UsageError:
        return None


def _entry(cells: list[str], line: int, columns: tuple[int, int, int]) -> Entry:
    source, target, note = (cells[at] if 0 <= at < len(cells) else "" for at in columns)
    return Entry(" ".join(source.split()), " ".join(target.split()), note.strip(), line, (source, target))
