"""``bayling finetune RECIPE.toml``: train a model by a recipe."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bayling_lite.errors import BaylingError, UsageError

if TYPE_CHECKING:
    from bayling_finetune.trainer import Progress


@click.command(
    "finetune",
    short_help="Train a model by a recipe.",
    epilog="""\b
Examples:
  bayling finetune tiny.toml --data corpus/ --run runs/tiny
  bayling finetune tiny.toml --data corpus/ --run runs/tiny --steps 8000  # prolong, or go on after Ctrl-C
  bayling convert runs/tiny/checkpoint -o tiny.Q4_K_M.gguf""",
)
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the recipe's data files [the recipe's own].")
@click.option("--run", "run_path", type=click.Path(path_type=Path), help="Folder of the run [runs/NAME].")
@click.option("--base", type=click.Path(path_type=Path), help="Checkpoint folder to begin from [the recipe's].")
@click.option("--steps", type=click.IntRange(min=1), help="Train for this many steps instead of the recipe's.")
@click.option("--device", default=None, help="cpu, cuda, cuda:1 … [cuda where there is one].")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads [all].")
@click.option("--prepare-only", is_flag=True, help="Build tokenizer and dialogues, then stop.")
def command(
    recipe: Path,
    data: Path | None,
    run_path: Path | None,
    base: Path | None,
    steps: int | None,
    device: str | None,
    threads: int | None,
    prepare_only: bool,
) -> None:
    """Train a model by RECIPE, a TOML file that names data, tokenizer, model and schedule.

    The run's folder keeps everything: prepared data, checkpoints, log, loss plot and the result, a Hugging Face
    checkpoint
    folder for `bayling convert`. Ctrl-C saves and stops; the same command goes on where it stopped, bit for bit.
    """
    try:
        from bayling_finetune.running import Job, run_recipe
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("bayling"):
            raise
        raise UsageError(
            f"Training needs packages that are not installed ({error.name}). "
            "Install them: pip install 'bayling-lite[finetune]'"
        ) from error
    job = Job(
        recipe,
        data=data,
        run=run_path,
        base=base,
        steps=steps,
        device=device,
        threads=threads,
        prepare_only=prepare_only,
    )
    display = _Display()
    try:
        result = run_recipe(job, say=display.say, show=display.show)
    except BaylingError:
        display.close()
        raise
    display.close()
    click.echo(result)


class _Display:
    """One line on stderr: a bar on a terminal, a plain line now and then elsewhere."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()

    def say(self, text: str) -> None:
        self.close()
        click.echo(text, err=True)

    def show(self, progress: Progress) -> None:
        left = (progress.steps - progress.step) / max(progress.steps_per_second, 1e-9)
        line = (
            f"step {progress.step}/{progress.steps}  loss {progress.loss:.3f}"
            + (f"  dev {progress.development_loss:.3f}" if progress.development_loss is not None else "")
            + f"  {progress.tokens_per_second:,.0f} tokens/s  {_clock(left)} left"
        )
        if self._live:
            done = int(20 * progress.step / progress.steps)
            click.echo(f"\r[{'#' * done}{'.' * (20 - done)}] {line}\x1b[K", err=True, nl=False)
        elif progress.step % 50 == 0:
            click.echo(line, err=True)

    def close(self) -> None:
        if self._live:
            click.echo("\r\x1b[K", err=True, nl=False)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
