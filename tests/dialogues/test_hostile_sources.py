"""Parallel text as it should not be: named with the remedy, left out and counted, and never held in memory."""

from __future__ import annotations

import gzip
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from bayling_finetune.dialogues.sources import ParallelSource, Reason, Skipped, open_source
from bayling_lite.errors import BaylingError, InputError
from tests.dialogues.parallel_files import EN, PAIRS, ZH, read, table, tmx, tsv, unit

BOMB = '<!DOCTYPE tmx [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE tmx [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
# Without the hour, for what a test is called is made of its data.
GZIPPED = gzip.compress(tsv(PAIRS * 500).encode(), mtime=0)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("bomb.tmx", tmx(unit("&b;", "乙"), head=BOMB), "defines XML entities, which is refused"),
        ("outside.tmx", tmx(unit("&x;", "乙"), head=OUTSIDE), "defines XML entities, which is refused"),
        ("cut.tmx", tmx(unit("A", "甲"))[:-20], "not well-formed XML"),
        ("crossed.tmx", tmx("<tuv><seg>A</tuv></seg>"), "not well-formed XML"),
        ("undefined.tmx", tmx(unit("&nbsp;", "甲")), "not well-formed XML.*undefined entity"),
        ("web.tmx", "<html><body/></html>", "is XML, but no TMX: its first element is <html>"),
        ("no-xml.tmx", "source\ttarget\n", "not well-formed XML"),
        ("other.tmx", tmx(unit("a", "b", codes=("fr-FR", "de"))), "no unit with both en and zh: .* are de, fr"),
        ("none.tmx", tmx(), "it holds no segments"),
        ("unknown.tmx", tmx(head='<?xml version="1.0" encoding="klingon"?>'), "unknown encoding klingon"),
        ("gb.tsv", tsv(PAIRS).encode("gb18030"), r"line 1 \(byte 14\): this is not utf-8 .*--encoding gb18030"),
        ("later.tsv", b"a\tb\n" * 50_000 + b"\xff\tb\n", r"line 50001 \(byte 200,000\)"),
        ("big5.tsv", "早安\t好\n".encode("big5"), r"line 1 \(byte 0\)"),
        ("latin.tsv", "caf\xe9\tb\n".encode("latin-1"), r"line 1 \(byte 3\)"),
        ("surrogate.tsv", b"a\xed\xa0\x80\tb\n", r"line 1 \(byte 1\)"),
        ("cut.tsv", b"a\t\xe5\xa5", r"line 1 \(byte 2\)"),
        ("odd.tsv", "a\tb\n".encode("utf-16")[:-1], "not utf-16-le text"),
        ("lone.tsv", b"\xff\xfe" + b"a\0\t\0\0\xd8\n\0", r"line 1 \(byte 6\): this is not utf-16-le"),
        ("no-mark.tsv", "a\tb\n".encode("utf-16-le"), "full of NUL bytes.*--encoding utf-16-le"),
        ("one.tsv", "a\tb\nalone\n", "line 2: expected source TAB target, found 1 column. A line without a TAB"),
        ("empty.tsv", b"", "is empty"),
        ("empty.tmx", b"", "is empty"),
        ("empty.parquet", b"", "is empty"),
        ("cut.tsv.gz", GZIPPED[: len(GZIPPED) // 2], "compressed file .* is damaged or cut short"),
        ("damaged.tsv.gz", GZIPPED[:40] + b"\0\0\0\0" + GZIPPED[44:], "compressed file .* is damaged"),
        ("only-the-mark.tsv.gz", b"\x1f\x8b\x08", "is damaged or cut short"),
        ("text.parquet", tsv(PAIRS), "is no Parquet file, or is damaged"),
        ("what.doc", b"abc", "cannot be told from its name.*--format"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_with_the_remedy(
    tmp_path: Path, name: str, data: bytes | str, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    with pytest.raises(BaylingError, match=message):
        read(path)


@pytest.mark.parametrize("name", ["there.tsv", "there.tmx", "there.parquet"])
def test_missing_files_and_folders_are_named_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=f"There is no file .*{name}"):
        open_source(ParallelSource((tmp_path / name,), EN, ZH))
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=f"{name} is a folder"):
        open_source(ParallelSource((tmp_path / name,), EN, ZH))


def test_a_parquet_file_that_is_cut_short_or_of_other_types_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path / "a.parquet", en=["a"] * 100, zh=["b"] * 100)
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    with pytest.raises(InputError, match="no Parquet file, or is damaged"):
        read(path)
    path.write_bytes(whole[:4] + bytes(100) + whole[104:])
    with pytest.raises(InputError, match="no Parquet file, or is damaged"):
        read(path)
    with pytest.raises(InputError, match="no column of text"):
        read(table(tmp_path / "b.parquet", en=[1, 2], zh=[3, 4]))
    bad = pa.array([b"\xff", b"ok"]).view(pa.string())
    with pytest.raises(InputError, match="is not UTF-8"):
        read(table(tmp_path / "c.parquet", en=bad, zh=["a", "b"]))


def test_what_is_no_sentence_is_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    huge = "x" * 1_000_000
    path.write_text(f"a\tb\n\t空\nb\t \n\n\x00\t\x07\n{huge}\tc\nc\t{huge}\nmany words are in here\td\ne\tf", "utf-8")
    skipped = Skipped()
    assert read(path, skipped=skipped, max_words=4) == [("a", "b"), ("e", "f")]
    assert skipped == {Reason.EMPTY: 4, Reason.LONG_LINE: 2, Reason.TOO_LONG: 1}
    memory = tmp_path / "a.tmx"
    memory.write_text(tmx(unit(huge, "甲"), unit("A", "甲")), encoding="utf-8")
    skipped = Skipped()
    assert read(memory, skipped=skipped) == [("A", "甲")]
    assert skipped == {Reason.LONG_LINE: 1, Reason.LANGUAGES_MISSING: 1}
    skipped = Skipped()
    rows = table(tmp_path / "a.parquet", en=[huge, None, "A"], zh=["a", "b", "甲"])
    assert read(rows, skipped=skipped) == [("A", "甲")]
    assert skipped == {Reason.LONG_LINE: 1, Reason.EMPTY: 1}


def test_a_pipe_is_refused_as_it_cannot_be_read_twice(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.tsv")
    with pytest.raises(InputError, match="no file but a pipe"):
        read(tmp_path / "a.tsv")


def _write_tsv(path: Path, count: int) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(f"{'x' * 20_000_000}\ty\n")
        file.writelines(f"sentence number {number}\t第{number}句\n" for number in range(count))


def _write_tmx(path: Path, count: int) -> None:
    before, after = tmx("@").split("@")
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(f"{before}{unit('x' * 20_000_000, 'y')}</tu>")
        file.writelines(f"<tu>{unit(f'sentence {number}', f'第{number}句')}</tu>" for number in range(count))
        file.write(f"<tu>{after}")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "write"), [("a.tsv.gz", _write_tsv), ("a.tmx.gz", _write_tmx)])
def test_memory_stays_flat(tmp_path: Path, name: str, write: Callable[[Path, int], None]) -> None:
    path = tmp_path / name
    write(path, 3000)
    pairs = open_source(ParallelSource((path,), EN, ZH))
    next(pairs)
    tracemalloc.start()
    try:
        again = open_source(ParallelSource((path,), EN, ZH))
        assert sum(1 for _ in again) == 3000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000
