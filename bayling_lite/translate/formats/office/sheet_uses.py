"""Which strings of a workbook are where: in which cells, in headings of tables, in formulas and filters."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from bayling_lite.translate.formats.archive import Archive
from bayling_lite.translate.formats.office.package import part_tree, related, short_name
from bayling_lite.translate.formats.office.sheet_headers import HEADERS
from bayling_lite.translate.formats.office.sheet_strings import string_paragraph
from bayling_lite.translate.formats.xml_tree import Element, stream
from bayling_lite.translate.markup import Marked

_CELL = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})")
_NUMBER = re.compile(r"\s*[0-9]{1,10}\s*")
_LITERAL = re.compile(r'"((?:[^"]|"")*)"')
_NAMES_A_COLUMN = re.compile(r"\w\[")  # Prices[Net], not [2]Sheet1!A1
_FORMULAS = {"s:f", "s:formula", "s:formula1", "s:formula2", "s:definedName"}
_FORMULAS |= {"s:calculatedColumnFormula", "s:totalsRowFormula"}
_FORMULA_TAGS = tuple(f"{{*}}{name[2:]}" for name in sorted(_FORMULAS))
_COMPARED = {"s:filter", "s:customFilter"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worksheet: its part, its name, whether nobody sees it."""

    part: str
    name: str
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """The cell above a column of a table: where it is, the number of the shared string in it or, if it has a string of
    its own, the text of that.
    """

    sheet: Sheet
    cell: str
    string: int | None = None
    text: Marked = field(default_factory=partial(Marked, ""))

    @property
    def place(self) -> str:
        """Where it is, for a person."""
        return f"{self.sheet.name}!{self.cell}"


@dataclass(slots=True)
class Uses:
    """What was found of strings, the shared ones by their numbers.

    ``first`` is where a string is first used in a cell to translate, ``kept`` those in cells that stay as they are,
    ``by_sheet`` those that are translated in the part of a sheet; ``styles`` are those of cells to translate, by
    number. ``headings`` are by the part of the table and the number of the column in it. ``with_text`` are the sheets
    that have text of their own: headers, footers, strings in cells. ``literals`` are what formulas and filters compare
    cells with, in small letters. ``calculates`` says that there are formulas in cells, ``names_columns`` that some
    formula has the name of a column in it.
    """

    first: dict[int, str] = field(default_factory=dict)
    kept: set[int] = field(default_factory=set)
    by_sheet: dict[str, set[int]] = field(default_factory=dict)
    headings: dict[tuple[str, int], Heading] = field(default_factory=dict)
    with_text: set[str] = field(default_factory=set)
    styles: set[int] = field(default_factory=set)
    literals: set[str] = field(default_factory=set)
    calculates: bool = False
    names_columns: bool = False

    @property
    def split(self) -> set[int]:
        """The strings that change in some cells and stay in others."""
        return self.kept & self.first.keys()

    def formula(self, text: str) -> None:
        """Take note of a formula."""
        self.names_columns = self.names_columns or bool(_NAMES_A_COLUMN.search(text))
        for literal in _LITERAL.findall(text):
            whole = literal.replace('""', '"')
            self.compared(whole)
            for one in whole.split(","):  # a list to choose from
                self.compared(one)

    def compared(self, text: str) -> None:
        """Take note of a text that cells are compared with."""
        self.literals.add(text.strip().casefold())


def column_number(letters: str) -> int:
    """The number of a column, from 1: 28 for AB."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def column_of(cell: str) -> int:
    """The number of the column that a cell is in, from 1; 0 where it is not said."""
    found = _CELL.match(cell)
    return column_number(found[1]) if found else 0


def find_uses(
    archive: Archive, main: str, sheets: Sequence[Sheet], others: Sequence[str], translated: Callable[[str], bool]
) -> Uses:
    """Go through the sheets of a workbook. ``others`` are more parts with names that cells have: of pivot tables.

    ``translated`` says of a cell's place, "B3", whether its text is to be.

    Raises:
        InputError: a part is damaged.
    """
    uses = Uses()
    for element in part_tree(archive, main).root.iter(*_FORMULA_TAGS):
        uses.formula(element.text or "")
    for part in others:
        for element in stream(archive.read(part), archive.label(part), "{*}cacheField"):
            uses.compared(element.get("name", ""))
    for sheet in sheets:
        above = _headings(archive, sheet, uses)
        _scan(archive, sheet, above, uses, translated)
    return uses


def _headings(archive: Archive, sheet: Sheet, uses: Uses) -> dict[str, tuple[str, int]]:
    """The cells that are headings of tables on a sheet, and of which column of which."""
    above: dict[str, tuple[str, int]] = {}
    for part in related(archive, [sheet.part], "table"):
        root = part_tree(archive, part).root
        for element in root.iter(*_FORMULA_TAGS):
            uses.formula(element.text or "")
        corner = _CELL.match(root.get("ref", ""))
        if corner is None or root.get("headerRowCount") == "0":
            continue
        start = column_number(corner[1])
        for index, _ in enumerate(root.iter("{*}tableColumn")):
            above[f"{column_letters(start + index)}{corner[2]}"] = (part, index)
    return above


def column_letters(number: int) -> str:
    """The letters of a column by its number from 1."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _scan(
    archive: Archive,
    sheet: Sheet,
    above: dict[str, tuple[str, int]],
    uses: Uses,
    translated: Callable[[str], bool],
) -> None:
    headers = tuple(f"{{*}}{name}" for name in HEADERS)
    tags = ("{*}c", "{*}row", "{*}filter", "{*}customFilter", *_FORMULA_TAGS, *headers)
    here = uses.by_sheet.setdefault(sheet.part, set())
    for element in stream(archive.read(sheet.part), archive.label(sheet.part), *tags):
        name = short_name(element)
        if name in _FORMULAS:
            uses.calculates = True
            uses.formula(element.text or "")
        elif name in _COMPARED:
            uses.compared(element.get("val", ""))
        elif name[2:] in HEADERS:
            uses.with_text.add(sheet.part)
        elif name == "s:c" and not sheet.hidden:
            cell = element.get("r", "")
            string = shared_string(element)
            own = own_string(element)
            if (own is not None or string is not None) and translated(cell):
                uses.styles.add(_number(element.get("s", "0")) or 0)
            if own is not None:
                uses.with_text.add(sheet.part)
                if cell in above:
                    uses.headings[above[cell]] = Heading(sheet, cell, text=string_paragraph(own).marked)
            elif string is not None and cell in above:
                uses.headings[above[cell]] = Heading(sheet, cell, string)
            elif string is not None and translated(cell):
                uses.first.setdefault(string, f"{sheet.name}!{cell}")
                here.add(string)
            elif string is not None:
                uses.kept.add(string)


def shared_string(cell: Element) -> int | None:
    """The number of the shared string in a cell, None where there is none."""
    if cell.get("t") != "s":
        return None
    text = next((child.text or "" for child in cell if short_name(child) == "s:v"), "")
    return _number(text)


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None


def own_string(cell: Element) -> Element | None:
    """The string that a cell has for itself, None where it has none."""
    if cell.get("t") != "inlineStr":
        return None
    return next((child for child in cell if short_name(child) == "s:is"), None)
