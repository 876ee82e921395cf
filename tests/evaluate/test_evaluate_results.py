"""The results folder: what is written is read again, whole or not at all, under names that no system chokes on."""

from __future__ import annotations

import errno
import itertools
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bayling_lite.errors import InputError, OutputError
from bayling_lite.evaluate.results import ResultsFolder, decode, encode, file_name
from bayling_lite.evaluate.values import Effort, Output, Run, Score, SetResult

RESULT = SetResult(
    system="BayLing-7B",
    family="wmt22",
    set_name="zh-en",
    scores=(Score("BLEU", 20.31, "nrefs:1", 19.8, 20.9), Score("chrF++", 45.0)),
    outputs=(
        Output("1", ("早",), ("Good morning",), "Morning", 0.5, "", {"terms": ["a", "b"], "deep": {"x": [1, None]}}),
        Output("2", ("早上", "再来"), ("", "Again"), problem="empty"),
    ),
    run=Run("2026-01-31T00:00:00+00:00", model="m", decoding="beam 5", effort=Effort(2, 1, 30, 20, 1.5)),
    n_items=5,
)
NAMES = [
    *(
        "BayLing-7B",
        "gpt-3.5-turbo",
        "中文模型",
        "名" * 90,
        "x" * 300,
        "a/b",
        "../../etc",
        "..",
        ".",
        "",
        " ",
        ".hidden",
    ),
    *("a b", "a_b", "a\tb", "a\nb", "A: B", "CON", "nul.txt", "com1", "end.", "end", "\x1b[2J", "\ud800", "\ud801"),
    *("x.vs.y", "x_vs_y", "x", "a*", "a?", "é", "e\u0301", "\u202etxt", "-rf", "~", "a\\b", "a\x00b", "x" * 301),
]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path / "deep" / "evaluation")
    review = replace(RESULT, family="bayling80", set_name="singleturn.en", against="GPT-3.5", run=Run("2026"))
    empty = replace(RESULT, outputs=(), scores=(), n_items=0)
    paths = [folder.write(result) for result in (RESULT, review, empty.named("other"))]
    assert [str(path.relative_to(folder.path)) for path in paths] == [
        "BayLing-7B/wmt22/zh-en.json",
        "BayLing-7B/bayling80/singleturn.en.vs.GPT-3.5.json",
        "other/wmt22/zh-en.json",
    ]
    assert folder.read() == (review, RESULT, empty.named("other"))
    assert folder.read_one(replace(RESULT, scores=())) == RESULT
    assert decode(paths[0]) == RESULT


def test_a_newer_result_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path)
    folder.write(RESULT)
    newer = replace(RESULT, n_items=2)
    assert folder.write(newer) == folder.file_of(RESULT)
    assert folder.read() == (newer,)
    assert newer.whole


def test_each_output_is_a_line() -> None:
    strange = replace(RESULT.outputs[0], said=("a\nb\r\u2028c\u0085",))
    data = encode(replace(RESULT, outputs=(*RESULT.outputs, strange)))
    lines = data.decode().split("\n")
    assert [json.loads(line.rstrip(","))["id"] for line in lines if line.startswith('  {"id"')] == ["1", "2", "1"]
    assert data.endswith(b"}\n")
    assert b"\\u" not in encode(RESULT)
    assert "早上".encode() in data
    assert encode(RESULT) == encode(RESULT)


def test_half_characters_have_a_question_mark_for_them(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path)
    folder.write(replace(RESULT, outputs=(replace(RESULT.outputs[0], said=("a\ud800b",)),)))
    assert folder.read()[0].outputs[0].said == ("a?b",)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_any_name_of_a_system_or_a_set(tmp_path: Path, name: str) -> None:
    folder = ResultsFolder(tmp_path / "evaluation")
    result = replace(RESULT, system=name, set_name=name, against=name)
    path = folder.write(result)
    assert path.is_file()
    assert [*tmp_path.iterdir()] == [folder.path]
    assert len(path.relative_to(folder.path).parts) == 3
    for part in path.relative_to(folder.path).parts:
        assert len(os.fsencode(part)) <= 255
        assert part.isprintable()
        assert not set(part) & set('<>:"/\\|?* ')
        assert part.strip(".") == part
    kept = name.encode("utf-8", "replace").decode()
    assert [found.system for found in folder.read()] == [kept]


def test_names_that_differ_have_files_that_differ() -> None:
    assert len({file_name(name) for name in NAMES}) == len(NAMES)
    assert file_name("BayLing-7B") == "BayLing-7B"
    assert file_name("百聆.Q4_K") == "百聆.Q4_K"
    paths = {
        ResultsFolder(Path("out")).file_of(replace(RESULT, set_name=set_name, against=against))
        for set_name, against in itertools.product(["a", "b", "a.vs.b", "b.vs.a"], ["", "a", "b", "b.vs.a"])
    }
    assert len(paths) == 16


def test_there_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"There is no results folder .*--out"):
        ResultsFolder(tmp_path / "none").read()
    assert ResultsFolder(tmp_path).read() == ()


def test_what_else_lies_in_the_folder_is_left_alone(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path)
    path = folder.write(RESULT)
    (tmp_path / "answers.sqlite").write_bytes(b"")
    (tmp_path / "report.json").write_text("{}")
    (path.parent / "._zh-en.json").write_bytes(b"\x00\x05\x16\x07")
    (path.parent / "notes.txt").write_text("mine")
    assert folder.read() == (RESULT,)


def change(**changes: Any) -> bytes:
    return json.dumps({**json.loads(encode(RESULT)), **changes}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"null",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        encode(RESULT)[:-30],
        change(format="other"),
        change(run="text"),
        change(run={}),
        change(run={**json.loads(encode(RESULT))["run"], "more": 1}),
        change(scores=[["BLEU", 1]]),
        change(scores=[{"metric": "BLEU", "value": "20"}]),
        change(outputs=[{"id": "1"}]),
        change(outputs=[{"id": "1", "asked": "text", "said": []}]),
        change(outputs=[{"id": "1", "asked": [], "said": [1]}]),
        change(outputs=[None]),
        change(n_items="3"),
        change(n_items=0),
        change(system=None),
        change(scores=[{"metric": "BLEU", "value": float("nan")}]),
        change(scores=[{"metric": "BLEU", "value": 20.0, "low": "19", "high": 21.0}]),
        change(outputs=[{"id": "1", "asked": [], "said": [], "quality": "good"}]),
        change(outputs=[{"id": "1", "asked": [], "said": [], "details": []}]),
    ],
)
def test_a_damaged_result_is_named(tmp_path: Path, data: bytes) -> None:
    folder = ResultsFolder(tmp_path)
    path = folder.write(RESULT)
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"zh-en\.json is no result .*Remove it and measure again"):
        folder.read()


def test_a_result_of_a_newer_program_says_so(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path)
    folder.write(RESULT).write_bytes(change(version=2))
    with pytest.raises(InputError, match=r"zh-en\.json was written by a newer bayling-lite.*Update"):
        folder.read()


def test_a_full_disk_leaves_the_older_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = ResultsFolder(tmp_path)
    path = folder.write(RESULT)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match=r"zh-en\.json cannot be written: No space left on device"):
            folder.write(replace(RESULT, n_items=2))
    assert folder.read() == (RESULT,)
    assert [*path.parent.iterdir()] == [path]


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "BayLing-7B").write_text("mine")
    with pytest.raises(OutputError, match="cannot be written"):
        ResultsFolder(tmp_path).write(RESULT)
    assert (tmp_path / "BayLing-7B").read_text() == "mine"
