"""The training loop: packed batches, responses only, resumable bit for bit."""

from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from pickle import UnpicklingError
from types import FrameType
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from bayling_finetune.config import Recipe
from bayling_finetune.dataset import BatchSource, Dataset, Position, in_order
from bayling_finetune.kernels import Kernels, accelerate, hidden_states, linear_cross_entropy
from bayling_finetune.model import fits, load_base, new_model, untied
from bayling_finetune.optimization import Optimizers
from bayling_finetune.packing import PackedBatch, pack
from bayling_finetune.prepare import Prepared
from bayling_finetune.rundir import RunFolder
from bayling_lite.errors import BaylingError, RecipeError

_LOG_EVERY = 10


class TrainingDiverged(BaylingError):
    """The loss is no longer a number; the message names the last good checkpoint."""


class TrainingInterrupted(BaylingError):
    """Training was asked to stop and has saved where it stands."""

    exit_status = 130


@dataclass(frozen=True, slots=True)
class Progress:
    """What a display shows. ``loss`` is the mean over the last logged steps, in nats a target token."""

    step: int
    steps: int
    loss: float
    tokens_per_second: float
    steps_per_second: float
    development_loss: float | None


class Trainer:
    """Trains one recipe in one run folder: from the last checkpoint there, else from ``base``, else from scratch."""

    def __init__(
        self, recipe: Recipe, prepared: Prepared, run: RunFolder, *, device: torch.device, base: Path | None = None
    ) -> None:
        self.recipe = recipe
        self.run = run
        self._prepared = prepared
        self._device = device
        schedule = recipe.schedule
        self.model = new_model(recipe.model, prepared.tokenizer.vocab_size, seed=schedule.seed).to(device)
        if base is not None:
            load_base(self.model, base)
        self._kernels = Kernels.load(compiled=schedule.compile)
        self._dtype = torch.bfloat16 if schedule.precision == "bf16" else torch.float32
        accelerate(self.model, self._kernels, self._dtype)
        self._optimizers = Optimizers.build(self.model, schedule)
        self.step = 0
        self.seconds = 0.0
        self.tokens = 0
        position = self._resume()
        self._batches = BatchSource(
            prepared.train, batch_tokens=schedule.batch_tokens, seed=schedule.seed, position=position
        )

    def _resume(self) -> Position:
        """Take up the newest checkpoint that can be read; without any, begin."""
        damaged: list[str] = []
        for step in reversed(self.run.steps()):
            folder = self.run.step_folder(step)
            try:
                return self._load(folder)
            except (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, SafetensorError, UnpicklingError):
                damaged.append(str(folder))
        if damaged:
            raise RecipeError(
                f"The checkpoints are damaged, or of another version: {', '.join(damaged)}. "
                "To begin anew, name another folder with --run."
            )
        return Position()

    def _load(self, folder: Path) -> Position:
        state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        weights = load_file(folder / "model.safetensors")
        optimizers = torch.load(folder / "optimizers.pt", weights_only=True)
        same_shape = fits(self.model, weights)
        if not same_shape or state["fingerprint"] != self._prepared.fingerprint:
            what = "on other data" if same_shape else "as a model of another shape"
            raise RecipeError(f"{folder} was trained {what}. Name another folder with --run.")
        if state["step"] > self.recipe.schedule.steps:
            raise RecipeError(
                f"{self.run.path} is at step {state['step']} already, beyond the {self.recipe.schedule.steps} "
                "asked for. Ask for more with --steps, or name another folder with --run."
            )
        position = Position(**state["position"])
        self.model.load_state_dict(weights, strict=False)
        self._optimizers.load_state_dict(optimizers)
        self.step, self.seconds, self.tokens = state["step"], state["seconds"], state["tokens"]
        return position

    def train(self, show: Callable[[Progress], None]) -> None:
        """Run the steps that are left.

        Raises:
            TrainingDiverged: the loss or a gradient is not finite.
            TrainingInterrupted: SIGINT or SIGTERM came; a checkpoint was written first.
        """
        schedule = self.recipe.schedule
        losses: list[Tensor] = []
        development: float | None = None
        started, window, window_tokens = time.monotonic(), time.monotonic(), 0
        first_step = self.step
        with _stop_signals() as stop_asked:
            while self.step < schedule.steps:
                before = self.tokens
                losses.append(self.take_step())
                window_tokens += self.tokens - before
                interrupted = stop_asked() and self.step < schedule.steps
                stopping = interrupted or self.step == schedule.steps
                evaluating = self.step % schedule.evaluate_every == 0 or self.step == schedule.steps
                if self.step % _LOG_EVERY == 0 or evaluating or stopping:
                    now = time.monotonic()
                    self.seconds += now - started
                    started = now
                    loss = torch.stack(losses).mean().item()
                    losses.clear()
                    if not math.isfinite(loss):
                        raise TrainingDiverged(self._divergence(self.step))
                    speed = window_tokens / (now - window)
                    self.run.append_log({"kind": "train", "step": self.step, "loss": loss, "tokens_per_second": speed})
                    if evaluating:
                        development = self.evaluate(self._prepared.development)
                        self.run.append_log({"kind": "development", "step": self.step, "loss": development})
                    pace = (self.step - first_step) / (now - window)
                    show(Progress(self.step, schedule.steps, loss, speed, pace, development))
                    window, window_tokens, first_step = time.monotonic(), 0, self.step
                if self.step % schedule.checkpoint_every == 0 or stopping:
                    self.save()
                if interrupted:
                    raise TrainingInterrupted(f"Stopped after step {self.step} of {schedule.steps}, saved.")

    def take_step(self) -> Tensor:
        """One batch, one update; returns the loss, a scalar on the device.

        Raises:
            TrainingDiverged: a gradient is not finite.
        """
        batch = pack(self._prepared.train.prefix, self._batches.next()).to(self._device)
        loss = self._loss(batch) / len(batch.predict_ids)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.schedule.clip)
        if not torch.isfinite(norm):
            raise TrainingDiverged(self._divergence(self.step + 1))
        self._optimizers.step(self.step)
        self.step += 1
        self.tokens += batch.layout.n_tokens
        return loss.detach()

    def _loss(self, batch: PackedBatch) -> Tensor:
        """Summed over the target tokens."""
        with torch.autocast(self._device.type, self._dtype, enabled=self._dtype is not torch.float32):
            states = hidden_states(self.model, batch.input_ids, batch.position_ids, batch.layout)
            return linear_cross_entropy(
                states[batch.predict_from], self.model.lm_head.weight, batch.predict_ids, self._kernels
            )

    @torch.no_grad()
    def evaluate(self, dataset: Dataset) -> float:
        """Mean loss in nats a target token over a whole dataset."""
        total, count = 0.0, 0
        for documents in in_order(dataset, batch_tokens=self.recipe.schedule.batch_tokens):
            batch = pack(dataset.prefix, documents).to(self._device)
            total += self._loss(batch).item()
            count += len(batch.predict_ids)
        return total / count

    def save(self) -> None:
        """Write a checkpoint to go on from."""
        with self.run.writing_step(self.step, keep=self.recipe.schedule.keep_checkpoints) as folder:
            weights = {name: value.contiguous() for name, value in untied(self.model.state_dict()).items()}
            save_file(weights, folder / "model.safetensors")
            torch.save(self._optimizers.state_dict(), folder / "optimizers.pt")
            state = {
                "step": self.step,
                "seconds": self.seconds,
                "tokens": self.tokens,
                "position": asdict(self._batches.position),
                "fingerprint": self._prepared.fingerprint,
            }
            (folder / "state.json").write_text(json.dumps(state) + "\n", encoding="utf-8")

    def _divergence(self, step: int) -> str:
        steps = self.run.steps()
        good = (
            f"The last good checkpoint is {self.run.step_folder(steps[-1])}."
            if steps
            else "There is no checkpoint yet."
        )
        return f"Training diverged at step {step}: the loss is not a number. {good} Try lower learning rates."


@contextmanager
def _stop_signals() -> Iterator[Callable[[], bool]]:
    """While inside, SIGINT and SIGTERM ask to stop after the current step; a second one stops at once."""
    asked = False

    def ask(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def plot_losses(log: list[dict[str, Any]], path: Path, *, title: str) -> None:
    """Draw training and development loss over the steps."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    for kind, style in (("train", {"linewidth": 0.8, "alpha": 0.7}), ("development", {"marker": "o", "markersize": 3})):
        entries = [entry for entry in log if entry["kind"] == kind]
        axes.plot([entry["step"] for entry in entries], [entry["loss"] for entry in entries], label=kind, **style)
    axes.set(xlabel="step", ylabel="loss (nats a target token)", title=title.replace("$", r"\$"))
    axes.set_yscale("log")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
