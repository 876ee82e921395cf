"""``bayling convert``: a Hugging Face checkpoint becomes one GGUF file."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bayling_lite.cli.saying import say
from bayling_lite.terminal import printable

_TYPES = ("F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_K_S", "Q4_K_M", "Q5_K_M", "Q6_K", "IQ4_XS")


class _FileType(click.Choice[str]):
    """A type in small letters or large ones, and in large ones where it is told which there are."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The type as it is written."""
        if value.upper() not in self.choices:
            self.fail(f"{value!r} is none of {', '.join(self.choices)}.", param, ctx)
        return value.upper()


@click.command("convert")
@click.argument("checkpoint")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The file to write.  [default: CHECKPOINT's name and the type, here]",
)
@click.option(
    "--type",
    "file_type",
    type=_FileType(_TYPES),
    metavar="|".join(_TYPES),
    help="How the weights are stored: exact (F32), halved (F16, BF16), in 8 bits, or in 4 to 6.  [default: Q4_K_M]",
)
@click.option("--base", metavar="CHECKPOINT", help="What a LoRA adapter or a published difference was made for.")
@click.option("--adapter", is_flag=True, help="Write a LoRA adapter alone, instead of merging it into its base.")
@click.option(
    "--template", metavar="NAME", help="The prompt template, where the checkpoint does not name it: bayling, bayling-3."
)
@click.option(
    "--imatrix",
    metavar="FILE|auto",
    help="An importance matrix, for smaller errors where they matter; auto measures one first.",
)
@click.option("--verify", is_flag=True, help="Compare the result with the unquantized model and put that on the card.")
@click.option(
    "--dialogues",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="What to compare on, JSON lines.  [default: dialogues of our own]",
)
@click.option("--keep", is_flag=True, help="Keep what is fetched from the hub in its shared cache.")
@click.option("--no-card", is_flag=True, help="Write no model card (README.md) beside the file.")
@click.option("--force", is_flag=True, help="Overwrite the output.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors; --verify's report is still printed.")
@click.option("--no-progress", is_flag=True, help="Show no progress.")
def convert(
    checkpoint: str,
    output: Path | None,
    file_type: str | None,
    base: str | None,
    adapter: bool,
    template: str | None,
    imatrix: str | None,
    verify: bool,
    dialogues: Path | None,
    keep: bool,
    no_card: bool,
    force: bool,
    quiet: bool,
    no_progress: bool,
) -> None:
    """Convert CHECKPOINT, a LLaMA model from Hugging Face, into one GGUF file.

    CHECKPOINT is a folder, or hf://OWNER/NAME (with @REVISION if need be), which is fetched piece by piece: beside
    the result there is never more on the disk than one file of it. A checkpoint is config.json, a tokenizer, and
    model.safetensors or pytorch_model.bin, whole or in shards.

    \b
    Examples:
      bayling convert bayling-2-7b -o bayling-2-7b.gguf
      bayling convert hf://ICTNLP/bayling-2-7b --verify
      bayling convert hf://ICTNLP/bayling-7b-diff --base llama-7b
      bayling convert my-lora --base hf://ICTNLP/bayling-2-7b --imatrix auto
      bayling convert runs/tiny/checkpoint -o tiny.F16.gguf --type F16
    """  # noqa: D301 - click wants the character \b
    from bayling_lite.cli.conversion import Conversion

    job = Conversion(
        checkpoint=checkpoint,
        output=output,
        file_type=file_type,
        base=base,
        template=template,
        imatrix=imatrix,
        verify=verify,
        dialogues=dialogues,
        keep=keep,
        card=not no_card,
        force=force,
        quiet=quiet,
    )
    with job.showing(not quiet and not no_progress):
        try:
            done = job.write_adapter() if adapter else job.run()
        except KeyboardInterrupt:
            job.end_progress(interrupted=True)
            if not job.fetches:
                raise
            come = "What has come is kept: the same command goes on from there."
            say(f"Interrupted. {come if job.has_come else 'Nothing had come yet.'}")
            sys.exit(130)
    for warning in done.warnings:
        say(f"Warning: {warning}")
    if not quiet:
        for line in done.lines:
            say(line)
    if done.interrupted:
        job.end_progress(interrupted=True)
        say("Interrupted while it was compared with the unquantized model: the file is complete, but not verified.")
        sys.exit(130)
    if done.report is not None:
        click.echo(printable(done.report))
