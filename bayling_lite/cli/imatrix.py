"""``bayling imatrix``: measure which weights of a model matter most, for quantizing it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bayling_lite.terminal import printable

if TYPE_CHECKING:
    from bayling_convert.importance.collect import Amount, Progress
    from bayling_convert.importance.imatrix import Imatrix

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_N_CTX = 512


@click.command("imatrix")
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The file to write.  [default: MODEL's name and .imatrix.gguf, here]",
)
@click.option("--text", type=_FILE, help="Measure on this plain text instead, as llama-imatrix does.")
@click.option("--dialogues", type=_FILE, help='Measure on these dialogues instead: lines of {"messages": [...]}.')
@click.option(
    "--n-ctx", type=click.IntRange(min=1), metavar="N", default=_N_CTX, show_default=True, help="Tokens in a chunk."
)
@click.option("--chunks", type=click.IntRange(min=1), metavar="N", help="Stop after so many chunks.  [default: all]")
@click.option("--force", is_flag=True, help="Overwrite the output.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@click.option("--no-progress", is_flag=True, help="Show no progress.")
def imatrix(
    model: Path,
    output: Path | None,
    text: Path | None,
    dialogues: Path | None,
    n_ctx: int,
    chunks: int | None,
    force: bool,
    quiet: bool,
    no_progress: bool,
) -> None:
    """Measure the importance matrix of MODEL, a GGUF file in F16, BF16 or Q8_0, or a model of that kind by name.

    The model reads calibration dialogues: requests to translate and to refine, in its languages. What enters each
    weight tells which errors cost most, and quantizing with that spends the bits there. The file is llama.cpp's own
    format: llama-quantize takes it too, and bayling convert takes what llama-imatrix writes.

    \b
    Examples:
      bayling convert bayling-2-7b -o bayling-2-7b.F16.gguf --type F16
      bayling imatrix bayling-2-7b.F16.gguf -o bayling-2-7b.imatrix.gguf
      bayling convert bayling-2-7b --imatrix bayling-2-7b.imatrix.gguf --type IQ4_XS
      bayling imatrix model.F16.gguf --text corpus.txt --chunks 100
    """  # noqa: D301 - click wants the character \b
    from bayling_convert.importance.collect import Amount
    from bayling_convert.output import check_place
    from bayling_lite.catalogue import resolve
    from bayling_lite.cli.transfer import ByteProgress
    from bayling_lite.gguf_file import check_is_model, read_header
    from bayling_lite.settings import Settings

    if text and dialogues:
        raise click.UsageError("--text and --dialogues exclude each other.")
    model = resolve(str(model), Settings.load())
    path = output or Path(f"{model.stem}.imatrix.gguf")
    header = read_header(model)
    check_is_model(header)
    if path.exists() and path.samefile(model):
        raise click.UsageError("The output would replace the model itself: name another file with -o.")
    # Hours of measuring must not end at a file that exists.
    check_place(path, overwrite=force)
    languages = header.texts("bayling.languages") or header.texts("general.languages")
    progress = ByteProgress(shown=not quiet and not no_progress)

    def show(done: int, total: int) -> None:
        progress.steps(done, total, "Measuring", "tokens")

    try:
        measured = _measure(model, text, dialogues, languages, Amount(n_ctx, chunks), show)
    finally:
        progress.end()
    measured.write(path, overwrite=force)
    if not quiet:
        n_tokens = max(int(count.max()) for count in measured.counts.values())
        said = f"importances of {len(measured.values)} weights, from {n_tokens:,} tokens of {measured.datasets[0]}"
        click.echo(f"Wrote {printable(str(path), keep='')}: {printable(said, keep='')}.", err=True)


def _measure(
    model: Path,
    text: Path | None,
    dialogues: Path | None,
    languages: tuple[str, ...],
    amount: Amount,
    progress: Progress,
) -> Imatrix:
    from bayling_convert.importance.calibration import calibration_dialogues, calibration_name
    from bayling_convert.importance.collect import measure_dialogues, measure_text
    from bayling_convert.verify import read_dialogues

    if text is not None:
        return measure_text(model, _read(text), dataset=text.name, amount=amount, progress=progress)
    chosen = calibration_dialogues(languages) if dialogues is None else read_dialogues(dialogues)
    name = calibration_name(languages) if dialogues is None else dialogues.name
    return measure_dialogues(model, chosen, dataset=name, amount=amount, progress=progress)


def _read(path: Path) -> str:
    """A text as llama-imatrix takes it: line ends as they are, without the last one."""
    from bayling_lite.errors import InputError

    try:
        return path.read_bytes().decode("utf-8-sig").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as UTF-8 text: {error}.") from error
