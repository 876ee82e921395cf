"""How long it takes from Enter on the shell to a prompt that accepts typing, and to the first words of an answer.

usage: python -m benchmarks.chat_startup [--rounds 15] [--llm PYTHON]

Each program is started in a pseudo-terminal of its own that answers as a terminal does, all of them in turn, so that
what the machine does besides hits all alike. *Prompt* is when a character that was typed once the prompt stood there
has been echoed; *first words* is when the first characters of the answer to a line that was typed at once are there.
``--llm`` names the Python of an environment with Simon Willison's ``llm``, which then takes part: with a plugin that
answers at once and needs no key, so that what is measured is ``llm`` itself.
"""

from __future__ import annotations

import argparse
import os
import pty
import re
import select
import signal
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

ROUNDS = 15
PATIENCE = 60.0
PROMPT_GOAL, FIRST_WORDS_GOAL = 0.35, 1.0

# What a prompt asks a terminal: where the cursor is. prompt-toolkit waits for the answer.
_ASKS_FOR_CURSOR, _CURSOR = b"\x1b[6n", b"\x1b[1;1R"
_SEQUENCE = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|\x1b.|[\r\n\b]")

_BARE_PROMPT = "from prompt_toolkit import PromptSession; PromptSession().prompt('> ')"

_ECHO_PLUGIN = """
import llm

class Echo(llm.Model):
    model_id = "echo"
    can_stream = True

    def execute(self, prompt, stream, response, conversation=None):
        yield "echo: " + prompt.prompt

@llm.hookimpl
def register_models(register):
    register(Echo())
"""


@dataclass(frozen=True, slots=True)
class Program:
    """A program to start and what to wait for: ``prompt`` is on the screen when it can be typed at; None where there is
    none, and its end is what is waited for. ``answer`` is what the answer to ``line`` begins with.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    prompt: bytes | None = None
    line: bytes = b""
    answer: bytes = b""  # empty where there is none


class _Run:
    """A program in a pseudo-terminal of 100 by 30, and what it has shown so far."""

    def __init__(self, program: Program) -> None:
        self._shown = b""
        self.begun = time.perf_counter()
        self._process, self._terminal = pty.fork()
        if self._process == 0:
            environment = {**os.environ, "TERM": "xterm-256color", **program.environment}
            os.execvpe(program.command[0], program.command, environment)
        ioctl(self._terminal, TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))

    @property
    def text(self) -> bytes:
        """What was shown, without control sequences and line breaks."""
        return _SEQUENCE.sub(b"", self._shown)

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._terminal, keys)

    def until(self, seen: Callable[[bytes], bool]) -> float:
        """Wait until the text fulfils a condition; seconds since the start."""
        while not seen(self.text):
            if not self._read():
                raise RuntimeError(f"it ended before what was waited for; it showed {self.text[-500:]!r}")
        return time.perf_counter() - self.begun

    def until_end(self) -> float:
        """Wait for the end; seconds since the start."""
        while self._read():
            pass
        return time.perf_counter() - self.begun

    def _read(self) -> bool:
        if not select.select([self._terminal], [], [], PATIENCE)[0]:
            raise TimeoutError(f"nothing for {PATIENCE:.0f} s; it showed {self.text[-500:]!r}")
        try:
            piece = os.read(self._terminal, 65536)
        except OSError:  # how Linux says that the other side is closed
            return False
        for _ in range(piece.count(_ASKS_FOR_CURSOR)):
            self.type(_CURSOR)
        self._shown += piece
        return bool(piece)

    def close(self) -> None:
        """End it, however far it is."""
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        os.close(self._terminal)


@contextmanager
def _running(program: Program) -> Iterator[_Run]:
    run = _Run(program)
    try:
        yield run
    finally:
        run.close()


def seconds_to_prompt(program: Program) -> float:
    """From the start to a prompt that has echoed a character; to the end, for a program that asks for nothing."""
    prompt = program.prompt
    with _running(program) as run:
        if prompt is None:
            return run.until_end()
        run.until(lambda text: prompt in text)
        run.type(b"x")
        return run.until(lambda text: text.rpartition(prompt)[2].lstrip().startswith(b"x"))


def seconds_to_first_words(program: Program) -> float:
    """From the start to the beginning of the answer to a line that waits in the keyboard's buffer from the start on."""
    with _running(program) as run:
        run.type(program.line + b"\r")
        return run.until(lambda text: program.answer in text)


def programs(home: Path, llm: str | None) -> list[Program]:
    """What is compared, the bare interpreter first."""
    own = {"BAYLING_HOME": str(home / "bayling"), "PYTHONPATH": str(Path.cwd())}
    start = "from bayling_lite.cli import chat_main; chat_main()"
    chat = (sys.executable, "-c", start, "--to", "de")
    found = [
        Program("python -c pass", (sys.executable, "-c", "pass"), {}),
        Program("prompt_toolkit's bare prompt", (sys.executable, "-c", _BARE_PROMPT), {}, b"> "),
        Program("bayling-chat --to de", chat, own, b"de> ", b"I have a dog.", b"Ich habe"),
    ]
    if llm is not None:
        plugins = home / "plugins"
        plugins.mkdir()
        (plugins / "echo_model.py").write_text(_ECHO_PLUGIN, encoding="utf-8")
        load = (
            "import sys; sys.path.insert(0, sys.argv.pop(1)); import llm.plugins, echo_model; "
            "llm.plugins.pm.register(echo_model); from llm.cli import cli; cli()"
        )
        command = (llm, "-c", load, str(plugins), "chat", "-m", "echo")
        where = {"LLM_USER_PATH": str(home / "llm")}
        found.append(Program("llm chat -m echo", command, where, b"> ", b"Good morning.", b"echo: Good"))
    return found


def measure(compared: Sequence[Program], rounds: int) -> list[tuple[str, str, list[float]]]:
    """(program, what, seconds of each round); one round more than that is run first, to fill the disk's cache."""
    rows = [(program, "prompt" if program.prompt else "end", seconds_to_prompt) for program in compared]
    rows += [(program, "first words", seconds_to_first_words) for program in compared if program.answer]
    seconds: list[list[float]] = [[] for _ in rows]
    for number in range(rounds + 1):
        for taken, (program, _, how) in zip(seconds, rows, strict=True):
            spent = how(program)
            if number:
                taken.append(spent)
    return [(program.name, what, taken) for (program, what, _), taken in zip(rows, seconds, strict=True)]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--llm", metavar="PYTHON", help="the Python of an environment with llm")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(programs(Path(folder), options.llm), options.rounds)
    bare = statistics.median(rows[0][2])
    print("| program | until | median | fastest | slowest | times python -c pass | goal |")
    print("|---|---|---|---|---|---|---|")
    goals = {"prompt": PROMPT_GOAL, "first words": FIRST_WORDS_GOAL}
    for name, what, seconds in rows:
        median = statistics.median(seconds)
        goal = goals.get(what) if name.startswith("bayling") else None
        verdict = f"≤ {goal} s{'' if median <= goal else ' (missed)'}" if goal is not None else ""
        fastest, slowest = min(seconds), max(seconds)
        print(f"| {name} | {what} | {median:.3f} s | {fastest:.3f} | {slowest:.3f} | {median / bare:.1f} | {verdict} |")


if __name__ == "__main__":
    main()
