"""Exams given to an engine, and predictions that were made elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayling_lite.engine.base import Completion, ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import InputError
from bayling_lite.evaluate.data import DataFolder
from bayling_lite.evaluate.exams.family import Exams
from bayling_lite.evaluate.exams.grading import Rule
from bayling_lite.evaluate.exams.predictions import read_predictions
from bayling_lite.evaluate.families import FoundOutputs, family
from bayling_lite.evaluate.generating import Generator
from bayling_lite.evaluate.results import ResultsFolder
from bayling_lite.evaluate.values import SetResult, Setup
from bayling_lite.messages import Conversation
from bayling_lite.prompts import Wording
from tests.evaluate.exams.exam_files import cloze, question, score, write_exam, write_json_lines

INFO = ModelInfo(name="small", template="bayling", n_ctx=512, n_parallel=2, fingerprint="f1")


def _knows(conversation: Conversation) -> str:
    """Knows what one and two make, and is silent about everything else."""
    return "Answer is choice (B)" if "One and two" in conversation.messages[-1].content else " "


def _measure(data: DataFolder, task: str, setup: Setup | None = None) -> tuple[SetResult, ScriptedEngine]:
    with ScriptedEngine(_knows, info=INFO) as engine:
        return Exams().measure(data, task, Generator(engine), setup or Setup("someone")), engine


def test_it_is_a_family() -> None:
    assert isinstance(family("exams"), Exams)


def test_right_and_wrong_answers(tmp_path: Path) -> None:
    data = write_exam(tmp_path, "sat-math", [question("B"), question("C"), question(question="Three?")])
    result, _ = _measure(data, "sat-math")
    assert [output.quality for output in result.outputs] == [1.0, 0.0, 0.0]
    assert [output.details["found"] for output in result.outputs] == ["B", "B", ""]
    assert [output.problem for output in result.outputs] == ["", "", "empty"]
    assert [output.reference for output in result.outputs] == ["B", "C", "B"]
    assert [output.id for output in result.outputs] == ["1", "2", "3"]
    assert (result.family, result.set_name, result.n_items, result.whole) == ("exams", "sat-math", 3, True)
    accuracy = result.score("accuracy")
    assert accuracy is not None
    assert accuracy.value == pytest.approx(100 / 3)
    assert accuracy.signature.startswith("rule:first-letter-A-F|deleted:Answer,Choice|average:micro|interval:wilson|")
    assert result.run.decoding == "greedy"
    assert result.run.prompt == "zero-shot, English, at most 512 tokens"


def test_the_signature_names_the_version_of_the_collection(tmp_path: Path) -> None:
    data = write_exam(tmp_path / "v1_1", "sat-math", [question("B")])
    signature = score(data, "sat-math", ["B"]).scores[0].signature
    assert "|average:micro|data:v1_1|interval:wilson|" in signature


def test_the_interval_is_wilsons(tmp_path: Path) -> None:
    data = write_exam(tmp_path, "sat-math", [question("B")] * 8 + [question("A")] * 2)
    accuracy = score(data, "sat-math", ["B"] * 10).score("accuracy")
    assert accuracy is not None
    # 8 of 10, Wilson (1927): 49.0 % to 94.3 %.
    assert accuracy.low == pytest.approx(49.02, abs=0.01)
    assert accuracy.high == pytest.approx(94.33, abs=0.01)


def test_a_question_too_long_for_the_context_counts_as_wrong(tmp_path: Path) -> None:
    data = write_exam(tmp_path, "sat-en", [question("B"), question("B", passage="word " * 50_000)])
    result, _ = _measure(data, "sat-en")
    assert [(output.problem, output.quality) for output in result.outputs] == [("", 1.0), ("context", 0.0)]
    assert result.score("accuracy").value == 50.0  # type: ignore[union-attr]
    assert result.problems == 1


def test_an_answer_that_is_cut_off_counts_by_what_there_is(tmp_path: Path) -> None:
    data = write_exam(tmp_path, "sat-math", [question("B")])
    cut = Completion("B, because", "length", 9, 0, 2, prompt_seconds=0, generation_seconds=0)
    with ScriptedEngine([cut], info=INFO) as engine:
        (output,) = Exams().measure(data, "sat-math", Generator(engine), Setup("someone")).outputs
    assert (output.problem, output.quality) == ("length", 1.0)


def test_models_that_think_may_have_more_tokens(tmp_path: Path) -> None:
    data = write_exam(tmp_path, "sat-math", [question("B")])
    with ScriptedEngine(_knows, info=INFO) as engine:
        result = Exams(max_tokens=2000).measure(data, "sat-math", Generator(engine), Setup("someone"))
    assert engine.requests[0].max_tokens == 2000
    assert result.run.prompt == "zero-shot, English, at most 2000 tokens"


def test_every_task_is_asked_in_its_own_language(tmp_path: Path) -> None:
    data = write_exam(tmp_path, "gaokao-history", [question("B")])
    result, engine = _measure(data, "gaokao-history", Setup("someone", wording=Wording.ENGLISH))
    (asked,) = result.outputs[0].asked
    assert engine.requests[0].conversation.messages[-1].content == asked
    assert asked.endswith('按照此格式输出正确答案："答案是选项()"')
    assert result.run.prompt == "zero-shot, Chinese, at most 512 tokens"


def test_only_the_first_questions(tmp_path: Path) -> None:
    data = write_exam(tmp_path, "sat-math", [question("B"), question("A"), question("A")])
    result, engine = _measure(data, "sat-math", Setup("someone", limit=1))
    assert (len(engine.requests), len(result.outputs), result.n_items, result.whole) == (1, 1, 3, False)
    assert result.score("accuracy").value == 100.0  # type: ignore[union-attr]


def test_a_result_comes_back_from_its_file(tmp_path: Path) -> None:
    data = write_exam(tmp_path / "data", "gaokao-mathcloze", [cloze("\\frac{1}{2}"), cloze("\ud800")])
    folder = ResultsFolder(tmp_path / "out")
    result = score(data, "gaokao-mathcloze", ["$1/2$", "no"])
    folder.write(result)
    assert folder.read()[0].scores == result.scores


def test_predictions_in_all_their_formats(tmp_path: Path) -> None:
    lines = [
        {"text": "A", "finish_reason": "length"},
        {"choices": [{"message": {"role": "assistant", "content": "B"}, "finish_reason": "length"}]},
        {"choices": [{"text": "C", "finish_reason": "stop"}]},
        {"choices": [{"message": {"content": None}}]},
        {"text": None},
        {"choices": []},
    ]
    predictions = read_predictions(write_json_lines(tmp_path / "said.jsonl", lines))
    assert [prediction.text for prediction in predictions] == ["A", "B", "C", "", "", ""]
    assert [prediction.cut_off for prediction in predictions] == [True, True, False, False, False, False]
    for name in ("said.json", "said.txt"):
        (tmp_path / name).write_text('{"text": "B"}\n{"text": "C"}\n', encoding="utf-8")
        assert [prediction.text for prediction in read_predictions(tmp_path / name)] == ["B", "C"]
    (tmp_path / "said.txt").write_text("A\n\nB\n", encoding="utf-8")
    assert [prediction.text for prediction in read_predictions(tmp_path / "said.txt")] == ["A", "", "B"]


def test_predictions_that_are_numbered_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    def texts(*lines: object) -> list[str]:
        return [prediction.text for prediction in read_predictions(write_json_lines(tmp_path / "said.jsonl", lines))]

    assert texts({"text": "C", "question_id": 2}, {"text": "A", "question_id": 0}, {"text": "B", "question_id": 1}) == [
        *"ABC"
    ]
    assert texts({"text": "C", "question_id": 2}, {"text": "A"}) == ["C", "A"]
    assert texts({"text": "C", "question_id": "x"}, {"text": "A", "question_id": "a"}) == ["C", "A"]
    with pytest.raises(InputError, match="answers 1 and 3 are both to question 7"):
        texts({"text": "C", "question_id": 7}, {"text": "A", "question_id": 8}, {"text": "A", "question_id": 7})


@pytest.mark.parametrize("line", [{}, {"text": 3}, {"choices": [3]}, {"choices": [{"message": {}}]}, {"choices": None}])
def test_lines_that_are_no_predictions(tmp_path: Path, line: object) -> None:
    with pytest.raises(InputError, match="answer 2: it has no text"):
        read_predictions(write_json_lines(tmp_path / "said.jsonl", [{"text": "A"}, line]))


@pytest.mark.parametrize("count", [1, 3])
def test_more_or_fewer_predictions_than_questions(tmp_path: Path, count: int) -> None:
    data = write_exam(tmp_path, "sat-math", [question(), question()])
    with pytest.raises(InputError, match=rf"said\.jsonl has {count} lines, the exam sat-math has 2"):
        score(data, "sat-math", ["B"] * count)


def test_an_empty_prediction_is_wrong_and_marked(tmp_path: Path) -> None:
    data = write_exam(tmp_path, "sat-math", [question("B"), question("B")])
    result = score(data, "sat-math", ["B", " \n"])
    assert [(output.quality, output.problem) for output in result.outputs] == [(1.0, ""), (0.0, "empty")]
    assert result.run.origin == "said.jsonl"
    assert result.run.effort is None


def test_the_strict_rule_says_so(tmp_path: Path) -> None:
    data = write_exam(tmp_path, "sat-math", [question("A")])
    assert score(data, "sat-math", ["As I said"]).outputs[0].quality == 1.0
    strict = score(data, "sat-math", ["As I said"], Exams(Rule.STRICT))
    assert strict.outputs[0].quality == 0.0
    assert strict.scores[0].signature.startswith("rule:strict-letter|")


def test_outputs_that_lie_beside_the_data(tmp_path: Path) -> None:
    data = write_exam(tmp_path / "v1", "sat-math", [question("B")])
    for name in (
        "bayling-7b/predict.BayLing-7B.sat-math.zero-shot.jsonl",
        "mine/predict.gpt-3.5-turbo.sat-math.zero-shot.jsonl",
        "mine/predict.gpt-3.5-turbo.gaokao-english.zero-shot.jsonl",
        "mine/predict.gpt-3.5-turbo.algebra.zero-shot.jsonl",
        "mine/predict.sat-math.zero-shot.jsonl",
        "inputs/sat-math.zero-shot.jsonl",
    ):
        write_json_lines(data.folders[0] / name, [{"text": "B"}])
    found = Exams().find_outputs(DataFolder(data.folders))
    assert [(each.system, each.set_name) for each in found] == [
        ("bayling-7b", "sat-math"),
        ("gpt-3.5-turbo", "gaokao-english"),
        ("gpt-3.5-turbo", "sat-math"),
    ]
    assert Exams().score(data, found[0]).system == "bayling-7b"


def test_a_file_of_predictions_that_is_gone(tmp_path: Path) -> None:
    data = write_exam(tmp_path, "sat-math", [question("B")])
    with pytest.raises(InputError, match=r"gone\.jsonl cannot be read"):
        Exams().score(data, FoundOutputs("someone", "sat-math", tmp_path / "gone.jsonl"))
