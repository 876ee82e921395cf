"""The parallel text of a recipe: any format there is a reader for, split as ever."""

from __future__ import annotations

import dataclasses
import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bayling_finetune.config import ParallelText, Recipe
from bayling_finetune.parallel import data_digest, directions, load_corpus, read_pairs
from bayling_lite.errors import RecipeError


def _with(recipe: Recipe, *names: str) -> Recipe:
    texts = tuple(ParallelText(name, "en", "de", everyday=True) for name in names)
    return dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, parallel=texts))


def test_a_recipe_may_name_any_format(recipe: Recipe, corpus_folder: Path, tmp_path: Path) -> None:
    plain = (corpus_folder / "mini.en-de.tsv").read_bytes()
    pairs = [line.split("\t") for line in plain.decode().splitlines()]
    (tmp_path / "a.tsv").write_bytes(plain)
    (tmp_path / "a.tsv.gz").write_bytes(gzip.compress(plain))
    pq.write_table(pa.table({"translation": [{"en": en, "de": de} for en, de in pairs]}), tmp_path / "a.parquet")
    units = "".join(
        f'<tu><tuv xml:lang="en-GB"><seg>{en}</seg></tuv><tuv xml:lang="de"><seg>{de}</seg></tuv></tu>'
        for en, de in pairs
    )
    (tmp_path / "a.tmx").write_text(f'<tmx version="1.4"><body>{units}</body></tmx>', encoding="utf-8")
    splits = []
    for name in ("a.tsv", "a.tsv.gz", "a.parquet", "a.tmx"):
        corpus = load_corpus(_with(recipe, name), tmp_path)
        parts = (corpus.train, corpus.development, corpus.test)
        assert all(parts)
        splits.append([[(pair.source, pair.target) for pair in part] for part in parts])
    assert splits[1:] == splits[:1] * 3


def test_what_is_wrong_with_the_data_is_an_error_of_the_recipe(recipe: Recipe, tmp_path: Path) -> None:
    for name, data, message in (
        ("a.tsv", b"a\tb\nalone\n", "a.tsv, line 2"),
        ("b.tsv", "早\tb\n".encode("gb18030"), r"b.tsv, line 1 \(byte 0\)"),
        ("c.tmx", b"<tmx>", "not well-formed"),
        ("d.what", b"a\tb\n", "cannot be told from its name"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(RecipeError, match=message):
            load_corpus(_with(recipe, name), tmp_path)


def test_a_pair_is_two_directions(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("Tea.\tTee.\n", encoding="utf-8")
    text = ParallelText("a.tsv", "English", "de", weight=2.0, origin="tests")
    (pair,) = read_pairs(text, tmp_path / "a.tsv")
    there, back = directions(pair)
    assert (there.source, there.reference, there.pair) == ("Tea.", "Tee.", "en-de")
    assert (back.source, back.reference, back.pair) == ("Tee.", "Tea.", "de-en")
    assert {(side.weight, side.origin) for side in (there, back)} == {(2.0, "tests")}


def test_the_digest_is_of_the_contents_in_the_order_of_the_recipe(recipe: Recipe, tmp_path: Path) -> None:
    for name, text in (("a.tsv", "a\tb\n"), ("b.tsv", "c\td\n"), ("c.tsv", "a\tb\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    digests = [data_digest(_with(recipe, *names), tmp_path) for names in (("a.tsv", "b.tsv"), ("b.tsv", "a.tsv"))]
    assert digests[0] != digests[1]
    assert data_digest(_with(recipe, "c.tsv", "b.tsv"), tmp_path) == digests[0]
    (tmp_path / "b.tsv").unlink()
    with pytest.raises(RecipeError, match=r"b.tsv is missing.*--data"):
        data_digest(_with(recipe, "a.tsv", "b.tsv"), tmp_path)
