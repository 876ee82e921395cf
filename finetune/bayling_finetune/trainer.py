"""The training loop: packed rows, responses only, the same steps however many processes share them."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from bayling_finetune import attention, computing, evaluation
from bayling_finetune.changes_of_recipe import settings, told_changes
from bayling_finetune.checkpoints import Checkpoints
from bayling_finetune.config import Recipe
from bayling_finetune.dataset import Dataset
from bayling_finetune.dialogues.values import Dialogue
from bayling_finetune.distributed import Processes, whole
from bayling_finetune.divergence import DivergenceWatch
from bayling_finetune.failures import told_failures
from bayling_finetune.feeding import Feed, lay_out
from bayling_finetune.kernels import install
from bayling_finetune.logbook import Logbook
from bayling_finetune.optimization import Optimizers, learning_rate_factor
from bayling_finetune.plots import draw_plots
from bayling_finetune.rows import Position, rows_in_order
from bayling_finetune.rundir import RunFolder
from bayling_finetune.speed import Meter, Pace
from bayling_finetune.stopping import Stop, StopRequests, TrainingDiverged
from bayling_lite.errors import RecipeError
from bayling_lite.prompts import TEMPLATES

if TYPE_CHECKING:
    from bayling_finetune.prepare import Prepared

_LOG_EVERY = 10


@dataclass(frozen=True, slots=True)
class Progress:
    """What a display shows: ``pace`` of the last logged steps, and what the last evaluation found."""

    step: int
    steps: int
    pace: Pace
    development_loss: float | None = None
    bleu: float | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What does not change the result. ``stop_after``: seconds, after which the run is saved and ends."""

    stop_after: float | None = None
    tensorboard: bool = False
    watch_divergence: bool = True


@dataclass(frozen=True, slots=True)
class StepResult:
    """``loss`` in nats a target token and ``norm`` of the gradient, both over all processes; tokens of packed rows."""

    loss: float
    norm: float
    tokens: int


class Trainer:
    """Trains one model by one recipe in one run folder: from the last checkpoint there, else as the model comes.

    ``model`` is on its device already, or divided between the processes; its ``forward`` becomes that of packed rows.

    Raises:
        RecipeError: rows or optimizer do not go with so many processes, or the run's checkpoints are of another run.
    """

    def __init__(
        self,
        recipe: Recipe,
        prepared: Prepared,
        model: nn.Module,
        run: RunFolder,
        *,
        processes: Processes,
        options: Options | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        check_processes(recipe, processes)
        self.recipe, self.model, self.run, self.processes = recipe, model, run, processes
        self._prepared, self._options, self._say = prepared, options or Options(), say
        self._dtype = computing.compute_dtype(recipe.hardware)
        name = recipe.hardware.attention
        install(model, computing.load_kernels(recipe.hardware, processes.device, say), self._dtype, name)
        if recipe.hardware.activation_checkpointing:
            computing.keep_one_activation_a_layer(model)
        self._shared = attention.shares_prefix(name, processes.device, self._dtype)
        self._optimizers = Optimizers.build(model, recipe.optimizer)
        self._checkpoints = Checkpoints(run, processes, model, self._optimizers, prepared.fingerprint, self._say)
        self.step = 0
        self.seconds = 0.0
        self.tokens = 0
        self._clock = time.monotonic()
        self._watch = DivergenceWatch()
        self._development: float | None = None
        self._bleu: float | None = None
        self._requests = StopRequests(self._options.stop_after)
        self._position = self._resume()
        self._feed = Feed(prepared.train, recipe.schedule, processes, shared=self._shared, position=self._position)
        self.steps = recipe.schedule.steps if self._feed.left is None else self.step + self._feed.left
        if not self.steps:
            epochs = f"{recipe.schedule.epochs:g}"
            raise RecipeError(f"schedule.epochs is {epochs}: no dialogue comes of so little. Raise it.")
        model.train()

    def _resume(self) -> Position:
        state = self._checkpoints.load()
        if state is None:
            return Position()
        asked = self.recipe.schedule.steps
        if asked and state["step"] > asked:
            raise RecipeError(
                f"{self.run.path} is at step {state['step']} already, beyond the {asked} "
                "asked for. Ask for more with --steps, or name another folder with --run."
            )
        if told := told_changes(state["recipe"], settings(self.recipe)) if "recipe" in state else "":
            self._say(told)
        position = Position(**state["position"])
        passes = self.recipe.schedule.epochs
        if passes and position.epoch >= math.ceil(passes):
            raise RecipeError(
                f"{self.run.path} is in pass {position.epoch + 1} over the data already, beyond the {passes:g} asked "
                "for. Raise schedule.epochs, or name another folder with --run."
            )
        self.step, self.seconds, self.tokens = state["step"], state["seconds"], state["tokens"]
        self._watch = DivergenceWatch(**state["watch"])
        return position

    def train(self, show: Callable[[Progress], None]) -> None:
        """Run the steps that are left.

        Raises:
            TrainingDiverged: the loss or a gradient is not finite, or the loss has risen and stays high.
            TrainingInterrupted: a signal came or the time is up; a checkpoint was written first.
            DeviceFailed: the device, its memory or another process is gone.
            OutputError: a checkpoint cannot be written.
        """
        with (
            told_failures(self.run, self.processes.device),
            self._requests.listening(),
            Logbook(
                self.run, tensorboard=self._options.tensorboard and self.processes.first, resumed=self.step
            ) as logbook,
        ):
            self._train(show, logbook)

    def _train(self, show: Callable[[Progress], None], logbook: Logbook) -> None:
        meter = Meter()
        self._clock = time.monotonic()
        while self.step < self.steps:
            result = self.take_step()
            meter.add(result.loss, result.tokens)
            self._check_divergence(result.loss)
            stop = Stop(self.processes.largest(self._requests.asked))
            ended = self.step == self.steps
            # Who asks to stop may not have the patience for an evaluation.
            evaluating = ended or (self.step % self.recipe.evaluation.every == 0 and not stop)
            if evaluating or stop or self.step % _LOG_EVERY == 0:
                pace = meter.close()
                self._log(logbook, pace, result)
                if evaluating:
                    with meter.paused():
                        self._evaluate(logbook)
                show(Progress(self.step, self.steps, pace, self._development, self._bleu))
            doubtful = self._watch.suspect and self._options.watch_divergence
            if stop or ended or (self.step % self.recipe.checkpoints.every == 0 and not doubtful):
                with meter.paused():
                    self.save()
            if stop and not ended:
                raise stop.error(f"Stopped after step {self.step} of {self.steps}, saved.")

    def take_step(self) -> StepResult:
        """One step: the gradient of all its rows, one update.

        Raises:
            TrainingDiverged: the loss or the gradient is not finite; weights and optimizer are as before the step.
        """
        step = self._feed.next()
        if step is None:
            raise RecipeError("The passes over the data that the recipe asks for are done.")
        loss = torch.zeros((), device=self.processes.device)
        for number, batch in step.batches:
            # Dropout depends on the step and the row, so not on who computes it, nor on where a run was resumed.
            torch.manual_seed(_row_seed(self.recipe.schedule.seed, self.step, number or 0))
            # Of the whole step's targets; a row that others do not have is computed for nothing.
            share = 0.0 if number is None else 1.0 / step.planned.targets
            part = self.model(batch.to(self.processes.device)) * share
            part.backward()
            loss += part.detach()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.optimizer.clip)
        self._feed.look_ahead()  # while the device is still computing
        total, tokens = self.processes.sum(loss, step.tokens)
        result = StepResult(total, float(whole(norm)), round(tokens))
        if not (math.isfinite(result.loss) and math.isfinite(result.norm)):
            what = "the gradient" if math.isfinite(result.loss) else "the loss"
            raise TrainingDiverged(self._divergence(f"{what} of step {self.step + 1} is not a number"))
        self._optimizers.step(self._factor(self.step))
        self.step += 1
        self.tokens += result.tokens
        self._position = step.planned.after
        return result

    def _factor(self, number: int) -> float:
        return learning_rate_factor(number, self.steps, self.recipe.schedule)

    def _log(self, logbook: Logbook, pace: Pace, last: StepResult) -> None:
        self._count_seconds()
        if not self.processes.first:
            return
        logbook.append(
            {
                "kind": "train",
                "step": self.step,
                "loss": pace.loss,
                "learning_rate": self.recipe.optimizer.learning_rate * self._factor(self.step - 1),
                "gradient_norm": last.norm,
                "tokens_per_second": pace.tokens_per_second,
                "seconds": self.seconds,
                "peak_memory": computing.peak_memory(self.processes.device),
                **self._utilisation(pace.tokens_per_second),
            }
        )

    def _count_seconds(self) -> None:
        now = time.monotonic()
        self.seconds += now - self._clock
        self._clock = now

    def _utilisation(self, tokens_per_second: float) -> dict[str, float]:
        """``mfu``: the share of the devices' peak speed that the model's own products take, where the peak is known."""
        peak = computing.peak_operations(self.processes.device, self._dtype)
        if peak is None:
            return {}
        needed = computing.operations_per_token(self.model) * tokens_per_second
        return {"mfu": needed / (peak * self.processes.count)}

    def _evaluate(self, logbook: Logbook) -> None:
        entries: list[dict[str, Any]] = []
        if len(self._prepared.development):
            self._development = self.evaluate(self._prepared.development)
            entries.append({"kind": "development", "step": self.step, "loss": self._development})
        if requests := self._to_translate():
            translating = evaluation.Translating(
                self._prepared.tokenizer,
                TEMPLATES[self.recipe.template],
                self.processes,
                self._dtype,
                self.recipe.evaluation.max_new_tokens,
            )
            scores = evaluation.score(requests, translating.translate(self.model, requests))
            entries.append({"kind": "translation", "step": self.step, **evaluation.log_entry(scores)})
            self._bleu = entries[-1]["bleu"]
        if self.processes.first:
            for entry in entries:
                logbook.append(entry)
            self._draw(logbook)

    def _to_translate(self) -> list[Dialogue]:
        """As many held-out requests as the recipe asks for, of all languages, always the same."""
        held_out = self._prepared.evaluation
        wanted = min(self.recipe.evaluation.generate, len(held_out))
        return random.Random(0).sample(held_out, wanted)  # noqa: S311

    def evaluate(self, dataset: Dataset) -> float:
        """Mean loss in nats a target token over a whole dataset."""
        rows = rows_in_order(dataset, batch_tokens=self.recipe.schedule.batch_tokens, shared=self._shared)
        return evaluation.mean_loss(self.model, rows, lambda row: lay_out(dataset, row, self._shared), self.processes)

    def _draw(self, logbook: Logbook) -> None:
        try:
            draw_plots(logbook.entries(up_to=self.step), self.run.path, title=self.run.path.name)
        except (ImportError, OSError, ValueError) as error:
            self._say(f"The plots could not be drawn: {error}")

    def save(self) -> None:
        """Write a checkpoint to go on from.

        Raises:
            OutputError: it cannot be written.
        """
        self._count_seconds()
        state = {
            "step": self.step,
            "seconds": self.seconds,
            "tokens": self.tokens,
            "position": asdict(self._position),
            "watch": asdict(self._watch),
            "recipe": settings(self.recipe),
        }
        self._checkpoints.save(state, keep=self.recipe.checkpoints.keep)

    def _check_divergence(self, loss: float) -> None:
        self._watch.add(loss)
        if self._watch.diverged and self._options.watch_divergence:
            level = f"{self._watch.smoothed:.2f}, after {self._watch.lowest:.2f} at its lowest"
            raise TrainingDiverged(self._divergence(f"the loss has risen to {level}, and stays there"))

    def _divergence(self, what: str) -> str:
        return (
            f"Training diverged: {what}. {self.run.last_good()} Try a lower learning rate in another folder (--run)"
            ", or a longer warm-up."
        )


def check_processes(recipe: Recipe, processes: Processes) -> None:
    """Refuse what would fail later.

    Raises:
        RecipeError: rows or optimizer do not go with so many processes, or a package is missing.
    """
    processes.check_rows(recipe.schedule.rows)
    if processes.count > 1 and recipe.optimizer.kind == "muon":
        raise RecipeError(
            'optimizer.kind = "muon" works on whole matrices, which several processes divide between them: '
            'set "adamw", or train with one process.'
        )
    if processes.count > 1 and recipe.adapter is not None and recipe.adapter.method == "qlora":
        raise RecipeError(
            'adapter.method = "qlora" trains in one process: weights of 4 bits are not divided. Set "lora", or train '
            "without torchrun."
        )
    if recipe.evaluation.generate:
        evaluation.check_scorer()


def _row_seed(seed: int, step: int, row: int) -> int:
    return ((seed * 1_000_003 + step) * 65_537 + row) % 2**63
