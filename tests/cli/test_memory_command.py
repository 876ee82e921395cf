"""``bayling memory``: what is kept is listed, found, exported, imported and removed."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bayling_lite.cli import main
from bayling_lite.settings import Settings
from bayling_lite.translate.markup import Code, MarkedBuilder, plain_text
from bayling_lite.translate.memory import TranslationMemory, read_tmx
from bayling_lite.translate.store import Store, StoredSegment

Run = Callable[..., tuple[int, str, str]]
NOW = time.time()


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run ``bayling memory ...``: exit status, standard output, standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as exited:
            main(["memory", *map(str, arguments)])
        assert isinstance(exited.value.code, int)
        return (exited.value.code, *capfd.readouterr())

    return call


@pytest.fixture
def store_path() -> Path:
    return Settings.load().data_dir / "translations.sqlite"


@pytest.fixture
def filled(store_path: Path) -> Path:
    """A store with six segments of two models, three years old, of yesterday and of today."""
    day = 86_400
    with Store.open(store_path) as store:
        for number, (model, target, text, age) in enumerate(
            [
                ("bayling-tiny", "zh", "早上好。", 1000),
                ("bayling-tiny", "zh", "<1>晚上</1>好。", 1000),
                ("bayling-tiny", "de", "Guten Morgen.", 1),
                ("bayling-2-7b", "zh", "早安。", 1),
                ("bayling-2-7b", "zh", "晚安。", 0),
                ("bayling-2-7b", "zh", "\x1b[31m红", 0),
            ]
        ):
            source = "<1>Good</1> evening." if "<1>" in text else f"Good morning {number}."
            store.put(StoredSegment(f"{number}", source, text, "en", target, model, created=NOW - age * day))
    return store_path


def tmx(path: Path, text: str = "Annual report", target: str = "年度报告") -> Path:
    path.write_text(
        f'<tmx version="1.4"><body><tu><tuv xml:lang="en"><seg>{text}</seg></tuv>'
        f'<tuv xml:lang="zh"><seg>{target}</seg></tuv></tu></body></tmx>',
        encoding="utf-8",
    )
    return path


def count(path: Path) -> int:
    with Store.open(path) as store:
        return sum(found.segments for found in store.counts())


def test_nothing_is_kept_at_first(run: Run, store_path: Path) -> None:
    status, out, err = run("list")
    assert (status, out) == (0, "")
    assert "Nothing is kept yet" in err
    assert run("search", "x")[:2] == (0, "")
    assert run("clear")[0] == 0
    assert run("info")[0] == 0
    # Looking is no reason to make anything.
    assert not store_path.parent.exists()


def test_list_counts_by_direction_and_model(run: Run, filled: Path, tmp_path: Path) -> None:
    run("import", tmx(tmp_path / "company\x1b[1m.tmx"))
    status, out, err = run("list")
    assert (status, err) == (0, "")
    rows = [line.split() for line in out.splitlines()]
    today = time.strftime("%Y-%m-%d", time.localtime(NOW))
    assert rows[0] == ["FROM", "TO", "MODEL", "SEGMENTS", "NEWEST"]
    assert rows[2] == ["en", "zh", "bayling-2-7b", "3", today]
    assert [row[3] for row in rows[1:4]] == ["1", "3", "2"]
    assert rows[6][:4] == ["company.tmx", "en", "zh", "1"]
    said = [json.loads(line) for line in run("list", "--json")[1].splitlines()]
    assert [line["kind"] for line in said] == ["segments"] * 3 + ["memory"]
    assert sum(line.get("segments", 0) for line in said) == 6


def test_info_says_where_and_how_much(run: Run, filled: Path, tmp_path: Path) -> None:
    run("import", tmx(tmp_path / "m.tmx"))
    out = run("info")[1]
    assert f"{filled} (6 segments, " in out
    assert "1 memory with 1 unit" in out
    said = json.loads(run("info", "--json")[1])
    assert said["store"]["bytes"] >= filled.stat().st_size
    assert said["imported"]["bytes"] > 0


def test_search_looks_on_both_sides(run: Run, filled: Path, tmp_path: Path) -> None:
    run("import", tmx(tmp_path / "m.tmx", "A good year", "好年景"))
    status, out, err = run("search", "好")
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines() if line] == ["en", "zh", "bayling-tiny,"] * 2 + [
        *("zh", "en", "imported")
    ]
    assert "红" in run("search", "morning 5")[1]
    assert "\x1b" not in run("search", "morning 5")[1]
    assert run("search", "nowhere")[2] == "Nothing is kept that holds this.\n"
    assert len(run("search", "good", "-n", "2", "--json")[1].splitlines()) == 2
    assert run("search", " ")[0] == 2


def test_what_is_exported_is_found_again_when_it_is_imported(run: Run, filled: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.tmx"
    assert run("export", path) == (0, "", "6 segments written.\n")
    assert len(list(read_tmx(path))) == 6
    assert run("clear", "--yes")[0] == 0
    assert run("import", path)[0] == 0
    builder = MarkedBuilder()
    builder.code(Code("open", "<i>", 1))
    builder.text("Good")
    builder.code(Code("close", "</i>", 1))
    builder.text(" evening.")
    with TranslationMemory.open(Settings.load()) as memory:
        found = memory.exact(builder.build(), "en", "zh")
        assert found is not None
        assert found.raw() == "<i>晚上</i>好。"
        assert memory.exact(plain_text("Good morning 4."), "en", "zh") == plain_text("晚安。")


def test_a_part_of_it_is_exported_and_nothing_is_overwritten(run: Run, filled: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.tmx"
    for options, expected in (
        (("--to", "de"), 1),
        (("--from", "German"), 0),
        (("--model", "bayling-tiny"), 3),
        (("--since", time.strftime("%Y-%m-%d", time.localtime(NOW - 10 * 86_400))), 4),
    ):
        status, _, err = run("export", path, "--force", *options)
        assert (status, err) == (0, f"{expected} segment{'' if expected == 1 else 's'} written.\n")
        assert len(list(read_tmx(path))) == expected
    status, _, err = run("export", path)
    assert status == 1
    assert "--force overwrites it" in err
    assert run("export", filled, "--force")[0] == 1
    assert run("export", path, "--force", "--to", "klingon")[0] == 2
    status, out, _ = run("export", "-", "--to", "de", "-q")
    assert status == 0
    assert "<seg>Guten Morgen.</seg>" in out
    assert "\x1b" not in run("export", "-")[1]


def test_clear_asks_and_removes_what_was_said(run: Run, filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status, _, err = run("clear")
    assert status == 2
    assert "--yes says that it is meant" in err
    assert run("clear", "--older-than", "999", "--yes") == (0, "", "Removed 2 segments.\n")
    assert run("clear", "--model", "bayling-tiny", "--yes")[2] == "Removed 1 segment.\n"
    assert run("clear", "--model", "bayling-tiny", "--yes")[2] == "There is nothing to remove.\n"
    main_end, own_end = os.openpty()
    with os.fdopen(own_end, encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        os.write(main_end, b"n\n")
        assert run("clear")[0] == 130
        assert count(filled) == 3
        os.write(main_end, b"y\n")
        assert run("clear")[0] == 0
    os.close(main_end)
    assert count(filled) == 0


def test_a_damaged_store_is_named_and_can_be_thrown_away(run: Run, filled: Path) -> None:
    filled.write_bytes(b"no database at all " * 1000)
    for arguments in (("list",), ("info",), ("search", "x"), ("export", "-"), ("clear", "--model", "m", "--yes")):
        status, _, err = run(*arguments)
        assert status == 1
        assert "damaged" in err
    assert run("clear")[0] == 2
    assert filled.exists()
    assert run("clear", "--yes")[0] == 0
    assert not filled.exists()


def test_import_says_what_it_took_and_takes_it_once(run: Run, tmp_path: Path) -> None:
    path = tmx(tmp_path / "m.tmx")
    status, out, err = run("import", path)
    assert (status, out, err) == (0, "", "m.tmx: 1 unit in en zh.\n")
    assert run("import", path)[2].startswith("There already: ")
    status, _, err = run("import", tmp_path / "missing.tmx")
    assert (status, err) == (1, f"Error: There is no file {tmp_path / 'missing.tmx'}.\n")
    path.write_text("<html/>")
    assert "no TMX" in run("import", path)[2]
    assert run("clear", "--imported", "--model", "m")[0] == 2
    assert run("clear", "--imported")[0] == 2
    assert run("clear", "--imported", "--yes")[2].startswith("Removed ")
    assert run("clear", "--imported", "--yes")[2] == "There is nothing to remove.\n"
    assert "Nothing is kept yet" in run("list")[2]


def test_a_slip_is_answered_with_what_was_meant(run: Run) -> None:
    status, _, err = run("exprot", "x.tmx")
    assert status == 2
    assert "Did you mean export?" in err
    for name in ("list", "info", "search", "import", "export", "clear"):
        assert run(name, "--help")[0] == 0
