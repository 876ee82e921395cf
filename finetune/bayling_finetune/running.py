"""The whole of ``bayling finetune``: load the recipe, prepare the data, train, save the checkpoint folder."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn

from bayling_finetune.base import Base, find_base
from bayling_finetune.card import Training, model_card, read_training
from bayling_finetune.checkpoints import trained_weights
from bayling_finetune.computing import compute_dtype, device_text
from bayling_finetune.config import Recipe
from bayling_finetune.distributed import Processes
from bayling_finetune.failures import told_failures
from bayling_finetune.job import Job
from bayling_finetune.loading import load_weights
from bayling_finetune.logbook import Logbook
from bayling_finetune.model import make_model, weight_dtype
from bayling_finetune.prepare import Prepared, prepare
from bayling_finetune.rundir import RunFolder, whole_folder
from bayling_finetune.saving import save_checkpoint
from bayling_finetune.stopping import DeviceFailed, TrainingInterrupted
from bayling_finetune.trainer import Options, Progress, Trainer, check_processes
from bayling_lite.errors import OutputError
from bayling_lite.units import count_text

Say = Callable[[str], None]
Show = Callable[[Progress], None]


def run_recipe(job: Job, *, say: Say, show: Show) -> Path:
    """Do the job; returns the checkpoint folder (with ``prepare_only``, the run's folder).

    Of several processes the first one alone prepares the data, says and shows; the folder must be one that all see.

    Raises:
        RecipeError: recipe, data or device cannot be used, or another process trains in the run's folder.
        TrainingDiverged, TrainingInterrupted, DeviceFailed, OutputError: see :meth:`Trainer.train`.
    """
    began = time.monotonic()
    recipe = job.load()
    if job.threads is not None:
        torch.set_num_threads(job.threads)
    run = RunFolder(job.run if job.run is not None else Path("runs") / recipe.name)
    with Processes.joined(job.device) as processes, contextlib.ExitStack() as until_done:
        if not processes.first:
            say, show = _be_quiet, _be_quiet
        check_processes(recipe, processes)

        def prepare_first() -> tuple[Base | None, Prepared]:
            until_done.enter_context(run.locked())
            say(f"Preparing the data of {recipe.name} …")
            return _prepared(job, recipe, run, say)

        base, prepared = processes.after_first(prepare_first, others=lambda: _prepared_by_first(job, recipe, run))
        learnt = int(prepared.train.targets.sum())
        say(f"{len(prepared.train):,} dialogues, {len(prepared.train.ids):,} tokens, {learnt:,} of them to learn.")
        if job.prepare_only:
            return run.path
        left = None if job.stop_after is None else job.stop_after - (time.monotonic() - began)
        options = Options(left, job.tensorboard, watch_divergence=not job.keep_going)
        try:
            with told_failures(run, processes.device):
                model = build_model(recipe, vocab_size=prepared.tokenizer.vocab_size, base=base, processes=processes)
                trainer = Trainer(recipe, prepared, model, run, processes=processes, options=options, say=say)
                say(_beginning(trainer))
                trainer.train(show)
                weights = trained_weights(model) if processes.count > 1 else None
        except (TrainingInterrupted, DeviceFailed) as error:
            raise type(error)(f"{error} {_go_on(job, processes)}") from error
        processes.after_first(lambda: _finish(job, trainer, prepared, base, weights), others=lambda: None)
        return run.path / "checkpoint"


def _be_quiet(_: object) -> None:
    """What the first process says is said."""


def _prepared(job: Job, recipe: Recipe, run: RunFolder, say: Say) -> tuple[Base | None, Prepared]:
    base = find_base(recipe, job.base)
    root = job.data if job.data is not None else recipe.folder
    return base, prepare(recipe, root, run, base=base, say=say)


def _prepared_by_first(job: Job, recipe: Recipe, run: RunFolder) -> tuple[Base | None, Prepared]:
    if not run.is_prepared:
        raise OutputError(f"{run.path} must be on a disk that all machines of the run see: name another with --run.")
    return _prepared(job, recipe, run, _be_quiet)


def build_model(recipe: Recipe, *, vocab_size: int, base: Base | None, processes: Processes) -> nn.Module:
    """The recipe's model on its device or devices.

    It is made without memory, divided between the processes if there are several, and filled a tensor at a time: so no
    process ever holds all of a divided one, and it begins with the same numbers however many processes there are.

    Raises:
        RecipeError: see :func:`bayling_finetune.model.make_model`.
    """
    if recipe.adapter is not None and recipe.adapter.method == "qlora":  # the weights are quantized as they are read
        quantized: nn.Module = make_model(recipe, vocab_size=vocab_size, base=base, device=processes.device)
        return quantized
    model: nn.Module = make_model(recipe, vocab_size=vocab_size, base=base, device=torch.device("meta"))
    if base is None:
        model.to(weight_dtype(recipe))
    if processes.count > 1:
        processes.shard(model, compute_dtype(recipe.hardware))
    model.to_empty(device=processes.device)
    load_weights(model, recipe, base)
    return model


def _beginning(trainer: Trainer) -> str:
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in trainer.model.parameters()]
    every, trained = sum(size for size, _ in sizes), sum(size for size, learns in sizes if learns)
    share = "" if trained == every else f", {count_text(trained)} of them trained,"
    processes = trainer.processes
    where = device_text(processes.device)
    if processes.count > 1:
        where = f"{processes.count} processes with {where} each"
    going_on = f", going on after step {trainer.step}" if trainer.step else ""
    return f"{count_text(every)} parameters{share} on {where}, {trainer.steps:,} steps{going_on}."


def _go_on(job: Job, processes: Processes) -> str:
    if processes.count > processes.local:
        return "The same command goes on from there, on these machines or others."
    return f"Go on with: {job.command(processes=processes.count)}"


def _finish(job: Job, trainer: Trainer, prepared: Prepared, base: Base | None, weights: dict[str, Any] | None) -> None:
    """Write the checkpoint folder.

    Raises:
        OutputError: it cannot be written.
    """
    recipe, run = trainer.recipe, trainer.run
    training = _training(job, trainer, prepared, base)
    try:
        with whole_folder(run.path / "checkpoint") as folder:
            save_checkpoint(
                trainer.model,
                prepared.tokenizer,
                recipe,
                folder,
                data_sha256=prepared.data_sha256,
                steps=trainer.step,
                base=base,
                weights=weights,
            )
            (folder / "training.json").write_text(json.dumps(asdict(training), indent=2) + "\n", encoding="utf-8")
            (folder / "README.md").write_text(model_card(recipe, training), encoding="utf-8")
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or str(error).split("\n")[0]
        raise OutputError(
            f"The result cannot be written into {run.path}: {reason}. Nothing is lost: make room and give the same "
            "command again."
        ) from error


def _training(job: Job, trainer: Trainer, prepared: Prepared, base: Base | None) -> Training:
    log = Logbook(trainer.run).entries(up_to=trainer.step)
    losses: list[float] = [entry["loss"] for entry in log if entry["kind"] == "development"]
    count = trainer.processes.count
    return Training(
        steps=trainer.step,
        tokens=trainer.tokens,
        seconds=trainer.seconds,
        parameters=sum(parameter.numel() for parameter in trainer.model.parameters()),
        recipe_sha256=trainer.recipe.digest(),
        data_sha256=prepared.data_sha256,
        development_loss=losses[-1] if losses else None,
        hardware=(f"{count} × " if count > 1 else "") + device_text(trainer.processes.device),
        command=job.public_command(),
        base=base.name if base is not None else None,
        earlier=_earlier(base),
    )


def _earlier(base: Base | None) -> tuple[str, ...]:
    """The runs that made the base, as its ``training.json`` tells, if it is one of ours."""
    if base is None or not (base.folder / "training.json").is_file():
        return ()
    before = read_training(base.folder)
    return (*before.earlier, before.sentence())
