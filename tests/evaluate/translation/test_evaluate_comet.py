"""COMET: its program is run as its own documentation says, and what it writes is read; whatever is wrong is said."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest

from bayling_lite.errors import InputError, UsageError
from bayling_lite.evaluate.translation.comet import CometFile, CometProgram
from bayling_lite.evaluate.translation.measuring import Scoring, score_outputs
from bayling_lite.evaluate.translation.significance import compare
from tests.evaluate.translation.translated_sets import (
    ENGLISH,
    GERMAN,
    ROUGH,
    german_result,
    german_set,
    write_comet_json,
    write_lines,
)

# The options and the JSON of comet-score; a sentence's score is how many of the reference's letters it has.
PROGRAM = """#!{python}
import argparse, json, sys
parser = argparse.ArgumentParser()
for option in ("-s", "-t", "-r", "--model", "--gpus", "--to_json"):
    parser.add_argument(option, required=True)
for option in ("--quiet", "--only_system"):
    parser.add_argument(option, action="store_true")
given = parser.parse_args()
if given.model != "Unbabel/wmt22-comet-da":
    sys.exit(f"Model '{{given.model}}' not supported by COMET.")
texts = [[line.strip() for line in open(path, encoding="utf-8")] for path in (given.s, given.t, given.r)]
rows = [
    {{"src": src, "mt": mt, "ref": ref, "COMET": len(set(mt) & set(ref)) / max(1, len(set(ref)))}}
    for src, mt, ref in zip(*texts, strict=True)
]
json.dump({{given.t: rows}}, open(given.to_json, "w", encoding="utf-8"))
"""
HALF = [0.5] * len(GERMAN)


@pytest.fixture
def program(tmp_path: Path) -> str:
    """A program that takes the options of comet-score."""
    path = tmp_path / "comet-score"
    path.write_text(PROGRAM.format(python=sys.executable), encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_the_program_is_run_and_its_scores_read(program: str) -> None:
    comet = CometProgram(program=program)
    comet.check()
    perfect = comet.scores(german_set(), GERMAN)
    assert perfect.segments == (1.0,) * len(GERMAN)
    assert perfect.signature.startswith("model:Unbabel/wmt22-comet-da|refs:1|version:")
    broken_lines = (*ROUGH[:4], "Er\n\rvergaß", "")
    rough = comet.scores(german_set(), broken_lines).segments
    assert 0 < rough[4] < 1
    assert rough[-1] == 0.0


def test_a_program_that_fails_or_is_not_there(program: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"status 1: Model 'other' not supported by COMET\..*network"):
        CometProgram("other", program).scores(german_set(), GERMAN)
    with pytest.raises(UsageError, match=r"pip install unbabel-comet.*--comet-scores"):
        CometProgram(program=str(tmp_path / "absent")).check()
    with pytest.raises(UsageError, match=r"no file .*model\.ckpt"):
        CometProgram("model.ckpt", program).check()
    silent = write_lines(tmp_path / "silent", ["#!/bin/sh"])
    silent.chmod(0o755)
    with pytest.raises(UsageError, match="wrote no scores"):
        CometProgram(program=str(silent)).scores(german_set(), GERMAN)


def test_comet_needs_the_sources(program: str, tmp_path: Path) -> None:
    sourceless = german_set()
    sourceless = type(sourceless)("x", sourceless.source, sourceless.target, (), sourceless.references)
    with pytest.raises(UsageError, match="--source"):
        CometProgram(program=program).scores(sourceless, GERMAN)


def test_scores_are_read_from_json_or_numbers(tmp_path: Path) -> None:
    made = write_comet_json(tmp_path / "made.json", GERMAN, HALF)
    assert CometFile(made).scores(german_set(), GERMAN).segments == tuple(HALF)
    numbers = write_lines(tmp_path / "made.txt", ["0.25", "-1e-2", *["1"] * 4])
    read = CometFile(numbers, "wmt20-comet-da").scores(german_set(), GERMAN)
    assert read.segments == (0.25, -0.01, 1.0, 1.0, 1.0, 1.0)
    assert read.signature == "model:wmt20-comet-da|refs:1|from:made.txt"


def test_a_folder_has_a_file_for_each_set(tmp_path: Path) -> None:
    write_lines(tmp_path / "en-de.txt", [str(score) for score in HALF])
    assert CometFile(tmp_path).scores(german_set(), GERMAN).segments == tuple(HALF)
    write_comet_json(tmp_path / "small.json", GERMAN, [1.0] * len(GERMAN))
    assert CometFile(tmp_path).scores(german_set(), GERMAN).segments[0] == 1.0
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match=r"no small\.json"):
        CometFile(tmp_path / "none").scores(german_set(), GERMAN)


def test_of_several_systems_in_a_file_the_one_named_after_the_set_counts(tmp_path: Path) -> None:
    path = tmp_path / "all.json"
    rows = [[{"COMET": value}] * len(GERMAN) for value in (0.1, 0.2)]
    path.write_text(json.dumps({"out/de-en.hypo": rows[0], "out/en-de.hypo": rows[1]}), encoding="utf-8")
    assert CometFile(path).scores(german_set(), GERMAN).segments[0] == 0.2
    path.write_text(json.dumps({"a": rows[0], "b": rows[1]}), encoding="utf-8")
    with pytest.raises(InputError, match="one file of translations"):
        CometFile(path).scores(german_set(), GERMAN)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("s.json", "{", "no JSON"),
        ("s.json", "[]", r"0 COMET scores for 6"),
        ("s.json", '{"a": [{"score": 1}]}', "not what comet-score"),
        ("s.json", "7", "not what comet-score"),
        ("s.json", '{"a": [{"COMET": 1}, {"COMET": null}]}', "2 COMET scores for 6"),
        ("s.json", '[{"COMET": "x"}, {"COMET": 1}, {"COMET": 1}, {"COMET": 1}, {"COMET": 1}, {"COMET": 1}]', "score 1"),
        ("s.txt", "0.1\n0.2\n", "2 COMET scores for 6"),
        ("s.txt", "0.1\nscore: 0.2\n", r"line 2: a number was expected, not 'score: 0.2'"),
        ("s.txt", "0.1\nnan\n1\n1\n1\n1\n", "score 2 is no number"),
    ],
)
def test_broken_scores(tmp_path: Path, name: str, content: str, said: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        CometFile(path).scores(german_set(), GERMAN)


def test_scores_of_other_translations_are_not_taken(tmp_path: Path) -> None:
    path = write_comet_json(tmp_path / "made.json", ROUGH, HALF)
    with pytest.raises(InputError, match="number 1 is not the one"):
        CometFile(path).scores(german_set(), GERMAN)
    with pytest.raises(InputError, match="no such file"):
        CometFile(tmp_path / "absent").check()


def test_comet_stands_beside_the_other_scores(tmp_path: Path) -> None:
    values = [0.9, 0.8, 0.7, 0.6, 0.5, 0.1]
    scores = write_comet_json(tmp_path / "made.json", ROUGH, values)
    outputs = write_lines(tmp_path / "rough.de", ROUGH)
    result = score_outputs(german_set(), "translation", "rough", outputs, Scoring(CometFile(scores)))
    assert [score.metric for score in result.scores] == ["BLEU", "chrF++", "COMET"]
    comet = result.scores[-1]
    assert comet.value == pytest.approx(60)
    assert comet.signature == "model:Unbabel/wmt22-comet-da|refs:1|from:made.json|bs:1000|seed:12345"
    assert comet.low is not None
    assert comet.high is not None
    assert 10 < comet.low < 60 < comet.high < 90
    assert result.outputs[1].details["statistics"]["COMET"] == [80.0]
    better = write_comet_json(tmp_path / "better.json", ROUGH, [value + 0.05 for value in values])
    other = score_outputs(german_set(), "translation", "other", outputs, Scoring(CometFile(better)))
    (*_, compared) = compare(result, other)
    assert compared.metric == "COMET"
    assert compared.p == pytest.approx(1 / 1001)
    assert compared.difference == pytest.approx(5)
    assert len(compare(german_result(tmp_path, "without", ROUGH), other)) == 2
    assert ENGLISH[0] == result.outputs[0].asked[0]
