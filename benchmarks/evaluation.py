"""What an evaluation costs beside the model, and whether one that was killed ends with the same result.

::

    python -m benchmarks.evaluation [--sentences 2037]

A made test set from English into Chinese lies on the disk as WMT22's do; the scripted engine translates it at once, two
characters for every word. Measured is all that ``bayling evaluate wmt22 en-zh`` does but for opening a model: reading
the set, having it translated with every answer kept, BLEU and chrF++ with their intervals, the result file. Each row is
a process of its own, importing what scores included. The engine's share is that of as many answers without any of it,
from as many threads. At last a run is killed (-9) again and again until it has come to its end.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from bayling_lite import ModelInfo, ScriptedEngine
from bayling_lite.evaluate.data import DataFolder, read_lines
from bayling_lite.evaluate.families import family
from bayling_lite.evaluate.generating import FILE_NAME, Answered, AnswerStore, Generator
from bayling_lite.evaluate.results import ResultsFolder, decode, encode
from bayling_lite.evaluate.values import Decoding, Effort, Script, Setup
from bayling_lite.languages import find_language
from bayling_lite.prompts import translation_instruction, user_turn
from benchmarks.documents import answer, chinese
from benchmarks.sentences import sentences

ROOT = Path(__file__).resolve().parents[1]
GOAL = 5.0
"""Seconds beside the engine, for the 2,037 sentences of WMT22 from English into Chinese."""
_INFO = ModelInfo("scripted", "bayling", n_ctx=4096, n_parallel=8, fingerprint="scripted", can_search=False)
_KILLS = (0.1, 0.3, 0.5, 0.7, 0.9)


class TimedGenerator(Generator):
    """Notes how long answering took."""

    seconds = 0.0

    def answer(self, scripts: Sequence[Script], decoding: Decoding, *, label: str = "", prompt: str = "") -> Answered:
        """As it is, by the clock."""
        started = time.perf_counter()
        answered = super().answer(scripts, decoding, label=label, prompt=prompt)
        self.seconds = time.perf_counter() - started
        return answered


def make_set(folder: Path, count: int) -> None:
    """Write a test set; the references differ from what the engine says in every third sentence."""
    sources = sentences(count)
    references = [chinese(source if n % 3 else " ".join(reversed(source.split()))) for n, source in enumerate(sources)]
    (folder / "enzh.src").write_text("\n".join(sources) + "\n", encoding="utf-8")
    (folder / "enzh.ref").write_text("\n".join(references) + "\n", encoding="utf-8")


def evaluate(folder: Path) -> dict[str, float]:
    """Measure the set into ``folder/evaluation``: seconds of all, and of its parts."""
    before, started = time.process_time(), time.perf_counter()
    out = folder / "evaluation"
    with AnswerStore(out / FILE_NAME) as store, ScriptedEngine(answer, info=_INFO, record=False) as engine:
        generator = TimedGenerator(engine, store)
        result = family("wmt22").measure(DataFolder([folder]), "en-zh", generator, Setup("scripted"))
        scored = time.perf_counter()
        ResultsFolder(out).write(result)
    ended = time.perf_counter()
    return {
        "all": ended - started,
        "processor": time.process_time() - before,
        "answering": generator.seconds,
        "scoring": scored - started - generator.seconds,
        "writing": ended - scored,
    }


def engine_alone(folder: Path) -> dict[str, float]:
    """As many answers from as many threads."""
    target = find_language("zh")
    decoding = Decoding(1024)
    requests = [
        decoding.request(user_turn(translation_instruction(source, target)), seed=0)
        for source in read_lines(folder / "enzh.src")
    ]
    before, started = time.process_time(), time.perf_counter()
    with ScriptedEngine(answer, info=_INFO, record=False) as engine, ThreadPoolExecutor(2 * _INFO.n_parallel) as pool:
        for _ in pool.map(lambda request: engine.submit(request).result(), requests):
            pass
    return {"all": time.perf_counter() - started, "processor": time.process_time() - before}


PARTS = {"evaluate": evaluate, "engine": engine_alone}


def command(part: str, folder: Path) -> list[str]:
    """What runs a part in a process of its own."""
    return [sys.executable, "-m", "benchmarks.evaluation", "--child", part, str(folder)]


def measured(part: str, folder: Path) -> dict[str, float]:
    """The seconds of a part, in a process of its own."""
    done = subprocess.run(command(part, folder), cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def result(folder: Path) -> bytes:
    """The result file without its date, and without what it took."""
    found = decode(folder / "evaluation" / "scripted" / "wmt22" / "en-zh.json")
    return encode(replace(found, run=replace(found.run, date="", effort=Effort())))


def killed(folder: Path, count: int) -> list[int]:
    """Kill a run at the given parts of its way, and let it come to its end; how many answers each one left."""
    left = []
    store = folder / "evaluation" / FILE_NAME
    for part in _KILLS:
        process = subprocess.Popen(command("evaluate", folder), cwd=ROOT, stdout=subprocess.DEVNULL)
        while process.poll() is None and _kept(store) < part * count:
            time.sleep(0.002)
        process.kill()
        process.wait()
        left.append(_kept(store))
    measured("evaluate", folder)
    return left


def _kept(path: Path) -> int:
    if not path.exists():
        return 0
    with AnswerStore(path) as store:
        return store.count()


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=2037)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        part, folder = arguments.child
        print(json.dumps(PARTS[part](Path(folder))))
        return
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        for folder in (Path(one), Path(other)):
            make_set(folder, arguments.sentences)
        engine = measured("engine", Path(one))
        print("| what | seconds | of the processor | answering | scoring | result file |\n|---|---|---|---|---|---|")
        print(f"| the engine alone | {engine['all']:.2f} | {engine['processor']:.2f} | | | |")
        first = measured("evaluate", Path(one))
        for name, row in (("measured", first), ("again, from the store", measured("evaluate", Path(one)))):
            parts = (f"{row[part]:.2f}" for part in ("all", "processor", "answering", "scoring", "writing"))
            print(f"| {name} | {' | '.join(parts)} |")
        overhead = first["all"] - engine["all"]
        print(f"\n{arguments.sentences:,} sentences, beside the engine: {overhead:.2f} s (goal: ≤ {GOAL:.0f} s).")
        left = ", ".join(f"{count:,}" for count in killed(Path(other), arguments.sentences))
        same = "the same bytes" if result(Path(one)) == result(Path(other)) else "ANOTHER RESULT"
        print(f"Killed with {left} answers kept, and then not: {same}.")


if __name__ == "__main__":
    main()
