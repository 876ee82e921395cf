"""The report: its figures add up, and its page shows whatever text there is as text."""

from __future__ import annotations

import dataclasses
import gzip
import json
import random
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from sentencepiece import SentencePieceTrainer

from bayling_finetune.dialogues.building import build_file
from bayling_finetune.dialogues.plan import Plan
from bayling_finetune.dialogues.report import Report, read_lines, report_on, report_path
from bayling_finetune.dialogues.report_page import page
from bayling_finetune.dialogues.sources import ParallelSource
from bayling_finetune.dialogues.statistics import SAMPLES, Statistics, bin_edge, bin_of, words
from bayling_finetune.dialogues.values import Dialogue, Direction, Kind, dialogue
from bayling_lite.errors import InputError
from bayling_lite.languages import find_language

pytestmark = pytest.mark.slow

ENGLISH, CHINESE = find_language("en"), find_language("zh")
VOID = {"meta", "br", "path", "use"}


class _Reader(HTMLParser):
    """Checks that every element is closed, and collects what is seen."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.texts.append(data)


def read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def some(number: int, kind: Kind = Kind.CORRECTION) -> Dialogue:
    direction = Direction(f"Sentence {number}.", f"句子{number}。", ENGLISH, CHINESE, origin="made up")
    return dialogue(
        direction, kind, f"In Chinese: {number}", "草稿", "Fix it.", f"句子{number}。", learnt=(False, True)
    )


def gathered(dialogues: list[Dialogue]) -> Statistics:
    statistics = Statistics()
    for one in dialogues:
        statistics.add(one, one.to_dict(), language="en")
    return statistics


def test_adding_up_parts_in_any_order_is_counting_the_whole() -> None:
    dialogues = [some(number, random.Random(number).choice(list(Kind))) for number in range(200)]
    whole = gathered(dialogues)
    for seed in range(3):
        parts = [gathered(dialogues[start : start + 30]) for start in range(0, 200, 30)]
        random.Random(seed).shuffle(parts)
        total = Statistics()
        for part in parts:
            total.merge(Statistics.of(json.loads(json.dumps(part.to_dict()))))
        assert total.to_dict() == whole.to_dict()
    assert all(len(samples) == SAMPLES for samples in whole.samples.values())


def test_counts_of_a_dialogue() -> None:
    statistics = gathered([some(1)])
    assert (statistics.dialogues, statistics.multi_turn, statistics.learnt_answers) == (1, 1, 1)
    assert statistics.tables["turns"] == {"2": 1}
    assert statistics.tables["pairs"] == {"en-zh": 1}
    assert sum(statistics.histograms["characters.user"].values()) == 2
    twice = gathered([some(1), some(1)])
    twice.remove(some(1), language="en")
    assert twice.to_dict() | {"tables": 0} == statistics.to_dict() | {"tables": 0}
    assert twice.tables["kinds"] == statistics.tables["kinds"]


def test_bins_hold_what_they_say() -> None:
    for length in (0, 1, 2, 3, 4, 5, 6, 100, 1023, 1024, 99_999):
        number = bin_of(length)
        assert bin_edge(number) <= length + 1e-6
        assert length < bin_edge(number + 1) or length == 0
    assert words("Don't use the word 词元, please: v2.0!") == 10


def test_the_page_shows_any_text_as_text(tmp_path: Path) -> None:
    nasty = '</style><script>alert(1)</script>"><img src=x onerror=alert(1)> \x1b[31m \u202e evil \ud800 &amp;'
    direction = Direction(nasty, "好", ENGLISH, CHINESE, origin=nasty)
    statistics = gathered([dialogue(direction, Kind.STYLE, nasty, "好 <i>")])
    output = {"file": f"{nasty}.jsonl", "bytes": 12, "sha256": "0" * 64}
    report = Report(output, statistics, command=nasty, skipped={nasty: 3}, test_sets=[nasty], overlap={nasty: 2})
    path, figures = report.write(tmp_path / "r.html")
    assert json.loads(figures.read_bytes())["on_overlap"] == ""
    html = path.read_text(encoding="utf-8")
    reader = read(html)
    assert not {"script", "img", "i"} & set(reader.tags)
    assert "<script>alert(1)</script>" in "".join(reader.texts)
    assert not any(ord(letter) < 32 and letter not in "\n\t" for letter in html)
    assert "\u202e" not in html
    assert "http://" not in html.replace("http://www.w3.org/", "")
    assert "https://" not in html


def test_the_page_has_its_plots_inside_and_takes_the_reader_s_colours() -> None:
    html = page(Report({"file": "f", "bytes": 1, "sha256": "0"}, gathered([some(n) for n in range(9)])).to_dict())
    reader = read(html)
    assert reader.tags.count("svg") >= 5
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html
    assert "#0a0b0c" not in html
    assert "var(--first)" in html
    ids = [part.split('"')[0] for part in html.split(' id="')[1:]]
    assert len(ids) == len(set(ids))


def test_without_matplotlib_the_page_has_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bayling_finetune.dialogues.report_page.can_plot", lambda: False)
    reader = read(page(Report({"file": "f", "bytes": 1, "sha256": "0"}, gathered([some(1)])).to_dict()))
    assert "svg" not in reader.tags
    assert "matplotlib is not installed" in "".join(reader.texts)
    assert "correction" in reader.texts


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_a_report_counts_what_the_build_counted(german_file: Path, tmp_path: Path, name: str) -> None:
    source = ParallelSource((german_file,), ENGLISH, find_language("de"), origin="made up")
    plan = Plan((source,), {Kind.TRANSLATION: 1.0, Kind.REPLACEMENT: 0.5})
    built = build_file(plan, tmp_path / name, processes=1, command="the command")
    lines = list(read_lines(built.path))
    assert len(lines) == built.report.statistics.dialogues
    own = report_on(built.path)
    assert own.command == ""
    for part in ("kinds", "pairs", "turns", "origins"):
        assert own.statistics.tables[part] == built.report.statistics.tables[part]
    assert own.statistics.histograms == built.report.statistics.histograms
    assert own.statistics.to_dict()["samples"] == built.report.statistics.to_dict()["samples"]
    assert report_path(built.path) == tmp_path / "out.report.html"
    built.report.write(report_path(built.path))
    again = report_on(built.path)
    assert again.to_dict() == built.report.to_dict()
    assert "the command" in "".join(read(page(again.to_dict())).texts)
    # Of a file that was changed since, the report of its build tells nothing.
    data = b'{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}\n'
    built.path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    changed = report_on(built.path)
    assert changed.command == ""
    assert changed.statistics.tables["kinds"] == {"general": 1}


def test_tokens_are_counted_if_a_tokenizer_is_named(german_file: Path, tmp_path: Path) -> None:
    text = german_file.read_text(encoding="utf-8").replace("\t", "\n")
    SentencePieceTrainer.train(
        sentence_iterator=iter(text.splitlines()),
        model_prefix=str(tmp_path / "tokenizer"),
        vocab_size=70,
        minloglevel=2,
    )
    source = ParallelSource((german_file,), ENGLISH, find_language("de"))
    plan = Plan((source,), {Kind.TRANSLATION: 1.0}, one_way=True, tokenizer=tmp_path)
    built = build_file(plan, tmp_path / "out.jsonl", processes=1)
    assert sum(built.report.statistics.histograms["tokens"].values()) == 180
    html = page(built.report.to_dict())
    assert 'aria-label="tokens"' in html
    assert report_on(built.path, tmp_path).statistics.histograms == built.report.statistics.histograms
    with pytest.raises(InputError, match="cannot be read"):
        build_file(dataclasses.replace(plan, tokenizer=german_file), tmp_path / "other.jsonl", processes=1)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"messages": []}\n\n{"messages": 3}\n', "line 3, is no dialogue"),
        (b"\xff\xfe", "line 1, is no dialogue"),
        (b"[1, 2]\n", "line 1, is no dialogue"),
        (b'{"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]}\n', "line 1, is no"),
    ],
)
def test_a_line_that_is_no_dialogue_is_named(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(data)
    with pytest.raises(InputError, match=message):
        report_on(path)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        report_on(tmp_path / "none.jsonl")
    cut: dict[str, Any] = {"cut.jsonl.gz": gzip.compress(b'{"messages": []}\n' * 99)[:-9], "odd.jsonl.gz": b"text"}
    for name, data in cut.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match="cannot be read"):
            report_on(tmp_path / name)


@pytest.mark.parametrize(
    "line",
    [
        '{"messages": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"messages": [], "source_language": "Klingon"}',
        '{"messages": [], "kind": "' + "x" * 10_000 + '"}',
        '{"messages": [], "weight": ' + "9" * 5000 + "}",
        "[]",
        " " * (2 << 20),
    ],
)
def test_a_line_that_is_no_dialogue_is_an_error_of_a_few_words(
    tmp_path: Path, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bayling_finetune.dialogues.bounded.LONGEST", 1 << 20)
    path = tmp_path / "odd.jsonl"
    path.write_text(f"\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 2") as raised:
        list(read_lines(path))
    assert len(str(raised.value)) < 500
