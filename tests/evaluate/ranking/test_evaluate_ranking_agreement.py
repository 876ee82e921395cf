"""Agreement against the worked examples of those who defined it."""

from __future__ import annotations

import pytest

from bayling_lite.evaluate.ranking.agreement import fractional_ranks, kendall_w, krippendorff_alpha

# Krippendorff (2011), Computing Krippendorff's Alpha-Reliability: four observers, twelve units.
RELIABILITY = """
1 2 3 3 2 1 4 1 2 * * *
1 2 3 3 2 2 4 1 2 5 * 3
* 3 3 3 2 3 4 2 2 5 1 *
1 2 3 3 2 4 4 1 2 5 1 *
"""


def test_alpha_is_that_of_krippendorffs_example() -> None:
    columns = zip(*(line.split() for line in RELIABILITY.split("\n") if line), strict=True)
    units = [[float(value) for value in column if value != "*"] for column in columns]
    assert krippendorff_alpha(units) == pytest.approx(0.815, abs=0.0005)


@pytest.mark.parametrize("units", [[], [[1.0]], [[1.0], [2.0]], [[2.0, 2.0], [2.0, 2.0]]])
def test_alpha_is_not_defined_without_two_values_of_a_unit_or_without_variation(units: list[list[float]]) -> None:
    assert krippendorff_alpha(units) is None


def test_alpha_of_full_agreement_is_one_and_of_opposites_is_below_zero() -> None:
    assert krippendorff_alpha([[1, 1], [2, 2], [3, 3]]) == 1
    opposite = krippendorff_alpha([[1, 3], [2, 2], [3, 1]])
    assert opposite is not None
    assert opposite < 0


def test_w_is_that_of_siegels_examples() -> None:
    # Siegel (1956), chapter 9: three judges, without ties and with them.
    executives = [[1, 6, 3, 2, 5, 4], [1, 5, 6, 4, 2, 3], [6, 3, 2, 5, 4, 1]]
    assert kendall_w(executives) == pytest.approx(0.16, abs=0.005)
    tied = [
        [1, 4.5, 2, 4.5, 3, 7.5, 6, 9, 7.5, 10],
        [2.5, 1, 2.5, 4.5, 4.5, 8, 9, 6.5, 10, 6.5],
        [2, 1, 4.5, 4.5, 4.5, 4.5, 8, 8, 8, 10],
    ]
    assert kendall_w(tied) == pytest.approx(0.828, abs=0.0005)


def test_w_is_that_of_the_anxiety_ratings_in_rs_package_irr() -> None:
    # The example of kendall(): 20 subjects, 3 raters, corrected for ties 0.54.
    ratings = [
        [3, 3, 3, 4, 5, 5, 2, 3, 5, 2, 2, 6, 1, 5, 2, 2, 1, 2, 4, 3],
        [3, 6, 4, 6, 2, 4, 2, 4, 3, 3, 2, 3, 3, 3, 2, 2, 1, 3, 3, 4],
        [2, 1, 4, 4, 3, 2, 1, 6, 1, 1, 1, 2, 3, 3, 1, 1, 3, 3, 2, 2],
    ]
    assert kendall_w([fractional_ranks(each) for each in ratings]) == pytest.approx(0.54, abs=0.005)


@pytest.mark.parametrize("rankings", [[], [[1.0, 2.0]], [[1.0], [1.0]], [[1.5, 1.5], [1.5, 1.5]]])
def test_w_is_not_defined_for_one_person_one_thing_or_ties_alone(rankings: list[list[float]]) -> None:
    assert kendall_w(rankings) is None


def test_fractional_ranks_share_the_places_that_ties_take() -> None:
    assert fractional_ranks([3, 1, 3, 7]) == (2.5, 1.0, 2.5, 4.0)
    assert fractional_ranks([]) == ()
