"""What comparisons come to: sums over sets, and categories in one order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bayling_lite.errors import UsageError
from bayling_lite.evaluate.bayling80.questions import Question
from bayling_lite.evaluate.bayling80.summary import summarize, summarize_all
from bayling_lite.evaluate.bayling80.verdicts import Order, Verdict, compared, comparison_scores
from bayling_lite.evaluate.values import Answer, Run, SetResult

Pair = tuple[float, float]


def compare(
    set_name: str, verdicts: list[tuple[str, list[Pair | None]]], *, system: str = "one", against: str = "two"
) -> SetResult:
    """A comparison of so many questions: a category, and the scores of each asking."""
    outputs = tuple(
        compared(
            Question(str(number), category, ("?",)),
            Answer(("a",)),
            Answer(("b",)),
            Verdict(tuple(Order(place == 0, pair) for place, pair in enumerate(pairs))),
        )
        for number, (category, pairs) in enumerate(verdicts, 1)
    )
    scores = comparison_scores(outputs, f"judge:j|language:{set_name[-2:]}|orders:2")
    return SetResult(system, "bayling80", set_name, scores, outputs, Run(date=""), len(outputs), against=against)


ENGLISH = compare("singleturn.en", [("math", [(10, 5), (8, 5)]), ("generic", [(6, 7), (7, 6)])])
CHINESE = compare("singleturn.zh", [("math", [(1, 10), (2, 9)]), ("coding", [(5, 5), None])])


def test_sets_are_added_up_and_the_ratio_is_of_the_sums() -> None:
    summary = summarize([CHINESE, ENGLISH])
    assert [one.set_name for one in summary.sets] == ["singleturn.en", "singleturn.zh"]
    total = summary.total
    assert (total.win, total.tie, total.lose, total.unjudged) == (1, 1, 1, 1)
    assert (total.score, total.other_score) == (9 + 6.5 + 1.5, 5 + 6.5 + 9.5)
    assert total.ratio == pytest.approx(100 * 17 / 21)
    assert total.consistency == pytest.approx(200 / 3)
    assert summary.whole
    assert summary.judges == ("judge:j|language:en|orders:2", "judge:j|language:zh|orders:2")


def test_categories_come_in_the_order_of_the_questions_over_all_sets_and_of_each() -> None:
    summary = summarize([ENGLISH, CHINESE])
    assert [each.category for each in summary.categories] == ["generic", "coding", "math"]
    math = summary.categories[2].tally
    assert (math.mean, math.other_mean) == (5.25, 7.25)
    assert math.ratio == pytest.approx(100 * 10.5 / 14.5)
    coding = summary.categories[1].tally
    assert (coding.mean, coding.ratio, coding.unjudged) == (None, None, 1)
    assert [each.category for each in summary.categories_of["singleturn.en"]] == ["generic", "math"]
    assert summary.categories_of["singleturn.zh"][1].tally.ratio == pytest.approx(100 * 1.5 / 9.5)


def test_means_that_are_equal_are_a_tie_whatever_their_addends() -> None:
    result = compare("singleturn.en", [("math", [(8.3, 8.2), (8.1, 8.2)])])
    assert result.score("tie") == result.scores[1]
    assert result.scores[1].value == 1


def test_a_part_of_a_set_is_told() -> None:
    assert not summarize([replace(ENGLISH, n_items=80)]).whole


def test_what_does_not_belong_together_is_refused() -> None:
    for results in (
        [],
        [ENGLISH, ENGLISH],
        [ENGLISH, replace(CHINESE, against="three")],
        [replace(ENGLISH, against="")],
    ):
        with pytest.raises(UsageError, match="A summary of BayLing-80"):
            summarize(results)


def test_every_pair_of_systems_has_a_summary() -> None:
    others = [replace(ENGLISH, against="three"), replace(ENGLISH, against=""), replace(ENGLISH, family="wmt22")]
    summaries = summarize_all([*others, CHINESE, ENGLISH])
    assert [(each.system, each.against, len(each.sets)) for each in summaries] == [
        ("one", "three", 1),
        ("one", "two", 2),
    ]


def test_what_two_judges_said_is_never_added_up() -> None:
    other = tuple(replace(score, signature="judge:k|language:zh|orders:2") for score in CHINESE.scores)
    mixed = [ENGLISH, replace(CHINESE, scores=other)]
    with pytest.raises(UsageError, match="one judge"):
        summarize(mixed)
    assert [(each.judge, len(each.sets)) for each in summarize_all(mixed)] == [("j", 1), ("k", 1)]
    assert [(each.judge, len(each.sets)) for each in summarize_all([ENGLISH, CHINESE])] == [("j", 2)]
