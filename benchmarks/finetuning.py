r"""How fast and how lean is fine-tuning? Beside TRL's SFTTrainer at its best settings, in one run.

::

    pip install trl
    python -m benchmarks.finetuning [--data PAIRS.tsv --target zh] [--steps 12] [--pairs 2] [--threads 1]
    python -m benchmarks.finetuning --device cuda

Both sides train the same model, from the same weights, on the same dialogues, with AdamW and bfloat16 matrix products,
each in a process of its own. First every setting of TRL's is tried once, shortly (``--tune-steps``), and ours in a few
sizes of rows (``--tuned FILE`` keeps what was found; ``--tune-only`` stops there). Then the fastest of TRL's and ours
take turns for ``--pairs`` pairs, and medians count. Tokens are those of the dialogues: padding never counts.

Ours appears twice: computing every dialogue's system prompt, as TRL does, and sharing it (exactly: see packing.py).
The goals are held against the first. Peak memory is that of the process (``ru_maxrss`` as the process itself reads it:
libraries, compiler and all), on a CUDA device that of PyTorch's allocator. TRL's leanest setting is shown as well.

On ``cuda``: 1.1 billion parameters in full, and low-rank matrices beside an 8-billion shape, documents of up to 2,048
tokens. Model FLOPs utilisation counts, for every real token, 6 FLOPs a parameter of the matrices that learn (4 where
they are frozen) and 12 * layers * width * (tokens before it, on average) for attention, halved because it is
causal; against 989e12 a second, what an H200 does in dense bfloat16. Recomputation does not count.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

SPEED_GOAL, MEMORY_GOAL, MFU_GOAL = 1.2, 0.8, 0.5
H200_FLOPS = 989e12

Settings = dict[str, Any]

TINY: Settings = {
    "vocab_size": 8000,
    "hidden_size": 256,
    "intermediate_size": 768,
    "num_hidden_layers": 10,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": True,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
ONE_BILLION: Settings = TINY | {
    "vocab_size": 32000,
    "hidden_size": 2048,
    "intermediate_size": 5632,
    "num_hidden_layers": 22,
    "num_attention_heads": 32,
    "num_key_value_heads": 4,
    "tie_word_embeddings": False,
}
EIGHT_BILLION: Settings = TINY | {
    "vocab_size": 128256,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "tie_word_embeddings": False,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """A model and how each side may train it. ``common``: of both; ``theirs``, ``ours``: settings to choose from."""

    name: str
    common: Settings
    theirs: tuple[Settings, ...]
    ours: tuple[Settings, ...]


def trl_on_cpu(step_tokens: int, longest: int) -> tuple[Settings, ...]:
    """Padded batches of like lengths, best-fit packing, wrapped packing: each in several sizes, compiled or not."""
    sorted_rows = {"train_sampling_strategy": "group_by_length"}
    found: list[Settings] = []
    for rows in (5, 10, 25):
        many = max(1, step_tokens // 160 // rows)
        found.append({"micro": rows, "options": sorted_rows | {"gradient_accumulation_steps": many}})
    for length in (max(512, longest), 1024):
        packed = {"packing": True, "max_length": length, "gradient_accumulation_steps": max(1, step_tokens // length)}
        found.append({"micro": 1, "options": packed})
    for length, rows in ((512, 2), (512, 4)):
        wrapped = {"packing": True, "packing_strategy": "wrapped", "max_length": length}
        many = max(1, step_tokens // length // rows)
        found.append({"micro": rows, "options": wrapped | {"gradient_accumulation_steps": many}})
    plain = [setting | {"compiled": False} for setting in found]
    return (*plain, *(plain[number] | {"compiled": True} for number in (1, 4, 6)))  # one of each kind


def trl_on_cuda(step_tokens: int) -> tuple[Settings, ...]:
    """Best-fit packing by flash attention where there is one, else by SDPA; with and without what saves memory."""
    found: list[Settings] = []
    for rows in (1, 4, 8):
        for more in ({}, {"checkpointing": True}, {"compiled": True}):
            many = max(1, step_tokens // 2048 // rows)
            options = {"packing": True, "max_length": 2048, "gradient_accumulation_steps": many}
            found.append({"micro": rows, "compiled": False, "options": options} | more)
            found.append(found[-1] | {"attention": "flash_attention_2"})
    return tuple(found)


def cases(device: str, longest: int) -> Iterator[Case]:
    """What is measured on a device."""
    if device == "cpu":
        tokens = 8192
        mine = tuple({"micro": micro, "share_prefix": False} for micro in (1024, 2048, 4096))
        yield Case("10M, full", {"model": TINY, "step_tokens": tokens}, trl_on_cpu(tokens, longest), mine)
        return
    tokens = 32768
    mine = tuple(
        {"micro": micro, "share_prefix": False, "checkpointing": again}
        for micro in (8192, 16384, 32768)
        for again in (False, True)
    )
    full = {"model": ONE_BILLION, "step_tokens": tokens}
    yield Case("1.1B, full", full, trl_on_cuda(tokens), mine)
    low_rank = {"model": EIGHT_BILLION, "step_tokens": tokens, "lora": 16}
    yield Case("8B shape, LoRA 16", low_rank, trl_on_cuda(tokens), mine)


def run(specification: Settings) -> dict[str, Any] | None:
    """One process; None where it failed, which is said."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "specification.json"
        path.write_text(json.dumps(specification), encoding="utf-8")
        command = [sys.executable, "-m", "benchmarks.finetuning_sides", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(f"{describe(specification)}: failed: {(done.stderr.strip() or '?').splitlines()[-1]}\n")
        return None
    measured: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    speed, peak = measured["tokens"] / measured["seconds"], measured["peak"] / 1e6
    sys.stderr.write(f"{describe(specification)}: {speed:,.0f} tokens/s, {peak:,.0f} MB\n")
    return measured


def describe(specification: Settings) -> str:
    """A setting in a few words."""
    options = specification.get("options", {})
    words = [specification["side"], f"rows {specification['micro']}"]
    if options:
        kind = options.get("packing_strategy", "bfd") if options.get("packing") else "sorted by length"
        words += [kind, f"length {options['max_length']}"] if "max_length" in options else [kind]
        words.append(f"x {options['gradient_accumulation_steps']}")
    elif specification["side"] == "ours":
        words.append("shared prompt" if specification.get("share_prefix", True) else "own prompts")
    words += [word for word in ("compiled", "checkpointing") if specification.get(word, word == "compiled")]
    return ", ".join([*words, specification["attention"]] if "attention" in specification else words)


def best(tried: list[tuple[Settings, dict[str, Any]]], *, leanest: bool = False) -> Settings:
    """The fastest of the settings tried, or the leanest."""
    if not tried:
        raise SystemExit("No setting ran. This benchmark needs TRL: pip install trl")
    if leanest:
        return min(tried, key=lambda one: float(one[1]["peak"]))[0]
    return max(tried, key=lambda one: float(one[1]["tokens"] / one[1]["seconds"]))[0]


def utilisation(case: Case, measured: dict[str, Any], length: float) -> float:
    """Model FLOPs utilisation; see above. ``length``: tokens of a dialogue, averaged over tokens."""
    shape: dict[str, Any] = case.common["model"]
    embeddings = 0 if shape["tie_word_embeddings"] else shape["vocab_size"] * shape["hidden_size"]
    matrices = (measured["parameters"] - embeddings) * (4 if case.common.get("lora") else 6)
    attention = 12 * shape["num_hidden_layers"] * shape["hidden_size"] * length / 2
    return float((matrices + attention) * measured["tokens"] / measured["seconds"] / H200_FLOPS)


def compare(case: Case, base: Settings, arguments: argparse.Namespace, length: float) -> Iterator[str]:
    """Choose settings, take turns, and give the table's lines."""
    sides = tune(case, base | case.common | {"steps": arguments.tune_steps + 1, "warmup": 1}, arguments.tuned)
    if arguments.tune_only:
        return
    chosen: dict[str, Settings] = {
        "TRL, fastest": {"side": "trl"} | best(sides["trl"]),
        "TRL, leanest": {"side": "trl"} | best(sides["trl"], leanest=True),
        "ours": {"side": "ours"} | best(sides["ours"]),
        "ours, prompt shared": {"side": "ours"} | best(sides["ours"]) | {"share_prefix": True},
    }
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in chosen}
    for _ in range(arguments.pairs):
        for name, setting in chosen.items():
            long = base | case.common | setting | {"steps": arguments.steps + 3, "warmup": 3}
            if (measured := run(long)) is not None:
                runs[name].append(measured)
    speeds, peaks = ({name: _median(found, key) for name, found in runs.items()} for key in ("speed", "peak"))
    for name, setting in chosen.items():
        faster, leaner = speeds[name] / speeds["TRL, fastest"], peaks[name] / peaks["TRL, fastest"]
        cells = [case.name, name, f"{speeds[name]:,.0f}", f"{faster:.2f}", f"{peaks[name] / 1e6:,.0f}", f"{leaner:.2f}"]
        if name == "ours":
            cells[3] += f" (goal ≥ {SPEED_GOAL}: {'met' if faster >= SPEED_GOAL else 'missed'})"
            cells[5] += f" (goal ≤ {MEMORY_GOAL}: {'met' if leaner <= MEMORY_GOAL else 'missed'})"
        note = describe(setting)
        if base["device"] == "cuda":
            share = utilisation(case, runs[name][0] | {"seconds": runs[name][0]["tokens"] / speeds[name]}, length)
            note += f"; MFU {share:.1%}" + (f" (goal ≥ {MFU_GOAL:.0%})" if name == "ours" else "")
        yield "| " + " | ".join([*cells, note]) + " |"


def tune(case: Case, short: Settings, path: Path | None) -> dict[str, list[tuple[Settings, dict[str, Any]]]]:
    """Try every setting shortly. What ``path`` holds from before is not tried again."""
    known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path and path.is_file() else {}
    sides: dict[str, list[tuple[Settings, dict[str, Any]]]] = {"trl": [], "ours": []}
    for side, settings in (("trl", case.theirs), ("ours", case.ours)):
        for setting in settings:
            key = json.dumps([case.name, side, short["threads"], setting])
            if key not in known:
                known[key] = run(short | setting | {"side": side})
                if path:
                    path.write_text(json.dumps(known), encoding="utf-8")
            if known[key] is not None:
                sides[side].append((setting, known[key]))
    return sides


def _median(runs: list[dict[str, Any]], key: str) -> float:
    """Of peaks, the largest: it has to fit every time."""
    if key == "peak":
        return float(max(measured["peak"] for measured in runs))
    return float(statistics.median(measured["tokens"] / measured["seconds"] for measured in runs))


def main() -> None:
    """Make the data, measure every case, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="TSV file, a source and its translation a line")
    parser.add_argument("--target", default="zh", help="language of the translations")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--tune-steps", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--tuned", type=Path, help="JSON file that keeps what was tried, so that a run can go on")
    parser.add_argument("--tune-only", action="store_true", help="try the settings, and stop")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.finetuning_data", "--output", folder, "--target", arguments.target]
        command += ["--length", "1600"] if arguments.device == "cuda" else []
        subprocess.run(command + (["--data", str(arguments.data)] if arguments.data else []), check=True)
        with np.load(Path(folder) / "dialogues.npz") as arrays:
            lengths = np.diff(arrays["offsets"]) + len(arrays["prefix"])
        base: Settings = {"data": folder, "device": arguments.device, "threads": arguments.threads}
        print(f"{len(lengths):,} dialogues of {lengths.mean():.0f} tokens (longest {lengths.max()}).\n")
        print("| model | side | tokens/s | × TRL | peak MB | × TRL | setting |")
        print("|---|---|---|---|---|---|---|", flush=True)
        for case in cases(arguments.device, int(lengths.max())):
            if arguments.only in case.name:
                for line in compare(case, base, arguments, float((lengths**2).sum() / lengths.sum())):
                    print(line, flush=True)


if __name__ == "__main__":
    main()
