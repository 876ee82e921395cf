"""An evaluation that is stopped, and goes on: in real processes, on the embedded model."""

from __future__ import annotations

import os
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bayling_lite.evaluate.results import decode
from bayling_lite.evaluate.values import SetResult
from tests.cli.small_evaluation import write_translation

COMMAND = [sys.executable, "-c", "from bayling_lite.cli import main; main()"]
CALL = ["evaluate", "wmt22", "en-de", "--data", "my data", "--greedy", "--exact", "--name", "a first look"]


def start(folder: Path, model: Path, *arguments: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "BAYLING_MODEL": str(model),
        "BAYLING_HOME": str(folder / "home"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    return subprocess.Popen(
        [*COMMAND, *arguments], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def answered(out: Path) -> int:
    """Answers in the store, while another process writes it."""
    try:
        connection = sqlite3.connect(f"file:{out / 'answers.sqlite'}?mode=ro", uri=True)
    except sqlite3.Error:  # not there yet
        return 0
    try:
        return int(connection.execute("SELECT COUNT(*) FROM answers").fetchone()[0])
    except sqlite3.Error:  # not whole yet
        return 0
    finally:
        connection.close()


def result(folder: Path, out: str) -> SetResult:
    [path] = (folder / out).rglob("en-de.json")
    return decode(path)


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_what_is_stopped_goes_on_to_the_same_result(tiny_model: Path, tmp_path: Path, sign: signal.Signals) -> None:
    n_items = len(
        (write_translation(tmp_path / "my data", times=6) / "ende.src").read_text(encoding="utf-8").splitlines()
    )
    with start(tmp_path, tiny_model, *CALL) as process:
        end = time.monotonic() + 60
        while answered(tmp_path / "evaluation") < 4 and process.poll() is None:
            assert time.monotonic() < end
            time.sleep(0.01)
        process.send_signal(sign)
        out, told = (stream.decode() for stream in process.communicate(timeout=60))
    assert (process.returncode, out) == (130, ""), told
    assert "Traceback" not in told
    assert not list((tmp_path / "evaluation").rglob("*.json"))
    said, _, command = told.splitlines()[-1].partition("; this goes on: ")
    assert said == "Interrupted. What is answered is kept"
    kept = answered(tmp_path / "evaluation")
    assert 4 <= kept < n_items

    with start(tmp_path, tiny_model, *shlex.split(command)[1:]) as again:
        out, told = (stream.decode() for stream in again.communicate(timeout=60))
    assert again.returncode == 0, told
    resumed = result(tmp_path, "evaluation")
    assert resumed.run.effort is not None
    assert (resumed.run.effort.n_reused, resumed.run.effort.n_asked) == (kept, n_items - kept)
    assert f"{kept} answers were kept from before" in told

    with start(tmp_path, tiny_model, *CALL, "--out", "whole") as whole:
        line = whole.communicate(timeout=60)[0].decode()
    assert line == out
    straight = result(tmp_path, "whole")
    assert (straight.scores, straight.outputs) == (resumed.scores, resumed.outputs)
