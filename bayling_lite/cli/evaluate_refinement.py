"""``bayling evaluate refinement``: dialogues in which a user says what to change in a draft."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bayling_lite.cli.evaluate_options import MeasuringCommand, MeasuringFlags, measuring_options

if TYPE_CHECKING:
    from bayling_lite.evaluate.interactive.refinement_sets import RefinementDialogue
    from bayling_lite.evaluate.values import SetResult

_FILE = click.Path(path_type=Path)


@click.command("refinement", cls=MeasuringCommand)
@click.argument("sets", nargs=-1, metavar="[SET|FILE]...")
@click.option(
    "--guaranteed",
    is_flag=True,
    help="Have the drafts refined as this program does it; the system is called 'NAME, guaranteed' then.",
)
@click.option("--make", "made", type=_FILE, metavar="FILE", help="Write a set to FILE, and measure nothing.")
@click.option("--source", type=_FILE, metavar="FILE", help="--make it of a parallel text: a sentence a line.")
@click.option("--reference", type=_FILE, metavar="FILE", help="Its translation, line by line.")
@click.option("--from", "from_", metavar="LANG", help="The language of --source: its code or its name.")
@click.option("--to", metavar="LANG", help="The language of --reference.")
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="--make at most N dialogues.  [default: 300]")
@measuring_options
def refinement(
    sets: tuple[str, ...],
    guaranteed: bool,
    made: Path | None,
    source: Path | None,
    reference: Path | None,
    from_: str | None,
    to: str | None,
    count: int | None,
    measuring: MeasuringFlags,
) -> None:
    """Translate texts, then say what to change in the drafts, turn by turn: is that done, and is the rest kept?

    SET is a set of the data: a file refinement.SET.jsonl, or a set of constrained translation, of which one is made:
    the user asks for each phrase that the draft lacks. FILE is a set of your own, a dialogue a line (here broken):

    \b
      {"from": "en", "to": "de", "text": "Can you meet me at the bank tomorrow?",
       "turns": [{"contains": ["Ufer"]},
                 {"say": "Please address the reader politely.", "formality": "formal"},
                 {"say": "Too long.", "shorter": true}]}

    "say" is what the user says; all else tells whether it was done:

    \b
      contains   phrases that the new draft must have, as words of their own
      absent     phrases that it must not have, in whatever case
      shorter    true (5 % at least), or at most what share of the draft's letters: 0.8
      longer     true (5 % at least), or at least how many times its letters: 1.2
      language   what language it must be in
      formality  "formal" or "informal": forms of address, and contractions
      keep       phrases that must stay if the draft has them; without it, the rest
      kind       what turns of this kind are called in the tables
      always     true: said even where the draft is as wished already

    "say" may be left out with one phrase in "contains" (and one in "absent", which it replaces), with "shorter" and
    with "longer". What the draft has already is not asked for. A dialogue may have an "id", and a "reference" for BLEU.

    Printed are the share of turns in which the instruction was followed; of the other words of the drafts, where it
    was, those kept, and of the words of the new drafts those that are old or were asked for (nothing added); of
    dialogues with all turns followed; of followed wishes that the last draft still fulfils; and of all wishes, said or
    not, that it fulfils. A model with better first drafts is told less: the last number alone is of the same wishes for
    every model. Answers count as they are, with whatever is said around a draft. The model answers by itself, unless
    --guaranteed.

    \b
    Examples:
      bayling evaluate refinement en-zh --data BayLing
      bayling evaluate refinement mine.jsonl --guaranteed
      bayling evaluate refinement zh-en --data BayLing --make mine.jsonl --count 50
      bayling evaluate refinement --make mine.jsonl --source a.en --reference a.de --from en --to de
    """  # noqa: D301 - click wants the character \b
    from bayling_lite.cli.evaluate_running import choose_sets, data_folder, measure_sets, measuring_generator, say_where
    from bayling_lite.errors import UsageError
    from bayling_lite.evaluate.data import DataFolder
    from bayling_lite.evaluate.interactive.refinement import Refinement, set_of

    parallel = (source, reference, from_, to)
    if made is not None:
        _make(made, sets, parallel, count, measuring)
        return
    if count or any(one is not None for one in parallel):
        raise UsageError("--source, --reference, --from, --to and --count go with --make, which names a file to write.")
    files = tuple(Path(name) for name in sets if name.endswith(".jsonl"))
    names = [set_of(Path(name)) if name.endswith(".jsonl") else name for name in sets]
    if len(set(map(set_of, files))) < len(files):
        raise UsageError(
            "Two of the files have the same name, and their results would have, too. Measure them one by one."
        )
    family = Refinement(guaranteed, files)
    data = DataFolder(()) if files and len(files) == len(sets) else data_folder(measuring.data)
    chosen = choose_sets(family, data, names)
    for name in chosen:
        # What is wrong with a set is told before a model is loaded.
        family.dialogues(data, name)
    with measuring_generator(measuring) as (generator, setup):
        for name in chosen:
            for result in measure_sets(family, data, (name,), generator, setup, measuring):
                _show_groups(result)
    if not measuring.quiet:
        say_where(measuring.out)


def _show_groups(result: SetResult) -> None:
    """Print a table of the turns by kind and by place, where there is more than one of them."""
    from bayling_lite.cli.evaluate_running import number
    from bayling_lite.cli.tables import output_width, table
    from bayling_lite.evaluate.interactive.refinement_judging import FOLLOWED, KEPT, NOT_ADDED, breakdown

    groups = breakdown(result.outputs)
    if len(groups) <= 2:  # one kind, and one turn: the line above says it all
        return
    rows = [
        (
            group.name,
            f"{group.said:,}",
            *("-" if share is None else number(share) for share in (group.followed, group.kept, group.not_added)),
        )
        for group in groups
    ]
    header = ("TURNS", "SAID", FOLLOWED.upper(), KEPT.upper(), NOT_ADDED.upper())
    for line in table(header, rows, output_width()):
        click.echo(f"  {line}")


def _make(
    path: Path,
    sets: Sequence[str],
    parallel: tuple[Path | None, Path | None, str | None, str | None],
    count: int | None,
    measuring: MeasuringFlags,
) -> None:
    """Write a set.

    Raises:
        UsageError: it is said how many items are to be measured.
        OutputError: the file is there already, or cannot be written.
    """
    from bayling_lite.cli.saying import say
    from bayling_lite.errors import InputError, OutputError, UsageError
    from bayling_lite.evaluate.interactive.making import USUAL_SIZE
    from bayling_lite.evaluate.interactive.refinement_sets import refinement_lines
    from bayling_lite.reasons import reason
    from bayling_lite.whole_file import replace_whole

    if measuring.limit is not None:
        raise UsageError("--limit is for measuring. How many dialogues --make writes, --count says.")
    if path.exists():
        raise OutputError(f"{path} is there already. Remove it, or name another file with --make.")
    dialogues = _made(sets, parallel, count or USUAL_SIZE, measuring)
    if not dialogues:
        raise InputError("Nothing can be asked for in these sentences: no phrase of the references will do.")
    try:
        replace_whole(path, refinement_lines(dialogues).encode())
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {reason(error)}.") from error
    if not measuring.quiet:
        say(f"{path}: {len(dialogues):,} dialogues. Measured by: bayling evaluate refinement {path}")


def _made(
    sets: Sequence[str],
    parallel: tuple[Path | None, Path | None, str | None, str | None],
    count: int,
    measuring: MeasuringFlags,
) -> tuple[RefinementDialogue, ...]:
    from bayling_lite.cli.evaluate_running import data_folder
    from bayling_lite.errors import UsageError
    from bayling_lite.evaluate.interactive.constrained_files import read_constrained_set
    from bayling_lite.evaluate.interactive.making import from_constrained, from_parallel
    from bayling_lite.evaluate.translation.test_sets import set_from_files

    source, reference, from_, to = parallel
    if source is None and reference is None and from_ is None and to is None:
        if len(sets) != 1:
            raise UsageError(
                "A set is made of one set of constrained translation, SET, or of a parallel text: --source, "
                "--reference, --from and --to."
            )
        return from_constrained(read_constrained_set(data_folder(measuring.data), sets[0]), count)
    if source is None or reference is None or from_ is None or to is None or sets:
        raise UsageError("To make a set of a parallel text, give --source, --reference, --from and --to, and no SET.")
    return from_parallel(set_from_files(source, (reference,), from_, to), count)
