"""Comparing systems: what sacreBLEU's own paired test says, on what both have."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.significance import PairedTest

from bayling_lite.errors import InputError
from bayling_lite.evaluate.translation.measuring import REFERENCES
from bayling_lite.evaluate.translation.significance import compare, comparisons
from bayling_lite.evaluate.translation.standings import by_set, standings
from bayling_lite.evaluate.translation.wmt22 import Wmt22
from bayling_lite.evaluate.values import Output, Run, Score, SetResult
from tests.evaluate.published_data import needs_published_data, published_data
from tests.evaluate.translation.translated_sets import GERMAN, ROUGH, german_result

# About as good as the other, but at other sentences.
MIXED = (*GERMAN[:2], *ROUGH[2:5], "Kinder unter zwölf können frei ins Museum.") * 4
OTHERS = (*ROUGH[:2], *GERMAN[2:4], *ROUGH[4:]) * 4


def test_p_values_are_those_of_sacrebleu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SACREBLEU_SEED", raising=False)
    ours = compare(german_result(tmp_path, "mixed", MIXED), german_result(tmp_path, "others", OTHERS))
    metrics = {"BLEU": BLEU(), "chrF++": CHRF(word_order=2)}
    systems: list[tuple[str, Sequence[str]]] = [("mixed", MIXED), ("others", OTHERS)]
    _, theirs = PairedTest(systems, metrics, [GERMAN * 4], test_type="bs", n_samples=1000)()
    found = {one.metric: one for one in ours}
    for name, label in (("BLEU", "BLEU"), ("chrF++", "chrF2++")):
        result = theirs[label][1]
        assert not isinstance(result, str)
        assert found[name].p == pytest.approx(result.p_value, abs=0.0015)
        assert found[name].value == pytest.approx(result.score)
    assert 0.002 < found["BLEU"].p < 1


def test_a_much_better_system_is_better_beyond_chance(tmp_path: Path) -> None:
    rough, perfect = german_result(tmp_path, "rough", ROUGH * 5), german_result(tmp_path, "perfect", GERMAN * 5)
    bleu, _ = compare(rough, perfect)
    assert (bleu.baseline, bleu.system, bleu.n_items) == ("rough", "perfect", 30)
    assert bleu.difference > 0
    assert 0 < bleu.low < bleu.difference < bleu.high
    assert bleu.significant
    back, _ = compare(perfect, rough)
    assert (back.difference, back.p) == pytest.approx((-bleu.difference, bleu.p))


def test_what_only_one_has_is_left_out(tmp_path: Path) -> None:
    rough, perfect = german_result(tmp_path, "rough", ROUGH * 5), german_result(tmp_path, "perfect", GERMAN * 5)
    part = dataclasses.replace(perfect, outputs=perfect.outputs[:12])
    bleu, _ = compare(rough, part)
    assert bleu.n_items == 12
    assert bleu.baseline_value == pytest.approx(german_result(tmp_path, "rough", ROUGH * 2).scores[0].value)
    assert compare(rough, dataclasses.replace(perfect, outputs=perfect.outputs[:1])) == ()


def test_scores_of_other_rules_are_not_compared(tmp_path: Path) -> None:
    rough, perfect = german_result(tmp_path, "rough", ROUGH), german_result(tmp_path, "perfect", GERMAN)
    bleu, chrf = perfect.scores
    newer = dataclasses.replace(bleu, signature=bleu.signature.rpartition(":")[0] + ":9.9.9")
    assert len(compare(rough, dataclasses.replace(perfect, scores=(newer, chrf)))) == 2
    other = dataclasses.replace(bleu, signature=bleu.signature.replace("tok:13a", "tok:intl"))
    assert [one.metric for one in compare(rough, dataclasses.replace(perfect, scores=(other, chrf)))] == ["chrF++"]


def test_another_version_of_the_set_is_an_error(tmp_path: Path) -> None:
    rough, perfect = german_result(tmp_path, "rough", ROUGH), german_result(tmp_path, "perfect", GERMAN)
    changed = dataclasses.replace(perfect.outputs[2], reference="Etwas anderes.")
    outputs = (*perfect.outputs[:2], changed, *perfect.outputs[3:])
    with pytest.raises(InputError, match=r"Item 3 .* versions of the set"):
        compare(rough, dataclasses.replace(perfect, outputs=outputs))
    several = dataclasses.replace(perfect.outputs[2], details={REFERENCES: [GERMAN[2], "Etwas anderes."]})
    with pytest.raises(InputError, match="Item 3 "):
        compare(rough, dataclasses.replace(perfect, outputs=(*perfect.outputs[:2], several, *perfect.outputs[3:])))
    with pytest.raises(InputError, match="differ"):
        compare(rough, dataclasses.replace(perfect, set_name="another"))


def accuracies(system: str, right: str) -> SetResult:
    """A result whose score is the mean of its qualities: 1 for each right answer."""
    outputs = tuple(Output(str(n), (f"q{n}",), (sign,), quality=float(sign)) for n, sign in enumerate(right))
    score = Score("accuracy", 100 * right.count("1") / len(right), "rule:first-letter")
    return SetResult(system, "exams", "small", (score,), outputs, Run(date=""), len(right))


def test_a_mean_of_qualities_is_compared_as_well() -> None:
    (one,) = compare(accuracies("a", "0001" * 20), accuracies("b", "0111" * 20))
    assert (one.metric, one.baseline_value, one.value) == ("accuracy", 25.0, 75.0)
    assert one.significant
    unlike = dataclasses.replace(accuracies("b", "01"), scores=(Score("accuracy", 99.0, "rule:first-letter"),))
    assert compare(accuracies("a", "10"), unlike) == ()


def test_a_star_asks_the_interval_as_well() -> None:
    (one,) = compare(accuracies("a", "0101" * 20), accuracies("b", "0110" * 20))
    assert (one.difference, one.p, one.significant) == (0, 1, False)
    for p, low, high, significant in ((0.01, 0.1, 2.0, True), (0.03, -0.1, 2.0, False), (0.2, 0.1, 2.0, False)):
        assert dataclasses.replace(one, p=p, low=low, high=high).significant is significant


def test_each_with_each_or_all_with_one() -> None:
    results = [accuracies(name, "0110") for name in "abc"]
    assert [(one.baseline, one.system) for one in comparisons(results)] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [(one.baseline, one.system) for one in comparisons(results, "b")] == [("b", "a"), ("b", "c")]
    other = dataclasses.replace(results[0], set_name="alone")
    assert comparisons([results[0], other]) == ()


def test_what_is_kept_for_further_comparisons_changes_none(tmp_path: Path) -> None:
    lines = {"rough": ROUGH * 4, "mixed": MIXED, "others": OTHERS}
    results = [german_result(tmp_path, name, said) for name, said in lines.items()]
    results[2] = dataclasses.replace(results[2], outputs=results[2].outputs[:12])
    pairs = list(itertools.combinations(results, 2))
    apart = [one for metric in ("BLEU", "chrF++") for pair in pairs for one in compare(*pair) if one.metric == metric]
    assert list(comparisons(results)) == apart
    assert [one.metric for one in comparisons(results, metrics={"BLEU"})] == ["BLEU"] * 3


def test_ranks_are_what_chance_leaves() -> None:
    lines = {"a": "0001", "b": "0111", "c": "0111", "d": "1000"}
    group = comparisons([accuracies(name, right * 20) for name, right in lines.items()])
    found = {one.system: (one.first, one.last) for one in standings(group, 1)}
    assert found == {"b": (1, 2), "c": (1, 2), "a": (3, 4), "d": (3, 4)}
    assert [one.system for one in standings(group, -1)][:2] == ["a", "d"]
    assert standings(group[1:], 1) == ()
    assert standings([dataclasses.replace(group[0], n_items=3), *group[1:]], 1) == ()
    assert [len(each) for each in by_set([*group, dataclasses.replace(group[0], metric="x")])] == [6, 1]


@needs_published_data
@pytest.mark.slow
def test_published_outputs_differ_as_sacrebleu_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SACREBLEU_SEED", raising=False)
    family, data = Wmt22(), published_data()
    first, second = (
        family.score(data, found)
        for found in family.find_outputs(data)
        if found.system in ("bayling-7b", "alpaca-7b") and found.set_name == "en-ru"
    )
    systems: list[tuple[str, Sequence[str]]] = [
        (result.system, [output.said[0] for output in result.outputs]) for result in (first, second)
    ]
    references = [[output.reference for output in first.outputs]]
    _, theirs = PairedTest(systems, {"BLEU": BLEU()}, references, test_type="bs", n_samples=1000)()
    bleu, chrf = compare(first, second)
    result = theirs["BLEU"][1]
    assert not isinstance(result, str)
    assert bleu.p == pytest.approx(result.p_value, abs=0.0015)
    assert bleu.significant
    assert not chrf.significant
