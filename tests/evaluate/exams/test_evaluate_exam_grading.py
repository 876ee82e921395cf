"""Which option an answer chose, and whether it is right."""

from __future__ import annotations

import time

import pytest

from bayling_lite.evaluate.exams.grading import Grade, Rule, grade
from bayling_lite.evaluate.exams.questions import Question
from bayling_lite.evaluate.exams.tasks import TASKS

CHOICE, CHOICES, CLOZE = TASKS["sat-math"], TASKS["gaokao-physics"], TASKS["math"]


def _question(*label: str, options: int = 4) -> Question:
    return Question("1", None, "Which?", tuple(f"({letter})it" for letter in "ABCDEFG"[:options]), label)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Answer is choice (B) three.", "B"),
        ("Answer Choice (D)", "D"),
        ("答案是选项C：因为A不对。", "C"),
        ("b) three, as in Denmark", "D"),  # any capital letter counts, the first one found
        ("As an assistant, I choose B.", "A"),
        ("ANSWER: C", "A"),  # only the words as they are written in the format asked for are deleted
        ("the answer is G", ""),
        ("", ""),
    ],
)
def test_the_papers_rule_takes_the_first_capital_letter(said: str, found: str) -> None:
    assert grade(CHOICE, _question("B"), said).found == found


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("答案是选项AC。", True),
        ("(C)对，(A)也对", True),
        ("A", False),
        ("ABC", False),
        ("", False),
        ("Answer: C", True),
    ],
)
def test_several_options_are_right_only_together(said: str, right: bool) -> None:
    assert grade(CHOICES, _question("A", "C"), said).right is right


def test_a_task_of_several_options_counts_the_letters_of_every_word() -> None:
    assert grade(CHOICES, _question("B"), "Answer is B").found == "AB"


def test_labels_that_are_written_as_one_text() -> None:
    assert grade(CHOICES, _question("AC"), "A和C").right
    assert grade(CHOICES, _question("A C"), "A和C").right
    # As published: where one option is asked for, several right ones are given by nobody.
    assert not grade(CHOICE, _question("A C"), "A C").right
    assert not grade(CHOICE, _question("A", "C"), "A").right


def test_a_label_that_no_option_has() -> None:
    assert grade(CHOICE, _question("E", options=1), "E").right
    assert not grade(CHOICE, _question("Z"), "Z").right


def test_a_cloze_is_compared_as_formulas_are() -> None:
    found = grade(CLOZE, Question("1", None, "x?", (), ("\\frac{1}{2}",)), "so $x=\\dfrac12$.")
    assert (found.found, found.right) == ("\\dfrac12", True)
    assert grade(CLOZE, Question("1", None, "x?", (), ("2",)), "no idea").found == ""


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Answer is choice (B) three.", "B"),
        ("The correct answer is **(B)**, as in A.", "B"),
        ("The correct option is: B", "B"),
        ("答案是选项(B)三。", "B"),
        ("答案：B", "B"),
        ("(B) A car", "B"),
        ("B. A car", "B"),
        ("  B\n", "B"),
        ("(B) three. So the answer is B.", "B"),
        ("(B) three. So the answer is (C).", "C"),  # a statement counts more than how the text begins
        ("As an assistant, I cannot say.", ""),
        ("A car is faster.", ""),
        ("The answer is Beijing.", ""),
        ("The answer is not A.", ""),
        ("Answer is choice (E)", ""),  # there is no such option
        ("Answer is choice (A) or (B)", ""),
        ("Answer is choice (A). No, the answer is (B).", ""),
        ("The answer is B12, or E = 3.", ""),
        ("Answer: A car of the year", ""),  # an article
        ("Choices: (A)2 (B)3", ""),
        ("不应选A", ""),
        ("", ""),
    ],
)
def test_the_strict_rule_takes_only_what_is_given_as_the_answer(said: str, found: str) -> None:
    assert grade(CHOICE, _question("B"), said, Rule.STRICT).found == found


@pytest.mark.parametrize(
    "said",
    [
        "**B**",
        "**(B) three**\n\nExplanation: (A) is wrong.",
        "**Answer:** B",
        "### Answer\n\nB. three",
        "ANSWER: $B$",
        "Answer Choice (B) three",
        "The correct answer is:\n\n**B. three**",
        "The answer to the question is B.",
        "A. is wrong\nB. is right\n\nSo option B is the correct answer.",
        "A is 3, not 2. $\\boxed{B}$",
        "\\[\\boxed{\\text{(B)}}\\]",
        "<think>The answer is A. No!</think>\nThe answer is B.",
        "选B",
        "不选A，故选：B。",
        "【答案】B",
        "正确答案为（Ｂ）",
        "正确的一项是（B）三",
        "答案是：\n\n(B)三",
        "答案是选项B$3$。",
    ],
)
def test_ways_in_which_models_of_today_give_their_answer(said: str) -> None:
    assert grade(CHOICE, _question("B"), said, Rule.STRICT) == Grade("B", right=True)


@pytest.mark.parametrize(
    "said",
    [
        "A. two\nB. three\nC. four",
        "Answer:\n(A) two\n(B) three",
        "<think>\nThe answer is B",
        "1. 答案是A。\n2. 答案是B。",
    ],
)
def test_options_that_are_repeated_and_thoughts_that_do_not_end_are_no_answers(said: str) -> None:
    assert grade(CHOICE, _question("B"), said, Rule.STRICT).found == ""


def test_an_option_after_a_gap_is_called_by_its_own_letter() -> None:
    options = ("(A)two", "(C)four", "(D)five")
    assert grade(CHOICE, Question("1", None, "?", options, ("D",)), "Answer: D", Rule.STRICT).right
    assert grade(CHOICE, Question("1", None, "?", options, ("D",)), "Answer: E", Rule.STRICT).found == ""


@pytest.mark.parametrize(
    "said",
    [
        "答案是选项AC",
        "答案是(A)(C)",
        "答案是A、C",
        "The answer is A, C",
        "A和C",
        "(A)(C)",
        "**A, C**",
        "\\boxed{A, C}",
        "The correct answers are (A) and (C).",
        "答案是选项A和选项C",
        "答案：A C",
        "A\nC",
    ],
)
def test_the_strict_rule_reads_several_letters(said: str) -> None:
    assert grade(CHOICES, _question("A", "C"), said, Rule.STRICT).right


def test_strictly_several_letters_are_no_single_choice() -> None:
    assert grade(CHOICE, _question("A"), "Answer is choice (A)(C)", Rule.STRICT).found == ""


@pytest.mark.parametrize(
    "text",
    [
        "ABCDEFG" * 140_000,
        "(" + "A" * 1_000_000,
        "answer is " + "A, " * 300_000 + "Ax",
        "answer is A and B" * 60_000,
        "answer to is " * 8_000,
        "answer is" + " " * 1_000_000,
        "A\nB\n" * 60_000,
        "\\boxed{" * 150_000,
        "选" * 200_000,
    ],
    ids=["letters", "opened", "enumerated", "given", "begun", "blank", "lines", "boxes", "chosen"],
)
def test_a_megabyte_takes_no_longer_than_reading_it(text: str) -> None:
    began = time.process_time()
    for rule in Rule:
        grade(CHOICES, _question("B"), text, rule)
    assert time.process_time() - began < 20
