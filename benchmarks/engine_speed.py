r"""How fast is the engine? Side by side with what there is, in one run, on the same machine with the same threads.

::

    python -m benchmarks.random_model FOLDER
    python -m benchmarks.engine_speed --bin FOLDER_OF_LLAMA_TOOLS FOLDER/llama-1.1b.Q4_K_M.gguf bayling-tiny \
        [--rows server,single,beam] [--segments 64] [--answer-tokens 32] [--repeats 3] [--json FILE]

``--bin`` holds ``llama-server``, ``llama-bench`` and ``llama-batched-bench``, built from the source inside
llama-cpp-python's source package. Ours and the peer's take turns, and the median counts. Answers have fixed lengths:
no model ends one by itself here. Each repetition translates other sentences, so that nothing but the prompt's common
beginning is found in a cache. Rows:

- ``server``: translating all segments, against llama-server with its best number of slots and a concurrent client;
- ``llama-cpp-python``: the same, against ``Llama``, one at a time with its prefix cache;
- ``batched-bench``: the same, against the time that llama-batched-bench's speeds at the same width (prompts read,
  tokens decoded) give for the same numbers of tokens. It has neither a tokenizer nor sampling nor requests: a ceiling;
- ``single``: decoding one answer, against llama-bench behind as many tokens as the prompt has;
- ``drafting``: a refinement that keeps four fifths of the draft, against the same without drafting;
- ``turn``: time to the first token of a conversation's next turn, against a cold start of the same conversation;
- ``beam``: beam 5 against greedy;
- ``memory``: the peak of a process that translates, against the model file and the KV cache.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import multiprocessing
import platform
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from bayling_lite.engine.cores import default_threads
from benchmarks import engine_rows, own_rows
from benchmarks.engine_rows import Row, Setting

_BENCHES: dict[str, Callable[[Setting], Iterator[Row]]] = {
    "server": engine_rows.server,
    "llama-cpp-python": engine_rows.llama_cpp_python,
    "batched-bench": engine_rows.ceiling,
    "single": engine_rows.single_stream,
    "drafting": own_rows.drafting,
    "turn": own_rows.next_turn,
    "beam": own_rows.beam,
    "memory": own_rows.memory,
}
_TINY = Path(__file__).resolve().parents[1] / "models" / "bayling-tiny" / "bayling-tiny.Q4_K_M.gguf"
_SLOW_MODEL_BYTES = 256e6


def measure(setting: Setting, wanted: list[str]) -> Iterator[tuple[str, Row]]:
    """Rows with their names, as they come."""
    for name in wanted:
        # Each in a process of its own: what one leaves behind, OpenMP's threads above all, shall not slow the next.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            for row in process.submit(_rows, name, setting).result():
                yield name, row


def _rows(name: str, setting: Setting) -> list[Row]:
    return list(_BENCHES[name](setting))


def line(row: Row) -> str:
    """A row of the markdown table."""
    goal = "" if row.goal is None else f"{'≤' if row.at_most else '≥'} {row.goal:g}{'' if row.met else ' (missed)'}"
    cells = (row.what, row.peer, row.ours, row.theirs, f"{row.ratio:.2f}", goal, row.note)
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", help="GGUF files of BayLing's template, or bayling-tiny")
    parser.add_argument("--bin", type=Path, required=True, help="folder of the llama.cpp tools")
    parser.add_argument("--rows", type=lambda text: text.split(","), default=list(_BENCHES))
    parser.add_argument("--segments", type=int, help="default 500 for a small model, else 64")
    parser.add_argument("--answer-tokens", type=int, default=32)
    parser.add_argument("--threads", type=int, help="ours and the peers'; default: what our engine takes")
    parser.add_argument("--parallel", type=int, default=16, help="sequences our engine evaluates together")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if unknown := set(options.rows) - set(_BENCHES):
        parser.error(f"no such rows: {', '.join(sorted(unknown))}; there are {', '.join(_BENCHES)}")
    written, rows = [], []
    for name in options.models:
        model = _TINY if name == "bayling-tiny" else Path(name)
        size = model.stat().st_size
        setting = Setting(
            model=model,
            tools=options.bin,
            threads=options.threads or default_threads(size),
            n_segments=options.segments or (64 if size > _SLOW_MODEL_BYTES else 500),
            answer_tokens=options.answer_tokens,
            repeats=options.repeats,
            n_parallel=options.parallel,
        )
        print(f"\n{model.stem}, {size / 1e6:,.0f} MB, {setting.threads} threads, {platform.machine()}\n")
        print("| what | against | ours | theirs | ratio | goal | |\n|---|---|---|---|---|---|---|", flush=True)
        for kind, row in measure(setting, options.rows):
            print(line(row), flush=True)
            rows.append(row)
            written.append({"model": model.name, "threads": setting.threads, "row": kind, **dataclasses.asdict(row)})
    if options.json:
        options.json.write_text(json.dumps(written, indent=2, ensure_ascii=False) + "\n")
    missed = [row for row in rows if row.met is False]
    print(f"\n{len(missed)} goals missed" if missed else "\nall goals met", file=sys.stderr)


if __name__ == "__main__":
    main()
