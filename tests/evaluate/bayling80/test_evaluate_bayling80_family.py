"""BayLing-80's questions and answers: asked in order, kept turn by turn, read from what others made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import ContextOverflow, InputError, UsageError
from bayling_lite.evaluate.bayling80.family import BayLing80
from bayling_lite.evaluate.bayling80.questions import CATEGORIES, SETS, by_category
from bayling_lite.evaluate.data import DataFolder
from bayling_lite.evaluate.families import FoundOutputs, family
from bayling_lite.evaluate.generating import Generator
from bayling_lite.evaluate.values import Setup
from bayling_lite.messages import Conversation
from tests.evaluate.bayling80.small_set import (
    CHINESE,
    ENGLISH,
    answer_rows,
    review_row,
    write_lines,
    write_questions,
)


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    return DataFolder([write_questions(tmp_path / "public")])


def answer(conversation: Conversation) -> str:
    last = conversation.messages[-1].content
    return f"{len(conversation)} {last}"


def values(result: Any) -> dict[str, float]:
    return {score.metric: score.value for score in result.scores}


def test_the_sets_come_in_the_papers_order(data: DataFolder) -> None:
    assert family("bayling80").find_sets(data) == SETS


def test_the_turns_are_asked_in_order_with_what_was_answered(data: DataFolder) -> None:
    engine = ScriptedEngine(answer)
    result = BayLing80().measure(data, "multiturn.en", Generator(engine), Setup("mine", seed=3))
    assert [output.said for output in result.outputs] == [
        (f"1 {question.turns[0]}", f"3 {question.turns[1]}") for question in ENGLISH
    ]
    assert [output.details["category"] for output in result.outputs] == ["generic", "math", "coding"]
    request = engine.requests[0]
    assert (request.sampling.temperature, request.max_tokens) == (0.7, 1024)
    assert len({request.sampling.seed for request in engine.requests}) == 6
    assert values(result) == {
        "answered": 3,
        "empty": 0,
        "cut off": 0,
        "mean length": sum(len(text) for output in result.outputs for text in output.said) / 6,
    }
    assert result.run.decoding == "temperature 0.7, seed 3"


def test_greedy_is_possible_and_so_is_a_part_of_a_set(data: DataFolder) -> None:
    engine = ScriptedEngine(answer)
    setup = Setup("mine", beam_size=1, limit=2)
    result = BayLing80().measure(data, "singleturn.zh", Generator(engine), setup)
    assert [output.asked for output in result.outputs] == [(question.turns[0],) for question in CHINESE[:2]]
    assert engine.requests[0].sampling.temperature == 0
    assert not result.whole


def test_answers_that_are_missing_or_cut_off_are_counted(data: DataFolder) -> None:
    def judge(conversation: Conversation) -> str:
        last = conversation.messages[-1].content
        if last == ENGLISH[0].turns[1]:
            return " "
        if last == ENGLISH[1].turns[1]:
            raise ContextOverflow(5000, 4096)
        return "word " * (2000 if last == ENGLISH[2].turns[0] else 3)

    result = BayLing80().measure(data, "multiturn.en", Generator(ScriptedEngine(judge)), Setup("mine"))
    assert [output.problem for output in result.outputs] == ["empty", "context", "length"]
    counted = values(result)
    assert (counted["answered"], counted["empty"], counted["cut off"]) == (1, 2, 1)


def test_a_set_that_is_not_there_is_told_with_its_remedy(tmp_path: Path, data: DataFolder) -> None:
    generator = Generator(ScriptedEngine())
    with pytest.raises(UsageError, match=r"no set 'multiturn\.de'.*multiturn\.zh"):
        BayLing80().measure(data, "multiturn.de", generator, Setup("mine"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="ictnlp/BayLing"):
        BayLing80().measure(DataFolder([tmp_path / "empty"]), "multiturn.en", generator, Setup("mine"))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"text": "?", "category": "math"}, "question 1: question_id"),
        ({"question_id": 1, "category": "math"}, "question 1: text"),
        ({"question_id": 1, "text": ["?", 2]}, "question 1: text"),
        ({"question_id": 1, "text": []}, "question 1: text"),
    ],
)
def test_damaged_questions_are_named(tmp_path: Path, row: dict[str, Any], said: str) -> None:
    write_lines(tmp_path / "BayLing-80.multiturn.en.jsonl", [row])
    with pytest.raises(InputError, match=said):
        BayLing80().measure(DataFolder([tmp_path]), "multiturn.en", Generator(ScriptedEngine()), Setup("mine"))


def test_a_question_that_comes_twice_is_named(tmp_path: Path) -> None:
    write_lines(tmp_path / "BayLing-80.singleturn.en.jsonl", [{"question_id": 7, "text": "?"}] * 2)
    with pytest.raises(InputError, match="question 7 twice"):
        BayLing80().measure(DataFolder([tmp_path]), "singleturn.en", Generator(ScriptedEngine()), Setup("mine"))


def test_published_answers_in_several_turns_answer_the_single_turn_too(tmp_path: Path, data: DataFolder) -> None:
    write_lines(tmp_path / "public" / "exp" / "two-7b" / "res.bayling-80.multiturn.en.jsonl", answer_rows())
    found = BayLing80().find_outputs(data)
    assert [(each.system, each.set_name) for each in found] == [("two-7b", "singleturn.en"), ("two-7b", "multiturn.en")]
    single, several = (BayLing80().score(data, each) for each in found)
    assert [output.said for output in single.outputs] == [("answer 1.1",), ("answer 2.1",), ("answer 3.1",)]
    assert several.outputs[1].said == ("answer 2.1", "answer 2.2")
    assert several.outputs[1].asked == ENGLISH[1].turns
    assert single.run.origin == "res.bayling-80.multiturn.en.jsonl"
    assert values(several)["answered"] == 3


def test_answers_are_found_by_their_question_whatever_their_order(tmp_path: Path, data: DataFolder) -> None:
    rows = [{"question_id": row["question_id"], "response": row["response"]} for row in reversed(answer_rows())]
    path = write_lines(tmp_path / "mine.jsonl", rows)
    result = BayLing80().score(data, FoundOutputs("mine", "multiturn.en", path))
    assert [output.said[0] for output in result.outputs] == ["answer 1.1", "answer 2.1", "answer 3.1"]


def test_plain_lines_answer_one_turn(tmp_path: Path, data: DataFolder) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("one\n\nthree\n", encoding="utf-8")
    result = BayLing80().score(data, FoundOutputs("mine", "singleturn.zh", path))
    assert [output.problem for output in result.outputs] == ["", "empty", ""]
    path.write_text("one\ntwo\n", encoding="utf-8")
    with pytest.raises(InputError, match="has 2 lines"):
        BayLing80().score(data, FoundOutputs("mine", "singleturn.zh", path))
    with pytest.raises(InputError, match=r"\.jsonl file"):
        BayLing80().score(data, FoundOutputs("mine", "multiturn.zh", path))


def _without(rows: list[dict[str, Any]], place: int) -> list[dict[str, Any]]:
    return rows[:place] + rows[place + 1 :]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "is empty"),
        (_without(answer_rows(), 1), "has 2 of the 3 questions of multiturn.en. Missing: 2"),
        ([*answer_rows(), answer_rows()[0]], "question 1 twice"),
        (answer_rows(CHINESE), "this is not question 1 of multiturn.en"),
        ([{**row, "question_id": row["question_id"] + 80} for row in answer_rows()], "not question 81"),
        ([{**row, "response": None} for row in answer_rows()], "question 1: response"),
        ([{**row, "response": row["response"][:1]} for row in answer_rows()], "has 1 lines, the question has 2"),
    ],
)
def test_answers_that_do_not_belong_to_the_set_are_refused(
    tmp_path: Path, data: DataFolder, rows: list[dict[str, Any]], said: str
) -> None:
    path = write_lines(tmp_path / "mine.jsonl", rows)
    with pytest.raises(InputError, match=said):
        BayLing80().score(data, FoundOutputs("mine", "multiturn.en", path))


def test_reviews_are_counted_and_their_ratio_is_of_the_sums(tmp_path: Path, data: DataFolder) -> None:
    scores = [[9.0, 3.0], [8.0, 8.0], [2.5, 10.0]]
    rows = [review_row(question, pair) for question, pair in zip(ENGLISH, scores, strict=True)]
    write_lines(tmp_path / "public" / "exp" / "one-13b.vs.gpt-3.5.singleturn.en.jsonl", rows)
    (found,) = BayLing80().find_outputs(data)
    assert (found.system, found.against, found.set_name) == ("one-13b", "gpt-3.5", "singleturn.en")
    result = BayLing80().score(data, found)
    counted = values(result)
    assert (counted["win"], counted["tie"], counted["lose"], counted["unjudged"]) == (1, 1, 1, 0)
    # The mean of the ratios would be 141.67.
    assert counted["ratio"] == pytest.approx(100 * 19.5 / 21)
    assert "position consistency" not in counted
    assert result.outputs[0].quality == 0.9
    assert result.outputs[0].details["against"] == ["theirs"]


def test_a_review_without_scores_is_unjudged(tmp_path: Path, data: DataFolder) -> None:
    scores: list[object] = [[9.0, 3.0], [-1, -1], [2.5, 10.0]]
    rows = [review_row(question, pair) for question, pair in zip(ENGLISH, scores, strict=True)]
    path = write_lines(tmp_path / "one.jsonl", rows)
    result = BayLing80().score(data, FoundOutputs("one", "singleturn.en", path))
    assert result.against == "Two-13B"
    assert values(result)["unjudged"] == 1
    assert [output.problem for output in result.outputs] == ["", "unjudged", ""]
    assert result.outputs[1].quality is None


@pytest.mark.parametrize("scores", [None, [9], [9, "8"], [9, float("nan")], [9, 11], [True, 3]])
def test_damaged_reviews_are_refused(tmp_path: Path, data: DataFolder, scores: object) -> None:
    path = write_lines(tmp_path / "one.jsonl", [review_row(question, scores) for question in ENGLISH])
    with pytest.raises(InputError, match="question 1: score"):
        BayLing80().score(data, FoundOutputs("one", "singleturn.en", path))


def test_a_review_without_a_system_is_refused(tmp_path: Path, data: DataFolder) -> None:
    rows = [{**review_row(question, [9, 8]), "system2": "x"} for question in ENGLISH]
    path = write_lines(tmp_path / "one.jsonl", rows)
    with pytest.raises(InputError, match="question 1: system2"):
        BayLing80().score(data, FoundOutputs("one", "singleturn.en", path))


def test_outputs_that_repeat_their_questions_need_no_data(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "res.bayling-80.multiturn.zh.jsonl", answer_rows(CHINESE))
    nothing = DataFolder([])
    result = BayLing80().score(nothing, FoundOutputs("mine", "multiturn.zh", path))
    assert result.outputs[2].asked == CHINESE[2].turns
    rows = [{"question_id": row["question_id"], "response": row["response"]} for row in answer_rows()]
    bare = write_lines(tmp_path / "bare.jsonl", rows)
    with pytest.raises(UsageError, match="ictnlp/BayLing"):
        BayLing80().score(nothing, FoundOutputs("mine", "multiturn.zh", bare))


def test_categories_keep_one_order() -> None:
    shuffled = ["writing", "zebra", *reversed(CATEGORIES[:-1]), "aardvark"]
    assert sorted(shuffled, key=by_category) == [*CATEGORIES, "aardvark", "zebra"]


def test_details_are_json(tmp_path: Path, data: DataFolder) -> None:
    path = write_lines(tmp_path / "one.jsonl", [review_row(question, [9.0, 8.5]) for question in ENGLISH])
    result = BayLing80().score(data, FoundOutputs("one", "singleturn.en", path))
    assert json.loads(json.dumps(result.outputs[0].details)) == result.outputs[0].details
