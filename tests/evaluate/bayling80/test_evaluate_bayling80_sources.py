"""Whose answers are meant: of results, published answers, and reviews, which repeat both systems'."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayling_lite.errors import UsageError
from bayling_lite.evaluate.bayling80.sources import AnswerSource
from bayling_lite.evaluate.data import DataFolder
from bayling_lite.evaluate.results import ResultsFolder
from tests.evaluate.bayling80.small_set import ENGLISH, answer_rows, review_row, write_lines, write_questions


def source(where: str, folder: Path) -> AnswerSource:
    return AnswerSource(where, DataFolder([folder]), ResultsFolder(folder / "evaluation"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_questions(tmp_path)
    rows = [review_row(question, [8, 7], f"one {question.id}", f"two {question.id}") for question in ENGLISH]
    write_lines(tmp_path / "reviews" / "one-13b.vs.two.singleturn.en.jsonl", rows)
    return tmp_path


@pytest.mark.parametrize(("system", "says"), [("one-13b", "one"), ("two", "two")])
def test_reviews_repeat_the_answers_of_both(data: Path, system: str, says: str) -> None:
    answers = source(system, data)
    assert answers.sets() == ("singleturn.en",)
    result = answers.read("singleturn.en")
    assert (result.system, result.against) == (system, "")
    assert [output.said for output in result.outputs] == [(f"{says} {question.id}",) for question in ENGLISH]
    assert [output.asked for output in result.outputs] == [question.turns[:1] for question in ENGLISH]
    assert result.score("answered") is not None
    assert result.score("win") is None


def test_published_answers_go_before_those_of_reviews(data: Path) -> None:
    write_lines(data / "two" / "res.bayling-80.multiturn.en.jsonl", answer_rows(say="published"))
    assert source("two", data).read("singleturn.en").outputs[0].said == (f"published {ENGLISH[0].id}.1",)


def test_who_is_nowhere_is_told_who_there_is(data: Path) -> None:
    with pytest.raises(UsageError, match="There are answers of: one-13b, two"):
        source("three", data).read("singleturn.en")
    with pytest.raises(UsageError, match=r"no answers of two to multiturn\.en"):
        source("two", data).read("multiturn.en")
