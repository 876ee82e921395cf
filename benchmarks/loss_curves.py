r"""Does packing change what is learnt? 200 steps, packed, beside the same data padded, and beside TRL.

::

    pip install trl
    python -m benchmarks.loss_curves [--data PAIRS.tsv --target zh] [--steps 200] [--seeds 3] [--plot curves.png]

A small model learns in float32. Packed rows with a shared prompt against every dialogue alone in a row of a padded
batch through transformers' own forward pass: same weights, same batches, so that the losses of all steps differ by
rounding only. Against TRL's SFTTrainer (best-fit packing), which draws batches of its own: its mean loss lies within
the band of our seeds, and ours within that of its, over every fifth of the steps.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.finetuning import TINY, Settings, run

SMALL: Settings = TINY | {
    "vocab_size": 4000,
    "hidden_size": 64,
    "intermediate_size": 192,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
FIFTHS = 5


def losses(common: Settings, **more: Any) -> NDArray[np.float64]:
    """(steps,) of one run."""
    measured = run(common | more)
    if measured is None:
        raise SystemExit("The run failed, as said above.")
    return np.array(measured["losses"])


def in_band(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> list[tuple[float, float, float, bool]]:
    """For every fifth of the steps: both means, the spread of seeds, and whether the means are within it.

    ours, theirs: (seeds, steps). The spread is twice the larger standard deviation of a side's seeds.
    """
    rows = []
    for part in np.array_split(np.arange(min(ours.shape[1], theirs.shape[1])), FIFTHS):
        mine, other = ours[:, part].mean(axis=1), theirs[:, part].mean(axis=1)
        spread = 2 * max(mine.std(ddof=1), other.std(ddof=1))
        rows.append((mine.mean(), other.mean(), spread, bool(abs(mine.mean() - other.mean()) <= spread)))
    return rows


def plot(curves: dict[str, NDArray[np.float64]], path: Path) -> None:
    """Mean and band of every side. curves: (seeds, steps) by name."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    for name, values in curves.items():
        steps = np.arange(1, values.shape[1] + 1)
        axes.plot(steps, values.mean(axis=0), label=name, linewidth=1, linestyle="--" if "padded" in name else "-")
        axes.fill_between(steps, values.min(axis=0), values.max(axis=0), alpha=0.2)
    axes.set(xlabel="step", ylabel="loss (nats a target token)", title="The same model and data, three ways")
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Markdown; the first row is the head."""
    head, *rest = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *rest])


def main() -> None:
    """Run all, print the table, draw the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="TSV file, a source and its translation a line")
    parser.add_argument("--target", default="zh", help="language of the translations")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.finetuning_data", "--output", folder, "--target", arguments.target]
        command += [
            "--vocab-size",
            str(SMALL["vocab_size"]),
            *(["--data", str(arguments.data)] if arguments.data else []),
        ]
        subprocess.run(command, check=True)
        common: Settings = {
            "data": folder,
            "model": SMALL,
            "threads": arguments.threads,
            "steps": arguments.steps,
            "warmup": 0,
            "step_tokens": 2048,
            "precision": "fp32",
            "compiled": False,
        }
        packed = [losses(common, side="ours", micro=4096, seed=seed) for seed in range(1, arguments.seeds + 1)]
        alone = losses(common, side="padded", micro=16, seed=1)
        options = {"packing": True, "max_length": 1024, "gradient_accumulation_steps": 2}
        theirs = [
            losses(common, side="trl", micro=1, options=options, seed=seed) for seed in range(1, arguments.seeds + 1)
        ]
    difference = float((np.abs(packed[0] - alone) / alone).max())
    print(
        f"Packed against padded: the losses of {arguments.steps} steps differ by {difference:.1e} at most (relative).\n"
    )
    rows = in_band(np.stack(packed), np.stack(theirs))
    cells = [
        (f"{number}/{FIFTHS}", f"{mine:.3f}", f"{other:.3f}", f"{spread:.3f}", "yes" if within else "no")
        for number, (mine, other, spread, within) in enumerate(rows, start=1)
    ]
    print(table([("steps", "ours", "TRL", "band (2 σ of seeds)", "within"), *cells]))
    if arguments.plot:
        curves = {"packed (ours)": np.stack(packed), "padded (transformers)": alone[None], "TRL": np.stack(theirs)}
        plot(curves, arguments.plot)


if __name__ == "__main__":
    main()
