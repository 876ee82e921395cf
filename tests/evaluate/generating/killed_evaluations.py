"""Evaluations in processes that are killed or interrupted: what they asked, what was kept, and what came out.

One process imports everything and forks a child for every run, so that each costs a few milliseconds. Run it with
``python -m tests.evaluate.generating.killed_evaluations PART FOLDER``; it prints a line of JSON for every trial.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.evaluate.generating import AnswerStore, Generator
from bayling_lite.evaluate.results import ResultsFolder
from bayling_lite.evaluate.values import Decoding, Effort, FixedScript, Output, Score, SetResult
from bayling_lite.messages import Conversation

INSTANTS = 25
SCRIPTS = [FixedScript(f"item {n}", (f"sentence {n}", f"shorter {n}")[: n % 2 + 1]) for n in range(40)]
REQUESTS = sum(len(script.turns) for script in SCRIPTS)
INFO = ModelInfo(name="scripted", template="bayling", n_ctx=4096, n_parallel=4)
UNDER_WAY = 2 * INFO.n_parallel
_THINKING = 0.002
_AT_ONCE = (1, 7, 13)
"""Trials that end as soon as something was asked."""


class Place:
    """A folder of its own for a trial: the results, the answers, and a log for each run of what it asked."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.results = ResultsFolder(folder / "evaluation")
        self.store = folder / "evaluation" / "answers.sqlite"
        self.runs = 0

    def start(self, *, sign: str = "") -> tuple[int, Path]:
        """Begin a run in a child: its process id, and the log of what it asks. ``sign`` stands in what it says."""
        self.runs += 1
        log = self.folder / f"asked-{self.runs}"
        log.touch()
        child = os.fork()
        if child:
            return child, log
        status = 1
        try:
            self.evaluate(log, self.folder / f"result-{self.runs}", sign)
            status = 0
        except KeyboardInterrupt:
            status = 130
        finally:
            os._exit(status)

    def finish(self) -> Path:
        """A run that nobody disturbs; its log."""
        child, log = self.start()
        if os.waitpid(child, 0)[1]:
            raise SystemExit(f"the run in {self.folder} failed")
        return log

    def result(self) -> bytes:
        """The result file, empty where there is none."""
        path = self.folder / "evaluation" / "one" / "made" / "all.json"
        return path.read_bytes() if path.exists() else b""

    def kept(self) -> int:
        """How many answers are kept."""
        if not self.store.exists():
            return 0
        with AnswerStore(self.store) as store:
            return store.count()

    def evaluate(self, log: Path, copy: Path, sign: str) -> None:
        """The run itself."""
        descriptor = os.open(log, os.O_WRONLY | os.O_APPEND)

        def script(conversation: Conversation) -> str:
            asked = conversation.messages[-1].content
            os.write(descriptor, f"{asked}\n".encode())
            time.sleep(_THINKING)
            return f"said {sign} {len(conversation)} {asked}"

        with AnswerStore(self.store) as store, ScriptedEngine(script, info=INFO) as engine:
            answered = Generator(engine, store).answer(SCRIPTS, Decoding(max_tokens=50, temperature=0.7))
        said = tuple(
            Output(script.id, script.turns, answer.texts, problem=answer.problem)
            for script, answer in zip(SCRIPTS, answered.answers, strict=True)
        )
        # When it was, and how much of it was new, is not the same; all else is.
        run = replace(answered.run, date="", effort=Effort())
        score = Score("length", sum(len(text) for output in said for text in output.said))
        result = SetResult("one", "made", "all", (score,), said, run, len(said))
        copy.write_bytes(self.results.write(result).read_bytes())


def asked(log: Path) -> list[str]:
    """What a run asked; it may have been killed, but each line was written at once."""
    return log.read_text(encoding="utf-8").splitlines()


def disturb(child: int, log: Path, lines: int, seconds: float, sign: signal.Signals) -> int:
    """Send a signal to a run so long after it has asked so much, or when it has ended; how it ended."""
    while len(asked(log)) < lines:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return status
        time.sleep(_THINKING / 10)
    time.sleep(seconds)
    os.kill(child, sign)
    return os.waitpid(child, 0)[1]


def disturbed(folder: Path, sign: signal.Signals) -> Iterator[dict[str, object]]:
    """Runs that are ended at random instants, some of them again, and then go on undisturbed."""
    undisturbed = Place(folder / "undisturbed")
    everything = asked(undisturbed.finish())
    whole = undisturbed.result()
    chance = random.Random(20230619)
    for number in range(INSTANTS):
        place = Place(folder / f"{number}")
        lost, ends = 0, []
        times = 2 if number % 5 == 0 else 1
        for _ in range(times):
            before = place.kept()
            child, log = place.start()
            # By what is done, not by the clock: how fast it goes depends on who else is at work.
            # Some at the very beginning, which is short: who looks may be late.
            lines = 1 if number in _AT_ONCE else chance.randrange(0, len(everything) // times)
            ends.append(disturb(child, log, lines, chance.uniform(0, 4 * _THINKING), sign))
            lost = max(lost, len(asked(log)) - (place.kept() - before))
        kept = place.kept()
        between = place.result()
        log = place.finish()
        yield {
            "kept": kept,
            "ends": [os.WTERMSIG(end) if os.WIFSIGNALED(end) else os.WEXITSTATUS(end) for end in ends],
            "asked and not kept": lost,
            "asked again": len(asked(log)) - (REQUESTS - kept),
            "same": place.result() == whole,
            "result in between": "none" if not between else "whole" if between == whole else "BROKEN",
        }


def killed(folder: Path) -> Iterator[dict[str, object]]:
    """kill -9."""
    return disturbed(folder, signal.SIGKILL)


def interrupted(folder: Path) -> Iterator[dict[str, object]]:
    """Ctrl-C."""
    return disturbed(folder, signal.SIGINT)


def at_once(folder: Path) -> Iterator[dict[str, object]]:
    """Two runs at once on one store, each of which would say something else; and one after them."""
    for _ in range(3):
        place = Place(folder / f"{_}")
        children = [place.start(sign=sign)[0] for sign in ("one", "two")]
        ends = [os.waitpid(child, 0)[1] for child in children]
        results = [(place.folder / f"result-{number}").read_bytes() for number in (1, 2)]
        log = place.finish()
        yield {
            "ends": ends,
            "same": results[0] == results[1] == place.result(),
            "said by": [results[0].count(b"said one"), results[0].count(b"said two")],
            "asked by a third": asked(log),
        }


PARTS = {"killed": killed, "interrupted": interrupted, "at-once": at_once}

if __name__ == "__main__":
    # A run in this very process loads all that the children then have.
    first = Place(Path(sys.argv[2]) / "first")
    (first.folder / "asked-0").touch()
    first.evaluate(first.folder / "asked-0", first.folder / "result-0", "")
    for trial in PARTS[sys.argv[1]](Path(sys.argv[2])):
        print(json.dumps(trial), flush=True)
