"""A translation that is interrupted, and goes on."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bayling_lite.errors import BaylingError
from bayling_lite.translate.store import FILE_NAME, Store

COMMAND = [sys.executable, "-c", "from bayling_lite.cli import main; main()"]
SENTENCES = [
    f"The {one} {two}."
    for one in ("house", "dog", "man", "tree", "child")
    for two in ("is big", "goes home", "is here", "sees me", "was old")
]
ARGUMENTS = ["translate", "a.txt", "my text.md", "--to", "de", "--from", "en", "-o", "out/"]


def start(folder: Path, model: Path, *arguments: str, home: str = "home") -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "BAYLING_MODEL": str(model),
        "BAYLING_HOME": str(folder / home),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    return subprocess.Popen(
        [*COMMAND, *arguments], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def stored(folder: Path) -> int:
    """Segments in the store, while another process writes it."""
    try:
        with Store.open(folder / "home" / "data" / FILE_NAME, readonly=True) as store:
            return sum(count.segments for count in store.counts())
    except BaylingError:  # not there, or not yet whole
        return 0


@pytest.mark.slow
def test_what_is_stopped_goes_on(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Good morning.\n", encoding="utf-8")
    (tmp_path / "my text.md").write_text("\n\n".join(SENTENCES), encoding="utf-8")
    with start(tmp_path, tiny_model, *ARGUMENTS) as process:
        end = time.monotonic() + 60
        while stored(tmp_path) < 4 and process.poll() is None:
            assert time.monotonic() < end
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.de.txt"]
    before, _, command = said.splitlines()[-1].partition(" kept; this goes on: ")
    kept = int(before.split()[1])
    assert 4 <= kept < len(SENTENCES)
    assert kept == stored(tmp_path)

    with start(tmp_path, tiny_model, *shlex.split(command)[1:], "--report", "report.json") as again:
        again.communicate(timeout=60)
    assert again.returncode == 0
    assert len((tmp_path / "out" / "my text.de.md").read_text(encoding="utf-8").split("\n\n")) == len(SENTENCES)
    files = json.loads((tmp_path / "report.json").read_bytes())["files"]
    assert sum(file["from_store"] for file in files) == kept
    assert sum(file["from_model"] for file in files) == len(SENTENCES) + 1 - kept
