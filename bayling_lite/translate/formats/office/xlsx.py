"""Excel workbooks (XLSX): the texts of cells, headings of tables, headers and footers, shapes and charts.

Formulas, numbers, names and comments stay. So does a text that a formula or a filter compares cells with, and a
heading that formulas know a column by: what was found before must be found after.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from copy import deepcopy
from functools import partial
from pathlib import PurePath

from bayling_lite.errors import UsageError
from bayling_lite.translate.formats.archive import Archive
from bayling_lite.translate.formats.base import Cut, FormatOptions, Layout, Source, Unit
from bayling_lite.translate.formats.office.document import Found, Part, PartsDocument, find_properties
from bayling_lite.translate.formats.office.drawing_text import find_drawing_text
from bayling_lite.translate.formats.office.package import (
    attribute,
    main_part,
    open_package,
    part_tree,
    related,
    relationships,
    short_name,
)
from bayling_lite.translate.formats.office.sheet_headers import HEADERS, header_found
from bayling_lite.translate.formats.office.sheet_strings import FoundCell, FoundHeading, FoundString, string_paragraph
from bayling_lite.translate.formats.office.sheet_uses import (
    Heading,
    Sheet,
    column_number,
    column_of,
    find_uses,
    own_string,
    shared_string,
)
from bayling_lite.translate.formats.office.sheet_workbook import calculated_anew, with_fitting_rows, with_lines
from bayling_lite.translate.formats.xml_tree import Element, XmlTree
from bayling_lite.translate.markup import Marked, plain_text

_MOST_COLUMNS = 16_384


def read(source: Source, options: FormatOptions) -> PartsDocument:
    """Read a workbook. ``options.columns`` restrict it to the cells of some columns, by letter or by number from 1.

    Raises:
        InputError: it is none, is damaged or protected by a password.
        UsageError: there cannot be such a column.
    """
    columns = {_column(name) for name in options.columns}
    archive = open_package(source)
    main = main_part(archive, source, "s:workbook")
    workbook = _Workbook(archive, main, lambda cell: not columns or column_of(cell) in columns)
    parts = workbook.parts(only_cells=bool(columns))
    return PartsDocument(archive, parts, PurePath(source.name).suffix or ".xlsx", workbook.finish)


def _column(name: str) -> int:
    text = name.strip()
    number = 0
    if text.isascii() and len(text) <= len(str(_MOST_COLUMNS)):
        number = int(text) if text.isdecimal() else column_number(text) if text.isalpha() else 0
    if not 1 <= number <= _MOST_COLUMNS:
        raise UsageError(
            f"There is no column {name!r}. Columns of a workbook are named by letter, such as B, or number."
        )
    return number


class _Workbook:
    """What is where in a workbook."""

    def __init__(self, archive: Archive, main: str, translated: Callable[[str], bool]) -> None:
        self._archive = archive
        self._main = main
        self._translated = translated
        self._sheets = list(_sheets(archive, main))
        self._strings_part = next(iter(related(archive, [main], "sharedStrings")), None)
        strings = self._strings()
        texts = [string_paragraph(element).marked for element in strings]
        caches = related(archive, [main], "pivotCacheDefinition")
        self._uses = find_uses(archive, main, self._sheets, caches, translated)
        self._tables = sorted({part for part, _ in self._uses.headings})
        self._kept_cells: set[tuple[str, str]] = set()  # part of the sheet, cell
        self._own_headings: dict[tuple[str, str], Hashable] = {}  # the columns below cells with a string of their own
        for part in self._tables:
            self._settle_headings(part, texts)
        self._settle_strings(texts)
        # Elements of trees that are gone would keep these in memory.
        self._split = {number: deepcopy(strings[number]) for number in self._uses.split if number < len(strings)}
        self._twins = {one.string for one in self._uses.headings.values() if one.string is not None} | set(self._split)

    def parts(self, *, only_cells: bool) -> list[Part]:
        """The parts with text to translate."""
        uses = self._uses
        parts: list[Part] = []
        if self._strings_part is not None:
            parts.append(Part(self._strings_part, self._find_strings))
        parts += [
            Part(sheet.part, partial(self._find_cells, sheet=sheet, only_cells=only_cells))
            for sheet in self._sheets
            if not sheet.hidden and (sheet.part in uses.with_text or uses.by_sheet[sheet.part] & self._split.keys())
        ]
        parts += [Part(name, partial(self._find_headings, part=name), distinct=True) for name in self._tables]
        if only_cells:
            return parts
        for sheet in self._sheets:
            drawings = [] if sheet.hidden else related(self._archive, [sheet.part], "drawing")
            drawings += related(self._archive, drawings, "chart", "chartEx", "diagramData", "diagramDrawing")
            for name in drawings:
                twin = f"diagrams of {sheet.name}" if PurePath(name).parent.name == "diagrams" else None
                parts.append(Part(name, partial(_find_drawing, place=f"{sheet.name}, drawing", twin=twin)))
        parts += [Part(name, find_properties) for name in related(self._archive, [""], "core-properties")]
        return parts

    def finish(self, changed: dict[str, bytes], layout: Layout) -> None:
        """What else changes when texts of cells do."""
        if self._uses.calculates:
            changed[self._main] = calculated_anew(part_tree(self._archive, self._main))
        if layout.bilingual:
            for part in related(self._archive, [self._main], "styles"):
                changed[part] = with_lines(part_tree(self._archive, part), self._uses.styles)
            for sheet in self._sheets:
                if self._uses.by_sheet[sheet.part] or sheet.part in self._uses.with_text:
                    changed[sheet.part] = with_fitting_rows(changed.get(sheet.part) or self._archive.read(sheet.part))

    def _strings(self) -> list[Element]:
        if self._strings_part is None:
            return []
        root = part_tree(self._archive, self._strings_part).root
        return [element for element in root if short_name(element) == "s:si"]

    def _settle_headings(self, part: str, texts: list[Marked]) -> None:
        """The headings of a table change with its columns' names, or all of them stay."""
        uses = self._uses
        headings = {column: heading for (table, column), heading in uses.headings.items() if table == part}
        names = [element.get("name", "") for element in _columns(part_tree(self._archive, part))]

        def may_change(column: int, heading: Heading) -> bool:
            text = heading.text.text
            if heading.string is not None:
                text = texts[heading.string].text if heading.string < len(texts) else ""
            known = text.strip().casefold() in uses.literals
            return self._translated(heading.cell) and column < len(names) and text == names[column] and not known

        change = not uses.names_columns and all(may_change(*item) for item in headings.items())
        for column, heading in headings.items():
            if change and heading.string is not None:
                uses.first[heading.string] = heading.place
                uses.by_sheet[heading.sheet.part].add(heading.string)
            elif change:
                self._own_headings[heading.sheet.part, heading.cell] = (part, column)
            else:
                if heading.string is not None:
                    uses.kept.add(heading.string)
                self._kept_cells.add((heading.sheet.part, heading.cell))
                del uses.headings[part, column]

    def _settle_strings(self, texts: list[Marked]) -> None:
        for number in list(self._uses.first):
            if number >= len(texts) or self._stays(texts[number]):
                del self._uses.first[number]

    def _stays(self, text: Marked) -> bool:
        """Whether a text is never translated: it has no letter, or cells are compared with it."""
        return not any(map(str.isalpha, text.bare)) or text.reads.strip().casefold() in self._uses.literals

    def _twin(self, number: int) -> Hashable:
        return ("string", number) if number in self._twins else None

    def _find_strings(self, tree: XmlTree) -> Iterator[Found]:
        first = self._uses.first
        for number, element in enumerate(one for one in tree.root if short_name(one) == "s:si"):
            if number in first and number not in self._split:
                unit = Unit(string_paragraph(element).marked, Cut.SENTENCES, first[number])
                yield FoundString(element, unit, self._twin(number))

    def _find_cells(self, tree: XmlTree, sheet: Sheet, *, only_cells: bool) -> Iterator[Found]:
        for element in tree.root.iter("*"):
            name = short_name(element)
            if name == "s:c":
                cell = element.get("r", "")
                if self._translated(cell) and (sheet.part, cell) not in self._kept_cells:
                    yield from self._find_in_cell(element, sheet, cell)
            elif name[2:] in HEADERS and not only_cells:
                yield from header_found(element, f"{sheet.name}, {name[2:]}")

    def _find_in_cell(self, element: Element, sheet: Sheet, cell: str) -> Iterator[Found]:
        place = f"{sheet.name}!{cell}"
        number, own = shared_string(element), own_string(element)
        if own is not None:
            unit = Unit(string_paragraph(own).marked, Cut.SENTENCES, place)
            if not self._stays(unit.source):
                yield FoundString(own, unit, self._own_headings.get((sheet.part, cell)))
        elif number is not None and number in self._split:
            unit = Unit(string_paragraph(self._split[number]).marked, Cut.SENTENCES, place)
            yield FoundCell(element, self._split[number], unit, self._twin(number))

    def _find_headings(self, tree: XmlTree, part: str) -> Iterator[Found]:
        for column, element in enumerate(_columns(tree)):
            heading = self._uses.headings.get((part, column))
            unit = Unit(plain_text(element.get("name", "")), Cut.SENTENCES, heading.place if heading else "")
            if heading is not None and not self._stays(unit.source):
                twin = (part, column) if heading.string is None else self._twin(heading.string)
                yield FoundHeading(element, unit, twin)


def _sheets(archive: Archive, main: str) -> Iterator[Sheet]:
    """The worksheets in their order."""
    by_id = {one.id: one.target for one in relationships(archive, main) if one.kind == "worksheet"}
    for element in part_tree(archive, main).root.iter("{*}sheet"):
        part = by_id.get(attribute(element, "r:id") or "")
        if part is not None:
            yield Sheet(part, element.get("name", ""), element.get("state", "visible") != "visible")


def _columns(tree: XmlTree) -> list[Element]:
    return [element for element in tree.root.iter("{*}tableColumn") if short_name(element) == "s:tableColumn"]


def _find_drawing(tree: XmlTree, place: str, twin: str | None) -> Iterator[Found]:
    return find_drawing_text(tree.root, place, twin, of_workbook=True)
