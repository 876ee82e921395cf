"""Parallel text in every format there is, as it should be."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from bayling_finetune.dialogues.sources import (
    Format,
    ParallelSource,
    Reason,
    Skipped,
    base_code,
    clean,
    languages_in_name,
    open_source,
)
from bayling_lite.errors import InputError, UsageError
from tests.dialogues.parallel_files import EN, PAIRS, ZH, read, table, tmx, tsv, unit


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("plain.tsv", tsv(PAIRS).encode()),
        ("no-newline-at-the-end.tsv", tsv(PAIRS).encode().rstrip()),
        ("crlf.tsv", tsv(PAIRS, "\r\n").encode()),
        ("cr-only.tsv", tsv(PAIRS, "\r").encode()),
        ("with-mark.tsv", b"\xef\xbb\xbf" + tsv(PAIRS).encode()),
        ("utf-16.tsv", tsv(PAIRS).encode("utf-16")),
        ("utf-16-big.tsv", b"\xfe\xff" + tsv(PAIRS, "\r\n").encode("utf-16-be")),
        ("utf-32.tsv", tsv(PAIRS).encode("utf-32")),
        ("packed.tsv.gz", gzip.compress(tsv(PAIRS).encode(), mtime=0)),
        ("packed-without-saying-so.tsv", gzip.compress(tsv(PAIRS).encode(), mtime=0)),
        ("two-members.tsv.gz", b"".join(gzip.compress(tsv([pair]).encode(), mtime=0) for pair in PAIRS)),
        ("SHOUTED.TSV", tsv(PAIRS).encode()),
        ("plain.tmx", tmx(*(unit(*pair) for pair in PAIRS)).encode()),
        (
            "old.tmx",
            tmx(*(unit(*pair, name="lang", codes=("EN-US", "ZH-CN")) for pair in PAIRS), version="1.1").encode(),
        ),
        ("region.tmx", tmx(*(unit(*pair, codes=("en_GB", "zh-Hans-CN")) for pair in PAIRS)).encode()),
        ("letters.tmx", tmx(*(unit(*pair, codes=("eng", "zho")) for pair in PAIRS)).encode()),
        ("packed.tmx.gz", gzip.compress(tmx(*(unit(*pair) for pair in PAIRS)).encode(), mtime=0)),
        (
            "utf-16.tmx",
            tmx(*(unit(*pair) for pair in PAIRS), head='<?xml version="1.0" encoding="UTF-16"?>').encode("utf-16"),
        ),
        (
            "utf-16-no-mark.tmx",
            tmx(*(unit(*pair) for pair in PAIRS), head='<?xml version="1.0" encoding="utf-16"?>').encode("utf-16-le"),
        ),
        (
            "declared.tmx",
            tmx(*(unit(*pair) for pair in PAIRS), head='<?xml version="1.0" encoding="GB18030"?>').encode("gb18030"),
        ),
        ("undeclared.tmx", tmx(*(unit(*pair) for pair in PAIRS), head="").encode()),
        ("doctype.tmx", tmx(*(unit(*pair) for pair in PAIRS), head='<!DOCTYPE tmx SYSTEM "tmx14.dtd">').encode()),
    ],
)
def test_the_same_pairs_come_out_of_every_text_format(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert read(path) == PAIRS


@pytest.mark.parametrize(
    "columns",
    [
        {"translation": [{"en": left, "zh": right} for left, right in PAIRS]},
        {"id": ["a", "b"], "en": [pair[0] for pair in PAIRS], "zh-CN": [pair[1] for pair in PAIRS]},
        {"eng_Latn": [pair[0] for pair in PAIRS], "zho_Hans": [pair[1] for pair in PAIRS]},
        {"score": [0.5, 0.7], "Source": [pair[0] for pair in PAIRS], "Target": [pair[1] for pair in PAIRS]},
        {
            "en": pa.array([pair[0] for pair in PAIRS]).dictionary_encode(),
            "zh": pa.array([pair[1] for pair in PAIRS], pa.large_string()),
        },
    ],
    ids=["struct", "languages", "flores", "sides", "other-types"],
)
def test_the_columns_of_a_parquet_file_are_guessed(tmp_path: Path, columns: dict[str, Any]) -> None:
    assert read(table(tmp_path / "some.parquet", **columns)) == PAIRS


def test_columns_can_be_named(tmp_path: Path) -> None:
    lefts, rights = [pair[0] for pair in PAIRS], [pair[1] for pair in PAIRS]
    path = table(tmp_path / "a.parquet", text=lefts, done=rights)
    with pytest.raises(InputError, match=r"cannot be told: it has text, done. Name two with --columns"):
        read(path)
    assert read(path, columns=("text", "done")) == PAIRS
    nested = table(tmp_path / "b.parquet", data=[{"a": left, "b": right} for left, right in PAIRS])
    assert read(nested, columns=("data.a", "data.b")) == PAIRS
    with pytest.raises(InputError, match=r"no text column 'data.c'. It has: data.a, data.b"):
        read(nested, columns=("data.a", "data.c"))
    extra = tmp_path / "c.tsv"
    extra.write_text("".join(f"{right}\t0.9\t{left}\n" for left, right in PAIRS), encoding="utf-8")
    with pytest.raises(InputError, match=r"line 1: expected source TAB target, found 3 columns.*--columns"):
        read(extra)
    assert read(extra, columns=("3", "1")) == PAIRS
    with pytest.raises(InputError, match="line 1: there is no column 4, only 3"):
        read(extra, columns=("4", "1"))
    with pytest.raises(UsageError, match="numbers from 1"):
        read(extra, columns=("en", "zh"))


def test_two_aligned_files_are_one_source(tmp_path: Path) -> None:
    left, right = tmp_path / "a.en", tmp_path / "a.zh.gz"
    left.write_text("One.\r\nStill\u2028one line.\r\n\r\nFour.", encoding="utf-8")
    right.write_bytes(gzip.compress("一。\n还是\r一行。\n三。\n四。\n".encode()))
    skipped = Skipped()
    assert read(left, right, skipped=skipped) == [
        ("One.", "一。"),
        ("Still one line.", "还是 一行。"),
        ("Four.", "四。"),
    ]
    assert skipped == {Reason.EMPTY: 1}


def test_files_of_different_length_are_refused_before_the_first_pair(tmp_path: Path) -> None:
    left, right = tmp_path / "a.en", tmp_path / "a.zh"
    left.write_text("One.\nTwo.\nThree.\n", encoding="utf-8")
    right.write_text("一。\n二。\n", encoding="utf-8")
    pairs = open_source(ParallelSource((left, right), EN, ZH))
    with pytest.raises(InputError, match=r"a.en has 3 lines, .*a.zh has 2.*Align them"):
        next(pairs)


def test_inline_codes_go_with_what_they_enclose_and_several_variants_give_several_pairs(tmp_path: Path) -> None:
    path = tmp_path / "a.tmx"
    path.write_text(
        tmx(
            '<note>a note</note><tuv xml:lang="en"><seg>Press <bpt i="1">&lt;b><sub>no</sub></bpt><hi>OK</hi>'
            '<ept i="1">&lt;/b></ept> <ph>{0}</ph> &amp; go\nhome.</seg></tuv>'
            '<tuv xml:lang="zh-CN"><prop type="x">p</prop><seg>按确定回家。</seg></tuv>'
            '<tuv xml:lang="de"><seg>Drücke</seg></tuv>'
            '<tuv xml:lang="zh-CN"><seg>点确定回家。</seg></tuv>',
            '<tuv xml:lang="de"><seg>nur deutsch</seg></tuv>',
            unit("Bell \x07 and &#x1F; and &#xD800;.", "铃。"),
        ),
        encoding="utf-8",
    )
    skipped = Skipped()
    assert read(path, skipped=skipped) == [
        ("Press OK & go home.", "按确定回家。"),
        ("Press OK & go home.", "点确定回家。"),
        ("Bell  and  and .", "铃。"),
    ]
    assert skipped == {Reason.LANGUAGES_MISSING: 1}


def test_a_reference_at_the_border_of_two_blocks_stays_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.tmx"
    start = tmx("@").partition("@")[0]
    for shift in range(-8, 4):
        filler = f"<note>{'x' * (2**16 - len(start) - 60 + shift)}</note>"
        path.write_text(tmp := tmx(filler + unit("A &#x1F;&amp;&#65;", "甲 &lt;&#x4E59;")), encoding="utf-8")
        assert len(tmp) > 2**16
        assert read(path) == [("A &A", "甲 <乙")], shift


def test_an_encoding_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    for encoding, text in (("gb18030", tsv(PAIRS)), ("big5", "Good\t早安\n"), ("utf-16-le", tsv(PAIRS))):
        path.write_bytes(text.encode(encoding))
        assert tsv(read(path, encoding=encoding)) == text
    with pytest.raises(UsageError, match="Unknown encoding 'klingon'"):
        read(path, encoding="klingon")
    memory = tmp_path / "a.tmx"
    memory.write_bytes(tmx(unit("A", "甲")).encode("gb18030"))
    assert read(memory, encoding="gb18030") == [("A", "甲")]


@pytest.mark.parametrize(
    ("dirty", "cleaned"),
    [
        ("  two  spaces ", "two  spaces"),
        ("\u3000早\u3000上\u3000", "早\u3000上"),
        ("a\x00b\x1b[31mc\x1b[0m\x7f\x9b", "abc"),
        ("a\x1b]0;title\x07b \x1bc", "ab c"),
        ("a\r\n b\u2028c\td", "a b c d"),
        ("\ufeffa\ud800b\ufffe", "ab"),
        ("cafe\u0301 « oui\u00a0»", "café « oui\u00a0»"),
        ("a\u200db \u0645\u200c", "a\u200db \u0645\u200c"),
        ("", ""),
    ],
)
def test_a_side_becomes_one_line_without_control_characters(dirty: str, cleaned: str) -> None:
    assert clean(dirty) == cleaned
    assert clean(cleaned) == cleaned


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"paths": ()}, "one file, or two"),
        ({"target": EN}, "the same language"),
        ({"columns": ("1",)}, "two columns"),
        ({"weight": 0.0}, "weight must be above 0"),
        ({"weight": float("nan")}, "weight must be above 0"),
        ({"max_words": -1}, "limit of words"),
    ],
)
def test_a_contradiction_is_refused(given: dict[str, Any], message: str) -> None:
    values: dict[str, Any] = {"paths": (Path("a.tsv"),), "source": EN, "target": ZH} | given
    with pytest.raises(UsageError, match=message):
        ParallelSource(**values)


def test_format_and_number_of_files_must_agree() -> None:
    one, two = (Path("a.txt"),), (Path("a.tsv"), Path("b.tsv"))
    assert ParallelSource(two, EN, ZH).resolved_format() is Format.ALIGNED
    assert ParallelSource(one, EN, ZH, Format.TSV).resolved_format() is Format.TSV
    for paths, form in ((one, Format.ALIGNED), (two, Format.TSV)):
        with pytest.raises(UsageError, match=f"The format {form} takes"):
            ParallelSource(paths, EN, ZH, form).resolved_format()


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("news.en-zh.tsv", "en-zh"),
        ("en-de.tmx.gz", "en-de"),
        ("Europarl_EN-FR_v2.tsv", "en-fr"),
        ("de_en.parquet", "de-en"),
        ("my-qq.xx-yy.tsv", None),
        ("corpus.tsv", None),
    ],
)
def test_a_name_tells_its_languages(name: str, codes: str | None) -> None:
    found = languages_in_name(Path(name))
    assert (found and "-".join(map(str, found))) == codes


def test_a_tag_is_its_language() -> None:
    assert [base_code(tag) for tag in ("en-US", "ZH_cn", "zho_Hans", "cmn", " fr ", "tlh")] == [
        *("en", "zh", "zh", "zh", "fr", "tlh")
    ]


def test_origin_and_weight_go_with_every_pair(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text(tsv(PAIRS), encoding="utf-8")
    (first, _) = open_source(ParallelSource((path,), EN, ZH, origin="tests", weight=2.5))
    assert (first.pair, first.origin, first.weight) == ("en-zh", "tests", 2.5)
