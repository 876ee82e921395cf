"""``bayling evaluate bayling80``: general questions, whose answers a judge compares with another system's."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import click

from bayling_lite.cli.evaluate_options import MeasuringCommand, MeasuringFlags, measuring_options
from bayling_lite.cli.evaluate_running import (
    choose_sets,
    data_folder,
    keep,
    measuring_generator,
    number,
    run_family,
    say_where,
    show_result,
)
from bayling_lite.cli.options import EngineFlags
from bayling_lite.cli.saying import say
from bayling_lite.cli.tables import output_width, table
from bayling_lite.errors import EngineError, UsageError
from bayling_lite.evaluate.bayling80.family import BayLing80
from bayling_lite.evaluate.bayling80.judging import Judge, judge_set
from bayling_lite.evaluate.bayling80.sources import AnswerSource
from bayling_lite.evaluate.bayling80.summary import BayLing80Summary, summarize
from bayling_lite.evaluate.bayling80.verdicts import Verdict
from bayling_lite.evaluate.data import DataFolder
from bayling_lite.evaluate.results import ResultsFolder
from bayling_lite.evaluate.values import SetResult
from bayling_lite.terminal import printable


@click.command("bayling80", cls=MeasuringCommand)
@click.argument("sets", metavar="[SET...]", nargs=-1)
@click.option(
    "--judge",
    metavar="URL|MODEL",
    help="Have answers compared: by a server that speaks OpenAI's protocol, or by a GGUF.",
)
@click.option("--judge-model", metavar="NAME", help="Which model of the judge's server.  [default: its only one]")
@click.option(
    "--against",
    metavar="NAME|FILE|DIR",
    help="Compare with these answers: a system in the results folder or among the published outputs, or files.",
)
@click.option(
    "--answers",
    metavar="NAME|FILE|DIR",
    help="Compare these answers instead of having a model answer.",
)
@measuring_options
def bayling80(
    sets: tuple[str, ...],
    judge: str | None,
    judge_model: str | None,
    against: str | None,
    answers: str | None,
    measuring: MeasuringFlags,
) -> None:
    """Have a model answer the questions of BayLing-80, and have a judge compare the answers with another system's.

    Sets: singleturn.en, singleturn.zh, multiturn.en, multiturn.zh; by default all. Answers are sampled at temperature
    0.7, as in the paper (--greedy and --beam change that).

    With --judge and --against, another model gives both systems' answers 1 to 10 points each, twice, with their places
    swapped. The key of the judge's server is read from BAYLING_SERVER_KEY. What the judge said is kept; run the same
    command again after an interruption and it goes on where it was.

    \b
    Examples:
      bayling evaluate bayling80 --data BayLing --model bayling-2-7b
      bayling evaluate bayling80 --data BayLing --against vicuna-13b-1.1 --judge http://127.0.0.1:8000/v1
      bayling evaluate bayling80 --answers mine --against other --judge judge.gguf
    """  # noqa: D301 - click wants the character \b
    if (judge is None) != (against is None):
        raise UsageError("A comparison needs a judge and another system: give --judge and --against, or neither.")
    if judge is None or against is None:
        if answers is not None or judge_model is not None:
            raise UsageError("--answers and --judge-model are for a comparison: give --judge and --against as well.")
        run_family(BayLing80(), sets, measuring)
        return
    if judge_model is not None and not _is_url(judge):
        raise UsageError("--judge-model names a model of a judge's server: give its address to --judge.")
    results = ResultsFolder(measuring.out)
    data = data_folder(measuring.data) if measuring.data or answers is None else DataFolder([])
    theirs = AnswerSource(against, data, results)
    # Found before anything is computed: a wrong name is told at once.
    if answers is None:
        chosen = choose_sets(BayLing80(), data, sets)
        others = [theirs.read(name) for name in chosen]
        ours = run_family(BayLing80(), chosen, measuring)
    else:
        ours = tuple(_given(AnswerSource(answers, data, results), sets, measuring))
        others = [theirs.read(result.set_name) for result in ours]
    compared = _judged(ours, others, _judge_flags(measuring, judge, judge_model))
    _show(summarize(compared), compared)
    if answers is not None and not measuring.quiet:
        say_where(measuring.out)


def _given(source: AnswerSource, sets: Sequence[str], flags: MeasuringFlags) -> Iterator[SetResult]:
    """Answers that are there already."""
    chosen = tuple(dict.fromkeys(sets)) or source.sets()
    if not chosen:
        raise UsageError("Name the set whose answers are given, or a system that there are answers of.")
    for name in chosen:
        result = source.read(name)
        yield replace(result.named(flags.name or result.system), outputs=result.outputs[: flags.limit])


def _judged(ours: Sequence[SetResult], others: Sequence[SetResult], flags: MeasuringFlags) -> tuple[SetResult, ...]:
    """Have sets judged one after the other; keep and print each as it is done."""
    compared = []
    folder = ResultsFolder(flags.out)
    with _words_of_the_judge(), measuring_generator(flags) as (generator, _):
        judge = Judge(generator.engine, generator.store, generator.progress, seed=flags.seed)
        for mine, their in zip(ours, others, strict=True):
            result = judge_set(mine, their, judge)
            keep(result, folder)
            # The effort that the result tells of was that of answering.
            show_result(result, quiet=True)
            compared.append(result)
    return tuple(compared)


@contextlib.contextmanager
def _words_of_the_judge() -> Iterator[None]:
    """Errors name the option that chooses the judge's model, not that of the model which is measured."""
    try:
        yield
    except (UsageError, EngineError) as error:
        text = str(error).replace("--server-model", "--judge-model")
        if text == str(error):
            raise
        raise (UsageError if isinstance(error, UsageError) else EngineError)(text) from error


def _judge_flags(flags: MeasuringFlags, judge: str, judge_model: str | None) -> MeasuringFlags:
    """The options under which the judge is opened: those of the machine as for the model, its own template."""
    if _is_url(judge):
        return replace(flags, server=judge, server_model=judge_model)
    settings = flags.engine.settings.copy()
    settings["model"] = judge
    return replace(flags, server=None, server_model=None, engine=EngineFlags(None, settings))


def _is_url(judge: str) -> bool:
    return judge.startswith(("http://", "https://"))


def _show(summary: BayLing80Summary, compared: Sequence[SetResult]) -> None:
    """Print what all sets come to, and the categories.

    Raises:
        EngineError: no question was judged.
    """
    total = summary.total
    if total.ratio is None:
        raise EngineError(f"No question was judged ({_failures(compared)}). What the judge said is in the results.")
    head = f"{summary.system} against {summary.against}: win {total.win}  tie {total.tie}  lose {total.lose}"
    click.echo(printable(f"{head}  ratio {number(total.ratio)} %", keep=""))
    rows = [
        [each.category, _score(each.tally.mean), _score(each.tally.other_mean), _score(each.tally.ratio)]
        for each in summary.categories
    ]
    for line in table(["CATEGORY", summary.system, summary.against, "RATIO %"], rows, output_width()):
        click.echo(line)
    if total.unjudged:
        say(
            f"Warning: {total.unjudged} of {total.unjudged + total.n_judged} questions are unjudged "
            f"({_failures(compared)}). They are in no figure. What the judge said is in the results."
        )


def _failures(compared: Sequence[SetResult]) -> str:
    """Why there are no scores: what was wrong with the last replies of the askings without."""
    verdicts = [Verdict.of(output.details) for result in compared for output in result.outputs]
    last = Counter(order.problems[-1] for verdict in verdicts for order in verdict.orders if not order.scores)
    kinds = {"context": "did not fit its context", "refused": "were refused, or failed"}
    counted: Counter[str] = Counter()
    for problem, count in last.items():
        counted[kinds.get(problem, "had no two scores")] += count
    return ", ".join(f"{count} {kind}" for kind, count in counted.most_common())


def _score(value: float | None) -> str:
    return "" if value is None else number(value)
