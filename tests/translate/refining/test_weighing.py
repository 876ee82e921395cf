"""Translations weighed from both sides by the embedded model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from bayling_lite.engine.base import GenerationRequest, SearchParams
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.languages import find_language
from bayling_lite.prompts import Wording, translation_instruction, user_turn
from bayling_lite.translate.asking.budget import TokenBudget
from bayling_lite.translate.asking.steps import SteppedWork
from bayling_lite.translate.refining.means import Means
from bayling_lite.translate.refining.weighing import Weight, weigh

ENGLISH, GERMAN = find_language("en"), find_language("de")
# Results differ in the second digit with the number of tokens that are computed together.
_NOISE = 0.5


@pytest.fixture(scope="module")
def engine(tiny_model: Path) -> Iterator[LlamaEngine]:
    with LlamaEngine.open(tiny_model) as engine:
        yield engine


def weighed(engine: LlamaEngine, source: str, texts: Sequence[str], **known: float) -> list[Weight]:
    """The weights of German translations of an English text."""
    means = Means(TokenBudget(engine), Wording.ENGLISH, 1, can_search=True, wide=True)
    asked = user_turn(translation_instruction(source, GERMAN))
    weights = SteppedWork(engine, weigh(texts, asked, source, ENGLISH, means, known)).wait()
    assert weights is not None
    return weights


def test_the_weight_of_a_text_is_the_log_probability_that_a_search_gives_it(engine: LlamaEngine) -> None:
    source = "Do you want to drink some water?"
    conversation = user_turn(translation_instruction(source, GERMAN))
    request = GenerationRequest(conversation, max_tokens=60, search=SearchParams(8, n_best=8))
    found = engine.submit(request).result().hypotheses
    assert len(found) == 8
    for weight, hypothesis in zip(weighed(engine, source, [one.text for one in found]), found, strict=True):
        assert weight.there == pytest.approx(hypothesis.logprob, abs=_NOISE)


def test_a_word_that_is_missing_shows_from_the_other_side(engine: LlamaEngine) -> None:
    whole, less = "Ich möchte morgen ein Buch lesen.", "Ich möchte ein Buch lesen."
    first, second = weighed(engine, "I would like to read a book tomorrow.", [whole, less])
    assert second.back < first.back - 5
    assert (first.text, second.text) == (whole, less)


def test_what_is_known_is_not_asked_for_again(engine: LlamaEngine) -> None:
    (weight,) = weighed(engine, "Good morning.", ["Guten Morgen."], **{"Guten Morgen.": -42.0})
    assert weight.there == -42.0


def test_a_text_that_is_never_written_so_weighs_nothing(engine: LlamaEngine) -> None:
    (weight,) = weighed(engine, "Good morning. " * 3, ["zzz qqq xxx 啊啊 🙂"])
    assert weight.there < -20
    assert weight.back < -5
