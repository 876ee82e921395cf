"""Test data where the user keeps it: what is found, what a line is, and what is said of a file that is not right."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from bayling_lite.errors import InputError, UsageError
from bayling_lite.evaluate import data as module
from bayling_lite.evaluate.data import DataFolder, paired, read_json_lines, read_lines


def make(folder: Path, **files: str) -> Path:
    """Write files; ``__`` in a name stands for a slash, ``_`` for a dot."""
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def names(folder: Path, paths: tuple[Path, ...]) -> list[str]:
    return [str(path.relative_to(folder)) for path in paths]


def test_files_are_found_by_name_wherever_they_lie(tmp_path: Path) -> None:
    make(tmp_path, a_src="1", b__a_src="2", b__c__zh_hypo="3", b__c__de_hypo="4", d_txt="5")
    data = DataFolder([tmp_path])
    assert names(tmp_path, data.find("a.src")) == ["a.src", "b/a.src"]
    assert names(tmp_path, data.find("*.hypo")) == ["b/c/de.hypo", "b/c/zh.hypo"]
    assert names(tmp_path, data.find("*.hypo", near="b")) == ["b/c/de.hypo", "b/c/zh.hypo"]
    assert data.find("*.hypo", near="a") == ()
    assert data.find("none.src") == ()
    assert data.one("none.src") is None


def test_folders_count_from_the_one_that_was_named(tmp_path: Path) -> None:
    folder = tmp_path / "exp" / "mine"
    make(folder, one__a_src="1", two__a_src="2", b_src="3")
    data = DataFolder([folder])
    assert data.find("a.src", near="exp") == ()
    assert names(folder, data.find("*.src", near="mine")) == ["b.src", "one/a.src", "two/a.src"]
    assert data.one("a.src", preferred=["exp", "two"]) == folder / "two" / "a.src"
    # Also where it was named by way of another.
    assert len(DataFolder([folder / "one" / ".."]).find("*.src", near="mine")) == 3


def test_a_name_that_several_different_files_have(tmp_path: Path) -> None:
    make(tmp_path, v1__a_jsonl="1", v2__a_jsonl="2", old__a_jsonl="1", v1__b_jsonl="same", v2__b_jsonl="same")
    data = DataFolder([tmp_path])
    with pytest.raises(InputError, match=r"several different files a\.jsonl: .*old.*v1.*v2.*--data"):
        data.one("a.jsonl")
    assert data.one("a.jsonl", preferred=["v3", "v2", "v1"]) == tmp_path / "v2" / "a.jsonl"
    assert data.one("b.jsonl") == tmp_path / "v1" / "b.jsonl"


def test_folders_that_overlap_hold_each_file_once(tmp_path: Path) -> None:
    make(tmp_path, b__a_src="1", b__hidden="2", c_src="3")
    (tmp_path / "b" / "hidden").rename(tmp_path / "b" / ".hidden.src")
    (tmp_path / "loop").symlink_to(tmp_path)
    data = DataFolder([tmp_path / "b", tmp_path, tmp_path, tmp_path / "loop"])
    assert names(tmp_path, data.find("*.src")) == ["b/a.src", "c.src"]


def test_a_link_leads_to_what_is_linked(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    make(tmp_path / "checkout", exp__a_src="1")
    make(folder, b_src="2")
    (folder / "BayLing").symlink_to(tmp_path / "checkout")
    (tmp_path / "checkout" / "exp" / "up").symlink_to(folder)
    assert names(folder, DataFolder([folder]).find("*.src")) == ["BayLing/exp/a.src", "b.src"]
    assert names(folder, DataFolder([folder]).find("*.src", near="exp")) == ["BayLing/exp/a.src"]


def test_hidden_folders_are_passed_over_unless_they_are_named(tmp_path: Path) -> None:
    make(tmp_path, a_src="1")
    hidden = make(tmp_path / ".cache", b_src="2")
    assert names(tmp_path, DataFolder([tmp_path]).find("*.src")) == ["a.src"]
    assert names(hidden, DataFolder([hidden]).find("*.src")) == ["b.src"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    make(tmp_path, a_src="1")
    for path in (tmp_path / "none", tmp_path / "a.src"):
        with pytest.raises(InputError, match=r"There is no folder .*--data"):
            DataFolder([path])


def test_a_folder_with_everything_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_FILES", 3)
    make(tmp_path, a_src="1", b_src="2", c_src="3")
    assert len(DataFolder([tmp_path]).find("*.src")) == 3
    make(tmp_path, d_src="4")
    with pytest.raises(UsageError, match=r"more than 3 files.*--data"):
        DataFolder([tmp_path]).find("*.src")


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        ("", []),
        ("\n", [""]),
        ("a", ["a"]),
        ("a\nb\n", ["a", "b"]),
        ("a\r\nb\r\n", ["a", "b"]),
        ("a\n\n\n", ["a", "", ""]),
        ("\ufeffa\n\ufeffb\n", ["a", "\ufeffb"]),
        ("a\u2028b\u0085c\x0cd\x1ee\n", ["a\u2028b\u0085c\x0cd\x1ee"]),
        ("a\rb\n", ["a\rb"]),
        ("a\r\r\n", ["a\r"]),
        (" a \t\n", [" a \t"]),
        ("\x00\n", ["\x00"]),
    ],
)
def test_only_a_line_feed_ends_a_line(tmp_path: Path, data: str, lines: list[str]) -> None:
    (tmp_path / "a").write_bytes(data.encode())
    assert read_lines(tmp_path / "a") == lines


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for data, line in ((b"a\nb\n\xff\n", 3), ("中\n".encode("utf-16"), 1), (b"caf\xe9", 1), (b"\n\xed\xa0\x80", 2)):
        (tmp_path / "a").write_bytes(data)
        with pytest.raises(InputError, match=rf"a, line {line}: this is not UTF-8. Convert"):
            read_lines(tmp_path / "a")
    with pytest.raises(InputError, match=r"none cannot be read: No such file"):
        read_lines(tmp_path / "none")
    with pytest.raises(InputError, match=r"cannot be read: Is a directory"):
        read_lines(tmp_path)


def test_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes('\ufeff{"a": "x\u2028y"}\r\n\n \n{"a": "\\ud800", "b": [1, null]}'.encode())
    assert read_json_lines(path) == [{"a": "x\u2028y"}, {"a": "\ud800", "b": [1, None]}]
    path.write_text("")
    assert read_json_lines(path) == []


@pytest.mark.parametrize("broken", ['{"a": 1', "nonsense", "{'a': 1}", "{} {}", "[" * 100_000, "1" * 5000, '{"a":}'])
def test_broken_json_is_told_with_its_line(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"a": 1}}\n\n{broken}\n{{}}\n')
    with pytest.raises(InputError, match=r"a\.jsonl, line 3: this is no JSON"):
        read_json_lines(path)


@pytest.mark.parametrize("other", ["[]", "1", '"text"', "null"])
def test_a_line_that_is_no_object(tmp_path: Path, other: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f"{{}}\n{other}\n")
    with pytest.raises(InputError, match=r"line 2: a JSON object was expected"):
        read_json_lines(path)


def test_files_that_belong_together(tmp_path: Path) -> None:
    paired(tmp_path / "a.hypo", 1875, "a.src", 1875)
    with pytest.raises(InputError, match=r"a\.hypo has 1,874 lines, a\.src has 1,875: line n"):
        paired(tmp_path / "a.hypo", 1874, "a.src", 1875)


def test_a_large_file_takes_time_as_it_has_lines(tmp_path: Path) -> None:
    path = tmp_path / "large.src"

    def seconds(lines: int) -> float:
        path.write_text("A sentence of a common length, as there are many of them in this file.\n" * lines)
        started = time.process_time()
        assert len(read_lines(path)) == lines
        return time.process_time() - started

    seconds(1000)
    # Ten times as much would take a hundred times as long if it were read again for every line.
    assert seconds(200_000) < 40 * seconds(20_000) + 0.1


@pytest.mark.skipif(os.name == "nt", reason="such names cannot be there")
def test_names_of_all_kinds(tmp_path: Path) -> None:
    for name in ("a\nb.src", "中文.src", "[x].src", os.fsdecode(b"\xff.src")):
        (tmp_path / name).write_text("1\n")
    assert len(DataFolder([tmp_path]).find("*.src")) == 4
    assert [read_lines(path) for path in DataFolder([tmp_path]).find("*.src")] == [["1"]] * 4
