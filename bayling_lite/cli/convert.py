"""``bayling convert``: a Hugging Face checkpoint becomes one GGUF file."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from bayling_lite.terminal import printable

_TYPES = ("F32", "F16", "BF16", "Q8_0", "Q4_K_M")


@click.command("convert")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The file to write.  [default: CHECKPOINT's name and the type, here]",
)
@click.option(
    "--type",
    "file_type",
    type=click.Choice(_TYPES, case_sensitive=False),
    metavar="|".join(_TYPES),
    default="Q4_K_M",
    show_default=True,
    help="How the weights are stored: exact (F32), halved (F16, BF16), 8-bit or 4-bit.",
)
@click.option(
    "--template", metavar="NAME", help="The prompt template, where the checkpoint does not name it: bayling, bayling-3."
)
@click.option("--force", is_flag=True, help="Overwrite the output.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@click.option("--no-progress", is_flag=True, help="Show no progress bar.")
def convert(
    checkpoint: Path,
    output: Path | None,
    file_type: str,
    template: str | None,
    force: bool,
    quiet: bool,
    no_progress: bool,
) -> None:
    """Convert CHECKPOINT, a folder with a LLaMA model from Hugging Face, into one GGUF file.

    The folder holds config.json, tokenizer.model (SentencePiece) and model.safetensors, whole or in shards.

    \b
    Examples:
      bayling convert bayling-2-7b -o bayling-2-7b.gguf
      bayling convert runs/tiny/checkpoint -o tiny.F16.gguf --type F16
    """  # noqa: D301 - click wants the character \b
    from bayling_convert import convert as run

    path = output or Path(f"{checkpoint.resolve().name}.{file_type}.gguf")
    with _progress(not quiet and not no_progress) as show:
        done = run(checkpoint, path, file_type, template=template, overwrite=force, progress=show)
    for warning in done.warnings:
        click.echo(f"Warning: {printable(warning)}", err=True)
    if not quiet:
        sizes = f"{done.n_parameters / 1e6:,.1f} M parameters, {done.n_bytes / 1e6:,.1f} MB"
        click.echo(f"Wrote {printable(str(done.path), keep='')}: {done.file_type}, {sizes}.", err=True)


@contextlib.contextmanager
def _progress(wanted: bool) -> Iterator[Callable[[int, int, str], None] | None]:
    """A bar of bytes on the terminal; nothing where stderr is none."""
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1, label="Converting", file=sys.stderr) as bar:

        def show(done: int, total: int, _name: str) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield show
