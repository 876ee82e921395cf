"""The writer of ``bayling dialogues build``: what is to be written, what it will cost, and having it written."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bayling_lite.cli.progress import Progress
from bayling_lite.cli.saying import say
from bayling_lite.errors import UsageError

if TYPE_CHECKING:
    from bayling_finetune.dialogues.tools import Tools
    from bayling_finetune.dialogues.values import Dialogue, Direction
    from bayling_finetune.dialogues.writer.client import Endpoint
    from bayling_finetune.dialogues.writer.store import ReplyStore
    from bayling_finetune.dialogues.writer.writing import Commission

_MOST_REASONS = 10
"""Told at the end: servers word the refusal of each request differently."""


@dataclass(frozen=True, slots=True)
class WriterOptions:
    """What the user chose. ``prices``: of a million tokens read and written; ``store``: where answers are kept."""

    url: str
    store: Path
    model: str = ""
    number: int = 1000
    tasks: tuple[str, ...] = ("style", "suggestion", "grammar")
    prices: tuple[float, float] | None = None
    parallel: int = 8
    agreed: bool = False


def writer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of the writer to a command."""
    tasks = "style,suggestion,grammar"
    options = (
        click.option("--writer", metavar="URL", help="OpenAI-compatible server that writes and rates freer dialogues."),
        click.option("--writer-model", default="", metavar="NAME", help="Its model [the first it names]."),
        click.option(
            "--writer-dialogues",
            type=click.IntRange(min=1),
            default=1000,
            show_default=True,
            help="How many it writes.",
        ),
        click.option("--writer-kinds", default=tasks, show_default=True, help="What it writes."),
        click.option(
            "--writer-price", metavar="IN,OUT", help="Cost of a million tokens read and written, for the estimate."
        ),
        click.option(
            "--writer-parallel", type=click.IntRange(1, 256), default=8, show_default=True, help="Requests at a time."
        ),
        click.option("-y", "--yes", is_flag=True, help="Do not ask before the writer is."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def chosen_writer(
    store: Path,
    *,
    writer: str | None,
    writer_model: str,
    writer_dialogues: int,
    writer_kinds: str,
    writer_price: str | None,
    writer_parallel: int,
    yes: bool,
) -> WriterOptions | None:
    """The writer that the options name, if they do.

    Raises:
        UsageError: an address or prices that are none, or a kind that no writer writes.
    """
    if writer is None:
        return None
    from bayling_finetune.dialogues.writer import TASKS, Endpoint

    Endpoint(writer, writer_model)  # an address that is none is said before the long work
    tasks = tuple(task.strip() for task in writer_kinds.split(",") if task.strip())
    if unknown := [task for task in tasks if task not in TASKS]:
        raise UsageError(f"--writer-kinds: there is no {unknown[0]!r}. Known: {', '.join(TASKS)}.")
    if not tasks:
        raise UsageError(f"--writer-kinds names nothing. Known: {', '.join(TASKS)}.")
    prices = None
    if writer_price is not None:
        try:
            read, written = (float(part) for part in writer_price.split(","))
        except ValueError:
            raise UsageError(f"--writer-price should be two numbers such as 0.5,1.5, not {writer_price!r}.") from None
        if not all(math.isfinite(price) and price >= 0 for price in (read, written)):
            raise UsageError(f"--writer-price should be two numbers from 0, such as 0.5,1.5, not {writer_price!r}.")
        prices = (read, written)
    return WriterOptions(writer, store, writer_model, writer_dialogues, tasks, prices, writer_parallel, yes)


@contextmanager
def commissioned(
    options: WriterOptions, directions: Iterable[Direction], tools: Tools, *, seed: int
) -> Iterator[tuple[list[Commission], Endpoint, ReplyStore]]:
    """Choose what is written, say what it costs, and ask the user.

    Raises:
        UsageError: nobody can be asked, and ``--yes`` is not given.
        click.Abort: the user does not want it.
        EngineError: the server cannot be reached.
    """
    from bayling_finetune.dialogues.writer import Endpoint, Prices, choose
    from bayling_finetune.dialogues.writer.store import ReplyStore
    from bayling_finetune.dialogues.writer.writing import forecast

    endpoint = Endpoint(options.url, options.model)
    commissions = choose(
        directions, number=options.number, seed=seed, language=tools.instruction_language, tasks=options.tasks
    )
    prices = Prices(*options.prices) if options.prices else None
    if len(commissions) < options.number:
        say(f"The pairs are enough for {len(commissions):,} of the {options.number:,} dialogues to be written.")
    with ReplyStore(options.store) as store:
        told = forecast(commissions, store, endpoint.name, prices=prices)
        say(f"The writer {endpoint.name} at {options.url}: {told.sentence()}")
        if told.requests and not options.agreed:
            if not (sys.stdin.isatty() and sys.stderr.isatty()):
                raise UsageError("Nobody can be asked whether the writer may be: agree with --yes.")
            click.confirm("Ask it?", default=False, abort=True, err=True)
        yield commissions, endpoint, store


def written(
    commissions: list[Commission], endpoint: Endpoint, store: ReplyStore, *, parallel: int
) -> Iterator[Dialogue]:
    """The dialogues, with progress; says at the end what was left out, and why."""
    from bayling_finetune.dialogues.writer import Outcome, write

    outcome, progress = Outcome(), Progress("Writing", shown=True, unit="dialogues")

    def watch(done: int) -> None:
        progress.update(done, len(commissions))

    try:
        yield from write(commissions, endpoint, store, outcome, parallel=parallel, watch=watch)
    finally:
        progress.end()
    left = sum(outcome.left_out.values())
    say(
        f"The writer wrote {outcome.written:,} dialogues ({outcome.asked:,} requests, {outcome.prompt_tokens:,} tokens "
        f"read, {outcome.completion_tokens:,} written); {left:,} were left out."
    )
    reasons = outcome.left_out.most_common()
    for reason, number in reasons[:_MOST_REASONS]:
        say(f"  {reason}: {number:,}")
    if others := sum(number for _, number in reasons[_MOST_REASONS:]):
        say(f"  other reasons: {others:,}")
