"""The process may end at any line of what writes the output: the next run is right, and finished files stay so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

KILLED = """
import os, pathlib, shutil, sys
import bayling_convert.output as output

HEAD, PLACE = b"GGUF", pathlib.Path(sys.argv[1]) / "place"
FILE, MOVED = PLACE / "out", PLACE / "moved"

def run(letter, job, overwrite):
    with output.whole_file(FILE, n_bytes=24, overwrite=overwrite, job=job) as part:
        part.write(0, HEAD)
        for number, name in enumerate("ab"):
            if name not in part.done:
                part.write(4 + 10 * number, letter * 10)
                part.mark(name)

def killed(line, letter, job, overwrite):
    count = 0
    def trace(frame, event, _argument):
        nonlocal count
        if frame.f_code.co_filename != output.__file__:
            return None
        count += event == "line"
        if count == line:
            os._exit(9)
        return trace
    child = os.fork()
    if not child:
        sys.settrace(trace)
        run(letter, job, overwrite)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9

def check(line, before, first, then):
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir()
    old = HEAD + b"o" * 20
    if before:
        FILE.write_bytes(old)
    was_killed = killed(line, b"1", first, before)
    written = FILE.read_bytes() if FILE.exists() else None
    assert written in (old if before else None, HEAD + b"1" * 20), written
    finished = written == HEAD + b"1" * 20
    if finished:
        FILE.rename(MOVED)
    letter = b"1" if then == first == "one" else b"2"
    run(letter, then, True)
    assert FILE.read_bytes() == HEAD + letter * 20
    assert not finished or MOVED.read_bytes() == written
    assert {path.name for path in PLACE.iterdir()} <= {"out", "moved"}
    return was_killed

for before in (False, True):
    for first in ("one", None):
        for then in ("one", "two", None):
            line = 1
            while check(line, before, first, then):
                line += 1
            assert line > 30
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_killed_at_every_line(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'convert'}"}
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], env=environment, check=True, timeout=120)
