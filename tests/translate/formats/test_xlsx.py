from __future__ import annotations

import io
import re
from typing import Any

import openpyxl
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.chart import BarChart, Reference
from openpyxl.worksheet.table import Table

from bayling_lite.errors import InputError, UsageError
from bayling_lite.translate.markup import Marked, tagged
from tests.translate.formats.packages import changed_parts, parts_of, zipped
from tests.translate.formats.rewriting import opened, same, shown, swapped, written

SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.'
    'sheet.main+xml"/><Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-'
    'officedocument.spreadsheetml.sharedStrings+xml"/></Types>'
)


def relationships(*pairs: tuple[str, str]) -> str:
    items = "".join(
        f'<Relationship Id="rId{number}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(pairs, 1)
    )
    return f'<Relationships xmlns="{PACKAGE}">{items}</Relationships>'


def workbook(strings: list[str], *sheets: str, table: str = "", states: tuple[str, ...] = ()) -> bytes:
    """A workbook with shared strings, as Excel writes it. A sheet is what is in its ``sheetData``."""
    names = [f"xl/worksheets/sheet{number}.xml" for number, _ in enumerate(sheets, 1)]
    listed = "".join(
        f'<sheet name="Sheet{number}" sheetId="{number}" r:id="rId{number}" state="{state}"/>'
        for number, state in enumerate([*states, *["visible"] * len(sheets)][: len(sheets)], 1)
    )
    links = [("worksheet", name.removeprefix("xl/")) for name in names]
    items = "".join(one if one.startswith("<si>") else f"<si><t>{one}</t></si>" for one in strings)
    parts = {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": relationships(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook xmlns="{SPREADSHEET}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relationships(*links, ("sharedStrings", "sharedStrings.xml")),
        "xl/sharedStrings.xml": f'<sst xmlns="{SPREADSHEET}" count="9" uniqueCount="{len(strings)}">{items}</sst>',
    }
    for name, data in zip(names, sheets, strict=True):
        parts[name] = f'<worksheet xmlns="{SPREADSHEET}"><sheetData>{data}</sheetData></worksheet>'
    if table:
        parts["xl/worksheets/_rels/sheet1.xml.rels"] = relationships(("table", "../tables/table1.xml"))
        parts["xl/tables/table1.xml"] = table
    return zipped(parts)


def row(number: int, *cells: int | str | None) -> str:
    """A row of shared strings by number; of formulas and other XML as text."""
    written_cells = []
    for column, cell in zip("ABCDEF", cells, strict=False):
        place = f'<c r="{column}{number}"'
        if isinstance(cell, int):
            written_cells.append(f'{place} t="s"><v>{cell}</v></c>')
        elif cell is not None:
            written_cells.append(f"{place}>{cell}</c>")
    return f'<row r="{number}">{"".join(written_cells)}</row>'


def table(*names: str) -> str:
    columns = "".join(f'<tableColumn id="{number}" name="{name}"/>' for number, name in enumerate(names, 1))
    head = f'<table xmlns="{SPREADSHEET}" id="1" name="T" displayName="T" ref="A1:{"ABCDEF"[len(names) - 1]}9">'
    return f'{head}<tableColumns count="{len(names)}">{columns}</tableColumns></table>'


def loaded(data: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data), rich_text=True)


def values(data: bytes, sheet: str = "Sheet1") -> list[list[Any]]:
    return [[cell for cell in cells if cell is not None] for cells in loaded(data)[sheet].iter_rows(values_only=True)]


@pytest.fixture(scope="module")
def prices() -> bytes:
    """A workbook as a program writes it, each cell with a string of its own."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Prices"
    for cells in (["Name", "Price"], ["Apple", 3], ["=A2", "12345"]):
        sheet.append(cells)
    sheet.add_table(Table(displayName="Fruit", ref="A1:B2"))
    sheet["D1"] = CellRichText("Plain and ", TextBlock(InlineFont(b=True), "bold"), " text")
    sheet["D2"] = "Fresh fruit.\nVery good."
    sheet.oddHeader.left.text = "Page &P of &N"
    sheet.oddFooter.center.text = "Fruit && more"
    sheet["B2"].number_format = "0.00"
    book.properties.title = "Price list"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_units_are_the_texts_of_cells(prices: bytes) -> None:
    units = {unit.place: tagged(unit.source).text for unit in opened(prices, "xlsx").units()}
    assert units == {
        "Prices!A1": "Name",
        "Prices!B1": "Price",
        "Prices!A2": "Apple",
        "Prices!D1": "Plain and <1>bold</1> text",
        "Prices!D2": "Fresh fruit.<1/>Very good.",
        "Prices, oddHeader": "<1/>Page <2/> of <3/>",
        "Prices, oddFooter": "<1/>Fruit & more",
        "document properties": "Price list",
    }


def test_an_unchanged_workbook_is_the_very_file(prices: bytes) -> None:
    assert written(opened(prices, "xlsx"), same) == prices
    assert written(opened(prices, "xlsx", columns=("A",)), same, bilingual=True) == prices


def test_a_translated_workbook_has_its_numbers_and_formulas(prices: bytes) -> None:
    new = written(opened(prices, "xlsx"), swapped)
    sheet = loaded(new)["Prices"]
    assert [cell.value for cell in sheet["A"]] == ["nAME", "aPPLE", "=A2"]
    assert [cell.value for cell in sheet["B"]] == ["pRICE", 3, "12345"]
    assert str(sheet["D1"].value) == "pLAIN AND BOLD TEXT"
    assert [part.font.b for part in sheet["D1"].value if isinstance(part, TextBlock)] == [True]
    assert sheet["D2"].value == "fRESH FRUIT.\nvERY GOOD."
    assert [column.name for column in sheet.tables["Fruit"].tableColumns] == ["nAME", "pRICE"]
    assert sheet.oddHeader.left.text == "pAGE &P OF &N"
    assert sheet.oddFooter.center.text == "fRUIT && MORE"


def test_rows_of_a_bilingual_sheet_fit_their_text() -> None:
    rows = row(1, 0).replace(">", " ht='15' customHeight='0'>", 1) + row(2, 0).replace(
        ">", ' ht="9" customHeight="1">', 1
    )
    data = workbook(["One"], rows)
    assert b"ht='15'" in parts_of(written(opened(data, "xlsx"), swapped))["xl/worksheets/sheet1.xml"]
    sheet = parts_of(written(opened(data, "xlsx"), swapped, bilingual=True))["xl/worksheets/sheet1.xml"]
    assert b"<row r=\"1\" customHeight='0'>" in sheet
    assert b' ht="9" customHeight="1">' in sheet


def test_a_bilingual_cell_has_both_lines(prices: bytes) -> None:
    sheet = loaded(written(opened(prices, "xlsx"), swapped, bilingual=True))["Prices"]
    assert sheet["A2"].value == "Apple\naPPLE"
    assert str(sheet["D1"].value) == "Plain and bold text\npLAIN AND BOLD TEXT"
    assert [sheet[cell].alignment.wrap_text for cell in ("A2", "B2")] == [True, None], "numbers need no lines"
    assert [column.name for column in sheet.tables["Fruit"].tableColumns] == [sheet["A1"].value, sheet["B1"].value]
    assert sheet.oddHeader.left.text == "Page &P of &N"


def test_shared_strings_are_translated_once() -> None:
    data = workbook(["One", "Two", "unused", "42"], row(1, 0, 1, 0), row(1, 0, 3))
    assert [unit.place for unit in opened(data, "xlsx").units()] == ["Sheet1!A1", "Sheet1!B1"]
    new = written(opened(data, "xlsx"), swapped)
    assert values(new) == [["oNE", "tWO", "oNE"]]
    assert values(new, "Sheet2") == [["oNE", "42"]]
    assert changed_parts(data, new) == {"xl/sharedStrings.xml"}
    assert parts_of(written(opened(new, "xlsx"), swapped)) == parts_of(data)


def test_rich_strings_keep_their_runs_and_lose_how_they_are_said() -> None:
    bold = "<r><rPr><b/><sz val='11'/></rPr><t>京</t></r>"
    said = "<rPh sb='3' eb='4'><t>kyo</t></rPh><phoneticPr fontId='1'/>"
    data = workbook([f"<si><r><t xml:space='preserve'>to </t></r>{bold}{said}</si>"], row(1, 0))
    assert shown(opened(data, "xlsx")) == ["to 京"]

    def turned(source: Marked) -> str:
        return f"{source.used[0]}J{source.used[1]} to"

    text = parts_of(written(opened(data, "xlsx"), turned))["xl/sharedStrings.xml"].decode()
    assert '<r><rPr><b/><sz val="11"/></rPr><t>J</t></r><r><t xml:space="preserve"> to</t></r></si>' in text


def test_chosen_columns_change_alone_even_where_strings_are_shared() -> None:
    data = workbook(["Same", "Other"], row(1, 0, 0) + row(2, 1, 0))
    for columns in (("B",), ("2",), ("b",)):
        assert [unit.place for unit in opened(data, "xlsx", columns=columns).units()] == ["Sheet1!B1"]
        new = written(opened(data, "xlsx", columns=columns), swapped)
        assert values(new) == [["Same", "sAME"], ["Other", "sAME"]]


@pytest.mark.parametrize("name", ["", "0", "B1", "é", "ZZZZ", "20000", "Name of it"])
def test_there_is_no_such_column(name: str) -> None:
    with pytest.raises(UsageError, match="no column"):
        opened(workbook(["a"], row(1, 0)), "xlsx", columns=(name,))


def test_texts_that_formulas_and_filters_look_for_stay() -> None:
    rows = row(1, 0, 1, 2, 3) + row(2, '<f>COUNTIF(A:A,"open")&amp;"a ""b"""</f><v>1</v>')
    data = workbook(["Open", "Closed", 'A "b"', "High"], rows)
    filtered = '</sheetData><autoFilter ref="A1"><filterColumn colId="0"><filters><filter val="High"/></filters>'
    sheet = parts_of(data)["xl/worksheets/sheet1.xml"].decode()
    sheet = sheet.replace("</sheetData>", f"{filtered}</filterColumn></autoFilter>")
    data = zipped({**parts_of(data), "xl/worksheets/sheet1.xml": sheet})
    assert shown(opened(data, "xlsx")) == ["Closed"]


def test_formulas_are_calculated_anew_when_their_cells_changed() -> None:
    data = workbook(["One", "1"], row(1, 0, "<f>A1</f><v>One</v>"))
    assert written(opened(data, "xlsx"), same) == data
    new = written(opened(data, "xlsx"), swapped)
    assert b'</sheets><calcPr fullCalcOnLoad="1"/></workbook>' in parts_of(new)["xl/workbook.xml"]
    assert changed_parts(new, written(opened(new, "xlsx"), swapped)) == {"xl/sharedStrings.xml"}
    assert loaded(new).calculation.fullCalcOnLoad


def test_titles_of_charts_and_texts_of_shapes_are_translated() -> None:
    book = openpyxl.Workbook()
    book.active.append(["Sales", 1])
    chart = BarChart()
    chart.title = "Chart title"
    chart.add_data(Reference(book.active, min_col=2, min_row=1, max_row=1))
    book.active.add_chart(chart, "D1")
    stream = io.BytesIO()
    book.save(stream)
    parts = parts_of(stream.getvalue())
    drawing = next(name for name in parts if name.startswith("xl/drawings/drawing"))
    text = '<a:p xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><a:r><a:t>In a box</a:t></a:r></a:p>'
    shape = f"<sp><txBody>{text}</txBody></sp>"
    end = re.search(rb"</[^>]*>\s*$", parts[drawing])
    assert end is not None
    data = zipped({**parts, drawing: parts[drawing][: end.start()] + shape.encode() + end[0]})
    assert {"Sales", "Chart title", "In a box"} <= set(shown(opened(data, "xlsx")))
    new = parts_of(written(opened(data, "xlsx"), swapped))
    assert b">iN A BOX<" in new[drawing]
    assert b"cHART TITLE" in b"".join(new.values())


def test_hidden_sheets_stay() -> None:
    data = workbook(["Seen", "Secret"], row(1, 0), row(1, 1), states=("visible", "veryHidden"))
    assert shown(opened(data, "xlsx")) == ["Seen"]


def test_headings_of_tables_change_with_the_names_of_their_columns() -> None:
    data = workbook(["Name", "Price"], row(1, 0, 1) + row(2, 1, 0), table=table("Name", "Price"))
    assert shown(opened(data, "xlsx")) == ["Name", "Price"]
    new = parts_of(written(opened(data, "xlsx"), swapped))
    assert b'name="nAME"' in new["xl/tables/table1.xml"]
    assert b"<t>nAME</t>" in new["xl/sharedStrings.xml"]
    both = parts_of(written(opened(data, "xlsx"), swapped, bilingual=True))
    assert b'name="Name_x000a_nAME"' in both["xl/tables/table1.xml"]


def test_headings_that_formulas_name_stay_and_other_cells_change() -> None:
    rows = row(1, 0, 1) + row(2, 0, "<f>SUM(T[Price])</f><v>1</v>")
    data = workbook(["Name", "Price"], rows, table=table("Name", "Price"))
    assert [(unit.place, unit.source.text) for unit in opened(data, "xlsx").units()] == [("Sheet1!A2", "Name")]
    new = written(opened(data, "xlsx"), swapped)
    assert changed_parts(data, new) == {"xl/worksheets/sheet1.xml", "xl/workbook.xml"}
    assert values(new) == [["Name", "Price"], ["nAME", "=SUM(T[Price])"]]


def test_headings_that_would_become_the_same_are_numbered() -> None:
    names = ["Big", "Large", "大 2", "Huge"]
    data = workbook([*names, "Text"], row(1, 0, 1, 2, 3) + row(2, 4), table=table(*names))
    new = written(opened(data, "xlsx"), lambda source: source.text if source.text == "大 2" else "大")
    assert values(new) == [["大", "大 3", "大 2", "大 4"], ["大"]]
    assert re.findall('name="(大[^"]*)"', parts_of(new)["xl/tables/table1.xml"].decode()) == values(new)[0]


def test_a_header_has_room_for_255_characters(prices: bytes) -> None:
    new = written(opened(prices, "xlsx"), lambda source: source.text + "long " * 60 * ("&" in source.text))
    assert loaded(new)["Prices"].oddFooter.center.text == "Fruit && more"


ODD_CELLS = '<c r="A1" t="s"><v>99</v></c><c t="s"><v>x</v></c><c t="s"/><c r="B1" s="x" t="inlineStr"/>'


@pytest.mark.parametrize("sheet", ["", f"<row>{ODD_CELLS}</row>", f'<row><c t="s"><v>{"9" * 5000}</v></c></row>'])
def test_odd_cells_do_no_harm(sheet: str) -> None:
    data = workbook(["a"], sheet)
    assert written(opened(data, "xlsx"), swapped) == data


@pytest.mark.parametrize("name", ["xl/workbook.xml", "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"])
@pytest.mark.parametrize("text", ["", "<a", '<!DOCTYPE a [<!ENTITY b "c">]><a><row/></a>'])
def test_a_damaged_part_is_an_error(name: str, text: str) -> None:
    with pytest.raises(InputError):
        opened(zipped({**parts_of(workbook(["a"], row(1, 0))), name: text}), "xlsx")
