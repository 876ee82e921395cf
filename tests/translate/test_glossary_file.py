"""Glossary files: what they may look like, and what is found in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayling_lite.errors import InputError, UsageError
from bayling_lite.languages import find_language
from bayling_lite.translate.glossary_check import FindingKind, check_glossary, never_occurring
from bayling_lite.translate.glossary_file import Glossary, joined_terms, load_glossary, read_glossary


def written(folder: Path, text: str, name: str = "terms.tsv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def read(folder: Path, text: str, name: str = "terms.tsv") -> Glossary:
    return read_glossary(written(folder, text, name))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("terms.tsv", "token\t词元\nNew York\t纽约\ta city\n"),
        ("terms.tsv", "\ufeffsource\ttarget\tnote\r\ntoken\t词元\r\n\r\n New  York \t纽约\ta city\r\n"),
        ("terms.tsv", "# our words\ntoken\t词元\rNew York\t纽约\ta city"),
        ("terms.tsv", 'token\t词元\n"New York"\t"纽约"\ta city\n'),
        ("terms.csv", "token,词元\nNew York,纽约,a city\n"),
        ("terms.csv", 'Source,Target,Note\ntoken,词元,\n"New York","纽约","a city"\n'),
        ("terms.csv", "note;target;source\n;词元;token\na city;纽约;New York\n"),
        ("terms.txt", "token\t词元\nNew York\t纽约\ta city\n"),
        ("terms", "token,词元\nNew York,纽约,a city\n"),
        ("terms.csv", "en,zh-CN,notes\ntoken,词元\nNew York,纽约,a city\n"),
    ],
)
def test_the_forms_of_a_glossary(tmp_path: Path, name: str, text: str) -> None:
    glossary = load_glossary(written(tmp_path, text, name))
    assert glossary.terms == (("token", "词元"), ("New York", "纽约"))
    assert [entry.note for entry in glossary.entries] == ["", "a city"]


def test_any_encoding_is_read(tmp_path: Path) -> None:
    text = "token\t词元\n公园管理处\t园林局\n今天天气很好\t好天气\n"
    assert load_glossary(written(tmp_path, text, encoding="gb18030")).terms[0] == ("token", "词元")
    assert load_glossary(written(tmp_path, text, encoding="utf-16")).terms[0] == ("token", "词元")


def test_a_first_line_that_is_a_term_is_one(tmp_path: Path) -> None:
    for text in ("German\tDeutsch\n", "de-facto\tit-Team\n", "sources\tQuellen\n"):
        assert len(load_glossary(written(tmp_path, text)).terms) == 1


def test_a_glossary_that_names_its_languages_is_turned(tmp_path: Path) -> None:
    glossary = load_glossary(written(tmp_path, "en\tzh\ntoken\t词元\n"))
    assert glossary.into(find_language("zh")).terms == (("token", "词元"),)
    turned = glossary.into(find_language("en"))
    assert (turned.terms, turned.entries[0].line) == ((("词元", "token"),), 2)
    with pytest.raises(UsageError, match="of English and Chinese, not German"):
        glossary.into(find_language("de"))


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    glossary = read(tmp_path, 'source,target,note\na,b,"two\nlines"\n\nc,d,\n', "terms.csv")
    assert [entry.line for entry in glossary.entries] == [2, 5]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("terms.tsv", "token\t词元\nword\t\n", "line 2: 'word' has no translation"),
        ("terms.tsv", "token\t词元\nword\n", "line 2: 'word' has no translation"),
        ("terms.csv", "token,词元\n,Wort\n", "line 2: there is no word before the tab"),
        ("terms.csv", 'token,词元\n"word,Wort\nx,y\n', "line 2: unexpected end of data. Is a quotation mark"),
        ("terms.csv", 'token,词元\n"' + "x" * 20_000 + '",y\n', "line 2: a cell of more than 10,000 characters"),
        ("terms.tsv", "a\0b\tc\n", "not text"),
    ],
)
def test_what_is_no_glossary_is_placed(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        load_glossary(written(tmp_path, text, name))


def test_a_glossary_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        load_glossary(tmp_path / "missing.tsv")
    with pytest.raises(InputError, match="cannot be read"):
        load_glossary(tmp_path)


def test_later_glossaries_and_typed_terms_overrule(tmp_path: Path) -> None:
    first = read(tmp_path, "bank\tBank\nriver\tFluss\n")
    second = read(tmp_path, "bank\tUfer\nbank\tUfer\n")
    assert joined_terms([first, second]) == (("bank", "Ufer"), ("river", "Fluss"))
    assert joined_terms([first], [("river", "Strom")]) == (("bank", "Bank"), ("river", "Strom"))
    with pytest.raises(UsageError, match="line 3: 'bank' is 'Ufer' here and 'Bank' on line 1: choose one"):
        joined_terms([read(tmp_path, "bank\tBank\nriver\tFluss\nbank\tUfer\n")])


def test_what_is_found_in_a_glossary(tmp_path: Path) -> None:
    glossary = read(
        tmp_path,
        "source\ttarget\nbank\tBank\nbank\tUfer\nriver\tFluss\nriver \tFluss\nword\t\n\tWort\n"
        "Polish\tpolnisch\npolish\tpolieren\nYork\tYork\nNew York\tNew York\n",
    )
    found = [(finding.line, finding.kind) for finding in check_glossary(glossary)]
    assert found == [
        (3, FindingKind.CONTRADICTION),
        (5, FindingKind.SPACE),
        (5, FindingKind.DUPLICATE),
        (6, FindingKind.EMPTY),
        (7, FindingKind.EMPTY),
        (9, FindingKind.CASE),
        (11, FindingKind.OVERLAP),
    ]
    assert check_glossary(read(tmp_path, "token\t词元\n")) == []


def test_terms_that_never_occur(tmp_path: Path) -> None:
    glossary = read(tmp_path, "token\t词元\nYork\tYork\nNew York\tNew York\nriver\tFluss\n")
    missing = never_occurring(glossary, ["The Token.", "I love New York."])
    assert [(finding.line, finding.detail) for finding in missing] == [(4, "'river'")]
