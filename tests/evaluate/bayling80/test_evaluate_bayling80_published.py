"""The published numbers, from the published reviews."""

from __future__ import annotations

import pytest

from bayling_lite.evaluate.bayling80.family import BayLing80
from bayling_lite.evaluate.bayling80.questions import CATEGORIES, SETS
from bayling_lite.evaluate.bayling80.replies import read_scores
from bayling_lite.evaluate.bayling80.summary import summarize
from bayling_lite.evaluate.bayling80.verdicts import Verdict
from bayling_lite.evaluate.values import SetResult
from tests.evaluate.published_data import needs_published_data, published_data

pytestmark = needs_published_data


@pytest.fixture(scope="module")
def reviews() -> dict[str, SetResult]:
    """The reviews of BayLing-13B against Vicuna-13B, by set."""
    data, questions = published_data(), BayLing80()
    found = [each for each in questions.find_outputs(data) if (each.system, each.against) == ("bayling-13b", "vicuna")]
    return {each.set_name: questions.score(data, each) for each in found}


def test_all_sets_have_their_80_questions() -> None:
    assert BayLing80().find_sets(published_data()) == SETS


def test_the_published_numbers_come_out(reviews: dict[str, SetResult]) -> None:
    counts = {
        name: tuple(score.value for score in result.scores if score.metric in ("win", "tie", "lose", "unjudged"))
        for name, result in reviews.items()
    }
    assert counts == {
        "singleturn.en": (44, 10, 26, 0),
        "singleturn.zh": (52, 8, 20, 0),
        "multiturn.en": (48, 5, 27, 0),
        "multiturn.zh": (58, 5, 17, 0),
    }
    summary = summarize(list(reviews.values()))
    assert summary.whole
    assert summary.total.ratio is not None
    assert round(summary.total.ratio, 2) == 112.53
    assert tuple(each.category for each in summary.categories) == CATEGORIES
    assert sum(each.tally.n_judged for each in summary.categories) == 320


def test_the_reviewers_own_words_are_read_as_they_were_published(reviews: dict[str, SetResult]) -> None:
    for result in reviews.values():
        for output in result.outputs:
            (order,) = Verdict.of(output.details).orders
            material = (*output.asked, *output.said, *output.details["against"])
            assert read_scores(order.replies[-1], material) == order.scores
