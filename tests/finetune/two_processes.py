"""Started by test_distributed.py with torchrun: trains in several folders and writes every step's loss.

::

    torchrun --nproc-per-node 2 -m tests.finetune.two_processes BASE WAY=FOLDER...
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import torch

from bayling_finetune.config import Recipe
from bayling_finetune.distributed import Processes
from tests.finetune.small_training import CPU, changed, ignore, recipe, trainer, with_adapter


def recipe_of(way: str) -> Recipe:
    """What is to be learnt. The last step of an epoch run has rows for some only."""
    if way == "lora":
        return changed(with_adapter(recipe(), dropout=0.1), "hardware", activation_checkpointing=True)
    if way == "epochs":
        return recipe(steps=0, epochs=2.5)
    return recipe()


def learn(way: str, folder: Path, base: Path, processes: Processes | None = None) -> dict[str, Any]:
    """Train to the end, from a checkpoint if there is one: (loss, norm, tokens) of each step, development loss."""
    of = recipe_of(way)
    alone = processes or Processes(CPU)
    one = trainer(of, folder, base=base if of.adapter else None, processes=alone)
    losses = []
    take_step = one.take_step

    def watched() -> object:
        result = take_step()
        losses.append([result.loss, result.norm, result.tokens])
        return result

    one.take_step = watched  # type: ignore[method-assign, assignment]
    one.train(ignore)
    return {"losses": losses, "development": one.evaluate(one._prepared.development)}


def main(base: Path, *jobs: str) -> None:
    """Do all jobs, ``WAY=FOLDER`` each."""
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated")
    with Processes.joined("cpu") as processes:
        for job in jobs:
            way, _, folder = job.partition("=")
            said = learn(way, Path(folder), base, processes)
            if processes.first:
                (Path(folder) / "losses.json").write_text(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
