"""The published figures that come with the program: whole, each with its source, and what our own scores come to."""

from __future__ import annotations

import pytest

from bayling_lite.errors import InputError
from bayling_lite.evaluate.families import family
from bayling_lite.evaluate.published import parse_published, published_scores
from tests.evaluate.published_data import needs_published_data, published_data

BROKEN = """
[sources]
paper = "a paper"
[[table]]
family = "wmt22"
metric = "BLEU"
source = "{source}"
sets = ["zh-en", "en-zh"]
[table.systems]
A = {values}
{more}
"""
REMARK = '[[remark]]\nfamily="wmt22"\nmetric="BLEU"\nset="de-en"\nsystem="A"\ntext="x"'


def test_every_figure_has_its_source_and_comes_once() -> None:
    scores = published_scores().scores
    assert all(score.source for score in scores)
    keys = [(score.system, score.against, score.family, score.set_name, score.metric) for score in scores]
    assert len(set(keys)) == len(keys)


def test_the_order_is_the_papers() -> None:
    assert published_scores().sets("wmt22")[:4] == ("zh-en", "en-zh", "de-en", "en-de")
    assert len(published_scores().sets("wmt22")) == 14
    assert len(published_scores().sets("exams")) == 18


def test_the_comparisons_add_up() -> None:
    values = {(one.set_name, one.metric): one.value for one in published_scores().of("bayling80")}
    sets = [name for name in published_scores().sets("bayling80") if name != "all sets"]
    for metric in ("win", "tie", "lose"):
        assert sum(values[name, metric] for name in sets) == values["all sets", metric]
    assert all(values[name, "win"] + values[name, "tie"] + values[name, "lose"] == 80 for name in sets)


def test_what_is_not_published_is_left_out() -> None:
    scores = parse_published(BROKEN.format(source="paper", values="[1.0, nan]", more="")).scores
    assert [score.set_name for score in scores] == ["zh-en"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BROKEN.format(source="paper", values="[1.0]", more=""), "1 figures for 2 sets"),
        (BROKEN.format(source="hearsay", values="[1.0, 2.0]", more=""), "hearsay"),
        (BROKEN.format(source="paper", values="[1.0, 2.0]", more=REMARK), "remark about none"),
        ("[[", "cannot be read"),
    ],
)
def test_broken_figures_are_errors(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_published(text)


NAMES = {
    "bayling-7b": "BayLing-7B",
    "alpaca-7b": "Alpaca-7B",
    "gpt-3.5-turbo": "GPT-3.5-turbo",
    "bayling-13b": "BayLing-13B",
}
# These outputs are of another run than the published number.
OTHER_RUN = {("exams", "BayLing-7B", "aqua-rat")}
# Of the 14 directions, one of each tokenizer.
DIRECTIONS = {"zh-en", "en-zh", "en-ja"}


@needs_published_data
@pytest.mark.slow
@pytest.mark.parametrize("name", ["wmt22", "constrained", "bayling80", "exams"])
def test_our_scores_of_the_published_outputs_are_the_published_figures(name: str) -> None:
    kind, data = family(name), published_data()
    known = {
        (one.system, one.set_name, one.metric): one.value for one in published_scores().of(name) if not one.against
    }
    known |= {
        (one.system, one.set_name, one.metric): one.value
        for one in published_scores().of(name)
        if one.against == "Vicuna-13B"
    }
    checked = 0
    for found in kind.find_outputs(data):
        system = NAMES.get(found.system, "")
        if not system or (name == "wmt22" and found.set_name not in DIRECTIONS) or found.against not in ("", "vicuna"):
            continue
        if (name, system, found.set_name) in OTHER_RUN:
            continue
        for score in kind.score(data, found).scores:
            printed = known.get((system, found.set_name, score.metric))
            if printed is not None:
                assert round(score.value, 2) == printed, (system, found.set_name, score.metric)
                checked += 1
    assert checked
