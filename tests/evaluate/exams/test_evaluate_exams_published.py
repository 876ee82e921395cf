"""The published outputs give the published numbers, to the last digit that is printed."""

from __future__ import annotations

import pytest

from bayling_lite.evaluate.exams.family import Exams
from bayling_lite.evaluate.exams.summary import ExamSummary, summaries
from tests.evaluate.published_data import needs_published_data, published_data

pytestmark = needs_published_data

# arXiv 2306.10968 and the README of ictnlp/BayLing, but for aqua-rat of BayLing-7B, whose published outputs are of
# another run than the published number (21.26).
GAOKAO = {
    "bayling-7b": "27.64 55.56 26.78 24.50 29.95 29.05 33.19 27.14 0.00",
    "alpaca-7b": "24.80 36.27 17.95 6.00 20.77 20.95 24.68 27.14 1.69",
}
ENGLISH = {
    "bayling-7b": "25.45 42.72 29.61 14.96 19.13 26.86 33.83 29.95 23.81",
    "alpaca-7b": "21.36 28.16 29.13 18.11 19.13 22.35 26.02 27.96 21.51",
}
GAOKAO_AVERAGE = {"bayling-7b": "28.20", "alpaca-7b": "20.03"}
ENGLISH_AVERAGE_OF_8 = {"alpaca-7b": "24.03"}


@pytest.fixture(scope="module")
def published() -> dict[tuple[str, int], ExamSummary]:
    """The averages by system and by the number of English tasks."""
    data, exams = published_data(), Exams()
    results = [exams.score(data, found) for found in exams.find_outputs(data)]
    return {(summary.system, count): summary for count in (8, 9) for summary in summaries(results, english_tasks=count)}


def _printed(accuracies: tuple[float | None, ...]) -> str:
    return " ".join("–" if value is None else f"{value:.2f}" for value in accuracies)


@pytest.mark.parametrize("system", sorted(GAOKAO))
def test_published_accuracies(published: dict[tuple[str, int], ExamSummary], system: str) -> None:
    summary = published[system, 9]
    assert _printed(summary.gaokao.accuracies) == GAOKAO[system]
    assert _printed(summary.english.accuracies) == ENGLISH[system]
    assert _printed((summary.gaokao.average,)) == GAOKAO_AVERAGE[system]
    assert summary.gaokao.whole


def test_the_published_english_average_is_of_8_tasks(published: dict[tuple[str, int], ExamSummary]) -> None:
    for system, average in ENGLISH_AVERAGE_OF_8.items():
        assert _printed((published[system, 8].english.average,)) == average
        assert _printed((published[system, 9].english.average,)) != average
