"""What a document job costs beside the model: time and memory for 1,000 to 100,000 segments.

::

    python -m benchmarks.documents [--segments 1000 10000 100000] [--formats txt csv po]

The engine is scripted: it answers at once, with two Chinese characters for every word. Each row is a process of its
own, which translates a document on the disk into another one there, with a store. ``again`` is the same job once more,
when everything is in the store. The scripted engine's share is that of as many answers without a job, from as many
threads. Time of the processor, of all threads, is what other programs on the machine do least to.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bayling_lite import Conversation, GenerationRequest, JobReport, ModelInfo, ScriptedEngine, translate_document
from bayling_lite.languages import find_language
from bayling_lite.prompts import translation_instruction, user_turn

MB = 1 << 20
ROOT = Path(__file__).resolve().parents[1]
# Of a model with so little context, neighbours are not asked for: each prompt holds one sentence.
_INFO = ModelInfo("scripted", "bayling", n_ctx=1024)
_WORKERS = 4
_NAMES = ["Anna", "Peter", "Maria", "Johann", "Clara", "Robert", "Emma", "Felix", "Laura", "Simon", "Nina"]
_VERBS = ["read", "wrote", "saw", "found", "kept", "painted", "sold"]
_THINGS = ["book", "letter", "house", "garden", "river", "bridge", "picture", "window", "song", "map", "lamp", "boat"]
_PARTS = re.compile(r"\d+|[A-Za-z]+|[.,]|\s+|.")


@dataclass(frozen=True, slots=True)
class Row:
    """A job: seconds of the first run, and of one from the store; seconds of the processor for the first run, and for
    the engine's answers alone; the most memory in bytes.
    """

    format: str
    segments: int
    seconds: float
    again: float
    cpu: float
    engine_cpu: float
    peak: int


def sentence(number: int) -> str:
    """One of many different sentences."""
    name, verb = _NAMES[number % len(_NAMES)], _VERBS[number % len(_VERBS)]
    return f"{name} {verb} the {_THINGS[number % len(_THINGS)]} near the old station, number {number} of this story."


def chinese(text: str) -> str:
    """What stands for a translation: two characters for each word, numbers as they are."""

    def part(found: re.Match[str]) -> str:
        if not found[0].isalpha():
            return {".": "。", ",": "，"}.get(found[0], found[0].strip())
        number = zlib.crc32(found[0].encode())
        return chr(0x4E00 + number % 3000) + chr(0x4E00 + number // 3000 % 3000)

    return _PARTS.sub(part, text)


def answer(conversation: Conversation) -> str:
    """The scripted engine's answer."""
    return chinese(conversation.messages[-1].content.rpartition("for this sentence: ")[2])


def make_document(path: Path, segments: int) -> None:
    """Write a document of as many segments, in the format that its name says."""
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            rows = csv.writer(file)
            rows.writerow(["id", "text"])
            rows.writerows([number, sentence(number)] for number in range(segments))
        elif path.suffix == ".po":
            file.write('msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n')
            file.writelines(f'\n#: app.c:{n}\nmsgid "{sentence(n)}"\nmsgstr ""\n' for n in range(segments))
        else:
            file.writelines(f"{sentence(n)}{' ' if n % 5 else chr(10)}" for n in range(segments))


def child(folder: Path, name: str, segments: int) -> Row:
    """Measure in this process."""
    document = folder / name
    with ScriptedEngine(answer, info=_INFO, record=False) as engine:

        def run() -> tuple[float, JobReport]:
            started = time.perf_counter()
            report = translate_document(
                document, "zh", engine=engine, source="en", store=folder / "store.sqlite", overwrite=True
            )
            return time.perf_counter() - started, report

        before = time.process_time()
        seconds, report = run()
        cpu = time.process_time() - before
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        again, repeated = run()
        if (report.from_model, repeated.from_store, report.failed) != (segments, segments, 0):
            raise RuntimeError(f"Not every segment was translated once: {report}, then {repeated}")
        return Row(document.suffix[1:], segments, seconds, again, cpu, engine_alone(engine, segments), peak)


def engine_alone(engine: ScriptedEngine, segments: int) -> float:
    """Seconds of the processor for as many answers, read piece by piece; extrapolated from at most 10,000."""
    count = min(segments, 10_000)
    target = find_language("zh")

    def ask(number: int) -> None:
        generation = engine.submit(GenerationRequest(user_turn(translation_instruction(sentence(number), target))))
        for _ in generation:
            pass

    before = time.process_time()
    with ThreadPoolExecutor(_WORKERS) as pool:
        for _ in pool.map(ask, range(count)):
            pass
    return (time.process_time() - before) * segments / count


def rows(formats: list[str], sizes: list[int]) -> Iterator[Row]:
    """Each measured in a process of its own."""
    for format_ in formats:
        for segments in sizes:
            with tempfile.TemporaryDirectory() as folder:
                name = f"document.{format_}"
                make_document(Path(folder) / name, segments)
                command = [sys.executable, "-m", "benchmarks.documents", "--child", folder, name, str(segments)]
                done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
                yield Row(**json.loads(done.stdout))


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--segments", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--formats", nargs="+", default=["txt", "csv", "po"])
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        folder, name, segments = arguments.child
        row = child(Path(folder), name, int(segments))
        print(json.dumps({field: getattr(row, field) for field in row.__slots__}))
        return
    print(
        "| format | segments | seconds | segments/s | processor, per segment | of which the scripted engine | "
        "again, from the store | peak memory | beside the smallest |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    smallest: dict[str, Row] = {}
    for row in rows(arguments.formats, arguments.segments):
        first = smallest.setdefault(row.format, row)
        per_segment = row.cpu / row.segments * 1e3
        cells = [
            row.format,
            f"{row.segments:,}",
            f"{row.seconds:.1f}",
            f"{row.segments / row.seconds:,.0f}",
            f"{per_segment:.2f} ms ({per_segment / (first.cpu / first.segments * 1e3):.2f} ×)",
            f"{row.engine_cpu / row.segments * 1e3:.2f} ms",
            f"{row.again:.1f} s, {row.segments / row.again:,.0f} segments/s",
            f"{row.peak / MB:.0f} MB",
            f"+{(row.peak - first.peak) / MB:.1f} MB",
        ]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
