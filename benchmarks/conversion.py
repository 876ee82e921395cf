"""Conversion side by side with llama.cpp's own two steps: the same bytes, in what time, memory and disk?

::

    python -m benchmarks.conversion same   --llama-cpp SOURCE --tools BIN
    python -m benchmarks.conversion speed  --llama-cpp SOURCE --tools BIN [--shape 1.1b]
    python -m benchmarks.conversion memory [--shape 8b] [--folder FOLDER]

SOURCE is llama.cpp's source tree (``vendor/llama.cpp`` in llama-cpp-python's source package), which has
``convert_hf_to_gguf.py``; BIN holds the ``llama-quantize`` built from it. Checkpoints are random.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from gguf import GGUFReader

from bayling_convert import FileType
from bayling_convert.importance.imatrix import Imatrix
from benchmarks.random_model import SHAPES, Shape, write_checkpoint

_LLAMA_3_1: dict[str, float | str] = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}
_SMALL = {
    "grouped queries": Shape(3, 512, 768, 8, 1, vocab_size=1024),
    "odd number of layers": Shape(17, 256, 512, 4, 4, vocab_size=1024),
    "tied": Shape(4, 256, 512, 4, 2, vocab_size=1024, tie_word_embeddings=True),
    "vocabulary of 1,003": Shape(2, 256, 768, 4, 2, vocab_size=1003),
    "Llama 3.1's positions": Shape(2, 512, 768, 4, 2, vocab_size=1024, rope_theta=5e5, rope_scaling=_LLAMA_3_1),
    "the same, base 10,000": Shape(2, 512, 768, 4, 2, vocab_size=1024, rope_scaling=_LLAMA_3_1),
    "rows of 192": Shape(3, 192, 320, 4, 2, vocab_size=1003),
    "rows of 192, tied": Shape(2, 192, 512, 4, 2, vocab_size=1003, tie_word_embeddings=True),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Used:
    """What a command used: seconds, the largest memory in bytes, bytes handed to the system for writing."""

    seconds: float
    memory: int
    written: int


def measured(command: Sequence[object]) -> Used:
    """Run a command to its end and look at what the system says of it before it is gone."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(list(map(str, command)), stdout=said, stderr=said, env=_environment())
        ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        seconds = time.monotonic() - started
        counters = dict(line.split(": ") for line in Path(f"/proc/{process.pid}/io").read_text().splitlines())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode or ended is None:
            said.seek(0)
            sys.exit(f"{command} failed:\n{said.read().decode(errors='replace')[-3000:]}")
    return Used(seconds, usage.ru_maxrss * 1024, int(counters["wchar"]))


def _environment() -> dict[str, str]:
    return os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def ours(checkpoint: Path, output: Path, file_type: str, imatrix: Path | None = None) -> Used:
    """One pass."""
    program = "from bayling_lite.cli import main; main()"
    command = [sys.executable, "-c", program, "convert", checkpoint, "-o", output, "--type", file_type]
    return measured([*command, "--force", "--no-card", *(["--imatrix", imatrix] if imatrix else [])])


def to_gguf(source: Path, checkpoint: Path, output: Path) -> Used:
    """llama.cpp's first step, in the checkpoint's own number type."""
    script = source / "convert_hf_to_gguf.py"
    return measured([sys.executable, script, checkpoint, "--outfile", output, "--outtype", "bf16"])


def quantize(tools: Path, source: Path, output: Path, file_type: str, imatrix: Path | None = None) -> Used:
    """llama.cpp's second step."""
    options = ["--imatrix", imatrix] if imatrix else []
    return measured([tools / "llama-quantize", *options, source, output, file_type, len(os.sched_getaffinity(0))])


def tensors(path: Path) -> list[tuple[str, str, list[int], bytes]]:
    """Name, type, shape and bytes of every tensor in the order of the file."""
    return [(t.name, t.tensor_type.name, t.shape.tolist(), t.data.tobytes()) for t in GGUFReader(path).tensors]


def random_imatrix(path: Path, gguf: Path) -> None:
    """An importance for every column of every matrix but the embedding, as a measured one has."""
    generator = np.random.default_rng(0)
    columns = {
        tensor.name: int(tensor.shape[0])
        for tensor in GGUFReader(gguf).tensors
        if len(tensor.shape) == 2 and tensor.name != "token_embd.weight"
    }
    values = {name: generator.gamma(0.5, size=(1, n)).astype(np.float32) * 100 for name, n in columns.items()}
    Imatrix(values, {name: np.array([100]) for name in columns}, ("random",), 1, 100).write(path, overwrite=True)


def same(source: Path, tools: Path, folder: Path) -> int:
    """Print for each shape and type whether all tensors are the same; returns how many are not."""
    different = 0
    for name, shape in _SMALL.items():
        checkpoint = folder / name.replace(" ", "-").replace(",", "")
        write_checkpoint(checkpoint, shape)
        exact, imatrix = folder / "exact.gguf", folder / "imatrix.gguf"
        to_gguf(source, checkpoint, exact)
        random_imatrix(imatrix, exact)
        for file_type in FileType:
            for importance in (None, imatrix):
                theirs, mine = folder / "theirs.gguf", folder / "mine.gguf"
                quantize(tools, exact, theirs, file_type, importance)
                ours(checkpoint, mine, file_type, importance)
                one, other = tensors(mine), tensors(theirs)
                wrong = [a[0] for a, b in zip(one, other, strict=True) if a != b]
                different += len(wrong)
                what = f"{name:22} {file_type:7} {'importance matrix' if importance else '':17}"
                print(f"{what} {len(one):4} tensors  {'DIFFERENT: ' + wrong[0] if wrong else 'identical'}", flush=True)
    return different


def speed(source: Path, tools: Path, folder: Path, shape: Shape) -> None:
    """Print time, memory and disk of both ways to Q4_K_M, one after the other."""
    checkpoint = folder / "checkpoint"
    write_checkpoint(checkpoint, shape)
    exact, theirs, mine = folder / "exact.gguf", folder / "theirs.gguf", folder / "mine.gguf"
    one = ours(checkpoint, mine, "Q4_K_M")
    first, second = to_gguf(source, checkpoint, exact), quantize(tools, exact, theirs, "Q4_K_M")
    equal = tensors(mine) == tensors(theirs)
    result = mine.stat().st_size
    seconds = first.seconds + second.seconds
    print(f"{'':34}{'bayling convert':>16}{'llama.cpp, two steps':>24}")
    print(f"{'wall time, s':34}{one.seconds:16.1f}{f'{first.seconds:.1f} + {second.seconds:.1f}':>24}")
    print(f"{'ratio (goal: at most 0.75)':34}{one.seconds / seconds:16.2f}")
    print(f"{'largest memory, MB':34}{one.memory / 1e6:16,.0f}{max(first.memory, second.memory) / 1e6:24,.0f}")
    extra = first.written + second.written - theirs.stat().st_size
    print(f"{'written beyond the result, MB':34}{(one.written - result) / 1e6:16,.1f}{extra / 1e6:24,.1f}")
    print(f"{'tensors':34}{'identical' if equal else 'DIFFERENT':>16}")


def memory(folder: Path, shape: Shape) -> None:
    """Print what converting a sharded checkpoint takes; a checkpoint that is there already is used."""
    checkpoint, output = folder / "checkpoint", folder / "mine.gguf"
    if not (checkpoint / "model.safetensors.index.json").exists():
        write_checkpoint(checkpoint, shape, n_shards=4)
    used = ours(checkpoint, output, "Q4_K_M")
    weights = sum(path.stat().st_size for path in checkpoint.glob("*.safetensors"))
    print(f"checkpoint {weights / 1e9:.1f} GB, result {output.stat().st_size / 1e9:.1f} GB, {used.seconds:.0f} s")
    print(f"largest memory {used.memory / 1e6:,.0f} MB (goal: at most 1,500)")
    print(f"written beyond the result {(used.written - output.stat().st_size) / 1e6:,.1f} MB (goal: 0)")


def main() -> None:
    """Run one of the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("same", "speed", "memory"))
    parser.add_argument("--folder", type=Path, help="where to work, and to keep it  [default: a temporary folder]")
    parser.add_argument("--llama-cpp", type=Path, help="llama.cpp's source tree")
    parser.add_argument("--tools", type=Path, help="folder with llama-quantize")
    parser.add_argument("--shape", choices=SHAPES)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        if options.what == "memory":
            memory(folder, SHAPES[options.shape or "8b"])
            return
        if options.llama_cpp is None or options.tools is None:
            parser.error("--llama-cpp and --tools are needed for this")
        if options.what == "speed":
            speed(options.llama_cpp, options.tools, folder, SHAPES[options.shape or "1.1b"])
        elif same(options.llama_cpp, options.tools, folder):
            sys.exit("Not all tensors are identical.")
    finally:
        if options.folder is None:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
