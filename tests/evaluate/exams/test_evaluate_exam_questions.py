"""Questions: how they are asked, and files that are damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayling_lite.errors import InputError, UsageError
from bayling_lite.evaluate.data import DataFolder
from bayling_lite.evaluate.exams.questions import find_tasks, read_exam
from bayling_lite.evaluate.exams.tasks import TASKS
from tests.evaluate.exams.exam_files import cloze, question, write_exam, write_json_lines


def _prompt(folder: Path, task: str, line: object) -> str:
    return read_exam(write_exam(folder, task, [line]), task).questions[0].prompt(TASKS[task])


def test_an_english_question(tmp_path: Path) -> None:
    assert _prompt(tmp_path, "lsat-lr", question(passage="Some facts.")) == (
        "Some facts.\n\n"
        "Question:\nOne and two?\n"
        "Choices:\n(A)two\n(B)three\n(C)four\n(D)five\n\n"
        'Answer:\nOutput the correct answer in this format: "Answer is choice ()"'
    )


def test_a_chinese_question(tmp_path: Path) -> None:
    line = question(question="一加二？", options=["(A)二", "(B)三"])
    assert _prompt(tmp_path, "gaokao-physics", line) == (
        '问题：\n一加二？\n选项：\n(A)二\n(B)三\n\n答案：\n按照此格式输出正确答案："答案是选项()"'
    )


def test_a_passage_that_is_empty_leaves_its_lines_and_none_leaves_nothing(tmp_path: Path) -> None:
    assert _prompt(tmp_path, "sat-math", question(passage="")).startswith("\n\nQuestion:\n")
    assert _prompt(tmp_path, "sat-math", question(passage=None)).startswith("Question:\n")


def test_clozes(tmp_path: Path) -> None:
    assert _prompt(tmp_path, "gaokao-mathcloze", cloze("2", question="$x=$?")) == "问题：$x=$?\n答案："
    assert _prompt(tmp_path, "math", cloze("2", options=["(A)1"])) == "Question: x?\nAnswer: The answer is"


@pytest.mark.parametrize("options", [None, []])
def test_a_question_without_options_is_asked_without(tmp_path: Path, options: object) -> None:
    assert _prompt(tmp_path, "sat-math", question(options=options)).startswith("Question:\nOne and two?\n\nAnswer:\n")


def test_braces_in_a_question_are_text(tmp_path: Path) -> None:
    line = question(question="$\\{x\\}$ {0} {question}", options=["(A){options}"], passage="{passage}")
    prompt = _prompt(tmp_path, "sat-math", line)
    assert "{passage}\n\nQuestion:\n$\\{x\\}$ {0} {question}\nChoices:\n(A){options}\n" in prompt


def test_a_passage_of_50_000_characters(tmp_path: Path) -> None:
    assert len(_prompt(tmp_path, "sat-en", question(passage="长" * 50_000))) > 50_000


def test_labels_are_kept_as_they_are(tmp_path: Path) -> None:
    data = write_exam(tmp_path, "gaokao-physics", [question("B"), question(["A", "C"]), question("Z"), question("A B")])
    assert [each.label for each in read_exam(data, "gaokao-physics").questions] == [
        ("B",),
        ("A", "C"),
        ("Z",),
        ("A B",),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (question(None), "does not say which answer is right"),
        (question([]), "does not say which answer is right"),
        (question([1]), "does not say which answer is right"),
        (question(question=None), "has no question"),
        (question(passage=3), "a passage that is no text"),
        (question(options="A B"), "options that are no list"),
        (question(options=[1]), "options that are no list"),
        ({}, "has no question"),
    ],
)
def test_damaged_questions_are_told_with_their_line(tmp_path: Path, line: object, said: str) -> None:
    data = write_exam(tmp_path, "sat-math", [question(), line])
    with pytest.raises(InputError, match=rf"sat-math\.jsonl, question 2: it .*{said}"):
        read_exam(data, "sat-math")


def test_an_empty_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no questions"):
        read_exam(write_exam(tmp_path, "sat-math", []), "sat-math")


def test_an_exam_that_is_not_there(tmp_path: Path) -> None:
    data = write_exam(tmp_path, "sat-math", [question()])
    with pytest.raises(UsageError, match=r"no exam 'aqua-rat' \(it holds: sat-math\).*AGIEval.*--data"):
        read_exam(data, "aqua-rat")
    with pytest.raises(UsageError, match=r"There is no exam 'algebra'. There are: gaokao-chinese"):
        read_exam(data, "algebra")


def test_tasks_come_in_the_papers_order(tmp_path: Path) -> None:
    for name in ("logiqa-zh", "math", "gaokao-english", "gaokao-chinese", "notes"):
        write_exam(tmp_path, name, [question()])
    assert find_tasks(DataFolder([tmp_path])) == ("gaokao-chinese", "gaokao-english", "logiqa-zh", "math")


def test_the_version_that_the_paper_used_is_taken(tmp_path: Path) -> None:
    write_json_lines(tmp_path / "data" / "v1" / "sat-math.jsonl", [question("A")])
    write_json_lines(tmp_path / "data" / "v1_1" / "sat-math.jsonl", [question("C")])
    assert read_exam(DataFolder([tmp_path]), "sat-math").questions[0].label == ("A",)
    for folder, edition in (("", "v1"), ("data/v1_1", "v1_1")):
        assert read_exam(DataFolder([tmp_path / folder]), "sat-math").edition == edition
    assert read_exam(write_exam(tmp_path / "mine", "sat-math", [question()]), "sat-math").edition == ""
