"""The report as a value: what is in its tables, what is marked, what is told below them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bayling_lite.errors import UsageError
from bayling_lite.evaluate.bayling80.questions import SETS
from bayling_lite.evaluate.published import Published, PublishedScore, published_scores
from bayling_lite.evaluate.report import Report, build_report
from bayling_lite.evaluate.report.values import Kind, Origin, Row, Table
from bayling_lite.evaluate.report.words import about, when
from bayling_lite.evaluate.values import Run, Score, SetResult
from tests.evaluate.report.report_results import compared, examined, translated

NOTHING = Published()
GAOKAO = tuple(
    f"gaokao-{name}"
    for name in ("chinese", "english", "mathqa", "physics", "chemistry", "biology", "history", "geography", "mathcloze")
)


def made(*results: SetResult, published: Published = NOTHING) -> Report:
    return build_report(results, (), published)


def row(table: Table, system: str, origin: Origin = Origin.MEASURED) -> Row:
    return next(row for row in table.rows if row.system == system and row.origin is origin)


def texts(table: Table, system: str) -> list[str]:
    return [cell.text for cell in row(table, system).cells]


def test_nothing_to_report_on_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(UsageError, match="bayling evaluate wmt22"):
        made()


def test_two_results_of_the_same_are_an_error() -> None:
    with pytest.raises(UsageError, match=r"two results of a on wmt22 zh-en.*--name"):
        made(translated("a"), translated("a", bleu=3))


def test_one_system_and_one_set_make_one_table() -> None:
    report = made(translated("a", bleu=20.126))
    (table,) = report.tables
    assert [column.label for column in table.columns] == ["zh-en"]
    assert texts(table, "a") == ["20.13"]
    # Of one number alone, it is not said that it is the best.
    assert not row(table, "a").cells[0].best
    assert report.comparisons == ()


def test_sets_stand_in_the_papers_order_and_unknown_ones_behind() -> None:
    sets = ("en-fr", "fr-de", "en-zh", "zh-en")
    (table,) = made(*(translated("a", name) for name in sets), published=published_scores()).tables
    assert [column.label for column in table.columns] == ["zh-en", "en-zh", "fr-de", "en-fr"]


def test_published_systems_stand_beside_with_the_sets_that_were_measured_only() -> None:
    (table,) = made(translated("a", "en-zh", 30.0), published=published_scores()).tables
    assert [(one.system, one.origin) for one in table.rows] == [
        ("GPT-3.5-turbo", Origin.PUBLISHED),
        ("BayLing-7B", Origin.PUBLISHED),
        ("Alpaca-7B", Origin.PUBLISHED),
        ("a", Origin.MEASURED),
    ]
    assert row(table, "BayLing-7B", Origin.PUBLISHED).cells[0].value == 38.18
    assert "computed from the outputs published in" in table.caption


def test_a_set_that_nothing_is_published_of_has_no_published_rows() -> None:
    (table,) = made(translated("a", "en-fr"), published=published_scores()).tables
    assert [one.origin for one in table.rows] == [Origin.MEASURED]


def test_the_best_is_marked_by_what_is_printed_and_never_where_the_set_is_incomplete() -> None:
    report = made(
        translated("a", bleu=20.001),
        translated("b", bleu=20.004),
        translated("c", bleu=50, said=("one", "two"), qualities=(0.1, 0.2), n_items=3),
        translated("d", bleu=3),
    )
    (table,) = report.tables
    assert {one.system for one in table.rows if one.cells[0].best} == {"a", "b"}
    assert row(table, "c").cells[0].incomplete
    assert any("first 2 items" in note.text for note in table.notes)
    assert table.columns[0].n_items == 3


def test_the_same_note_has_one_mark_and_problems_are_told() -> None:
    report = made(
        translated("a", "zh-en", n_items=9),
        translated("a", "en-zh", n_items=9),
        translated("b", "zh-en", problems=("", "empty", "length")),
    )
    (table,) = report.tables
    assert [cell.notes for cell in row(table, "a").cells] == [("a",), ("a",)]
    assert row(table, "b").cells[0].notes == ("*",)
    assert [note.mark for note in table.notes if note.mark] == ["*", "a"]
    told = {(line.system, line.set_name): line for line in report.problems}
    assert dict(told["b", "zh-en"].problems) == {"empty": 1, "length": 1}
    assert told["a", "en-zh"].n_items == 9


def test_captions_say_tokenizers_decoding_and_prompt() -> None:
    run = Run("2026-11-20", decoding="greedy", prompt="提供这句话的中文翻译：…")
    (table,) = made(
        translated("a", "zh-en"), translated("a", "de-en"), translated("b", "en-zh", tokenizer="zh", run=run)
    ).tables
    assert "tokenizer 13a, zh for en-zh" in table.caption
    assert "case mixed" in table.caption
    assert "Decoding: beam 5; greedy for b." in table.caption
    assert (
        "Prompt: “Provide the Chinese translation for this sentence: …”; “提供这句话的中文翻译：…” for b."
        in table.caption
    )


def test_the_average_needs_every_task_and_is_each_task_counted_alike() -> None:
    all_nine = [examined("a", name, [True] * (place + 1) + [False]) for place, name in enumerate(GAOKAO)]
    eight = [examined("b", name, [True, False]) for name in GAOKAO[:8]]
    (table,) = made(*all_nine, *eight).tables
    assert table.columns[0].label == "Avg."
    assert table.columns[1].label == "chinese"
    mean = sum(100 * (place + 1) / (place + 2) for place in range(9)) / 9
    average = row(table, "a").cells[0]
    assert average.value == pytest.approx(mean)
    assert row(table, "b").cells[0].value is None
    assert row(table, "b").cells[-1].text == ""


def test_without_all_tasks_there_is_no_average_and_an_incomplete_task_marks_it() -> None:
    (table,) = made(examined("a", "gaokao-chinese", [True]), published=published_scores()).tables
    assert [column.label for column in table.columns] == ["chinese"]
    parts = [examined("a", name, [True, False], n_items=7) for name in GAOKAO]
    (table,) = made(*parts).tables
    assert row(table, "a").cells[0].incomplete


def test_the_exams_make_the_papers_two_tables() -> None:
    report = made(
        examined("a", "sat-math", [True]), examined("a", "gaokao-english", [True]), examined("a", "jec-qa-kd", [True])
    )
    assert [table.id for table in report.tables] == [
        "exams-gaokao-accuracy",
        "exams-english-accuracy",
        "exams-others-accuracy",
    ]


def test_published_averages_are_computed_of_their_nine_numbers() -> None:
    all_nine = [examined("a", name, [True, False]) for name in GAOKAO]
    (table,) = made(*all_nine, published=published_scores()).tables
    printed = {"GPT-3.5-turbo": "43.87", "BayLing-13B": "32.13", "BayLing-7B": "28.20", "ChatGLM-6B": "31.83"}
    for system, average in printed.items():
        assert row(table, system, Origin.PUBLISHED).cells[0].text == average


def test_comparisons_have_a_group_for_each_set_and_one_for_all_of_them() -> None:
    results = [compared("ours", "theirs", name, [(9, 6), (5, 5), (4, 8)], ["generic", "math", "math"]) for name in SETS]
    report = made(*results)
    first, aside = report.tables
    assert [column.group for column in first.columns if column.metric == "win"] == [*SETS, "all sets"]
    numbers = {
        (column.group, column.metric): cell.text
        for column, cell in zip(first.columns, first.rows[0].cells, strict=True)
    }
    assert [numbers["all sets", metric] for metric in ("win", "tie", "lose")] == ["4", "4", "4"]
    # The sum of ours by the sum of theirs, not a mean of ratios.
    assert numbers["all sets", "ratio"] == f"{100 * 18 / 19:.2f}"
    assert {column.metric for column in aside.columns} >= {"score", "score of the other"}
    assert first.rows[0].against == "theirs"


def test_without_one_of_the_sets_nothing_is_said_of_all() -> None:
    results = [compared("ours", "theirs", name, [(9, 6)], ["generic"]) for name in SETS[:3]]
    assert all(column.group != "all sets" for column in made(*results).tables[0].columns)


def test_radars_have_the_mean_scores_of_both_systems_by_category() -> None:
    report = made(compared("ours", "theirs", SETS[0], [(9, 6), (5, 5), (4, 8)], ["generic", "math", "math"]))
    (radar,) = report.figures
    assert radar.kind is Kind.RADAR
    assert radar.categories == ("generic", "math")
    assert {one.system: one.values for one in radar.series} == {"ours": (9.0, 4.5), "theirs": (6.0, 6.5)}


def test_a_figure_of_few_sets_has_bars_and_of_many_lines() -> None:
    few = made(translated("a", "zh-en"), translated("b", "en-zh", 7.0))
    assert few.figures[0].kind is Kind.BARS
    assert [one.values for one in few.figures[0].series] == [(20.0, None), (None, 7.0)]
    many = made(*(translated("a", name) for name in ("zh-en", "en-zh", "de-en", "en-de")))
    assert many.figures[0].kind is Kind.LINES


def test_significance_marks_only_what_beats_every_other_system() -> None:
    right = [True] * 90 + [False] * 10
    wrong = [True] * 40 + [False] * 60
    near = [True] * 89 + [False] * 11
    clear = made(examined("a", "sat-math", right), examined("b", "sat-math", wrong))
    assert row(clear.tables[0], "a").cells[0].significant
    assert not row(clear.tables[0], "b").cells[0].significant
    (one,) = clear.comparisons
    assert (one.system, one.other, one.difference) == ("a", "b", 50.0)
    assert one.p < 0.05
    assert one.low is not None
    assert one.low > 0
    close = made(*(examined(name, "sat-math", found) for name, found in (("a", right), ("b", wrong), ("c", near))))
    assert not any(one.cells[0].significant for one in close.tables[0].rows)
    assert {(one.system, one.other) for one in close.comparisons} == {("a", "b"), ("a", "c")}


def test_significance_asks_the_interval_as_well() -> None:
    # Right where the other one is wrong 17 times, and wrong where it is right 8 times.
    both = [True] * 75
    first, second = both + [True] * 17 + [False] * 8, both + [False] * 17 + [True] * 8
    found = made(examined("a", "sat-math", first), examined("b", "sat-math", second))
    (one,) = found.comparisons
    assert one.p < 0.05
    assert one.low is not None
    assert one.low < 0
    assert not row(found.tables[0], "a").cells[0].significant


def test_results_on_different_items_are_not_compared() -> None:
    whole, part = examined("a", "sat-math", [True] * 50), examined("b", "sat-math", [False] * 20, n_items=50)
    assert made(whole, part).comparisons == ()


def test_an_unknown_family_has_a_table_of_its_own() -> None:
    result = replace(translated("a"), family="poetry", scores=(Score("rhymes", 12.5), Score("metre", 3.0)))
    (table,) = made(result).tables
    assert [(column.group, column.label) for column in table.columns] == [("zh-en", "rhymes"), ("zh-en", "metre")]


def test_examples_are_those_with_the_greatest_distance_and_never_of_equal_texts() -> None:
    first = translated("a", said=("one", "same", "three"), qualities=(0.1, 0.9, 0.5))
    second = translated("b", said=("uno", "same", "tres"), qualities=(0.2, 0.1, 0.9))
    report = build_report([first, second], (), NOTHING, n_examples=5)
    assert [(example.id, round(example.spread, 6)) for example in report.examples] == [("3", 0.4), ("1", 0.1)]
    assert [said.said for said in report.examples[0].said] == [("three",), ("tres",)]
    assert build_report([first, second], (), NOTHING, n_examples=0).examples == ()


def test_examples_of_one_system_are_what_it_is_worst_at() -> None:
    report = build_report([translated("a", qualities=(0.5, None, 0.2))], (), NOTHING, n_examples=1)
    assert [example.id for example in report.examples] == ["3"]


def test_examples_of_a_comparison_have_both_answers() -> None:
    results = compared("ours", "theirs", SETS[0], [(9, 6), (4, 8)], ["generic", "math"])
    scored = replace(results, outputs=tuple(replace(one, quality=0.5) for one in results.outputs))
    (example, _) = made(scored).examples
    assert [(said.system, said.said) for said in example.said] == [
        ("ours vs. theirs", ("ours",)),
        ("theirs", ("theirs",)),
    ]


def test_runs_that_are_alike_are_one_line_and_their_effort_is_added() -> None:
    other = Run("2026-11-22T00:00:00+00:00", origin="out.txt")
    report = made(translated("a", "zh-en"), translated("a", "en-zh"), translated("b", "zh-en", run=other))
    first, second = report.runs
    assert (first.sets, first.n_generated, first.seconds) == (("zh-en", "en-zh"), 600, 40.0)
    assert first.tokens_per_second == 15.0
    assert (second.origins, second.tokens_per_second) == (("out.txt",), None)
    # When a file was last written is not when something was measured.
    assert (when(first), when(second)) == ("2026-11-20", "written 2026-11-22")
    assert about(report).startswith("2 systems measured · 2026-11-20 · ")


def test_signatures_are_told_once_for_all_sets_that_share_one() -> None:
    report = made(translated("a", "zh-en"), translated("b", "zh-en"), translated("a", "en-zh", tokenizer="zh"))
    assert [(line.sets, "tok:zh" in line.signature) for line in report.signatures] == [
        (("zh-en",), False),
        (("en-zh",), True),
    ]


def test_a_published_remark_is_a_note() -> None:
    remarkable = PublishedScore("P", "wmt22", "zh-en", "BLEU", 9.5, "a paper", remark="Of another run.")
    (table,) = made(translated("a"), published=Published((remarkable,))).tables
    assert row(table, "P", Origin.PUBLISHED).cells[0].notes == ("a",)
    assert ("a", "Of another run.") in [(note.mark, note.text) for note in table.notes]
    assert table.caption.endswith("Published figures: a paper.")


def test_what_was_computed_in_another_way_is_marked_and_neither_best_nor_compared() -> None:
    usual = [
        examined(name, "sat-math", [True] * right + [False] * (60 - right)) for name, right in (("a", 20), ("b", 9))
    ]
    other = examined("c", "sat-math", [True] * 60)
    other = replace(other, scores=(replace(other.scores[0], signature="rule:by-hand|average:micro"),))
    report = made(*usual, other)
    (table,) = report.tables
    assert row(table, "a").cells[0].best
    assert not row(table, "c").cells[0].best
    assert row(table, "c").cells[0].notes == ("a",)
    assert any("another way" in note.text for note in table.notes)
    assert {(one.system, one.other) for one in report.comparisons} == {("a", "b")}


def test_versions_of_the_program_and_of_sacrebleu_are_no_other_way() -> None:
    newer = replace(
        translated("b"), scores=(Score("BLEU", 30.0, translated("b").scores[0].signature.replace("2.5", "2.6")),)
    )
    (table,) = made(translated("a"), newer).tables
    assert row(table, "b").cells[0].best
    assert row(table, "b").cells[0].notes == ()
