"""``bayling evaluate rank`` from outside: begins, serves, ends with Ctrl-C, goes on, and prints what came of it."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bayling_lite.cli import run
from bayling_lite.cli.evaluate_rank import rank
from bayling_lite.evaluate.ranking import Aspect
from bayling_lite.evaluate.ranking.store import StudyStore

Done = Callable[..., tuple[int, str, str]]

ROOT = Path(__file__).parents[3]
COMMAND = "from bayling_lite.cli import run; from bayling_lite.cli.evaluate_rank import rank; run(rank, 'rank')"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {COMMAND}", *arguments]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("source", "x\ny\n"), ("a", "eins\nzwei\n"), ("b", "un\ndeux\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def done(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Done:
    """Run what serves nothing in this process, in the folder: exit status, standard output, standard error."""
    monkeypatch.chdir(folder)

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as exited:
            run(rank, "rank", arguments)
        assert isinstance(exited.value.code, int)
        shown = capsys.readouterr()
        return exited.value.code, shown.out, shown.err

    return call


@contextlib.contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command while it serves, and the address that it printed."""
    with subprocess.Popen(
        command(*arguments),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def serve_once(folder: Path, *arguments: str) -> tuple[str, str]:
    """Run it until its page was seen, press Ctrl-C; the address and what it said."""
    # A browser keeps the cookie that the token is exchanged for.
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with serving(folder, *arguments) as (process, address):
        with browser.open(address, timeout=20) as answer:
            assert "Which is better?" in answer.read().decode()
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=20)
    assert (process.returncode, rest) == (0, "")
    return address, said


def test_a_study_is_begun_served_ended_gone_on_with_and_looked_at(folder: Path, done: Done) -> None:
    address, said = serve_once(folder, "mine", "A=a", "B=b", "--source", "source", "--items", "1", "--seed", "3")
    assert address.startswith("http://127.0.0.1:")
    assert said.startswith("mine: 1 of 2 items, 2 systems, ranked by translation.\n")
    assert said.endswith("Ended; all is kept. Done so far: nothing.\n")

    with StudyStore(StudyStore.place(folder / "evaluation", "mine")) as store:
        for person, places in (("Anna", {0: 1, 1: 2}), ("Bo", {0: 1, 1: 1})):
            store.keep(store.enter(person), 0, ((0,), (1,)), ranks={Aspect.TRANSLATION: places})
    (folder / "b").write_text("another\n", encoding="utf-8")
    address, said = serve_once(folder, "mine", "--host", "0.0.0.0")
    assert "/?token=" in address
    warning = "Warning: changed since the study was begun, which keeps the outputs that it was begun with: "
    assert said.startswith(f"{warning}{folder / 'b'}.\n")
    assert said.endswith("Done so far: Anna 1 of 1, Bo 1 of 1.\n")

    status, out, said = done("mine", "--results", "--export", "votes.csv")
    assert (status, said) == (0, "votes.csv: 4 lines.\n")
    lines = out.splitlines()
    assert lines[0] == "Translation: 2 rankings of 1 item (of 1) by 2 people"
    assert lines[1].split() == ["SYSTEM", "FIRST", "%", "95", "%", "BEST", "OR", "TIED", "%", "MEAN", "RANK"]
    assert [line.split() for line in lines[2:4]] == [
        ["A", "75.0", "–", "100.0", "1.25"],
        ["B", "25.0", "–", "50.0", "1.75"],
    ]
    assert "Krippendorff's alpha (ordinal)" in lines[4]
    with (folder / "votes.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["system"] for row in csv.DictReader(file)] == ["A", "B", "A", "B"]
    status, _, said = done("mine", "--export", "votes.csv")
    assert (status, "exists. --force overwrites it" in said) == (1, True)


def test_what_was_taken_outlives_a_killed_server(folder: Path) -> None:
    ballot = {"person": "Anna", "item": 1, "ranks": {"translation": [1, 2]}, "skipped": "", "seconds": 1, "after": 0}
    with serving(folder, "mine", "A=a", "B=b", "--source", "source", "-q") as (process, address):
        headers = {"Origin": address.rstrip("/"), "Content-Type": "application/json"}
        with StudyStore(StudyStore.place(folder / "evaluation", "mine"), readonly=True) as store:
            mark = store.needed().mark
        body = json.dumps(ballot | {"page": "p", "mark": mark}).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{address}ballot", body, headers), timeout=20) as answer:
            assert json.load(answer)["next"] == "/item/2?person=Anna"
        process.kill()
        assert process.communicate(timeout=20) == ("", "")
    with StudyStore(StudyStore.place(folder / "evaluation", "mine")) as store:
        (kept,) = store.ballots()
    assert sorted(kept.ranks[Aspect.TRANSLATION].values()) == [1, 2]


def test_slips_are_named_in_one_line(done: Done) -> None:
    for arguments, status, text in (
        (("mine",), 2, "There is no study mine in evaluation. To begin it, say what to rank"),
        (("mine", "--results"), 1, "There is no study mine"),
        (("mine", "A=a", "B=b"), 2, "--source names the file with the sources"),
        (("mine", "A=a", "B=nothing", "--source", "source"), 1, "nothing cannot be read"),
        (("mine", "--set", "wmt22/zh-en"), 1, "There is no results folder evaluation"),
        (("mine", "A=a", "B=b", "--source", "source", "--items", "3"), 2, "There are 2 items"),
        (("mine", "A=a", "B=b", "--source", "source", "--aspect", "interaction"), 2, "interaction"),
    ):
        code, out, said = done(*arguments)
        assert (code, out) == (status, ""), arguments
        assert text in " ".join(said.split()), arguments


def test_help_names_the_study_first() -> None:
    assert [parameter.name for parameter in rank.params[:2]] == ["study_name", "systems"]
