"""``bayling finetune RECIPE``: train a model by a recipe."""

from __future__ import annotations

import itertools
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bayling_lite.cli.progress import StatusLine
from bayling_lite.cli.progress_line import Shown
from bayling_lite.cli.saying import say
from bayling_lite.errors import BaylingError, RecipeError, UsageError
from bayling_lite.terminal import printable

if TYPE_CHECKING:
    from bayling_finetune.job import Job
    from bayling_finetune.trainer import Progress

_SECONDS = {"h": 3600, "m": 60, "s": 1}


def _duration(ctx: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    """``3h50m``, ``90m``, ``45s`` in seconds."""
    if text is None:
        return None
    if not re.fullmatch(r"(\d+(\.\d+)?[hms])+", text):
        raise click.BadParameter(f"{text!r} is no duration. Write it like 3h50m, 90m or 45s.", ctx, parameter)
    return sum(float(number) * _SECONDS[unit] for number, unit in re.findall(r"([\d.]+)([hms])", text))


def _list_recipes(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from bayling_finetune.job import shipped_recipes

    for name, path in shipped_recipes().items():
        lines = itertools.takewhile(lambda line: line.startswith("# "), path.read_text(encoding="utf-8").split("\n"))
        comment = " ".join(line.removeprefix("# ") for line in lines)
        click.echo(f"{name:<14}{comment.split('. ')[0].removesuffix('.')}")
    ctx.exit()


@click.command(
    "finetune",
    short_help="Train a model by a recipe.",
    epilog="""\b
Examples:
  bayling finetune tiny --data corpus/ --run runs/tiny
  bayling finetune lora-laptop --dry-run
  bayling finetune recipe.toml --steps 8000          # prolong, or go on after Ctrl-C
  torchrun --nproc-per-node 8 -m bayling_lite.cli -- finetune bayling-7b --data corpus/
  bayling convert runs/tiny/checkpoint -o tiny.Q4_K_M.gguf""",
)
@click.argument("recipe")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the data files.  [default: the recipe's own]")
@click.option("--run", "run_path", type=click.Path(path_type=Path), help="Folder of the run.  [default: runs/NAME]")
@click.option("--base", metavar="CHECKPOINT", help="Folder or hf://OWNER/NAME to begin from.  [default: the recipe's]")
@click.option("--steps", type=click.IntRange(min=1), help="Train for this many steps, whatever the recipe says.")
@click.option("--device", metavar="NAME", help="cpu, cuda, cuda:1, ...  [default: cuda where there is one]")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads.  [default: all]")
@click.option("--stop-after", callback=_duration, metavar="TIME", help="Save and stop after 3h50m, 90m, 45s, ...")
@click.option("--tensorboard", is_flag=True, help="Write TensorBoard's files into the run's folder, too.")
@click.option("--keep-going", is_flag=True, help="Do not stop when the loss has risen and stays high.")
@click.option("--prepare-only", is_flag=True, help="Build tokenizer and dialogues, then stop.")
@click.option("--dry-run", is_flag=True, help="Say how large the model is and what it will take, and stop.")
@click.option(
    "--list-recipes", is_flag=True, is_eager=True, expose_value=False, callback=_list_recipes, help="List the recipes."
)
def command(
    recipe: str,
    data: Path | None,
    run_path: Path | None,
    base: str | None,
    steps: int | None,
    device: str | None,
    threads: int | None,
    stop_after: float | None,
    tensorboard: bool,
    keep_going: bool,
    prepare_only: bool,
    dry_run: bool,
) -> None:
    """Train a model by RECIPE: a TOML file that names data, model and schedule, or a shipped recipe's name.

    The run's folder keeps everything: prepared data, checkpoints, log, plots and the result, a Hugging Face checkpoint
    folder (or an adapter's) for `bayling convert`. Ctrl-C, SIGTERM and SIGUSR1 save and stop; the same command goes on
    where it stopped, bit for bit. On several GPUs, start it with torchrun or accelerate launch.

    \b
    Exit status: 0 done, 1 failed (the last good checkpoint is named), 2 wrong usage,
    130 stopped and saved by Ctrl-C, SIGUSR1 or --stop-after, 143 by SIGTERM.
    """  # noqa: D301 - click wants the character \b
    from bayling_finetune.job import Job

    job = Job(
        recipe,
        data=data,
        run=run_path,
        base=base,
        steps=steps,
        device=device,
        threads=threads,
        stop_after=stop_after,
        tensorboard=tensorboard,
        keep_going=keep_going,
        prepare_only=prepare_only,
    )
    try:
        if dry_run:
            _say_estimate(job)
        else:
            _train(job)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("bayling"):
            raise
        raise UsageError(
            f"Training needs packages that are not installed ({error.name}). "
            "Install them: pip install 'bayling-lite[finetune]'"
        ) from error


def _train(job: Job) -> None:
    from bayling_finetune.running import run_recipe

    first = int(os.environ.get("RANK", "0")) == 0
    display = _Display(shown=first)
    try:
        result = run_recipe(job, say=display.say, show=display.show)
    except BaylingError as error:
        display.end()
        if not first and _said_by_the_first(error):
            sys.exit(error.exit_status)
        raise
    except KeyboardInterrupt:
        display.end(interrupted=True)
        raise
    display.end()
    if first:
        click.echo(printable(str(result)))


def _said_by_the_first(error: BaylingError) -> bool:
    """Whether the first of several processes ends with the same error: once is enough."""
    from bayling_finetune.distributed import FirstProcessFailed
    from bayling_finetune.stopping import TrainingDiverged, TrainingInterrupted

    return isinstance(error, (RecipeError, FirstProcessFailed, TrainingDiverged, TrainingInterrupted))


def _say_estimate(job: Job) -> None:
    from bayling_finetune.estimate import estimate

    recipe, found = estimate(job)
    for line in found.lines(recipe):
        click.echo(printable(line))


class _Display:
    """Sentences, and one line of progress: a bar on a terminal, a plain line now and then elsewhere."""

    def __init__(self, *, shown: bool) -> None:
        self._line = StatusLine(wanted=shown)

    def say(self, text: str) -> None:
        self._line.end()
        say(text)

    def show(self, progress: Progress) -> None:
        pace = progress.pace
        detail = [f"loss {pace.loss:.3f}"]
        if progress.development_loss is not None:
            detail.append(f"development {progress.development_loss:.3f}")
        if progress.bleu is not None:
            detail.append(f"BLEU {progress.bleu:.1f}")
        self._line.show(
            Shown(
                "Training",
                progress.step / progress.steps,
                amount=f"step {progress.step:,} of {progress.steps:,}",
                detail=", ".join(detail),
                speed=f"{pace.tokens_per_second:,.0f} tokens/s",
                left=(progress.steps - progress.step) / max(pace.steps_per_second, 1e-9),
            )
        )

    def end(self, *, interrupted: bool = False) -> None:
        self._line.end(interrupted=interrupted)
