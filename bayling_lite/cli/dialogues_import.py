"""``bayling dialogues import`` and ``mix``: conversations of other collections, and parts of several files as one."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bayling_lite.cli.progress import StatusLine
from bayling_lite.cli.progress_line import Shown
from bayling_lite.cli.saying import say
from bayling_lite.errors import UsageError
from bayling_lite.terminal import printable

if TYPE_CHECKING:
    from bayling_finetune.dialogues.mixing import Mixed, Part
    from bayling_finetune.dialogues.values import Dialogue

_CHUNK = 1000  # dialogues written at a time
_OUTPUT = click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The JSON Lines file to write (also .gz)."
)
_FORCE = click.option("-f", "--force", is_flag=True, help="Replace the output if it exists.")
_SEED = click.option("--seed", type=int, default=1, show_default=True, help="Decides which dialogues are taken.")


@click.command(
    "import",
    short_help="Alpaca, ShareGPT or chat files to dialogues.",
    epilog="""\b
Examples:
  bayling dialogues import alpaca_data.json -o alpaca.jsonl
  bayling dialogues import sharegpt.json -o sharegpt.jsonl --max-characters 8000
  bayling dialogues import chats.jsonl.gz --format chat -o chats.jsonl""",
)
@click.argument("inputs", nargs=-1, required=True, type=click.Path(path_type=Path))
@_OUTPUT
@click.option("--format", "form", type=click.Choice(("alpaca", "sharegpt", "chat")), help="Format [told by its keys].")
@click.option(
    "--max-characters",
    type=click.IntRange(min=0),
    default=0,
    help="Cut longer chats at turns into parts of this size [never].",
)
@click.option("--origin", default="", help="Where they come from and under which licence; stands in every dialogue.")
@_FORCE
def import_command(
    inputs: tuple[Path, ...], output: Path, form: str | None, max_characters: int, origin: str, force: bool
) -> None:
    """Turn INPUTS of other collections into a file of dialogues that a recipe can name.

    What cannot be learnt from (empty turns, no answer, other content than text) is left out and counted.
    """
    from bayling_finetune.dialogues.importing import Format
    from bayling_finetune.dialogues.mixing import Part

    known = Format(form) if form else None
    parts = [Part(path, form=known, max_characters=max_characters, origin=origin) for path in inputs]
    _carry_out(parts, output, seed=0, force=force, label="Importing")


@click.command(
    "mix",
    short_help="Parts of several files of dialogues as one.",
    epilog="""\b
Examples:
  bayling dialogues mix interactive.jsonl alpaca.jsonl=0.5 sharegpt.jsonl=20000 -o train.jsonl""",
)
@click.argument("parts", nargs=-1, required=True, metavar="FILE[=AMOUNT]…")
@_OUTPUT
@_SEED
@_FORCE
def mix_command(parts: tuple[str, ...], output: Path, seed: int, force: bool) -> None:
    """Take a part of each FILE: all of it, a share (=0.5) or a number of dialogues (=20000); none twice.

    The same seed takes the same dialogues, in whatever order they lie; more of a file contains what less did.
    """
    _carry_out([_part(text) for text in parts], output, seed=seed, force=force, label="Mixing")


def _part(text: str) -> Part:
    from bayling_finetune.dialogues.mixing import Part

    path, _, amount = text.rpartition("=")
    if not path or Path(text).exists():
        return Part(Path(text))
    if not re.fullmatch(r"\d+|0?\.\d+|1\.0*", amount) or float(amount) <= 0:
        raise UsageError(
            f"{text}: the amount should be a share such as 0.5, or a whole number of dialogues, not {amount!r}."
        )
    share = float(amount) if "." in amount else float(max(1, int(amount)))
    if "." not in amount and int(amount) == 1:
        raise UsageError(f"{text}: =1 could mean all or one; leave it out for all of the file.")
    return Part(Path(path), share)


def _carry_out(parts: list[Part], output: Path, *, seed: int, force: bool, label: str) -> None:
    from bayling_finetune.dialogues.mixing import Mixed, mix
    from bayling_finetune.dialogues.output import check_place

    if any(_same_file(part.path, output) for part in parts):
        raise UsageError(f"{output} is one of the inputs. Name another output.")
    check_place(output, force=force)
    counts = Mixed()
    line = StatusLine(wanted=True)

    def watch(done: int) -> None:
        if line.due():
            line.show(Shown(label, amount=f"{done:,} dialogues"))

    try:
        _write(output, mix(parts, seed=seed, counts=counts, watch=watch), force=force)
    finally:
        line.end(interrupted=sys.exc_info()[0] is KeyboardInterrupt)
    _tell(counts)
    if not counts.by_file:
        say(f"No conversation was there to be taken: {output} is empty.")
    click.echo(printable(str(output), keep=""))


def _same_file(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _write(output: Path, dialogues: Iterable[Dialogue], *, force: bool) -> None:
    """Whole or not at all; two processes cannot write one output."""
    from bayling_finetune.dialogues.output import DialogueOutput, check_place, locked, remove_work, work_folder

    folder = work_folder(output)
    with locked(folder):
        check_place(output, force=force)  # another process may have finished it before the lock was free
        try:
            with DialogueOutput(output, fingerprint="") as file:
                lines = (json.dumps(dialogue.to_dict(), ensure_ascii=False).encode() + b"\n" for dialogue in dialogues)
                while chunk := b"".join(islice(lines, _CHUNK)):
                    file.append(chunk)
                file.finish()
        finally:
            remove_work(folder)  # nothing here is resumed


def _tell(counts: Mixed) -> None:
    for path, imported in counts.imported.items():
        written = counts.by_file[path]
        say(f"{path}: {written:,} dialogues of {imported.read:,} conversations.")
        for reason, number in sorted(imported.left_out.items(), key=lambda item: (-item[1], item[0])):
            say(f"  left out, {reason}: {number:,}")
    if counts.twice:
        say(f"Left out because they were there already: {counts.twice:,}.")
    kinds = ", ".join(f"{kind} {number:,}" for kind, number in counts.by_kind.most_common())
    say(f"In all {sum(counts.by_file.values()):,} dialogues ({kinds or 'none'}).")
