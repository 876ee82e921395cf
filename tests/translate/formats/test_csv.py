import csv
import io

import pytest

from bayling_lite.errors import InputError, UsageError
from tests.translate.formats.rewriting import opened, same, shown, swapped, written

SHOP = (
    "id,name,description,price,url\r\n"
    '1,Chair,"A chair, made of ""good"" wood.",12.50,https://example.com/1\r\n'
    '2,Table,"Two lines:\r\nhere and there",99,https://example.com/2\r\n'
    "3,Green lamp,It shines,7,\r\n"
)


def test_text_columns_are_found_and_the_header_is_left() -> None:
    assert shown(opened(SHOP.encode(), "csv")) == [
        "Chair", 'A chair, made of "good" wood.', "Table", "Two lines:", "here and there", "Green lamp", "It shines",
    ]  # fmt: skip


def test_only_the_cells_that_change_are_rewritten() -> None:
    document = opened(SHOP.encode(), "csv")
    assert written(document, same) == SHOP.encode()
    new = written(document, lambda unit: unit.text.replace("It shines", 'Es "leuchtet", hell'))
    assert new == SHOP.replace("It shines", '"Es ""leuchtet"", hell"').encode()


def test_python_reads_the_same_table_from_it() -> None:
    new = written(opened(SHOP.encode(), "csv"), swapped).decode()
    rows, old = list(csv.reader(io.StringIO(new, ""))), list(csv.reader(io.StringIO(SHOP, "")))
    assert rows[0] == old[0]
    assert [[row[0], row[3], row[4]] for row in rows] == [[row[0], row[3], row[4]] for row in old]
    assert [row[2].swapcase() for row in rows[1:]] == [row[2] for row in old[1:]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_dialects_are_found_and_kept(delimiter: str, newline: str, mark: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=newline)
    writer.writerows(
        [["id", "text", "note"], [1, f"One{delimiter} two.", 'Say "x"'], [2, "Three", "a\nb c"], [3, "", ""]]
    )
    data = (mark + text.getvalue()).encode()
    document = opened(data, "tsv" if delimiter == "\t" else "csv")
    assert "Three" in shown(document)
    assert "note" not in shown(document)
    assert written(document, same) == data
    assert written(opened(written(document, swapped), "csv"), swapped) == data


def test_a_delimiter_that_is_announced() -> None:
    data = b"sep=^\r\nid^text\r\n1^Hello, world\r\n"
    document = opened(data, "csv")
    assert shown(document) == ["Hello, world"]
    assert written(document, same) == data


@pytest.mark.parametrize("columns", [("name",), ("2",), ("B",), ("NAME",), ("b", "name")])
def test_columns_are_chosen_by_name_number_or_letter(columns: tuple[str, ...]) -> None:
    assert shown(opened(SHOP.encode(), "csv", columns=columns)) == ["Chair", "Table", "Green lamp"]


def test_a_column_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(UsageError, match=r"no column 'titel'. It has: 1 \(id\), 2 \(name\)"):
        opened(SHOP.encode(), "csv", columns=("titel",))
    with pytest.raises(UsageError, match="no column '9'"):
        opened(SHOP.encode(), "csv", columns=("9",))


@pytest.mark.parametrize(
    ("table", "header"),
    [
        ("word\napple pie\nplum cake\n", True),
        ("Good morning.\nGood night.\n", False),
        ("Apfel,apple\nBirne,pear\n", False),
        ("First,Second\n12,2024-01-01\n13,2024-01-02\n", True),
        ("名称,说明\n椅子,一把好椅子\n", True),
        ("1,Chair\n2,Table\n", False),
    ],
)
def test_a_header_is_told_from_a_first_row(table: str, header: bool) -> None:
    first = table.split("\n")[0]
    units = shown(opened(table.encode(), "csv", columns=("1", "2") if "," in first else ("1",)))
    assert (first.split(",")[-1] not in units) == header


def test_the_user_knows_best_about_the_header() -> None:
    assert shown(opened(b"word\napple pie\n", "csv", header=False))[0] == "word"
    assert "Good morning." not in shown(opened(b"Good morning.\nGood night.\n", "csv", header=True))


def test_a_bilingual_table_has_a_further_column() -> None:
    new = written(opened(SHOP.encode(), "csv", columns=("name",)), swapped, bilingual=True).decode()
    rows = list(csv.reader(io.StringIO(new, "")))
    old = list(csv.reader(io.StringIO(SHOP, "")))
    assert [row[2] for row in rows] == ["name (zh)", "cHAIR", "tABLE", "gREEN LAMP"]
    assert [[*row[:2], *row[3:]] for row in rows] == old


@pytest.mark.parametrize(
    "table",
    [
        "a,b\n\n1,Some words here\n,\n",  # empty lines and cells
        "id,text\n1,An open end",  # no newline at the end
        'id,text\n1,5" disk drives\n2,"a"b\n',  # quotes where they do not belong
        "id,text\n1\n2,Some words,more words,and more\n",  # rows of different lengths
        'id\ttext\n1\t"He said so\n2\tand left\n',  # a quote that is one, between tabs
        'id, text\n1, "Quoted, after a space"\n',
    ],
)
def test_odd_tables_stay_as_they_are(table: str) -> None:
    name = "tsv" if "\t" in table else "csv"
    assert written(opened(table.encode(), name), same) == table.encode()
    once = written(opened(table.encode(), name, columns=("2",)), swapped)
    assert written(opened(once, name, columns=("2",)), swapped) == table.encode()


def test_gb18030_is_read_and_written() -> None:
    data = "编号,内容\n1,这是第一句话，它比较长一些，这样才能认出编码。\n2,这是第二句话。\n".encode("gb18030")
    document = opened(data, "csv")
    assert shown(document)[-1] == "这是第二句话。"
    assert written(document, same) == data


def test_a_quote_that_is_never_closed_is_named() -> None:
    with pytest.raises(InputError, match="the quote on line 2 is never closed"):
        opened(b'id,text\n1,"never closed\n2,x\n', "csv")


def test_an_empty_table_is_an_error() -> None:
    with pytest.raises(InputError, match="is empty"):
        opened(b"", "csv")


def test_formulas_stay() -> None:
    data = b"id,text\n1,=SUM(A1:A3)\n2,Good morning\n3,Good night\n4,=-$B$2*2\n"
    assert shown(opened(data, "csv")) == ["Good morning", "Good night"]
