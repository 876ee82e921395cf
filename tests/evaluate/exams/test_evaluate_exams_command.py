"""``bayling evaluate exams`` as a user types it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bayling_lite.cli import main
from bayling_lite.evaluate.exams.tasks import GAOKAO, Kind
from tests.conftest import MAKE_MODEL
from tests.evaluate.exams.exam_files import cloze, question, write_exam

Run = Callable[..., tuple[int, list[str], str]]


@pytest.fixture(scope="module")
def model(make_model: MAKE_MODEL) -> Path:
    """Answers ``B`` to everything."""
    return make_model(chain=("<0x0A>", "B", "</s>"))


@pytest.fixture
def exams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], model: Path) -> Run:
    """Run ``bayling evaluate exams``: exit status, lines of standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, list[str], str]:
        with pytest.raises(SystemExit) as exited:
            main(["evaluate", "exams", *arguments, "--model", str(model), "--greedy"])
        assert isinstance(exited.value.code, int)
        shown = capsys.readouterr()
        return exited.value.code, shown.out.splitlines(), shown.err

    return call


def test_a_whole_table_and_its_average(tmp_path: Path, exams: Run) -> None:
    for task in GAOKAO:
        questions = [cloze("B")] if task.kind is Kind.CLOZE else [question("B"), question("A")]
        write_exam(tmp_path / "data", task.name, questions)
    status, lines, _ = exams("--data", "data")
    assert status == 0
    assert lines[0] == "gaokao-chinese  accuracy 50.00  (2 items)"
    # A cloze wants a number or a formula, and B is none.
    assert lines[8] == "gaokao-mathcloze  accuracy 0.00  (1 item)"
    assert lines[9:] == ["GaoKao average  44.44  (9 exams)"]
    assert sorted(path.stem for path in (tmp_path / "evaluation").rglob("*.json"))[0] == "gaokao-biology"
    _, lines, said = exams("--data", "data", "--limit", "1")
    assert lines[9:] == ["GaoKao average  88.89  (9 exams, not all of their questions)"]
    assert "kept from before" in said


def test_one_exam_has_no_average(tmp_path: Path, exams: Run) -> None:
    write_exam(tmp_path / "data", "sat-math", [question("B")])
    assert exams("sat-math", "--data", "data", "--rule", "strict")[1] == ["sat-math  accuracy 100.00  (1 item)"]


def test_slips(tmp_path: Path, exams: Run) -> None:
    write_exam(tmp_path / "data", "sat-math", [question("B")])
    status, _, said = exams("algebra", "--data", "data")
    assert (status, "algebra" in said, "sat-math" in said) == (2, True, True)
    assert exams("--data", "data", "--rule", "loose")[0] == 2
    write_exam(tmp_path / "data", "sat-math", [question(None)])
    status, _, said = exams("--data", "data")
    assert (status, "question 1: it does not say which answer is right" in said) == (1, True)
