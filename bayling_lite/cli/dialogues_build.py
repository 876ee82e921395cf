"""``bayling dialogues build``: parallel text to dialogues."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bayling_lite import __version__
from bayling_lite.cli.dialogues_writer import writer_options
from bayling_lite.cli.progress import StatusLine, counted
from bayling_lite.cli.progress_line import Shown, Window
from bayling_lite.cli.saying import say
from bayling_lite.terminal import printable
from bayling_lite.units import bytes_text

if TYPE_CHECKING:
    from bayling_finetune.dialogues.building import Built
    from bayling_finetune.dialogues.plan import Stage

_KINDS = "translation, constraint, correction, grammar, replacement, formality, length, style, conversation"


class _Remembering(click.Command):
    """A command that knows what it was called with, for the report and for the line that resumes it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, and keep a copy."""
        ctx.meta["bayling.arguments"] = list(args)
        return super().parse_args(ctx, args)


@click.command("build", cls=_Remembering, short_help="Parallel text to dialogues.")
@click.argument("files", metavar="[INPUT...]", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The file to write: .jsonl or .gz."
)
@click.option("--from", "source", metavar="LANG", help="Language of the first side of each INPUT.")
@click.option("--to", "target", metavar="LANG", help="Language of the second side.")
@click.option(
    "--input",
    "specs",
    multiple=True,
    metavar="PAIR=FILE[,FILE]",
    help="One more input with its languages, such as en-de=news.tsv, or two aligned files: en-fr=a.en,a.fr.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(("tsv", "tmx", "parquet")),
    help="Of every INPUT.  [default: told by its name]",
)
@click.option("--columns", metavar="A,B", help="Of a TSV file two numbers from 1, of Parquet two names; source first.")
@click.option("--encoding", metavar="NAME", help="Of every input.  [default: utf-8]")
@click.option(
    "--kinds", metavar="KIND=SHARE,...", help=f"These kinds alone, each with its chance from 0 to 1: {_KINDS}."
)
@click.option(
    "--instructions", metavar="LANG=SHARE,...", help="What users speak: en, zh, de, fr.  [default: mostly en, zh]"
)
@click.option(
    "--license",
    "licenses",
    multiple=True,
    metavar="[FILE=]TEXT",
    help="The licence of an input, or of all, for the report; repeatable.",
)
@click.option("--one-way", is_flag=True, help="Only from the first language to the second.  [default: both ways]")
@click.option("--seed", type=int, default=1, show_default=True, help="The same one gives the same dialogues.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="A random sample of N pairs.")
@click.option(
    "--test-set",
    "test_sets",
    multiple=True,
    metavar="FILE|NAME",
    help="Sentences that must not be trained on; repeatable.",
)
@click.option(
    "--on-overlap",
    type=click.Choice(("refuse", "drop", "allow")),
    default="refuse",
    show_default=True,
    help="What to do about pairs in a test set.",
)
@click.option("--max-words", type=click.IntRange(min=0), default=150, show_default=True, help="Of a side; 0 for any.")
@click.option("--max-ratio", type=float, default=3.0, show_default=True, help="Of the sides' lengths; 0 for any.")
@click.option("--no-language-check", is_flag=True, help="Keep sentences that look like another language.")
@click.option("--keep-duplicates", is_flag=True, help="Keep pairs that occurred before.")
@click.option("--drafts", metavar="MODEL", help="Correct real drafts of this model, a name or a .gguf file.")
@click.option(
    "--draft-share",
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    help="How many of the corrections are of a real draft.",
)
@writer_options
@click.option(
    "--tokenizer", type=click.Path(path_type=Path), help="A SentencePiece model, to count tokens for the report."
)
@click.option("--processes", type=click.IntRange(min=1), metavar="N", help="Processes at work.  [default: all cores]")
@click.option(
    "--report", "report", type=click.Path(path_type=Path), help="The report's page.  [default: beside the output]"
)
@click.option("--no-report", is_flag=True, help="Write no report.")
@click.option("--force", is_flag=True, help="Overwrite the output.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@click.option("--no-progress", is_flag=True, help="Show no progress.")
def build(**given: Any) -> None:
    """Build dialogues from parallel text: TSV, TMX, Parquet, or two aligned files.

    The languages of an INPUT are told by its name, such as news.en-zh.tsv, or by --from and --to. What is interrupted
    goes on when the same command is called again; the file is the same in the end, however many processes work.

    \b
    Examples:
      bayling dialogues build news.en-zh.tsv talks.en-de.tmx.gz -o dialogues.jsonl
      bayling dialogues build corpus.tsv --from en --to zh --test-set wmt22.en-zh.tsv -o dialogues.jsonl
      bayling dialogues build --input en-fr=europarl.en,europarl.fr -o dialogues.jsonl.gz
      bayling dialogues build *.en-zh.tsv --kinds correction=1,conversation=0.2 --instructions zh=1 -o zh.jsonl
      bayling dialogues build news.en-zh.tsv --drafts bayling-tiny --draft-share 0.01 -o drafted.jsonl
    """  # noqa: D301 - click wants the character \b
    from bayling_lite.cli.dialogues_plan import Choices, carry_out

    ctx = click.get_current_context()
    choices = Choices(**given)
    command = shlex.join([ctx.command_path, *ctx.meta["bayling.arguments"]]).replace(
        shlex.quote(ctx.command_path), ctx.command_path, 1
    )
    display = _Display(wanted=not choices.quiet and not choices.no_progress)
    try:
        built, paths = carry_out(choices, command, __version__, display.show)
    except KeyboardInterrupt:
        display.end(interrupted=True)
        kept = "What is finished is kept; go on" if display.has_begun else "Nothing was finished yet; begin again"
        say(f"Interrupted. {kept} with: {command}")
        sys.exit(130)
    finally:
        display.end()
    if not choices.quiet:
        _tell(built)
    for path in paths:
        click.echo(printable(str(path), keep=""))


class _Display:
    """Progress: a line for the stage that is being worked at."""

    def __init__(self, *, wanted: bool) -> None:
        self._line = StatusLine(wanted=wanted)
        self._window = Window()
        self._stage: str | None = None
        self.has_begun = False

    def show(self, stage: Stage, done: int, total: int) -> None:
        """Where the build is."""
        label = stage.value
        self.has_begun = True
        if label == "Adding":  # The writer shows its progress itself.
            return
        if label != self._stage:
            self._stage = label
            self._window.clear()
        self._window.add(done, time.monotonic())
        if not self._line.due() and done:
            return
        rate = self._window.rate
        if total:
            self._line.show(counted(label, done, total, "drafts" if label == "Drafting" else "pairs", rate))
        else:
            amount = f"{done:,} pairs" if done else ""
            self._line.show(Shown(label, amount=amount, speed=f"{rate:,.0f}/s" if rate and done else ""))

    def end(self, *, interrupted: bool = False) -> None:
        """Take the line away."""
        self._line.end(interrupted=interrupted)


def _tell(built: Built) -> None:
    from bayling_finetune.dialogues.sources.values import Reason

    report = built.report
    statistics = report.statistics
    for reason, count in sorted(report.skipped.items(), key=lambda entry: -entry[1]):
        say(f"Left out, {reason}: {count:,}")
    # Sides that are the other way round, or languages that are others than named, are a slip that leaves little.
    if report.skipped.get(Reason.WRONG_LANGUAGE.explanation, 0) * 2 > report.pairs_read:
        say("Most pairs look like other languages: are the sides the other way round? --from and --to name them.")
    if report.test_sets and not report.overlap:
        say(f"In the test sets {', '.join(report.test_sets)}: no pair.")
    for name, count in report.overlap.items():
        what = "kept, as --on-overlap allow says" if report.on_overlap == "allow" else "left out"
        say(f"In the test set {name}: {count:,} pairs, {what}.")
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in statistics.tables["kinds"].most_common())
    say(
        f"{statistics.dialogues:,} dialogues, {statistics.multi_turn:,} of several turns, from "
        f"{report.pairs_used:,} of {report.pairs_read:,} pairs ({bytes_text(built.report.output['bytes'])}): {kinds}."
    )
