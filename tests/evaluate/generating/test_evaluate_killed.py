"""kill -9 and Ctrl-C at any instant, and two at once: nothing finished is lost, and the result is the same bytes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.evaluate.generating.killed_evaluations import INSTANTS, REQUESTS, UNDER_WAY

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")


def trials(part: str, folder: Path) -> list[dict[str, Any]]:
    program = "tests.evaluate.generating.killed_evaluations"
    command = [sys.executable, "-W", "error", "-m", program, part, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize(("part", "sign"), [("killed", signal.SIGKILL), ("interrupted", signal.SIGINT)])
def test_ended_at_random_instants(tmp_path: Path, part: str, sign: signal.Signals) -> None:
    found = trials(part, tmp_path)
    assert len(found) == INSTANTS
    for trial in found:
        assert trial["same"], trial
        assert trial["asked again"] == 0, trial
        assert trial["asked and not kept"] <= UNDER_WAY, trial
        assert trial["result in between"] in ("none", "whole"), trial
    # Most were under way, and the instants were spread over the whole run.
    ends = [end for trial in found for end in trial["ends"]]
    assert set(ends) <= {0, 130 if sign is signal.SIGINT else sign}
    assert ends.count(0) < len(ends) / 3
    kept = [trial["kept"] / REQUESTS for trial in found]
    assert min(kept) < 0.2
    assert max(kept) > 0.8


def test_two_at_once_end_with_the_same_result(tmp_path: Path) -> None:
    for trial in trials("at-once", tmp_path):
        assert trial["ends"] == [0, 0]
        assert trial["same"], trial
        assert sum(trial["said by"]) == REQUESTS
        assert trial["asked by a third"] == []
