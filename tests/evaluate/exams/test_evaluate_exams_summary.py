"""The averages of the two tables."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bayling_lite.errors import UsageError
from bayling_lite.evaluate.exams.summary import summaries, summarize
from bayling_lite.evaluate.exams.tasks import ENGLISH, GAOKAO
from bayling_lite.evaluate.values import Output, Run, Score, SetResult


def _result(task: str, accuracy: float, system: str = "someone") -> SetResult:
    outputs = (Output("1", ("?",), ("A",)),)
    return SetResult(system, "exams", task, (Score("accuracy", accuracy),), outputs, Run("2026-01-01"), n_items=1)


def _all(system: str = "someone") -> list[SetResult]:
    tasks = [task.name for task in (*GAOKAO, *ENGLISH)]
    return [_result(task, float(number), system) for number, task in enumerate(tasks)]


def test_each_task_counts_the_same() -> None:
    summary = summarize(_all())
    assert summary.gaokao.average == pytest.approx(4.0)
    assert summary.english.average == pytest.approx(13.0)
    assert summary.gaokao.tasks[0] == "gaokao-chinese"
    assert summary.gaokao.accuracies == tuple(float(number) for number in range(9))
    assert (summary.gaokao.missing, summary.gaokao.whole) == ((), True)


def test_the_other_published_english_average_leaves_logiqa_zh_out() -> None:
    english = summarize(_all(), english_tasks=8).english
    assert english.average == pytest.approx(12.5)
    assert "logiqa-zh" not in english.tasks
    assert english.signature == "average:macro|tasks:8"


def test_there_is_no_average_of_some_of_the_tasks() -> None:
    summary = summarize(_all()[1:])
    assert (summary.gaokao.average, summary.gaokao.missing, summary.gaokao.whole) == (None, ("gaokao-chinese",), False)
    assert summary.gaokao.accuracies[:2] == (None, 1.0)
    assert summary.english.average == pytest.approx(13.0)


def test_an_average_of_tasks_that_were_not_measured_whole_says_so() -> None:
    results = _all()
    results[0] = replace(results[0], n_items=2)
    gaokao = summarize(results).gaokao
    assert gaokao.average == pytest.approx(4.0)
    assert not gaokao.whole


def test_systems_are_not_mixed() -> None:
    with pytest.raises(UsageError, match=r"of one system.*: a, b"):
        summarize([_result("sat-math", 1, "a"), _result("sat-en", 1, "b")])
    with pytest.raises(UsageError, match=r"of one system.*: none"):
        summarize([])
    both = summaries([*_all("b"), *_all("a"), replace(_result("zh-en", 1, "c"), family="wmt22")])
    assert [summary.system for summary in both] == ["b", "a"]


def test_only_the_two_published_formulas() -> None:
    with pytest.raises(UsageError, match="of 9 tasks, or of 8"):
        summarize(_all(), english_tasks=7)
