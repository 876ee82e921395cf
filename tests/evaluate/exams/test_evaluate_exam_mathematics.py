"""Finding the answer of a solution, and comparing formulas, by the rules that published numbers were made with."""

from __future__ import annotations

import time

import pytest

from bayling_lite.evaluate.exams.mathematics import equivalent, final_answer, normalised


@pytest.mark.parametrize(
    ("solution", "answer"),
    [
        ("So it is $\\frac{1}{2}$.", "\\frac{1}{2}"),
        ("$a=1$ holds, so $x = 7$", "7"),  # from the first dollar sign of the line to its last
        ("$1$\nand then\n$2$\nDone.", "2"),
        ("先得 $3$，答案是 4。答案是 5", "5"),
        ("答案是 $3$。可见答案是 5", "3"),  # what it begins with counts most
        ("The answer is therefore 12", "12"),
        ("first 3, then 4.5", "4.5"),
        ("It costs $5 today", "$5"),
        ("3 cm, 4cm", "3"),  # a unit that is written together with its number makes it none
        ("共5个", None),
        ("a = b = 3.", "3"),
        ("x=1\\nand more", "1"),
        ("\\boxed{3} and then \\boxed{y=\\frac{1}{2}}", "\\frac{1}{2}"),
        ("$3$, or \\boxed{4", None),  # a box that does not end hides all else
        ("\\boxed 4 {5}", None),
        ("one $ sign and 6", "6"),
        ("$$", None),
        ("no number", None),
        ("", None),
    ],
)
def test_the_final_answer(solution: str, answer: str | None) -> None:
    assert final_answer(solution) == answer


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\\dfrac{1}{2}", "\\frac12"),
        ("1/2", "\\tfrac{1}{2}"),
        ("-1/2", "\\frac{-1}{2}"),
        ("0.5", "\\frac{1}{2}"),
        (".5", "1/2"),
        ("x=5", "5"),
        ("\\frac1{72}", "\\frac{1}{72}"),
        ("2 \\sqrt3", "2\\sqrt{3}"),
        ("\\left( 1, 2 \\right)", "(1,2)"),
        ("30^\\circ", "30"),
        ("30^{\\circ}", "30"),
        ("50\\%", "50"),
        ("\\$5", "5"),
        ("3\\text{ cm}", "3"),
        ("1\\!000", "1000"),
        ("1\n2", "12"),
        ("\\frac", "\\frac"),  # cannot be normalised, and is compared as it is
    ],
)
def test_formulas_that_are_the_same(one: str, other: str) -> None:
    assert equivalent(one, other)
    assert equivalent(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0.25", "\\frac{1}{4}"),  # written otherwise, and only 0.5 has a rule
        ("area=5", "5"),  # only a name of one or two characters is dropped
        ("1=2=3", "3"),
        ("2/4", "1/2"),
        ("01/2", "\\frac{01}{2}"),
        ("1\\text{ a}\\text{ b}", "1"),
        ("\\frac ", "\\frac"),
        ("", "0"),
    ],
)
def test_formulas_that_differ(one: str, other: str) -> None:
    assert not equivalent(one, other)
    assert not equivalent(other, one)


def test_no_answer_is_never_right() -> None:
    assert not equivalent(None, "")


def test_what_ends_inside_a_command_has_no_normal_form() -> None:
    for formula in ("\\sqrt", "1+\\frac", "\\sqrt\\sqrt{2}"):
        with pytest.raises(ValueError, match=r"^$"):
            normalised(formula)
    assert normalised("\\frac1") == "\\frac1"


@pytest.mark.parametrize(
    "text",
    [
        "1" * 1_000_000 + "x",
        "1." * 500_000,
        "$" * 1_000_000,
        "$\n" * 500_000,
        "\\boxed{" * 150_000,
        "\\frac12" * 150_000,
        "\\sqrt2" * 150_000,
        "=" * 1_000_000,
        "答案是" * 300_000,
        "1" * 500_000 + "/" + "2" * 500_000,
    ],
    ids=["digits", "points", "dollars", "lines", "boxes", "fractions", "roots", "equals", "announced", "ratio"],
)
def test_a_megabyte_takes_no_longer_than_reading_it(text: str) -> None:
    began = time.process_time()
    final_answer(text)
    equivalent(text, text + " ")
    # It takes some hundredths of a second; what grows with the square would take hours.
    assert time.process_time() - began < 20
