"""``bayling evaluate all``: a row of every table of the paper, by one command."""

from __future__ import annotations

from collections.abc import Sequence

import click

from bayling_lite.cli.evaluate_judging import JudgeFlags, Judging, judge_options
from bayling_lite.cli.evaluate_options import MeasuringCommand, MeasuringFlags, measuring_options
from bayling_lite.cli.evaluate_running import (
    WHERE_DATA_IS,
    check_scoring,
    data_folder,
    measure_sets,
    measuring_generator,
    say_where,
)
from bayling_lite.cli.saying import say
from bayling_lite.errors import InputError, UsageError
from bayling_lite.evaluate.data import DataFolder
from bayling_lite.evaluate.families import FAMILIES, Family, family
from bayling_lite.evaluate.generating import Generator
from bayling_lite.evaluate.values import SetResult, Setup

BAYLING80 = "bayling80"

_Work = list[tuple[Family, tuple[str, ...]]]


@click.command("all", cls=MeasuringCommand)
@click.argument("names", metavar="[FAMILY]...", nargs=-1)
@judge_options
@measuring_options
def all_command(names: tuple[str, ...], judging: JudgeFlags, measuring: MeasuringFlags) -> None:
    """Measure one model on every set that the test data holds, or on those of the families FAMILY.

    Families: wmt22, constrained, refinement, bayling80, exams. Every set is written to the results folder when it is
    done; run the same command again after an interruption and it goes on where it was.

    With --judge and --against, the answers to bayling80 are compared with another system's, as `bayling evaluate
    bayling80` does it, when everything is measured. That command can also have them judged later (--answers).

    \b
    Examples:
      bayling evaluate all --data BayLing --data AGIEval
      bayling evaluate all wmt22 constrained --data BayLing --greedy
      bayling evaluate all --data BayLing --limit 20 --name "a first look"
      bayling evaluate all --data BayLing --judge http://127.0.0.1:8000/v1 --against vicuna-13b-1.1
    """  # noqa: D301 - click wants the character \b
    data = data_folder(measuring.data)
    work = _find(names, data, quiet=measuring.quiet)
    check_scoring(*(each for each, _ in work))
    judge, others = _find_judge(judging, work, data, measuring)
    with measuring_generator(measuring) as (generator, setup):
        failed, measured = _measure(work, data, generator, setup, measuring, judged=judge is not None)
    answers = [result for result in measured if result.family == BAYLING80]
    if judge is not None and answers:
        # Only now: the measured model may need the memory that a judge in a GGUF takes.
        judge.judge(answers, others)
    if not measuring.quiet:
        say_where(measuring.out)
    if failed:
        raise InputError(f"Not measured: {', '.join(failed)}. All other sets are.")


def _find(names: Sequence[str], data: DataFolder, *, quiet: bool) -> _Work:
    """The families that the data holds sets of, with these.

    Raises:
        UsageError: there is no such family, or the data has nothing of one that is named, or of any.
    """
    found = [(each, each.find_sets(data)) for each in map(family, dict.fromkeys(names or FAMILIES))]
    missing = " or ".join(each.name for each, sets in found if not sets)
    work = [(each, sets) for each, sets in found if sets]
    if missing:
        none = f"There is no set of {missing} in {' and '.join(map(str, data.folders))}."
        if names or not work:
            raise UsageError(f"{none} {WHERE_DATA_IS}")
        if not quiet:
            say(none)
    return work


def _find_judge(
    judging: JudgeFlags, work: _Work, data: DataFolder, measuring: MeasuringFlags
) -> tuple[Judging | None, dict[str, SetResult]]:
    """The judge, who is there, and the answers that it compares with; None where nothing is to be judged.

    Raises:
        UsageError: a judge is named, but nothing that is measured can be judged, or there are no answers to compare.
        BaylingError: the judge cannot be used.
    """
    if judging.judge is None:
        return None, {}
    sets = [name for each, names in work if each.name == BAYLING80 for name in names]
    if not sets:
        raise UsageError(f"--judge compares answers to {BAYLING80}, which is not among what is measured.")
    judge = Judging(measuring, judging, data)
    others = judge.others(sets)
    judge.check()
    return judge, others


def _measure(
    work: _Work, data: DataFolder, generator: Generator, setup: Setup, measuring: MeasuringFlags, *, judged: bool
) -> tuple[list[str], list[SetResult]]:
    """Measure one set after the other; gives those that could not be, and the results of the others.

    What is wrong with the files of one set, or with what its scores need, does not keep the others from it.
    """
    failed: list[str] = []
    results: list[SetResult] = []
    for each, sets in work:
        click.echo(each.name)
        for name in sets:
            try:
                results += measure_sets(each, data, (name,), generator, setup, measuring)
            except (InputError, UsageError) as error:
                say(f"Error: {error}")
                failed.append(f"{each.name} {name}")
        if each.name == BAYLING80 and not judged and not measuring.quiet:
            say("  Not judged: --judge and --against have the answers compared with another system's.")
    return failed, results
