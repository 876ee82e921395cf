"""``bayling evaluate bayling80``: general questions, whose answers a judge compares with another system's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import click

from bayling_lite.cli.evaluate_judging import JudgeFlags, Judging, judge_options
from bayling_lite.cli.evaluate_options import MeasuringCommand, MeasuringFlags, measuring_options
from bayling_lite.cli.evaluate_running import choose_sets, data_folder, run_family, say_where
from bayling_lite.errors import UsageError
from bayling_lite.evaluate.bayling80.family import BayLing80
from bayling_lite.evaluate.bayling80.sources import AnswerSource
from bayling_lite.evaluate.data import DataFolder
from bayling_lite.evaluate.results import ResultsFolder
from bayling_lite.evaluate.values import SetResult


@click.command("bayling80", cls=MeasuringCommand)
@click.argument("sets", metavar="[SET]...", nargs=-1)
@judge_options
@click.option(
    "--answers",
    metavar="NAME|FILE|DIR",
    help="Compare these answers instead of having a model answer.",
)
@click.option("--estimate", is_flag=True, help="Say how many tokens the judge would be sent, and ask it nothing.")
@measuring_options
def bayling80(
    sets: tuple[str, ...], judging: JudgeFlags, answers: str | None, estimate: bool, measuring: MeasuringFlags
) -> None:
    """Have a model answer the questions of BayLing-80, and have a judge compare the answers with another system's.

    Sets: singleturn.en, singleturn.zh, multiturn.en, multiturn.zh; by default all. Answers are sampled at temperature
    0.7, as in the paper (--greedy and --beam change that).

    With --judge and --against, another model gives both systems' answers 1 to 10 points each, twice, with their places
    swapped. The key of the judge's server is read from BAYLING_JUDGE_KEY, else, unless another server is measured, from
    BAYLING_SERVER_KEY. What the judge said is kept; run the same command again after an interruption and it goes on
    where it was.

    \b
    Examples:
      bayling evaluate bayling80 --data BayLing --model bayling-2-7b
      bayling evaluate bayling80 --data BayLing --against vicuna-13b-1.1 --judge http://127.0.0.1:8000/v1
      bayling evaluate bayling80 --answers mine --against other --judge judge.gguf
    """  # noqa: D301 - click wants the character \b
    if judging.judge is None:
        if answers is not None or estimate:
            raise UsageError("--answers and --estimate are for a comparison: give --judge and --against as well.")
        run_family(BayLing80(), sets, measuring)
        return
    data = data_folder(measuring.data) if measuring.data or answers is None else DataFolder([])
    judge = Judging(measuring, judging, data)
    # The other's answers and the judge are looked for before anything is computed: a wrong name is told at once.
    if answers is None:
        chosen = choose_sets(BayLing80(), data, sets)
        others = judge.others(chosen)
        judge.check()
        ours = run_family(BayLing80(), chosen, measuring)
    else:
        ours = tuple(_given(AnswerSource(answers, data, ResultsFolder(measuring.out)), sets, measuring))
        others = judge.others([result.set_name for result in ours])
    judge.judge(ours, others, estimate_only=estimate)
    if answers is not None and not measuring.quiet and not estimate:
        say_where(measuring.out)


def _given(source: AnswerSource, sets: Sequence[str], flags: MeasuringFlags) -> Iterator[SetResult]:
    """Answers that are there already."""
    chosen = tuple(dict.fromkeys(sets)) or source.sets()
    if not chosen:
        raise UsageError("Name the set whose answers are given, or a system that there are answers of.")
    for name in chosen:
        result = source.read(name)
        yield replace(result.named(flags.name or result.system), outputs=result.outputs[: flags.limit])
