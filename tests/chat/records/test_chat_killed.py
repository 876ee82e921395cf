"""kill -9 at any instant: no line and no earlier turn is lost, and of an answer at most its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chat.records.killed_chats import ANSWER, TRIALS

ROOT = Path(__file__).parents[3]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_chat_that_is_killed_goes_on(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.chat.records.killed_chats", str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    trials = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(trials) == TRIALS
    cut_off, before = 0, 0
    for trial in trials:
        kept = trial["kept"]
        assert trial["whole"]
        assert trial["open"] == []
        assert trial["sessions"] <= 1
        assert len(kept) >= before  # a session only grows
        before = len(kept)
        assert not [told for told in trial["told"] if told["what"] == "problem"]
        for told in trial["told"]:
            if told["what"] == "typed":
                assert ANSWER.startswith(kept[told["line"]]["answer"])
            if told["what"] == "answered":
                assert kept[told["line"]] == {"answer": ANSWER, "state": "finished", "on_path": True}
        cut_off += sum(turn["state"] == "running" for turn in kept.values())
    assert cut_off  # else no chat was killed in the middle of an answer
    # Whoever goes on sees every answer that there was any of.
    last = trials[-1]
    opened = last["told"][0]["turns"]
    assert len(opened) == sum(bool(turn["answer"]) for turn in trials[-2]["kept"].values() if turn["on_path"])
