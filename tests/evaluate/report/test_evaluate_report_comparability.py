"""What may be compared in a report and what may not: marks, captions, figures and examples say which."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bayling_lite.evaluate.bayling80.questions import SETS
from bayling_lite.evaluate.published import Published, PublishedScore, published_scores
from bayling_lite.evaluate.ranking.summary import RankingSummary, Standing
from bayling_lite.evaluate.ranking.values import Aspect
from bayling_lite.evaluate.report import Report, build_report
from bayling_lite.evaluate.report.html import to_html
from bayling_lite.evaluate.report.markdown import to_markdown
from bayling_lite.evaluate.report.values import Cell, Kind, Origin, Table
from bayling_lite.evaluate.values import Run, SetResult
from tests.evaluate.report.report_results import compared, examined, translated

DIRECTIONS = ("zh-en", "en-zh", "de-en", "en-de")


def made(*results: SetResult, published: Published | None = None, n_examples: int = 2) -> Report:
    return build_report(results, (), published or Published(), n_examples=n_examples)


def cells(table: Table, system: str, origin: Origin = Origin.MEASURED) -> tuple[Cell, ...]:
    return next(row.cells for row in table.rows if row.system == system and row.origin is origin)


def judged(system: str, against: str, *scores: tuple[float, float], set_name: str = SETS[0]) -> SetResult:
    return compared(system, against, set_name, scores, ["generic"] * len(scores))


@pytest.mark.parametrize(
    ("second", "published", "marked"),
    [
        (judged("b", "theirs", (5, 9)), None, True),
        (judged("b", "others", (5, 9)), None, False),
        (judged("b", "Vicuna-13B", (5, 9)), published_scores(), False),
    ],
)
def test_comparisons_with_others_or_by_other_judges_have_no_best(
    second: SetResult, published: Published | None, marked: bool
) -> None:
    table = made(judged("a", "theirs", (9, 6)), second, published=published).tables[0]
    assert any(cell.best for row in table.rows for cell in row.cells) == marked


def test_another_version_of_a_set_is_marked_and_never_the_best() -> None:
    other = translated("c", bleu=50)
    other = replace(other, outputs=tuple(replace(one, reference="another") for one in other.outputs))
    (table,) = made(translated("a"), translated("b", bleu=21), other).tables
    (cell,) = cells(table, "c")
    assert not cell.best
    assert cells(table, "b")[0].best
    assert [note.text for note in table.notes if note.mark in cell.notes] == [
        "On another version of the set than the others of its column: other items or other references."
    ]


def test_a_published_number_of_a_set_of_another_size_is_marked() -> None:
    numbers = [
        PublishedScore(name, "wmt22", "zh-en", "BLEU", 60, "a", n_items=size)
        for name, size in zip("PQR", (9, 3, 0), strict=True)
    ]
    (table,) = made(translated("a"), published=Published(tuple(numbers))).tables
    marks = [cells(table, name, Origin.PUBLISHED)[0].notes for name in "PQR"]
    assert marks == [("a",), (), ()]
    assert [cells(table, name, Origin.PUBLISHED)[0].best for name in "PQR"] == [False, True, True]
    assert "of 9 items" in next(note.text for note in table.notes if note.mark == "a")


def test_what_is_to_be_known_of_a_number_is_to_be_known_of_its_average() -> None:
    sets = published_scores().sets("exams")[9:]
    (table,) = made(*(examined("a", name, [True, False]) for name in sets), published=published_scores()).tables
    average, *others = cells(table, "BayLing-7B", Origin.PUBLISHED)
    remark = next(note.mark for note in table.notes if "another run" in note.text)
    assert remark in average.notes
    assert sum(remark in cell.notes for cell in others) == 1


@pytest.mark.parametrize(
    ("decodings", "said"),
    [
        (("greedy",), "Decoding: greedy; BayLing in the paper: beam 5."),
        (("beam 5",), "Decoding: beam 5."),
        (("beam 5", "beam 5", "greedy"), "Decoding: beam 5; greedy for s2; BayLing in the paper: beam 5."),
        (("greedy", ""), "Decoding: greedy for s0; BayLing in the paper: beam 5."),
    ],
)
def test_the_caption_says_whose_decoding_is_not_that_of_the_paper(decodings: tuple[str, ...], said: str) -> None:
    results = [
        translated(f"s{number}", run=Run("2026-11-20", decoding=decoding)) for number, decoding in enumerate(decodings)
    ]
    (table,) = made(*results, published=published_scores()).tables
    assert said in table.caption


def test_a_seed_is_no_other_decoding_than_that_of_the_paper() -> None:
    run = Run("2026-11-20", decoding="temperature 0.7, seed 3")
    table = made(replace(judged("a", "b", (9, 6)), run=run), published=published_scores()).tables[0]
    assert "Decoding: temperature 0.7, seed 3. " in table.caption
    assert "ratio: the sum of its scores in percent of the sum of the other’s" in table.caption
    assert "reviews by GPT-4" in table.caption


def test_no_line_is_drawn_twice_and_every_other_one_is() -> None:
    def numbers(system: str) -> list[float]:
        found = {
            one.set_name: one.value
            for one in published_scores().of("wmt22")
            if one.system == system and one.metric == "BLEU"
        }
        return [found[name] for name in DIRECTIONS]

    same = [
        translated("mine", name, value + 0.004) for name, value in zip(DIRECTIONS, numbers("BayLing-7B"), strict=True)
    ]
    (figure,) = made(*same, published=published_scores()).figures
    assert [one.system for one in figure.series] == ["GPT-3.5-turbo", "Alpaca-7B", "mine"]
    assert "without those whose numbers were measured here" in figure.caption
    same[0] = translated("mine", "zh-en", 7.0)
    (figure,) = made(*same, published=published_scores()).figures
    assert [one.system for one in figure.series] == ["GPT-3.5-turbo", "BayLing-7B", "Alpaca-7B", "mine"]


def test_a_figure_names_whose_numbers_have_notes() -> None:
    (figure,) = made(translated("whole"), translated("part", n_items=900)).figures
    assert figure.caption.endswith("without the notes of the table: part.")


@pytest.mark.parametrize(("count", "radars"), [(1, 3), (2, 6), (3, 3)])
def test_of_many_comparisons_each_has_one_radar(count: int, radars: int) -> None:
    results = [judged(f"s{number}", "b", (9, 6), set_name=name) for number in range(count) for name in SETS[:2]]
    figures = [one for one in made(*results).figures if one.kind is Kind.RADAR]
    assert len(figures) == radars
    # Two of four sets are not all of them.
    assert not any("all sets" in one.caption for one in figures)


def test_the_comparison_that_is_told_is_one_that_is_not_significant_if_there_is_one() -> None:
    right, far = [True] * 90 + [False] * 10, [True] * 40 + [False] * 60
    near = [True] * 89 + [False] * 11
    clear = made(examined("a", "sat-math", right), examined("b", "sat-math", far))
    close = made(*(examined(name, "sat-math", found) for name, found in (("a", right), ("b", far), ("c", near))))
    for text in (to_html(clear), to_markdown(clear)):
        assert "† 0.001" in text
    assert [one.significant for one in close.comparisons if one.other == "c"] == [False]
    for text in (to_html(close), to_markdown(close)):
        assert "† 0.001" not in text


def test_examples_of_a_word_or_two_stand_behind_the_others() -> None:
    first, second = (
        translated(name, said=said, qualities=qualities)
        for name, said, qualities in (("a", "xyz", (1.0, 0.5, 0.2)), ("b", "uvw", (0.0, 0.3, 0.1)))
    )
    long = "a reference of more than four words"
    both = [
        replace(one, outputs=(one.outputs[0], replace(one.outputs[1], reference=long), one.outputs[2]))
        for one in (first, second)
    ]
    assert [example.id for example in made(*both, n_examples=3).examples] == ["2", "1", "3"]


def test_no_example_is_of_two_versions_of_a_set() -> None:
    other = translated("b", said="uvw", qualities=(0.9, 0.9, 0.9))
    other = replace(other, outputs=(replace(other.outputs[0], reference="another"), *other.outputs[1:]))
    assert {one.id for one in made(translated("a"), other, n_examples=9).examples} == {"2", "3"}


def test_numbers_below_numbers_are_explained() -> None:
    assert "Below a number: its 95 % interval" in to_html(made(translated("a")))
    without = replace(
        translated("a"), scores=tuple(replace(one, low=None, high=None) for one in translated("a").scores)
    )
    assert "Below a number" not in to_html(made(without))


def test_prompts_of_one_wording_are_one_run_and_those_of_another_are_not() -> None:
    def asked(prompt: str) -> Run:
        return Run("2026-11-20", model="m.gguf", prompt=prompt)

    report = made(
        translated("a", "zh-en", run=asked("Into English: …")),
        translated("a", "en-de", run=asked("Into German: …")),
        translated("a", "de-en", run=asked("译成英语：…")),
    )
    assert [(run.sets, run.prompts) for run in report.runs] == [
        (("zh-en", "en-de"), ("Into English: …", "Into German: …")),
        (("de-en",), ("译成英语：…",)),
    ]
    for text in (to_html(report), to_markdown(report)):
        assert "“Into English: …”, and the like" in text


def test_rankings_alone_make_a_report_that_says_how_far_people_agree() -> None:
    standings = (Standing("a", 62.5, 50.0, 75.0, 70.0, 1.25), Standing("b|<i>", 37.5, None, None, 40.0, 1.75))
    ranking = RankingSummary(
        "study",
        "wmt22",
        "zh-en",
        Aspect.TRANSLATION,
        ("a", "b|<i>"),
        n_items=9,
        n_ranked=8,
        n_rankings=12,
        n_skipped=1,
        n_shared=4,
        persons=("p", "q"),
        standings=standings,
        reasons=(),
        alpha=-0.25,
        w=0.5,
    )
    report = build_report((), (ranking,), Published())
    for text in (to_html(report), to_markdown(report)):
        assert all(
            number in text for number in ("62.5", "50.0 to 75.0", "37.5", "1.25", "alpha (ordinal) −0.25", "0.50")
        )
        assert "0 systems" not in text
        assert "12 rankings by 2 people of 8 of 9 items" in text
        assert "<i>" not in text.replace("\\<i\\>", "")
