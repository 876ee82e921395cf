"""The whole of ``bayling finetune``: load the recipe, prepare the data, train, save the checkpoint folder."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from bayling_finetune.card import Training, model_card, read_training
from bayling_finetune.config import Recipe
from bayling_finetune.model import describe_base, save_checkpoint
from bayling_finetune.prepare import prepare
from bayling_finetune.rundir import RunFolder, whole_folder
from bayling_finetune.trainer import Progress, Trainer, TrainingInterrupted, plot_losses
from bayling_lite.errors import RecipeError


@dataclass(frozen=True, slots=True)
class Job:
    """What to train and where; None means the recipe's or the machine's default."""

    recipe: Path
    data: Path | None = None
    run: Path | None = None
    base: Path | None = None
    steps: int | None = None
    device: str | None = None
    threads: int | None = None
    prepare_only: bool = False

    def command(self) -> str:
        """The command line that does this job: what resumes it, too."""
        words = ["bayling", "finetune", str(self.recipe)]
        for option in ("data", "run", "base", "steps", "device", "threads"):
            value = getattr(self, option)
            if value is not None:
                words += [f"--{option}", str(value)]
        return shlex.join(words)


def run_recipe(job: Job, *, say: Callable[[str], None], show: Callable[[Progress], None]) -> Path:
    """Do the job; returns the checkpoint folder (with ``prepare_only``, the run's folder).

    Raises:
        RecipeError: recipe, data or device cannot be used, or another process trains in the run's folder.
        TrainingDiverged, TrainingInterrupted: see :class:`Trainer`.
    """
    recipe = Recipe.load(job.recipe)
    if job.steps is not None:
        recipe = dataclasses.replace(recipe, schedule=dataclasses.replace(recipe.schedule, steps=job.steps))
    if job.threads is not None:
        torch.set_num_threads(job.threads)
    device = _device(job.device)
    run = RunFolder(job.run if job.run is not None else Path("runs") / recipe.name)
    base = _base(job, recipe)
    with run.locked():
        say(f"Preparing the data of {recipe.name} …")
        prepared = prepare(recipe, job.data if job.data is not None else recipe.folder, run, base=base, say=say)
        learnt = int(prepared.train.targets.sum())
        say(f"{len(prepared.train):,} dialogues, {len(prepared.train.ids):,} tokens, {learnt:,} of them to learn.")
        if job.prepare_only:
            return run.path
        trainer = Trainer(recipe, prepared, run, device=device, base=base)
        size = sum(parameter.numel() for parameter in trainer.model.parameters())
        say(
            f"{size / 1e6:.1f}M parameters on {device}"
            + (f", going on after step {trainer.step}." if trainer.step else ".")
        )
        try:
            trainer.train(show)
        except TrainingInterrupted as error:
            raise TrainingInterrupted(f"{error} Go on with: {job.command()}") from error
        log = run.read_log(up_to=trainer.step)
        training = Training(
            steps=trainer.step,
            tokens=trainer.tokens,
            seconds=trainer.seconds,
            parameters=size,
            recipe_sha256=recipe.digest(),
            data_sha256=prepared.data_sha256,
            development_loss=_last_development_loss(log),
            hardware=_hardware(device),
            command=_public_command(job),
            base=describe_base(base) if base is not None else None,
            earlier=_earlier(base),
        )
        with whole_folder(run.path / "checkpoint") as folder:
            save_checkpoint(
                trainer.model,
                prepared.tokenizer,
                recipe,
                folder,
                data_sha256=prepared.data_sha256,
                steps=trainer.step,
                base=base,
            )
            (folder / "training.json").write_text(json.dumps(asdict(training), indent=2) + "\n", encoding="utf-8")
            (folder / "README.md").write_text(model_card(recipe, training), encoding="utf-8")
        try:
            plot_losses(log, run.path / "loss.png", title=run.path.name)
        except (ImportError, OSError, ValueError) as error:
            say(f"The loss plot could not be drawn: {error}")
        return run.path / "checkpoint"


def _base(job: Job, recipe: Recipe) -> Path | None:
    """The checkpoint folder to begin from, if any."""
    if job.base is None and not recipe.base:
        return None
    folder = job.base if job.base is not None else recipe.folder / recipe.base
    for name in ("model.safetensors", "tokenizer.model"):
        if not (folder / name).is_file():
            raise RecipeError(f"The base {folder} has no {name}. Name the checkpoint folder to begin from with --base.")
    return folder


def _last_development_loss(log: list[dict[str, Any]]) -> float | None:
    losses: list[float] = [entry["loss"] for entry in log if entry["kind"] == "development"]
    return losses[-1] if losses else None


def _earlier(base: Path | None) -> tuple[str, ...]:
    """The runs that made the base, as its ``training.json`` tells, if it is one of ours."""
    if base is None or not (base / "training.json").is_file():
        return ()
    before = read_training(base)
    return (*before.earlier, before.sentence())


def _public_command(job: Job) -> str:
    """The command without this machine's paths."""
    steps = f" --steps {job.steps}" if job.steps is not None else ""
    base = " --base DIR" if job.base is not None else ""
    return f"bayling finetune {job.recipe.name} --data DIR{base}{steps}"


def _hardware(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{threads} CPU core{'s' if threads > 1 else ''}"


def _device(name: str | None) -> torch.device:
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise RecipeError(f"The device {name!r} cannot be used: {error}".split("\n")[0]) from error
    return device
