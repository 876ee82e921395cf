"""``bayling dialogues show`` and ``report``: what is in a file of dialogues."""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from bayling_lite.cli.saying import say
from bayling_lite.errors import UsageError
from bayling_lite.messages import Role
from bayling_lite.terminal import printable

if TYPE_CHECKING:
    from bayling_finetune.dialogues.values import Dialogue

Entry = TypeVar("Entry")


@click.command("report", short_help="What is in a file of dialogues, as a page with plots.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The page to write; the figures go beside it as .json.  [default: FILE's name with .report.html]",
)
@click.option("--tokenizer", type=click.Path(path_type=Path), help="A SentencePiece model, to count tokens.")
def report(file: Path, output: Path | None, tokenizer: Path | None) -> None:
    """Report on FILE, JSON Lines in the chat format: counts, lengths, samples.

    What it was built from, and what was left out, is told when the report of its build lies beside it.
    """
    from bayling_finetune.dialogues.report import report_on, report_path

    page = output or report_path(file)
    if page.suffix != ".html":
        raise UsageError(f"The report is an HTML page: give {page} a name that ends with .html.")
    for path in report_on(file, tokenizer).write(page):
        click.echo(printable(str(path), keep=""))


@click.command("show", short_help="Print some dialogues of a file.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-n", "--number", type=click.IntRange(min=1), default=3, show_default=True, help="How many.")
@click.option("--kind", metavar="KIND", help="Only of this kind, such as correction.")
@click.option("--pair", metavar="PAIR", help="Only of these languages, such as en-zh.")
@click.option("--seed", type=int, help="Decides which.  [default: others each time]")
def show(file: Path, number: int, kind: str | None, pair: str | None, seed: int | None) -> None:
    """Print random dialogues of FILE, JSON Lines in the chat format.

    \b
    Examples:
      bayling dialogues show dialogues.jsonl
      bayling dialogues show dialogues.jsonl -n 10 --kind correction --pair en-zh
    """  # noqa: D301 - click wants the character \b
    from bayling_finetune.dialogues.report import read_lines
    from bayling_finetune.dialogues.values import Kind

    if kind is not None and kind not in tuple(Kind):
        raise UsageError(f"There is no kind {kind!r}. There are: {', '.join(Kind)}.")
    # Most of a large file need not be parsed. A line that names no kind is of the general one.
    holding = f'"{kind}"'.encode() if kind not in (None, Kind.GENERAL) else b""
    wanted = (
        dialogue
        for dialogue, _ in read_lines(file, holding=holding)
        if kind in (None, dialogue.kind) and pair in (None, f"{dialogue.source_language}-{dialogue.target_language}")
    )
    chosen = _sample(wanted, number, random.Random(seed))  # noqa: S311 - no secret
    if not chosen:
        say(f"{file} holds no such dialogue.")
        sys.exit(1)
    width = min(shutil.get_terminal_size().columns, 100) if sys.stdout.isatty() else None
    click.echo("\n".join(line for dialogue in chosen for line in (*_lines(dialogue, width), "")), nl=False)


def _sample(entries: Iterable[Entry], number: int, chance: random.Random) -> list[Entry]:
    """So many, each as probable as any other, in their order (reservoir sampling)."""
    chosen: list[tuple[int, Entry]] = []
    for place, entry in enumerate(entries):
        if place < number:
            chosen.append((place, entry))
        elif (drawn := chance.randrange(place + 1)) < number:
            chosen[drawn] = (place, entry)
    return [entry for _, entry in sorted(chosen, key=lambda one: one[0])]


def _lines(dialogue: Dialogue, width: int | None) -> list[str]:
    about = [dialogue.kind.value]
    if dialogue.source_language:
        about.append(f"{dialogue.source_language} → {dialogue.target_language}")
    about += [dialogue.origin] if dialogue.origin else []
    lines = [printable(f"── {' · '.join(about)} ──", keep="")]
    learnt = iter(dialogue.learnt)
    for message in dialogue.conversation:
        context = message.role is Role.ASSISTANT and not next(learnt)
        name = f"{message.role.value}{' (context)' if context else ''}: "
        lines += (
            f"{name}{printable(message.content)}" if width is None else _block(name, message.content, width)
        ).split("\n")
    return lines


def _block(name: str, text: str, width: int) -> str:
    """What was said, indented below who said it."""
    from bayling_lite.wrapping import wrapped

    body = wrapped(printable(text), max(20, width - 2))
    return f"{name.rstrip()}\n" + "\n".join(f"  {line}" for line in body.split("\n"))
