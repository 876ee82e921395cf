"""llama.cpp's log goes to Python logging, line by line, and nowhere else."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bayling_lite.engine.native_log import NativeLog


def test_fragments_become_lines_with_their_level(caplog: pytest.LogCaptureFixture) -> None:
    log = NativeLog()
    with caplog.at_level(logging.DEBUG, "bayling_lite.engine"):
        log.write(3, b"half ", None)
        log.write(5, b"a line\n", None)
        log.write(1, b"...", None)
        log.write(5, b"..\n", None)
        log.write(4, b"bad \xff\nworse\n", None)
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", "half a line"),
        ("ERROR", "bad \ufffd"),
        ("ERROR", "worse"),
    ]


def test_a_loader_reads_the_errors_of_its_own_thread() -> None:
    log = NativeLog()
    with log.errors() as errors:
        log.write(4, b"mine\n", None)
        log.write(3, b"a warning\n", None)
        other = threading.Thread(target=log.write, args=(4, b"another's\n", None))
        other.start()
        other.join()
    log.write(4, b"late\n", None)
    assert errors == ["mine"]


@pytest.mark.slow
def test_loading_is_silent_unless_a_program_wants_the_log(random_model: Path) -> None:
    program = (
        "import logging, sys\n"
        "from bayling_lite.engine.llama import LlamaEngine\n"
        "if len(sys.argv) > 2: logging.basicConfig(level=logging.DEBUG)\n"
        "LlamaEngine.open(sys.argv[1]).close()\n"
    )
    command = [sys.executable, "-c", program, str(random_model)]
    silent = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert (silent.stdout, silent.stderr) == ("", "")
    told = subprocess.run([*command, "log"], capture_output=True, text=True, timeout=30, check=True)
    assert told.stdout == ""
    assert "DEBUG:bayling_lite.engine:" in told.stderr


def test_what_is_no_reason_to_worry_is_logged_as_detail(caplog: pytest.LogCaptureFixture) -> None:
    log = NativeLog()
    with caplog.at_level(logging.DEBUG, logger="bayling_lite.engine"):
        log.write(
            3, b"llama_context: n_ctx_seq (4096) > n_ctx_train (1024) -- possible training context overflow\n", None
        )
        log.write(4, b"llama_decode: failed to decode, ret = 2\n", None)
        log.write(4, b"llama_decode: failed to decode, ret = -3\n", None)
    assert [record.levelno for record in caplog.records] == [logging.DEBUG, logging.DEBUG, logging.ERROR]
