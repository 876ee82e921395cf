"""``bayling evaluate score``: outputs that were made elsewhere."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest

from bayling_lite.evaluate.exams.tasks import GAOKAO, Kind
from bayling_lite.evaluate.results import ResultsFolder
from tests.cli.conftest import Evaluate
from tests.cli.small_evaluation import CHINESE, IN_ENGLISH, write_all
from tests.evaluate.bayling80.small_set import answer_rows
from tests.evaluate.exams.exam_files import cloze, question, write_exam, write_json_lines
from tests.evaluate.interactive.small_sets import SENTENCES, write_outputs
from tests.evaluate.translation.translated_sets import GERMAN, write_lines

DAY = 86_400
RIGHT = [str(sentence["tgt"]) for sentence in SENTENCES]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Sets of every family, and outputs of two systems beside them."""
    folder = write_all(tmp_path / "data")
    write_lines(folder / "good" / "zh-en.hypo", IN_ENGLISH)
    write_lines(folder / "good" / "en-de.hypo", GERMAN)
    write_lines(folder / "bad" / "zh-en.hypo", CHINESE)
    write_outputs(folder / "good" / "hypo.en-de.de.jsonl", RIGHT)
    write_json_lines(folder / "good" / "predict.Good.sat-math.zero-shot.jsonl", [{"text": "B"}, {"text": "C"}])
    write_json_lines(folder / "good" / "res.bayling-80.multiturn.en.jsonl", answer_rows())
    return folder


@pytest.mark.usefixtures("data")
def test_all_that_lies_with_the_data(evaluate: Evaluate) -> None:
    status, lines, told = evaluate("score", "--data", "data")
    assert status == 0
    assert [line.split("  (")[0] for line in lines] == [
        "bad: wmt22",
        "zh-en  BLEU 0.00  chrF++ 0.00",
        "good: wmt22",
        "zh-en  BLEU 100.00  chrF++ 100.00",
        "en-de  BLEU 100.00  chrF++ 100.00",
        # The same system goes on with another family.
        "good: constrained",
        "en-de  phrase rate 100.00  all satisfied 100.00  BLEU 100.00",
        "good: bayling80",
        *[line.split("  (")[0] for line in lines[8:10]],
        "good: exams",
        "sat-math  accuracy 100.00",
    ]
    assert told.endswith("Results are in evaluation. All of them as one page: bayling evaluate report\n")
    assert {(each.system, each.family) for each in ResultsFolder(Path("evaluation")).read()} == {
        ("bad", "wmt22"),
        *(("good", family) for family in ("wmt22", "constrained", "bayling80", "exams")),
    }
    assert evaluate("score", "wmt22", "--data", "data", "-q") == (0, lines[:5], "")
    assert evaluate("score", "wmt22", "en-de", "--data", "data", "-q") == (0, [lines[2], lines[4]], "")


def test_the_averages_of_each_system_with_all_exams_of_a_table(tmp_path: Path, evaluate: Evaluate) -> None:
    for task in GAOKAO:
        write_exam(tmp_path / "exams", task.name, [cloze("7") if task.kind is Kind.CLOZE else question("B")])
        for system, said in (("one", "B"), ("two", "7"), ("three", "B")):
            if (system, task) != ("three", GAOKAO[0]):
                write_json_lines(tmp_path / system / f"predict.{system}.{task.name}.zero-shot.jsonl", [{"text": said}])
    score = ("score", "exams", "-q", "--data", "exams")
    status, lines, _ = evaluate(*score, "all", "one")
    assert (status, lines[-1]) == (0, "GaoKao average  88.89  (9 exams)")
    status, lines, _ = evaluate(*score, "--data", "one", "--data", "two", "--data", "three")
    assert status == 0
    assert [line for line in lines if "average" in line] == [
        "one: GaoKao average  88.89  (9 exams)",
        "two: GaoKao average  11.11  (9 exams)",
    ]


def test_outputs_have_the_date_of_their_file(data: Path, evaluate: Evaluate) -> None:
    for n, path in enumerate(sorted((data / "good").iterdir())):
        os.utime(path, (n * DAY, n * DAY))
    assert evaluate("score", "--data", "data", "-q")[0] == 0
    results = [each for each in ResultsFolder(Path("evaluation")).read() if each.system == "good"]
    dated = {each.run.origin: datetime.fromisoformat(each.run.date).timestamp() / DAY for each in results}
    assert dated == {path.name: n for n, path in enumerate(sorted((data / "good").iterdir()))}
    assert {each.family for each in results} == {"wmt22", "constrained", "bayling80", "exams"}


@pytest.mark.usefixtures("data")
def test_a_file(tmp_path: Path, evaluate: Evaluate) -> None:
    write_lines(tmp_path / "my lines.txt", IN_ENGLISH)
    call = ("score", "wmt22", "zh-en", "my lines.txt", "--data", "data")
    assert evaluate(*call)[:2] == (0, ["my lines: wmt22", "zh-en  BLEU 100.00  chrF++ 100.00  (3 items)"])
    status, lines, _ = evaluate(*call, "--name", "a\x1b[31mb")
    assert (status, lines[0]) == (0, "ab: wmt22")
    write_lines(tmp_path / "my lines.txt", ["Good morning.", "", "I like tea."])
    assert evaluate(*call)[1][1].endswith("(3 items, 1 empty)")


@pytest.mark.usefixtures("data")
def test_a_folder(tmp_path: Path, evaluate: Evaluate) -> None:
    status, lines, told = evaluate("score", "wmt22", "all", "data/good", "--data", "data", "--name", "mine")
    assert (status, [line.split("  ")[0] for line in lines]) == (0, ["mine: wmt22", "zh-en", "en-de"]), told
    # One name for several systems would leave the result of the last one alone.
    for folder in (("data",), ()):
        status, lines, told = evaluate("score", "wmt22", "zh-en", *folder, "--data", "data", "--name", "mine")
        assert (status, lines) == (2, [])
        assert "--name names one system, and there are outputs of several: bad, good." in told
    (tmp_path / "empty").mkdir()
    status, lines, told = evaluate("score", "wmt22", "all", "empty", "--data", "data")
    assert (status, lines) == (1, [])
    assert "There are no outputs of wmt22 in empty: no file is named as those of the paper's authors." in told


def test_what_cannot_be_scored_among_what_can(data: Path, evaluate: Evaluate) -> None:
    write_lines(data / "bad" / "zh-en.hypo", CHINESE[:2])
    write_outputs(data / "bad" / "hypo.en-de.de.jsonl", RIGHT)
    status, lines, told = evaluate("score", "--data", "data")
    assert status == 1
    assert lines[:4] == [
        "good: wmt22",
        "zh-en  BLEU 100.00  chrF++ 100.00  (3 items)",
        "en-de  BLEU 100.00  chrF++ 100.00  (6 items)",
        "bad: constrained",
    ]
    errors = [line for line in told.splitlines() if line.startswith("Error")]
    assert errors == [
        (
            "Error: data/bad/zh-en.hypo has 2 lines, data/zhen.ref has 3: line n of one must belong "
            "to line n of the other."
        ),
        "Error: 1 of 8 outputs could not be scored; the others are.",
    ]
    assert not Path("evaluation/bad/wmt22").exists()
    status, lines, told = evaluate("score", "wmt22", "zh-en", "data/bad/zh-en.hypo", "--data", "data")
    assert (status, lines) == (1, [])
    assert told.splitlines()[-1] == "Error: 1 of 1 outputs could not be scored; nothing else was."


def test_two_files_of_one_system_and_set(data: Path, evaluate: Evaluate) -> None:
    write_lines(data / "run 2" / "good" / "zh-en.hypo", CHINESE)
    status, lines, told = evaluate("score", "wmt22", "zh-en", "--data", "data")
    assert status == 1
    assert "data/run 2/good/zh-en.hypo and data/good/zh-en.hypo are both outputs of good for zh-en." in told
    assert lines[-1] == "zh-en  BLEU 100.00  chrF++ 100.00  (3 items)"


def test_outputs_whose_questions_are_not_there(data: Path, evaluate: Evaluate) -> None:
    """As in a checkout of ictnlp/BayLing without one of AGIEval."""
    (data / "sat-math.jsonl").unlink()
    status, lines, told = evaluate("score", "--data", "data")
    assert status == 0
    assert "exams" not in "".join(lines)
    assert "Passed over, for the test data has no such sets: exams sat-math. Name the folder" in told
    status, lines, told = evaluate("score", "exams", "--data", "data")
    assert (status, lines) == (1, [])
    assert told.splitlines()[-1] == "Error: Nothing was scored."


@pytest.mark.usefixtures("data")
def test_slips(tmp_path: Path, evaluate: Evaluate) -> None:
    write_lines(tmp_path / "lines.txt", IN_ENGLISH)
    for arguments, status, message in (
        (("wmt22", "zh-en", "none.txt"), 1, "There is no file none.txt."),
        (
            ("wmt22", "en-zh", "lines.txt"),
            2,
            "There is no set en-zh of wmt22 in the test data. There are: zh-en, en-de.",
        ),
        (("wmt22", "all", "lines.txt"), 2, "There is no set all of wmt22 in the test data."),
        (("wmt22", "lines.txt"), 2, "name the set first: bayling evaluate score wmt22 SET lines.txt"),
        (("wmt22", "data"), 2, "name the set first: bayling evaluate score wmt22 all data"),
        (("wmt22", "en-cs"), 1, "There are no outputs of wmt22 for en-cs in data"),
        (("lines.txt",), 2, "'lines.txt' is not one of 'wmt22'"),
    ):
        found, lines, told = evaluate("score", *arguments, "--data", "data")
        assert (found, lines) == (status, []), arguments
        assert message in told
    assert not (tmp_path / "evaluation").exists()
