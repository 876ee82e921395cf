"""Sentences of test sets among the training pairs."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sacrebleu.utils

from bayling_finetune.dialogues.contamination import Overlap, TestSets
from bayling_finetune.dialogues.values import Direction
from bayling_lite.errors import InputError, UsageError
from bayling_lite.languages import find_language

EN, ZH = find_language("en"), find_language("zh")
ENGLISH = "The quick brown fox jumps over the lazy dog near the old river bank, and nobody has seen it since then."
CHINESE = "敏捷的棕色狐狸跳过了老河岸边的懒狗，从那以后再也没有人见过它的踪影。"
SHORT = ("I like green tea.", "我喜欢绿茶。")


def direction(source: str, reference: str) -> Direction:
    return Direction(source, reference, EN, ZH)


@pytest.fixture
def tests(tmp_path: Path) -> TestSets:
    """One test set: a long pair, a short one and a greeting."""
    path = tmp_path / "held.tsv"
    path.write_text(f"{ENGLISH}\t{CHINESE}\n{SHORT[0]}\t{SHORT[1]}\nThank you!\t谢谢！\n", encoding="utf-8")
    return TestSets.load([str(path)])


@pytest.mark.parametrize(
    ("source", "reference", "found"),
    [
        (ENGLISH, CHINESE, True),
        (ENGLISH, "别的东西。", True),
        ("Something else entirely.", CHINESE, True),
        (CHINESE, "Something else entirely.", True),
        (ENGLISH.upper().replace(",", " –"), "别的东西。", True),
        ("Something else.", CHINESE.replace("，", " , "), True),
        ("Something else.", f"他说：“{CHINESE[:22]}”", True),
        ("Something else.", f"他说：“{CHINESE[:19]}”", False),
        (f"We read that {' '.join(ENGLISH.split()[2:15])} again.", "别的东西。", True),
        (f"We read that {' '.join(ENGLISH.split()[2:14])} again.", "别的东西。", False),
        (*SHORT, True),
        ("I LIKE GREEN TEA", "我喜欢 绿茶", True),
        (SHORT[0], "绿茶我喜欢喝。", False),
        ("I like my tea green.", SHORT[1], False),
        ("Thank you.", "谢谢。", False),
        ("...", "……", False),
        ("Nothing of this is in any test set, I am sure.", "这些都不在任何测试集里，我很确定。", False),
    ],
)
def test_a_pair_is_found_by_either_side(tests: TestSets, source: str, reference: str, *, found: bool) -> None:
    (name,) = tests.find([direction(source, reference)])
    assert (name is not None) == found


def test_full_width_forms_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("ＡＢＣ公司在１９９８年成立于北京市海淀区。\n", encoding="utf-8")
    assert TestSets.load([str(path)]).find([direction("x", "ABC公司在1998年成立于北京市海淀区")]) == [str(path)]


def test_two_short_sides_must_be_of_one_set(tmp_path: Path) -> None:
    names = []
    for name, text in (("a.en", SHORT[0]), ("a.zh", SHORT[1])):
        (tmp_path / name).write_text(text + "\n", encoding="utf-8")
        names.append(str(tmp_path / name))
    assert TestSets.load(names).find([direction(*SHORT)]) == [None]
    assert TestSets.load([str(tmp_path)]).find([direction(*SHORT)]) == [str(tmp_path)]


def test_the_first_of_the_sets_is_named(tmp_path: Path) -> None:
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    first.write_text(f"{ENGLISH}\n", encoding="utf-8")
    second.write_text(f"{ENGLISH}\n{CHINESE}\n", encoding="utf-8")
    sets = TestSets.load([str(first), str(second)])
    found = sets.find([direction(ENGLISH, "无。"), direction("None.", "无。"), direction("x", CHINESE)])
    assert found == [str(first), None, str(second)]
    assert pickle.loads(pickle.dumps(sets)).find([direction("x", CHINESE)]) == [str(second)]
    assert sets.digest != TestSets.load([str(second), str(first)]).digest


def test_no_test_set_finds_nothing() -> None:
    assert TestSets.load([]).find([direction(ENGLISH, CHINESE)]) == [None]


def _write(path: Path) -> None:
    kind = path.name.partition(".")[2]
    if kind == "tmx":
        path.write_text(
            f'<tmx version="1.4"><body><tu><tuv xml:lang="en"><seg>{ENGLISH}</seg></tuv></tu></body></tmx>', "utf-8"
        )
    elif kind == "parquet":
        pq.write_table(pa.table({"n": [1], "translation": [{"en": ENGLISH, "de": None}]}), path)
    elif kind == "jsonl":
        path.write_text(f'{{"id": 1, "refs": [["{ENGLISH}"]]}}\n', encoding="utf-8")
    elif kind == "txt.gz":
        path.write_bytes(gzip.compress(f"{ENGLISH}\n".encode()))
    else:
        path.write_text(f"first\t\t{ENGLISH}\n" if kind == "tsv" else f"\n{ENGLISH}", encoding="utf-8")


@pytest.mark.parametrize("name", ["a.tsv", "a.tmx", "a.parquet", "a.jsonl", "a.txt.gz", "a.src", "a.en"])
def test_sentences_come_from_every_format_alone_or_in_a_folder(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "README.md").write_bytes(b"\xff\xfe\xfd")
    _write(inner / name)
    for place in (inner / name, tmp_path):
        assert TestSets.load([str(place)]).find([direction(ENGLISH, "无。")]) == [str(place)]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.txt", b"\xff", "this is not utf-8 text"),
        ("a.txt", b"", "is empty"),
        ("a.txt", b"?\n\n", "holds no sentence"),
        ("a.jsonl", b"{}\nno\n", "line 2: this is not JSON"),
        ("a.parquet", b"PAR1", "no Parquet file"),
    ],
)
def test_a_test_set_that_cannot_be_read_is_named(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=message):
        TestSets.load([str(tmp_path / name)])


def test_a_folder_without_sentences_and_unknown_names_are_refused(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("pass\n", encoding="utf-8")
    with pytest.raises(InputError, match="holds no file of sentences"):
        TestSets.load([str(tmp_path)])
    with pytest.raises(UsageError, match="There is no file, folder or sacreBLEU test set nowhere"):
        TestSets.load(["nowhere"])
    for name in ("wmt99/en-zh", "wmt22/en-xx"):
        with pytest.raises(UsageError, match="nor a test set that sacreBLEU knows"):
            TestSets.load([name])


def test_sets_of_sacrebleu_are_taken_from_its_cache_and_never_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sacrebleu.utils, "SACREBLEU_DIR", str(tmp_path))
    with pytest.raises(InputError, match=r"has not fetched wmt22/en-zh .*sacrebleu -t wmt22 -l en-zh --echo src"):
        TestSets.load(["wmt22/en-zh"])
    assert not list(tmp_path.iterdir())
    folder = tmp_path / "wmt22"
    folder.mkdir()
    for field, text in (("src", ENGLISH), ("ref-A", CHINESE), ("docid", "a document whose name is a long sentence")):
        (folder / f"wmt22.en-zh.{field}").write_text(f"{text}\n", encoding="utf-8")
    sets = TestSets.load(["wmt22/en-zh"])
    pairs = [
        direction(ENGLISH, "无。"),
        direction("x", CHINESE),
        direction("a document whose name is a long sentence", "无"),
    ]
    assert sets.find(pairs) == ["wmt22/en-zh", "wmt22/en-zh", None]


def test_what_was_found_is_told_with_counts_and_a_few_examples() -> None:
    overlap = Overlap(pairs=5000)
    for number in range(1200):
        overlap.add("wmt22/en-zh", direction(f"Sentence {number}. {'x' * 100}", "句子。"))
    overlap.add("other", direction("Another one.", "另一个。"))
    first, second = overlap.lines()
    assert first.startswith("wmt22/en-zh: 1,200 of 5,000 pairs, such as Sentence 0.")
    assert first.count("…") == 3
    assert second == "other: 1 of 5,000 pairs, such as Another one. → 另一个。"
