"""Which texts may stand in the place of a draft, as far as that can be seen."""

from __future__ import annotations

import pytest

from bayling_lite.engine.base import Completion, Hypothesis
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import PhrasesDoNotFit
from bayling_lite.translate import Term, Translator
from bayling_lite.translate.refining.means import Wanted, logprobs


def wanted(source: str, draft: str, target: str, language: str = "en", *terms: Term) -> Wanted:
    """What another text than a draft must be."""
    translation = Translator(ScriptedEngine([draft])).translate(source, target, language, terms=terms)
    return Wanted.of(translation, translation.segments[0])


@pytest.mark.parametrize(
    ("source", "draft", "target", "text", "allowed"),
    [
        ("The house is red.", "Das Haus ist rot.", "de", "Rot ist das Haus.", True),
        ("The house is red.", "Das Haus ist rot.", "de", " — ", False),
        ("The house is red.", "Das Haus ist rot.", "de", "Das Haus ist ist rot.", False),
        ("No, no, no!", "Nein, nein, nein!", "de", "Nicht, nicht, nicht!", True),  # the draft says it twice as well
        ("The house is red.", "Das Haus ist rot.", "de", "Das house ist rot.", False),
        ("The house is red.", "Das house ist rot.", "de", "Rot ist das house.", True),  # nor can the draft say it
        ("I live in Springfield.", "Ich wohne dort.", "de", "Ich wohne in Springfield.", True),
        ("The road is long.", "这条路很长。", "zh", "这条road很长。", False),
        ("I use Linux.", "我用它。", "zh", "我用Linux。", True),
        ("I have 12 cats.", "Ich habe 12 Katzen.", "de", "Ich habe viele Katzen.", False),
        ("The house is red.", "Das Haus ist rot.", "de", "The house is red.", False),
    ],
)
def test_what_has_a_fault_that_can_be_seen_is_not_allowed(
    source: str, draft: str, target: str, text: str, allowed: bool
) -> None:
    assert wanted(source, draft, target).allows(text) is allowed


def test_chinese_left_in_an_english_text_is_not_allowed() -> None:
    assert not wanted("他们忙于社会改革。", "They are busy.", "en", "zh").allows("They are busy with 社会.")


def test_the_terms_that_the_draft_has_are_wanted() -> None:
    own = wanted("A cat and a dog.", "Eine Katze und ein Köter.", "de", "en", ("cat", "Katze"), ("dog", "Hund"))
    assert own.words == ("Katze",)
    assert own.allows("Die Katze und der Köter.")
    assert not own.allows("Der Kater und der Köter.")


def test_each_text_is_found_once_and_never_the_draft() -> None:
    texts = [("Das Haus ist rot!", True), ("Rot ist das Haus.", True), ("Rot ist das Haus!", True), ("Das Haus", False)]
    hypotheses = tuple(Hypothesis(text, -1.0, -2.0, 3, finished) for text, finished in texts)
    completion = Completion("x", "stop", 1, 0, 1, 0.0, 0.0, hypotheses=hypotheses)
    own = wanted("The house is red.", "Das Haus ist rot.", "de")
    assert [one.text for one in own.found(completion)] == ["Rot ist das Haus."]
    assert logprobs(completion) == {text: -2.0 for text, finished in texts if finished}


def test_what_was_cut_off_or_refused_has_no_text() -> None:
    own = wanted("The house is red.", "Das Haus ist rot.", "de")
    assert own.found(Completion("Rot ist das Haus.", "length", 1, 0, 1, 0.0, 0.0)) == []
    assert own.found(PhrasesDoNotFit("x")) == []
    assert logprobs(PhrasesDoNotFit("x")) == {}
    assert [one.text for one in own.found(Completion("Rot ist das Haus.", "stop", 1, 0, 1, 0.0, 0.0))] == [
        "Rot ist das Haus."
    ]
