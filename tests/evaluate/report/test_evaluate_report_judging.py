"""What the report makes of comparisons by judges: who judged, how fast, and what is not judged."""

from __future__ import annotations

from dataclasses import replace

from bayling_lite.evaluate.bayling80.questions import SETS
from bayling_lite.evaluate.published import Published
from bayling_lite.evaluate.report.building import build_report
from bayling_lite.evaluate.report.html import to_html
from bayling_lite.evaluate.report.markdown import to_markdown
from bayling_lite.evaluate.report.values import Report
from bayling_lite.evaluate.values import Effort, Run, Score, SetResult
from tests.evaluate.report.report_results import RUN, compared

JUDGED = Run(
    "2026-11-21T10:00:00+00:00",
    model="a judge",
    decoding="greedy",
    effort=Effort(n_asked=4, n_prompt=900, n_generated=80, seconds=4.0),
)


def judged(set_name: str, judge: str = "a judge", *, system: str = "ours") -> SetResult:
    result = compared(system, "theirs", set_name, [(9, 6), (4, 8)], ["generic", "math"])
    signature = f"judge:{judge}|language:{set_name[-2:]}|orders:2"
    scores = tuple(replace(score, signature=signature) for score in result.scores)
    return replace(result, scores=scores, judging=replace(JUDGED, model=judge))


def answered(system: str, set_name: str = "singleturn.en") -> SetResult:
    result = compared(system, "", set_name, [(9, 6), (4, 8)], ["generic", "math"])
    return replace(result, scores=(Score("answered", 2, "unit:questions"), Score("empty", 0, "unit:questions")))


def report_of(*results: SetResult) -> Report:
    return build_report(results, (), Published())


def test_the_judge_has_a_line_of_its_own_among_the_runs() -> None:
    runs = report_of(answered("ours"), judged("singleturn.en"), judged("singleturn.zh")).runs
    told = {run.system: (run.model, run.n_asked, run.n_generated, run.seconds) for run in runs}
    assert RUN.effort is not None
    # What the answers took is told once, not again with each comparison.
    assert told == {
        "ours": (RUN.model, RUN.effort.n_asked, RUN.effort.n_generated, RUN.effort.seconds),
        "judge of ours vs. theirs": ("a judge", 8, 160, 8.0),
    }


def test_what_one_judge_said_of_all_sets_is_added_up_and_what_two_said_is_not() -> None:
    def sets(report: Report) -> set[str]:
        return {column.set_name for table in report.tables for column in table.columns}

    assert "all sets" in sets(report_of(*map(judged, SETS)))
    mixed = report_of(*map(judged, SETS[:3]), judged(SETS[3], "another"))
    assert "all sets" not in sets(mixed)
    captions = [figure.caption for figure in mixed.figures]
    assert any("by another" in caption for caption in captions)
    assert any("by a judge" in caption for caption in captions)


def test_figures_of_several_comparisons_are_told_apart() -> None:
    report = report_of(judged("singleturn.en"), judged("singleturn.en", system="mine"))
    names = [figure.id for figure in report.figures]
    assert len(names) == len(set(names)) == 2


def test_answers_that_nobody_judged_are_told_of() -> None:
    report = report_of(answered("waiting"), answered("ours"), judged("singleturn.en"))
    verdicts, answers = (
        next(table for table in report.tables if any(column.metric == metric for column in table.columns))
        for metric in ("win", "answered")
    )
    waiting = next(row for row in verdicts.rows if row.system == "waiting")
    assert [cell.text for cell in waiting.cells if cell.text] == ["not judged"]
    assert all(cell.value is None for cell in waiting.cells)
    assert "ours" not in [row.system for row in verdicts.rows if not row.against]
    assert [note.text for note in answers.notes if "Not judged: waiting." in note.text]
    for text in (to_html(report), to_markdown(report)):
        assert "not judged" in text


def test_what_could_not_be_judged_has_no_figure() -> None:
    result = judged("singleturn.en")
    unjudged = replace(
        result,
        set_name="singleturn.zh",
        outputs=tuple(
            replace(
                output,
                quality=None,
                problem="unjudged",
                details={
                    **output.details,
                    "orders": [{"own_first": True, "scores": None, "replies": ["no"], "problems": ["nonsense"]}],
                },
            )
            for output in result.outputs
        ),
    )
    drawn = [figure.caption for figure in report_of(result, unjudged).figures]
    assert [caption.split(":")[0] for caption in drawn] == ["BayLing-80, singleturn.en", "BayLing-80, 2 sets"]
