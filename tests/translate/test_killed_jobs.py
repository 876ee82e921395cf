"""kill -9 at any instant: nothing finished is lost or asked twice, and no half of an output is ever there."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import InputError, OutputError
from bayling_lite.translate.job.documents import translate_document
from bayling_lite.translate.store import Store
from tests.translate.killing import INSTANTS, SENTENCES, UNDER_WAY
from tests.translate.pretending import asked_text, chinese, chinese_text

ROOT = Path(__file__).parents[2]


def trials(part: str, folder: Path) -> list[dict[str, Any]]:
    command = [sys.executable, "-W", "error", "-m", "tests.translate.killing", part, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_killed_at_random_instants(tmp_path: Path) -> None:
    found = trials("instants", tmp_path)
    assert len(found) == INSTANTS
    for trial in found:
        assert trial["same"], trial
        assert trial["asked twice though kept"] == [], trial
        assert trial["asked in all"], trial
        assert trial["asked and not kept"] <= UNDER_WAY, trial
        assert not {"BROKEN"} & set(trial["outputs in between"]), trial
        assert trial["unfinished files in place"] == [], trial
    # The instants were spread over the whole job: before its first segment is kept, in its middle, at its end.
    kept = [trial["kept"] / trial["everything"] for trial in found]
    assert min(kept) < 0.1
    assert max(kept) > 0.9
    assert sum(0.2 < part < 0.8 for part in kept) >= INSTANTS / 6
    assert all(trial["everything"] >= SENTENCES * 0.8 for trial in found)


@pytest.mark.slow
def test_killed_between_writing_the_output_and_saying_so(tmp_path: Path) -> None:
    found = {trial["point"]: trial for trial in trials("end", tmp_path)}
    assert [found[point]["output"] for point in ("before_fsync", "before_rename", "after_rename")] == [
        *("none", "none", "whole")
    ]
    for trial in found.values():
        assert trial["killed"], trial
        assert trial["asked again"] == [], trial
        assert trial["same"], trial
    # What is left has a hidden name, which no search for documents takes for one.
    assert found["before_rename"]["left"] == [".bayling"]
    assert found["after_rename"]["left"] == []


@pytest.mark.slow
def test_two_jobs_at_once_on_one_store(tmp_path: Path) -> None:
    undisturbed, killed = trials("at-once", tmp_path)
    assert undisturbed["ends"] == [0, 0]
    assert undisturbed["same"] == [True, True]
    assert killed["ends"] == [signal.SIGKILL, 0]
    assert killed["same"] == [False, True]
    for trial in (undisturbed, killed):
        assert trial["asked by a third"] == []
        assert trial["same by a third"]


def test_a_disk_that_gets_full_in_the_middle_ends_the_job_and_loses_nothing(tmp_path: Path) -> None:
    source, output = tmp_path / "a.txt", tmp_path / "a.zh.txt"
    source.write_text(" ".join(f"Anna reads the book number {number} again." for number in range(60)))
    engine = ScriptedEngine(chinese, info=ModelInfo("small", "bayling", 1024))
    with Store.open(tmp_path / "kept.sqlite") as store:
        assert store._database.connection is not None
        # What a full disk does to SQLite: the file cannot have another page.
        store._database.connection.execute("PRAGMA max_page_count = 6")
        with pytest.raises(OutputError, match=r"disk is full.*run the command again"):
            translate_document(source, "zh", engine=engine, source="en", store=store)
        assert [path.name for path in tmp_path.iterdir() if path.suffix == ".txt"] == ["a.txt"]
        kept = {segment.source for segment in store.segments()}
        assert 0 < len(kept) < 60
        store._database.connection.execute("PRAGMA max_page_count = 1000")
        engine.requests.clear()
        report = translate_document(source, "zh", engine=engine, source="en", store=store)
    assert not kept & {asked_text(request.conversation) for request in engine.requests}
    assert (report.ok, report.from_store) == (60, len(kept))
    assert output.read_text(encoding="utf-8") == chinese_text(source.read_text())


def test_a_job_without_a_store_that_can_be_written_says_how_to_do_without(tmp_path: Path) -> None:
    source, store = tmp_path / "a.txt", tmp_path / "kept.sqlite"
    source.write_text("Good morning.")
    store.write_text("This is no store. " * 100)
    with pytest.raises(InputError, match="--no-resume"):
        translate_document(source, "zh", engine=ScriptedEngine(chinese), source="en", store=store)
    assert not (tmp_path / "a.zh.txt").exists()
