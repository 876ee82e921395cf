"""One measure for fetching, converting and checking: on a terminal, in a log, and of a pull from a hub."""

from __future__ import annotations

import fcntl
import io
import itertools
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import pytest
from prompt_toolkit.utils import get_cwidth

from bayling_lite.cli.transfer import ByteProgress
from benchmarks.loopback_hub import Fault, LoopbackHub
from tests.cli.test_models_pull import checkpoint

GB = 10**9


class Screen(io.StringIO):
    """Standard error, a terminal or not."""

    def __init__(self, *, terminal: bool = True) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    @property
    def lines(self) -> list[str]:
        """What was shown, one state after the other, without control sequences."""
        return [line for line in re.split(r"\r|\n|\x1b\[K", self.getvalue()) if line.strip()]


class Clock:
    """The time, which passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


Shown = Callable[..., tuple[ByteProgress, Clock, Screen]]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    def make(*, terminal: bool = True, columns: int = 120, wanted: bool = True) -> tuple[ByteProgress, Clock, Screen]:
        screen, clock = Screen(terminal=terminal), Clock()
        monkeypatch.setattr(sys, "stderr", screen)
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("NO_COLOR", raising=False)
        return ByteProgress(shown=wanted, clock=clock), clock, screen

    return make


def percentages(screen: Screen) -> list[int]:
    return [int(found) for line in screen.lines for found in re.findall(r"(\d+) %", line)]


def pull(progress: ByteProgress, clock: Clock) -> None:
    """Two shards of 2 GB: fetched at 50 MB/s, checked at 500, converted at 100; then the result is checked."""

    def work(first: int, last: int, total: int, label: str, rate: float) -> None:
        for done in range(first, last + 1, GB // 50):
            progress(done, total, label)
            clock.now += GB / 50 / rate

    for label, total in (("Fetching", 4 * GB), ("Checking", 5 * GB), ("Converting", GB)):
        progress(0, total, label)
    for shard in (0, 1):
        work(2 * GB * shard, 2 * GB * (shard + 1), 4 * GB, "Fetching", 50e6)
        work(2 * GB * shard, 2 * GB * (shard + 1), 5 * GB, "Checking", 500e6)
        work(GB // 2 * shard, GB // 2 * (shard + 1), GB, "Converting: tensor 7 of 21", 100e6)
    work(4 * GB, 5 * GB, 5 * GB, "Checking", 500e6)


def test_one_measure_from_0_to_100(shown: Shown) -> None:
    progress, clock, screen = shown()
    pull(progress, clock)
    progress.end()
    told = percentages(screen)
    assert told == sorted(told)
    assert (told[0], told[-1], told.count(100)) == (0, 100, 1)
    assert screen.getvalue().endswith("\r\x1b[K\r")
    # The speed is that of the work on its own: what the other work took does not count.
    speeds = {
        label: set(re.findall(r"(\d+) MB/s", " ".join(line for line in screen.lines if line.startswith(label))))
        for label in ("Fetching", "Checking", "Converting")
    }
    assert speeds == {"Fetching": {"50"}, "Checking": {"500"}, "Converting": {"100"}}
    assert any("  tensor 7 of 21  100 MB/s  " in line for line in screen.lines)
    # In the middle of the second shard all that is left is known: 21 s of fetching, 6 of checking, 5 of converting.
    line = next(line for line in screen.lines if "  3.0 of 4.0 GB  " in line)
    assert line.endswith("0:32 left")


@pytest.mark.parametrize("columns", [80, 60, 40])
def test_narrow_terminals(shown: Shown, columns: int) -> None:
    progress, clock, screen = shown(columns=columns)
    pull(progress, clock)
    for line in screen.lines:
        assert get_cwidth(line) <= columns - 2
        assert re.search(r"\d %", line)
    assert sum(line.endswith(" left") for line in screen.lines) > len(screen.lines) * 0.8


def test_what_is_waited_for_is_said_and_does_not_slow_the_rest(shown: Shown) -> None:
    progress, clock, screen = shown()
    progress(0, 0, "Asking host")
    assert screen.lines == ["Asking host"]
    assert not progress.has_come
    progress(0, 0, "")
    assert screen.getvalue().endswith("\r\x1b[K\r")
    for second in range(100):
        clock.now += 1
        if second < 50:
            progress(second * GB, 100 * GB, "Fetching")
        elif second < 90:
            progress(0, 0, "Waiting for host, attempt 2 of 8")
        else:
            progress((second - 40) * GB, 100 * GB, "Fetching")
    assert progress.has_come
    waiting = next(line for line in screen.lines if line.startswith("Waiting"))
    assert re.fullmatch(r"Waiting for host, attempt 2 of 8 ━+─+   49 %", waiting)
    assert screen.lines[-1].endswith("59.0 of 100.0 GB  1.0 GB/s  0:41 left")


def test_a_log_gets_a_line_now_and_then(shown: Shown) -> None:
    progress, clock, screen = shown(terminal=False)
    pull(progress, clock)
    told = percentages(screen)
    assert told == sorted(told)
    assert 5 <= len(told) <= 12
    assert all(re.match(r"(Fetching|Checking|Converting): +\d+ %, \d", line) for line in screen.lines)
    assert "\x1b" not in screen.getvalue()
    assert "\r" not in screen.getvalue()


def test_a_log_of_a_short_job_or_of_a_quiet_one_has_none(shown: Shown) -> None:
    progress, clock, screen = shown(terminal=False)
    for done in range(101):
        progress(done, 100, "Fetching")
        clock.now += 0.04
    assert screen.lines == []
    for terminal in (True, False):
        progress, clock, screen = shown(terminal=terminal, wanted=False)
        pull(progress, clock)
        progress.end(interrupted=True)
        assert screen.getvalue() == ""


def test_a_slow_job_says_something_every_half_minute(shown: Shown) -> None:
    progress, clock, screen = shown(terminal=False)
    for second in range(121):
        progress(1000 + second, 1_000_000, "Fetching")
        clock.now += 1
    assert len(screen.lines) == 4


def test_no_control_sequences_where_the_terminal_has_none(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    progress, clock, screen = shown(columns=60)
    monkeypatch.setenv("TERM", "dumb")
    pull(progress, clock)
    progress.end(interrupted=True)
    assert "\x1b" not in screen.getvalue()
    assert screen.getvalue().isascii()
    assert "##" in screen.getvalue()
    # Each line covers all of the one before, and in the end also the ^C behind it.
    states = screen.getvalue().split("\r")
    assert all(len(new) >= len(old.rstrip()) for old, new in itertools.pairwise(states[:-1]))
    assert len(states[-2]) == len(states[-3].rstrip()) + 2
    assert states[-2].strip() == states[-1] == ""


def test_steps_have_a_measure_of_their_own(shown: Shown) -> None:
    progress, clock, screen = shown()
    pull(progress, clock)
    for done in range(0, 22_575, 512):
        progress.steps(done, 22_575, "Measuring importances", "tokens")
        clock.now += 1
    assert re.search(
        r"^Measuring importances ━+─+   99 %  22,528 of 22,575 tokens  512\.0/s  0:00 left", screen.lines[-1]
    )
    assert percentages(screen)[-45] == 0


def on_a_terminal(
    server: LoopbackHub, home: Path, columns: int, *arguments: str, ctrl_c_at: str | None = None
) -> tuple[int, str]:
    """Run ``bayling ...`` on a terminal of so many columns: exit status, and what it shows.

    Ctrl-C is pressed when ``ctrl_c_at`` has been shown.
    """
    screen, device = pty.openpty()
    fcntl.ioctl(device, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    # As the terminal of its session the program gets what its keys mean.
    code = "import fcntl, termios; fcntl.ioctl(2, termios.TIOCSCTTY, 0); from bayling_lite.cli import main; main()"
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    environment |= {"HF_ENDPOINT": server.endpoint, "HF_HOME": str(home), "HF_HUB_OFFLINE": "0", "TERM": "xterm"}
    environment |= {"BAYLING_MODELS": str(home / "models"), "PYTHONIOENCODING": "utf-8"}
    environment["PYTHONPATH"] = os.pathsep.join(str(Path(__file__).parents[2] / name) for name in ("", "convert"))
    command = [sys.executable, "-c", code, *arguments]
    process = subprocess.Popen(command, env=environment, cwd=home, start_new_session=True, stdout=device, stderr=device)
    os.close(device)
    shown = b""
    try:
        while data := os.read(screen, 4096):
            shown += data
            if ctrl_c_at is not None and ctrl_c_at.encode() in shown:
                os.write(screen, b"\x03")
                ctrl_c_at = None
    except OSError:  # the other end was closed
        pass
    os.close(screen)
    return process.wait(timeout=60), shown.decode()


@pytest.mark.slow
def test_a_pull_on_a_terminal(server: LoopbackHub, tmp_path: Path) -> None:
    server.add("some/tiny", checkpoint())
    server.rate = 500_000
    status, shown = on_a_terminal(server, tmp_path, 60, "models", "pull", "some/tiny")
    assert status == 0
    drawn = [line for line in re.split(r"\r\n|\r|\x1b\[K", shown) if line.strip()]
    bars = [line for line in drawn if "━" in line or "─" in line]
    assert all(get_cwidth(line) <= 58 for line in bars)
    told = [int(found) for line in bars for found in re.findall(r"(\d+) %", line)]
    assert told == sorted(told)
    assert len(set(told)) > 10
    assert told[-1] == 100
    labels = list(dict.fromkeys(line.split()[0] for line in bars))
    assert labels[0] == "Fetching"
    assert set(labels) == {"Fetching", "Checking", "Converting"}
    steps = ("Asking 127.0.0.1", "Reading config.json", "To fetch", "Reading model.safetensors", "Fetching", "Wrote")
    places = [shown.rindex(step) if step == "Wrote" else shown.index(step) for step in steps]
    assert places == sorted(places)
    # Nothing of a line is left before a sentence.
    assert re.search(r"\x1b\[K\r(?:\x1b\[K\r)*(?:Warning|Wrote)", shown)


@pytest.mark.slow
def test_ctrl_c_on_a_terminal(server: LoopbackHub, tmp_path: Path) -> None:
    server.add("some/tiny", checkpoint())
    server.always["some/tiny/"] = Fault("status", status=503, retry_after="60")
    for arguments, goes_on in (
        (["models", "pull", "some/tiny"], "this begins anew: bayling models pull some/tiny"),
        (["convert", "hf://some/tiny"], ""),
    ):
        status, shown = on_a_terminal(server, tmp_path, 160, *arguments, ctrl_c_at="attempt 2 of 3")
        assert status == 130
        # What the terminal shows of the key is wiped away with the line.
        assert shown.endswith(f"^C\r\x1b[K\rInterrupted. Nothing had come yet{'; ' if goes_on else '.'}{goes_on}\r\n")
    server.always.clear()
    server.rate = 300_000
    for arguments in (["models", "pull", "some/tiny"], ["convert", "hf://some/tiny"]):
        status, shown = on_a_terminal(server, tmp_path, 160, *arguments, ctrl_c_at="kB/s")
        assert status == 130
        assert "\x1b[K\rInterrupted. What has come is kept" in shown
