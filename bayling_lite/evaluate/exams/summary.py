"""The averages of the paper's two tables of exams."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bayling_lite.errors import UsageError
from bayling_lite.evaluate.exams.tasks import ENGLISH, GAOKAO, Task
from bayling_lite.evaluate.values import SetResult

ACCURACY = "accuracy"
"""The metric of every task: percent of the questions answered rightly."""


@dataclass(frozen=True, slots=True)
class ExamAverage:
    """One table's row of one system.

    ``accuracies`` in percent belong to ``tasks``, None where a task was not measured. ``average`` is their plain mean,
    unrounded, each task counting the same however many questions it has; None unless all of them were measured.
    ``whole``: every task was measured to its last question.
    """

    name: str
    tasks: tuple[str, ...]
    accuracies: tuple[float | None, ...]
    average: float | None
    whole: bool

    @property
    def missing(self) -> tuple[str, ...]:
        """The tasks that were not measured."""
        return tuple(task for task, value in zip(self.tasks, self.accuracies, strict=True) if value is None)

    @property
    def signature(self) -> str:
        """How the average was computed."""
        return f"average:macro|tasks:{len(self.tasks)}"


@dataclass(frozen=True, slots=True)
class ExamSummary:
    """Both rows of one system."""

    system: str
    gaokao: ExamAverage
    english: ExamAverage


def summarize(results: Sequence[SetResult], *, english_tasks: int = 9) -> ExamSummary:
    """The averages of one system; results of other families are passed over.

    ``english_tasks``: the published English averages have two formulas. 9 takes all tasks of the table (GPT-3.5), 8
    leaves logiqa-zh out (the other systems).

    Raises:
        UsageError: no exam among the results, exams of several systems, or another number of English tasks.
    """
    if english_tasks not in (8, 9):
        raise UsageError(f"The English average is of 9 tasks, or of 8 without logiqa-zh, not of {english_tasks}.")
    exams = {result.set_name: result for result in results if result.family == "exams"}
    systems = {result.system for result in exams.values()}
    if len(systems) != 1:
        named = ", ".join(sorted(systems)) or "none"
        raise UsageError(f"An average of exams is of one system; among these results are: {named}.")
    return ExamSummary(
        system=systems.pop(),
        gaokao=_average("GaoKao", GAOKAO, exams),
        english=_average("English", ENGLISH[:english_tasks], exams),
    )


def summaries(results: Iterable[SetResult], *, english_tasks: int = 9) -> tuple[ExamSummary, ...]:
    """The averages of every system that has exams among the results, in the order in which they come."""
    systems: dict[str, list[SetResult]] = {}
    for result in results:
        if result.family == "exams":
            systems.setdefault(result.system, []).append(result)
    return tuple(summarize(exams, english_tasks=english_tasks) for exams in systems.values())


def _average(name: str, tasks: Sequence[Task], exams: dict[str, SetResult]) -> ExamAverage:
    found = [exams.get(task.name) for task in tasks]
    accuracies = tuple(_accuracy(result) for result in found)
    measured = [value for value in accuracies if value is not None]
    complete = len(measured) == len(tasks)
    return ExamAverage(
        name=name,
        tasks=tuple(task.name for task in tasks),
        accuracies=accuracies,
        average=sum(measured) / len(measured) if complete else None,
        whole=complete and all(result is not None and result.whole for result in found),
    )


def _accuracy(result: SetResult | None) -> float | None:
    score = result.score(ACCURACY) if result is not None else None
    return score.value if score is not None else None
