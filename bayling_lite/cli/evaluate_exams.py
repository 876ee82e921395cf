"""``bayling evaluate exams``: the exams of AGIEval, as the paper gave them."""

from __future__ import annotations

from collections.abc import Sequence

import click

from bayling_lite.cli.evaluate_options import MeasuringCommand, MeasuringFlags, measuring_options
from bayling_lite.cli.evaluate_running import number, run_family
from bayling_lite.evaluate.exams.family import DEFAULT_MAX_TOKENS, Exams
from bayling_lite.evaluate.exams.grading import Rule
from bayling_lite.evaluate.exams.summary import ExamAverage, summaries
from bayling_lite.evaluate.values import SetResult
from bayling_lite.terminal import printable


@click.command("exams", cls=MeasuringCommand)
@click.argument("tasks", metavar="[TASK]...", nargs=-1)
@click.option(
    "--rule",
    type=click.Choice([rule.value for rule in Rule]),
    default=Rule.PAPER.value,
    show_default=True,
    help="How the chosen option is found in an answer; only the paper's rule is comparable with published numbers.",
)
@click.option(
    "--without-logiqa-zh", is_flag=True, help="The other published English average: of 8 tasks, without logiqa-zh."
)
@click.option(
    "--max-tokens",
    type=click.IntRange(min=1),
    default=DEFAULT_MAX_TOKENS,
    show_default=True,
    metavar="N",
    help="The most tokens of an answer, thoughts before it included.",
)
@measuring_options
def exams(
    tasks: tuple[str, ...], rule: str, without_logiqa_zh: bool, max_tokens: int, measuring: MeasuringFlags
) -> None:
    """Give a model the exams TASK, or all that the test data holds, and count its right answers in percent.

    The questions are the files data/v1/NAME.jsonl of the public repository ruixiangcui/AGIEval: gaokao-chinese,
    gaokao-english, gaokao-mathqa, gaokao-physics, gaokao-chemistry, gaokao-biology, gaokao-history, gaokao-geography,
    gaokao-mathcloze, sat-math, sat-en, sat-en-without-passage, aqua-rat, lsat-ar, lsat-lr, lsat-rc, logiqa-en,
    logiqa-zh; besides jec-qa-kd, jec-qa-ca and math. Of a checkout that holds later versions, too, v1 is taken, as in
    the paper; --data AGIEval/data/v1_1 measures another. Each exam is asked in its own language, whatever --wording
    says, with the paper's words; answers are greedy unless --beam is given. Questions too long for the model's context
    count as wrong, and are counted.

    The paper's rule takes the first capital letter A to F of an answer for its choice; in gaokao-physics and jec-qa,
    all of them. With --rule strict, only what is given as the answer counts: "Answer is choice (B)", "**B**", "故选B",
    "\\boxed{B}". Answers are kept: measured with the other rule and another --name, nothing is asked again. Formulas,
    in gaokao-mathcloze and math, are compared as AGIEval compares them, under either rule.

    \b
    Examples:
      bayling evaluate exams --data AGIEval
      bayling evaluate exams sat-math gaokao-english --data AGIEval --limit 50
    """  # noqa: D301 - click wants the character \b
    results = run_family(Exams(Rule(rule), max_tokens=max_tokens), tasks, measuring)
    show_averages(results, english_tasks=8 if without_logiqa_zh else 9)


def show_averages(results: Sequence[SetResult], *, english_tasks: int = 9) -> None:
    """Print the averages of each system that has exams among the results; of several systems, with their names."""
    found = summaries(results, english_tasks=english_tasks)
    for summary in found:
        who = f"{summary.system}: " if len(found) > 1 else ""
        for average in (summary.gaokao, summary.english):
            if text := _told(average):
                click.echo(printable(f"{who}{text}", keep=""))


def _told(average: ExamAverage) -> str:
    """An average in words; none where a task of it was not measured, for it would be no average of the paper's."""
    if average.average is None:
        return ""
    part = "" if average.whole else ", not all of their questions"
    return f"{average.name} average  {number(average.average)}  ({len(average.tasks)} exams{part})"
