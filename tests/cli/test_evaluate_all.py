"""``bayling evaluate all``, and what the commands that measure have in common."""

from __future__ import annotations

import errno
import os
import shlex
import sys
from pathlib import Path

import pytest

from bayling_lite.evaluate.results import ResultsFolder
from tests.cli.conftest import Evaluate
from tests.cli.small_evaluation import SETS, kept, said, write_all, write_translation
from tests.engine.chat_server import chat_server
from tests.evaluate.interactive.small_sets import write_constrained


@pytest.fixture
def model(answering_b: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The model that is measured where none is named."""
    monkeypatch.setenv("BAYLING_MODEL", str(answering_b))
    return str(answering_b)


@pytest.mark.usefixtures("model")
def test_every_family_by_one_command(tmp_path: Path, evaluate: Evaluate) -> None:
    write_all(tmp_path / "data")
    status, lines, told = evaluate("all", "--data", "data", "--name", "mine")
    assert status == 0
    assert [line.split("  ")[0] for line in lines] == [each for name, sets in SETS.items() for each in (name, *sets)]
    assert lines[-1] == "sat-math  accuracy 50.00  (2 items)"
    assert "  3 answers in " in told
    assert told.splitlines()[-1] == ("Results are in evaluation. All of them as one page: bayling evaluate report")
    results = ResultsFolder(Path("evaluation")).read()
    assert sorted((each.family, each.set_name) for each in results) == sorted(
        (name, each) for name, sets in SETS.items() for each in sets
    )
    assert {each.system for each in results} == {"mine"}
    files = {path: path.read_bytes() for path in Path("evaluation").rglob("*.json")}

    # A second time nothing is asked, and the results go on telling how long it took.
    status, again, told = evaluate("all", "--data", "data", "--name", "mine")
    assert (status, again) == (0, lines)
    assert "answers in " not in told
    assert "Warning" not in told
    assert {path: path.read_bytes() for path in files} == files
    status, _, told = evaluate("report")
    assert status == 0, told


@pytest.mark.usefixtures("model")
def test_some_families(tmp_path: Path, evaluate: Evaluate) -> None:
    write_translation(write_constrained(tmp_path / "data"))
    status, lines, told = evaluate("all", "--data", "data")
    assert [line.split("  ")[0] for line in lines if "  " not in line] == ["wmt22", "constrained", "refinement"]
    assert (status, told.splitlines()[0]) == (0, "There is no set of bayling80 or exams in data.")
    status, lines, told = evaluate("all", "constrained", "--data", "data", "-q")
    assert (status, lines[0], told) == (0, "constrained", "")
    status, lines, told = evaluate("all", "constrained", "exams", "--data", "data")
    assert (status, lines) == (2, [])
    assert told.startswith("Error: There is no set of exams in data. Name the folder")


@pytest.mark.usefixtures("model")
def test_what_is_wrong_with_one_set_does_not_keep_the_others_from_it(tmp_path: Path, evaluate: Evaluate) -> None:
    write_translation(write_constrained(tmp_path / "data"))
    (tmp_path / "data" / "zhen.ref").write_text("one line\n", encoding="utf-8")
    status, lines, told = evaluate("all", "wmt22", "constrained", "--data", "data")
    assert status == 1
    assert [line.split("  ")[0] for line in lines] == ["wmt22", "en-de", "constrained", "en-de"]
    assert "Error: data/zhen.src has 3 lines, data/zhen.ref has 1" in told
    assert told.splitlines()[-1] == "Error: Not measured: wmt22 zh-en. All other sets are."


def test_data_that_is_not_there(evaluate: Evaluate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in ("all", "wmt22", "constrained", "bayling80", "exams", "score"):
        status, lines, told = evaluate(command)
        assert (status, lines) == (2, []), command
        assert "--data, or in BAYLING_EVALUATION_DATA" in told
        status, _, told = evaluate(command, "--data", "none")
        assert (status, told) == (
            1,
            "Error: There is no folder none. --data names the folder that holds the test data.\n",
        )
    (tmp_path / "empty").mkdir()
    status, _, told = evaluate("all", "--data", "empty")
    assert status == 2
    assert told.startswith(
        "Error: There is no set of wmt22 or constrained or refinement or bayling80 or exams in empty."
    )
    # Nothing is left of a call that measured nothing.
    assert not (tmp_path / "evaluation").exists()
    monkeypatch.setenv("BAYLING_EVALUATION_DATA", "none")
    assert "no folder none" in evaluate("all")[2]


@pytest.mark.usefixtures("model")
def test_several_folders_in_the_environment(
    tmp_path: Path, evaluate: Evaluate, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_constrained(tmp_path / "one")
    write_translation(tmp_path / "an other")
    monkeypatch.setenv("BAYLING_EVALUATION_DATA", os.pathsep.join(("one", "an other")))
    assert [line for line in evaluate("all", "-q", "--limit", "1")[1] if "  " not in line] == [
        "wmt22",
        "constrained",
        "refinement",
    ]


def test_wrong_names(tmp_path: Path, evaluate: Evaluate) -> None:
    write_all(tmp_path / "data")
    for arguments, message in (
        (("all", "zh-en"), "There is no family of tasks 'zh-en'. There are: wmt22, constrained,"),
        (("wmt22", "zh-xx"), "WMT22 has no direction 'zh-xx' here."),
        (("wmt22", "en-zh"), "There is no set en-zh of wmt22 in data. There are: zh-en, en-de."),
        (("constrained", "en-xx"), "There is no set en-xx of constrained in data. There are: en-de."),
        (("exams", "sat-en"), "There is no set sat-en of exams in data. There are: sat-math."),
        (("bayling80", "en"), "There is no set en of bayling80 in data. There are: singleturn.en,"),
        (("wmt22", "--greedy", "--beam", "3"), "--greedy is --beam 1: give one of them."),
        (("wmt22", "--server-model", "m"), "--server-model names a model of --server: give both."),
    ):
        status, lines, told = evaluate(*arguments, "--data", "data")
        assert (status, lines) == (2, []), arguments
        assert message in told
    assert evaluate("nonsense")[0] == 2
    assert evaluate("wmt22", "--data", "data", "--model", "none.gguf")[::2] == (
        4,
        "Error: There is no file none.gguf.\n",
    )


@pytest.mark.usefixtures("model")
def test_a_result_that_takes_the_place_of_another(tmp_path: Path, evaluate: Evaluate, morning_model: Path) -> None:
    write_translation(tmp_path / "data")
    path = Path("evaluation/mine/wmt22/zh-en.json")
    call = ("wmt22", "zh-en", "--data", "data", "--name", "mine")

    def told(*more: str) -> str:
        status, _, told = evaluate(*call, *more)
        assert status == 0
        return "".join(line for line in told.splitlines() if line.startswith("Warning"))

    assert told() == ""
    assert told() == ""
    assert f"{path} held the result of 3 items, more than these 2. It is replaced" in told("--limit", "2")
    assert kept(path)["n_items"] == 3
    assert said(path) == [("B",), ("B",)]
    assert told() == ""
    assert "held a result of the same model asked in another way (beam 5; Provide the English" in told("--greedy")
    assert "held a result of the same model asked in another way (greedy; Provide" in told(
        "--greedy", "--wording", "zh"
    )
    assert "held the result of another model that was called mine as well" in told("--model", str(morning_model))
    assert "早" in said(path)[0]
    (tmp_path / "lines.txt").write_text("a\nb\nc\n", encoding="utf-8")
    score = ("score", "wmt22", "zh-en", "lines.txt", "--data", "data", "--name", "mine")
    assert "held the result of a model measured here, called mine as well" in evaluate(*score)[2]
    assert "Warning" not in evaluate(*score)[2]
    assert "held the result of outputs made elsewhere, called mine as well" in told()
    assert told("-q", "--limit", "1") == ""
    # What is damaged is no result: nothing is lost.
    path.write_text("{")
    assert told() == ""
    assert len(said(path)) == 3


@pytest.mark.usefixtures("model")
def test_names_and_folders_of_all_kinds(tmp_path: Path, evaluate: Evaluate) -> None:
    write_translation(tmp_path / "da ta")
    call = ("wmt22", "zh-en", "--data", "da ta", "--out", "o ut", "--limit", "1")
    status, lines, told = evaluate(*call, "--name", "\x1b[31m../red\n")
    assert (status, len(lines)) == (0, 1)
    assert "\x1b" not in told + lines[0]
    assert [path.name for path in Path("o ut").iterdir() if path.is_dir()] != ["red"]
    # The command is one that can be typed.
    assert told.splitlines()[-1] == "Results are in o ut. All of them as one page: bayling evaluate report --out 'o ut'"
    (tmp_path / "o ut" / "file").write_text("mine")
    status, _, told = evaluate(*call, "--name", "file")
    assert status == 1
    assert "cannot be written" in told
    assert (tmp_path / "o ut" / "file").read_text() == "mine"


@pytest.mark.usefixtures("model")
def test_a_results_folder_that_cannot_be(tmp_path: Path, evaluate: Evaluate) -> None:
    write_translation(tmp_path / "data")
    (tmp_path / "file").write_text("mine")
    for out in ("file", "file/below"):
        status, lines, told = evaluate("wmt22", "zh-en", "--data", "data", "--out", out)
        assert (status, lines) == (1, []), told
        assert told == f"Error: {tmp_path / 'file'} is a file, no folder for results: name another one with --out.\n"
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.usefixtures("model")
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_results_folder_that_must_not_be_written(tmp_path: Path, evaluate: Evaluate) -> None:
    write_translation(tmp_path / "data")
    (tmp_path / "evaluation").mkdir(mode=0o500)
    status, lines, told = evaluate("wmt22", "zh-en", "--data", "data")
    assert (status, lines) == (1, [])
    assert "see to its permissions, or name another with --out" in told


def test_help_is_for_a_person(evaluate: Evaluate) -> None:
    status, lines, _ = evaluate("--help")
    assert status == 0
    names = [line.split()[0] for line in lines[lines.index("Commands:") + 1 :] if line[2:3].strip()]
    assert len(names) == 11
    for name in names:
        status, lines, told = evaluate(name, "--help")
        assert (status, told) == (0, ""), name
        usage = lines[0].removeprefix(f"Usage: bayling evaluate {name} ")
        assert usage.count("[") == usage.count("]"), name
        assert "]]]" not in usage
        text = "\n".join(lines)
        assert "RANGE" not in text, name
        assert "Examples:" in text, name
        for line in lines:
            if line.strip().startswith("bayling evaluate "):
                assert line.split()[2] in names
                assert shlex.split(line)


@pytest.mark.usefixtures("model")
def test_a_full_disk_costs_no_answers(tmp_path: Path, evaluate: Evaluate, monkeypatch: pytest.MonkeyPatch) -> None:
    write_translation(tmp_path / "data")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        status, lines, told = evaluate("wmt22", "--data", "data", "--name", "mine")
    assert (status, lines) == (1, [])
    assert told == "Error: evaluation/mine/wmt22/zh-en.json cannot be written: No space left on device.\n"
    assert not list(Path("evaluation").rglob("*.json"))
    status, lines, told = evaluate("wmt22", "zh-en", "--data", "data", "--name", "mine")
    assert (status, len(lines)) == (0, 1)
    assert told.splitlines()[0] == "  3 answers were kept from before"


def test_a_server(tmp_path: Path, evaluate: Evaluate) -> None:
    write_translation(write_constrained(tmp_path / "data"))
    call = ("all", "wmt22", "constrained", "--data", "data", "--parallel", "3")
    with chat_server(lambda exchange: exchange.say(["Guten ", "Morgen."])) as server:
        assert evaluate(*call, "--server", server.url, "--exact")[0] == 2
        assert not server.bodies
        status, lines, told = evaluate(*call, "--server", server.url)
    assert status == 0, told
    assert lines[3] == "constrained"
    assert len(server.bodies) == 3 + 6 + 4
    assert server.most_at_once <= 3
    assert kept(Path("evaluation/loopback/wmt22/zh-en.json"))["run"]["decoding"] == (
        "greedy (the server cannot search; beam 5 was asked for)"
    )
    # All is answered, and what has gone cannot be asked; one that is wrong is told before anything is made.
    status, lines, told = evaluate(*call, "--server", server.url, "--out", "other")
    assert (status, lines) == (1, [])
    assert told.count("Error") == 1
    assert not Path("other").exists()


@pytest.mark.usefixtures("model")
def test_what_scores_need_is_seen_to_before_the_work(
    tmp_path: Path, evaluate: Evaluate, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_translation(write_constrained(tmp_path / "data"))
    for name in [name for name in sys.modules if name.partition(".")[0] == "sacrebleu"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    for command in ("all", "wmt22", "constrained", "refinement"):
        status, lines, told = evaluate(command, "--data", "data")
        assert (status, lines) == (2, []), command
        assert told.splitlines()[-1] == "Error: Scoring needs sacreBLEU: pip install 'bayling-lite[evaluate]'"
    assert not Path("evaluation").exists()
