"""Having a judge compare answers to BayLing-80, as the commands of ``bayling evaluate`` share it."""

from __future__ import annotations

import contextlib
import functools
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import click

from bayling_lite.cli.evaluate_options import MeasuringFlags
from bayling_lite.cli.evaluate_running import keep, measuring_engine, measuring_generator, number, show_result
from bayling_lite.cli.opening import find_model
from bayling_lite.cli.options import EngineFlags
from bayling_lite.cli.saying import say
from bayling_lite.cli.tables import output_width, table
from bayling_lite.errors import EngineError, UsageError
from bayling_lite.evaluate.bayling80.judging import Judge, Workload, judge_set, workload
from bayling_lite.evaluate.bayling80.sources import AnswerSource
from bayling_lite.evaluate.bayling80.summary import BayLing80Summary, summarize
from bayling_lite.evaluate.bayling80.verdicts import Verdict
from bayling_lite.evaluate.data import DataFolder
from bayling_lite.evaluate.results import ResultsFolder
from bayling_lite.evaluate.values import SetResult
from bayling_lite.terminal import printable

Function = TypeVar("Function", bound=Callable[..., Any])

KEY = "BAYLING_JUDGE_KEY"
"""The environment variable with the key of the judge's server, where it is not that of the measured one."""


@dataclass(frozen=True, slots=True)
class JudgeFlags:
    """What the command line says of a judge. Give ``judge`` and ``against``, or neither: then nothing is judged.

    Raises:
        UsageError: one of the options needs another one.
    """

    judge: str | None
    model: str | None
    temperature: float
    max_tokens: int
    against: str | None

    def __post_init__(self) -> None:
        if (self.judge is None) != (self.against is None):
            raise UsageError("A comparison needs a judge and another system: give --judge and --against, or neither.")
        if self.judge is None and self.model is not None:
            raise UsageError("--judge-model is for a comparison: give --judge and --against as well.")
        if self.judge is not None and self.model is not None and not is_url(self.judge):
            raise UsageError("--judge-model names a model of a judge's server: give its address to --judge.")


def judge_options(function: Function) -> Function:
    """The options of a command that may have answers judged: the parameter ``judging``, a :class:`JudgeFlags`."""
    decorators = (
        click.option(
            "--judge",
            metavar="URL|MODEL",
            help="Have answers to BayLing-80 compared: by a server that speaks OpenAI's protocol, or by a GGUF.",
        ),
        click.option(
            "--judge-model", metavar="NAME", help="Which model of the judge's server.  [default: its only one]"
        ),
        click.option(
            "--judge-temperature",
            type=click.FloatRange(0, 2),
            default=0.0,
            show_default=True,
            metavar="T",
            help="Of the judge's sampling, 0 is greedy; some models that think want more.",
        ),
        click.option(
            "--judge-tokens",
            type=click.IntRange(min=1),
            default=1024,
            show_default=True,
            metavar="N",
            help="The most tokens of a judge's reply, thoughts at a server included.",
        ),
        click.option(
            "--against",
            metavar="NAME|FILE|DIR",
            help="Compare with these answers: a system in the results folder or among the published outputs, or files.",
        ),
    )

    @functools.wraps(function)
    def collected(**given: Any) -> Any:
        flags = JudgeFlags(
            judge=given.pop("judge"),
            model=given.pop("judge_model"),
            temperature=given.pop("judge_temperature"),
            max_tokens=given.pop("judge_tokens"),
            against=given.pop("against"),
        )
        return function(judging=flags, **given)

    decorated: Any = collected
    for decorate in reversed(decorators):
        decorated = decorate(decorated)
    return cast(Function, decorated)


class Judging:
    """A judge and the system that others are compared with. Nothing is opened before it is asked for.

    Args:
        flags: how is measured; the judge computes on the same machine, with its own model and template.
        judging: with ``judge`` and ``against``.
        data: where published answers are looked for.
    """

    def __init__(self, flags: MeasuringFlags, judging: JudgeFlags, data: DataFolder) -> None:
        if judging.judge is None or judging.against is None:
            raise UsageError("A comparison needs a judge and another system: give --judge and --against.")
        self._flags = _flags_of(flags, judging.judge, judging.model)
        self._judging = judging
        self._key = _key_of(judging.judge, flags)
        self._theirs = AnswerSource(judging.against, data, ResultsFolder(flags.out))

    def others(self, sets: Sequence[str]) -> dict[str, SetResult]:
        """The other system's answers, by set.

        Raises:
            UsageError: there are none to one of the sets.
            InputError: they are damaged.
        """
        return {name: self._theirs.read(name) for name in sets}

    def check(self) -> None:
        """See that the judge is there, before hours are spent on what it is to judge.

        Raises:
            UsageError, ModelError: there is no such model.
            EngineError: its server does not answer, or refuses the key.
        """
        if self._flags.server is None:
            find_model(self._flags.engine)
            return
        with _words_of_the_judge(), measuring_engine(self._flags, key=self._key):
            pass

    def judge(
        self, ours: Sequence[SetResult], others: Mapping[str, SetResult], *, estimate_only: bool = False
    ) -> BayLing80Summary | None:
        """Have sets judged one after the other; keep and print each as it is done, and then what they come to.

        Before the first request, the user is told how many there are, and how long; with ``estimate_only`` that is all,
        and there is no summary.

        Raises:
            EngineError: the judge fails again and again (what it said is kept), or has judged nothing at all.
        """
        folder = ResultsFolder(self._flags.out)
        compared = []
        with _words_of_the_judge(), measuring_generator(self._flags, key=self._key) as (generator, _):
            judge = Judge(
                generator.engine,
                generator.store,
                generator.progress,
                max_tokens=self._judging.max_tokens,
                temperature=self._judging.temperature,
                seed=self._flags.seed,
            )
            pairs = [(mine, others[mine.set_name]) for mine in ours]
            _say_workload(judge, pairs, wanted=estimate_only or not self._flags.quiet)
            if estimate_only:
                return None
            for mine, their in pairs:
                result = judge_set(mine, their, judge)
                keep(result, folder)
                show_result(result, quiet=self._flags.quiet)
                compared.append(result)
        summary = summarize(compared)
        _show(summary, compared)
        return summary


def is_url(judge: str) -> bool:
    """Whether the judge is at a server."""
    return judge.startswith(("http://", "https://"))


def _flags_of(flags: MeasuringFlags, judge: str, model: str | None) -> MeasuringFlags:
    """The options under which the judge is opened: those of the machine as for the model, its own template."""
    if is_url(judge):
        return replace(flags, server=judge, server_model=model)
    settings = flags.engine.settings.copy()
    settings["model"] = judge
    return replace(flags, server=None, server_model=None, engine=EngineFlags(None, settings))


def _key_of(judge: str, flags: MeasuringFlags) -> str | None:
    """The key for the judge's server; None: as for every server.

    The key of the server that is measured is none of another server's business.
    """
    if own := os.environ.get(KEY):
        return own
    if flags.server is None:
        return None
    try:
        place = urlsplit(judge)
        if place.netloc == urlsplit(flags.server).netloc:
            return None
    except ValueError:
        return ""  # no address at all, which is told where it is opened
    return os.environ.get("OPENAI_API_KEY", "") if (place.scheme, place.hostname) == ("https", "api.openai.com") else ""


def _say_workload(judge: Judge, pairs: Sequence[tuple[SetResult, SetResult]], *, wanted: bool) -> None:
    if not wanted:
        return
    for mine, _ in pairs[:1]:
        if mine.run.fingerprint and mine.run.fingerprint == judge.engine.info.fingerprint:
            say(f"Warning: {judge.name} judges its own answers. Models like their own best: have another one judge.")
    work = sum((workload(*pair, judge) for pair in pairs), start=Workload())
    new = work.n_requests - work.n_kept
    kept = f" {work.n_kept:,} replies are here from before." if work.n_kept else ""
    tokens = (
        f": prompts of about {work.n_prompt:,} tokens in all, replies of at most {work.max_generated:,}" if new else ""
    )
    say(f"The judge, {judge.name}, is to be asked {new:,} times{tokens}.{kept}")


@contextlib.contextmanager
def _words_of_the_judge() -> Iterator[None]:
    """Errors name the options that the judge has, not those of the model which is measured."""
    try:
        yield
    except (UsageError, EngineError) as error:
        text = str(error).replace("--server-model", "--judge-model")
        text = text.replace("Set BAYLING_SERVER_KEY", f"Set {KEY}, or BAYLING_SERVER_KEY,")
        if "does not take temperature" in text:
            text += " --judge-temperature 1 is what models that think want."
        if text == str(error):
            raise
        raise (UsageError if isinstance(error, UsageError) else EngineError)(text) from error


def _show(summary: BayLing80Summary, compared: Sequence[SetResult]) -> None:
    """Print what all sets come to, and the categories.

    Raises:
        EngineError: no question was judged.
    """
    total = summary.total
    if total.ratio is None:
        raise EngineError(
            f"No question was judged ({_failures(compared)}). What the judge said is in the results."
            f"{_remedies(compared)}"
        )
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
            f"{_remedies(compared)}"
        )


_FAILURES = {
    "context": "did not fit its context",
    "refused": "were refused, or failed",
    "length": "were cut off",
}
_REMEDIES = {
    "context": " --ctx opens a GGUF with a larger context.",
    "refused": " Run the same command again, and it asks about those alone.",
    "length": " --judge-tokens gives the judge more room.",
}


def _failures(compared: Sequence[SetResult]) -> str:
    """Why there are no scores: what was wrong with the last replies of the askings without."""
    counted: Counter[str] = Counter()
    for problem, count in _last_problems(compared).items():
        counted[_FAILURES.get(problem, "had no two scores")] += count
    return ", ".join(f"{count} {kind}" for kind, count in counted.most_common())


def _remedies(compared: Sequence[SetResult]) -> str:
    return "".join(remedy for problem, remedy in _REMEDIES.items() if problem in _last_problems(compared))


def _last_problems(compared: Sequence[SetResult]) -> Counter[str]:
    verdicts = [Verdict.of(output.details) for result in compared for output in result.outputs]
    return Counter(order.problems[-1] for verdict in verdicts for order in verdict.orders if not order.scores)


def _score(value: float | None) -> str:
    return "" if value is None else number(value)
