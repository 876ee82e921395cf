"""Which of several refined drafts is taken."""

from __future__ import annotations

from bayling_lite.engine.base import Hypothesis
from bayling_lite.translate.refining.nearest import nearest
from bayling_lite.translate.refining.quotes import corrected

DRAFT = "Das Haus ist groß und die Bank ist zu."


def hypothesis(text: str, score: float, *, finished: bool = True) -> Hypothesis:
    return Hypothesis(text, score, score, 1, finished)


def test_the_rest_of_the_draft_is_kept() -> None:
    short, whole = "Gebäude und Bank.", "Das Gebäude ist groß und die Bank ist zu."
    assert nearest([hypothesis(short, -0.3), hypothesis(whole, -0.5)], DRAFT) == whole


def test_a_word_takes_the_place_of_another() -> None:
    added, replaced = "Das Haus ist groß und die Bank ist zu Gebäude.", "Das Gebäude ist groß und die Bank ist zu."
    assert nearest([hypothesis(added, -0.5), hypothesis(replaced, -0.5)], DRAFT) == replaced


def test_a_text_that_is_much_likelier_is_taken_all_the_same() -> None:
    likely, unlikely = "Das Gebäude ist groß, und die Bank ist zu.", "Das Gebäude ist groß und die Bank ist zu."
    assert nearest([hypothesis(unlikely, -3.0), hypothesis(likely, -0.2)], DRAFT) == likely


def test_a_text_that_was_cut_off_comes_last() -> None:
    assert nearest([hypothesis(DRAFT, 0.0, finished=False), hypothesis("x", -9.0)], DRAFT) == "x"
    assert nearest([hypothesis(DRAFT, 0.0, finished=False)], DRAFT) == DRAFT


def test_chinese_is_compared_by_characters() -> None:
    assert (
        nearest([hypothesis("早安", -0.1), hypothesis("早安，我的朋友。", -0.3)], "早上好，我的朋友。")
        == "早安，我的朋友。"
    )


def test_a_correction_says_what_the_draft_should_be_like() -> None:
    assert corrected("Das Haus.", 'Fix "Haus": it should be "Heim".', ("Heim",)) == "Das Heim."
    assert corrected("Das Haus.", 'Use the word "Heim".', ("Heim",)) == "Das Haus."
    assert corrected("Das Haus.", 'Not "Haus" or "Bau": "Heim".', ("Heim",)) == "Das Haus."
