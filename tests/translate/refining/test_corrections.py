"""Corrections of one word: what is asked of the engine, and what happens when that cannot be had."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bayling_lite.engine.base import ModelInfo, Revision, SearchParams
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import ContextOverflow, PhrasesDoNotFit
from bayling_lite.languages import find_language
from bayling_lite.messages import Conversation
from bayling_lite.prompts import Wording, fix_instruction, use_instruction, user_turn
from bayling_lite.translate import Translation, Translator
from bayling_lite.translate.refining.corrections import correction

GERMAN = find_language("de")
SEARCHES = ModelInfo("searching", "bayling", n_ctx=4096, can_search=True)
DRAFTED = user_turn("Translate.").assistant("Ein Kater und noch ein Kater.")
FIX, USE = fix_instruction("Kater", "Hund"), use_instruction("Hund")


def revision(instruction: str, *words: str, drafted: Conversation = DRAFTED) -> Revision | None:
    found = correction(drafted, instruction, words, GERMAN)
    return found.revision if found else None


def test_a_wrong_word_is_corrected_wherever_it_stands() -> None:
    assert revision(FIX, "Hund") == Revision("Ein Kater und noch ein Kater.", "Hund", ((4, 9), (23, 28)))
    chinese = fix_instruction("Kater", "Hund", wording=Wording.CHINESE)
    assert revision(chinese, "Hund") == revision(FIX, "Hund")


def test_a_word_without_a_place_is_left_to_the_model() -> None:
    assert revision(USE, "Hund") == Revision("Ein Kater und noch ein Kater.", "Hund")
    assert revision(use_instruction("Hund", wording=Wording.CHINESE), "Hund") == revision(USE, "Hund")
    # The wrong word is one of the source, or a part of a longer word.
    assert revision(fix_instruction("cat", "Hund"), "Hund") == revision(USE, "Hund")
    assert revision(fix_instruction("Kat", "Hund"), "Hund") == revision(USE, "Hund")


@pytest.mark.parametrize(
    ("instruction", "words"),
    [
        ("Make it formal.", ()),
        ("Make it formal.", ("Hund",)),
        (FIX, ()),
        (FIX, ("Maus",)),
        (FIX, ("Hund", "Maus")),
        (f"{USE} Make it formal.", ("Hund",)),
        (use_instruction("Kater"), ("Kater",)),  # it is there already
    ],
)
def test_what_says_more_than_one_word_is_no_correction(instruction: str, words: tuple[str, ...]) -> None:
    assert correction(DRAFTED, instruction, words, GERMAN) is None


def test_corrections_before_this_one_are_not_asked_again() -> None:
    first = user_turn("Translate.").assistant("Ein Tier.")
    formal = first.user("Make it formal.").assistant("Ein Kater.")
    corrected = formal.user(FIX).assistant("Ein Hund.").user(USE).assistant("Ein Hund!")
    found = correction(corrected, use_instruction("Maus"), ("Maus",), GERMAN)
    assert found is not None
    assert found.revision.text == "Ein Hund!"
    assert found.conversation == first.user("Make it formal.")


def drafted(text: str, answers: list[str], refined: list[str | BaseException]) -> tuple[Translation, ScriptedEngine]:
    translation = Translator(ScriptedEngine(answers)).translate(text, "de", "en")
    engine = ScriptedEngine(refined, info=SEARCHES)
    translation.translator.engine = engine
    return translation, engine


def test_the_draft_is_revised_as_the_answer_to_the_request() -> None:
    draft, engine = drafted("A cat.", ["Ein Kater."], ["Ein Hund."])
    refined = draft.refine(FIX, required="Hund")
    (request,) = engine.requests
    assert request.conversation == Conversation(draft.conversation.messages[:-1])
    forms = tuple(f"{article} Hund" for article in ("Eine", "Einen", "Einem", "Einer", "Eines"))
    assert (request.revision, request.search) == (Revision("Ein Kater.", "Ein Hund", ((0, 9),), variants=forms), None)
    assert (refined.text, refined.missing_words) == ("Ein Hund.", ())
    # The conversation goes on as it was said.
    assert refined.conversation == draft.conversation.user(FIX).assistant("Ein Hund.")


def test_each_segment_with_the_word_is_revised() -> None:
    draft, engine = drafted("A cat.\nNo.\nMy cat.", ["Ein Kater.", "Nein.", "Mein Kater."], ["Ein Hund."] * 2)
    refined = draft.refine(FIX, required="Hund")
    texts = sorted(request.revision.text for request in engine.requests if request.revision)
    assert texts == ["Ein Kater.", "Mein Kater."]
    assert refined.text == "Ein Hund.\nNein.\nEin Hund."


def test_what_cannot_be_revised_is_searched_for_then_asked_for() -> None:
    no = PhrasesDoNotFit("no")
    draft, engine = drafted("A cat.", ["Ein Kater."], [no, "Der Hund."])
    assert draft.refine(FIX, required="Hund").text == "Der Hund."
    assert engine.requests[1].search == SearchParams(8, n_best=8, required=("Hund",))
    assert engine.requests[1].conversation == draft.conversation.user(FIX)
    draft, engine = drafted("A cat.", ["Ein Kater."], [no, no, "Die Katze."])
    refined = draft.refine(FIX, required="Hund")
    assert (refined.text, refined.missing_words) == ("Die Katze.", ("Hund",))
    assert (engine.requests[2].search, engine.requests[2].revision) == (None, None)


def test_a_revision_without_the_terms_of_the_text_is_searched_for() -> None:
    draft, engine = drafted("A big cat.", ["Ein Kater."], ["Ein Hund.", "Ein großer Hund."])
    refined = draft.refine(FIX, required="Hund", terms=[("big", "großer")])
    assert [request.revision is None for request in engine.requests] == [False, True]
    assert engine.requests[1].search == SearchParams(8, n_best=8, required=("Hund", "großer"))
    assert (refined.text, refined.missing_terms) == ("Ein großer Hund.", ())


def test_a_revision_that_loses_a_term_of_the_draft_is_made_again_word_for_word() -> None:
    draft, engine = drafted("A big cat.", ["Ein großer Kater."], ["Ein Hund.", "Ein großer Hund."])
    refined = draft.refine(FIX, required="Hund", terms=[("big", "großer")])
    first, second = (request.revision for request in engine.requests)
    assert first is not None
    assert second == replace(first, leaning=math.inf)
    assert (refined.text, refined.missing_terms) == ("Ein großer Hund.", ())


def test_an_engine_that_cannot_search_is_asked() -> None:
    draft, _ = drafted("A cat.", ["Ein Kater."], [])
    draft.translator.engine = engine = ScriptedEngine(["Ein Hund."])
    assert draft.refine(FIX, required="Hund").text == "Ein Hund."
    assert engine.requests[0].revision is None


def test_a_cancelled_correction_leaves_nothing() -> None:
    draft, engine = drafted("A cat.", ["Ein Kater."], ["Ein Hund."])
    stream = draft.stream_refine(FIX, required="Hund")
    stream.cancel()
    assert (stream.result().text, engine.requests) == ("", [])


# The embedded model.


@pytest.fixture(scope="module")
def embedded(tiny_model: Path) -> Iterator[Translator]:
    with LlamaEngine.open(tiny_model) as engine:
        yield Translator(engine)


@pytest.mark.parametrize(
    ("target", "text", "wrong", "right"),
    [
        ("en", "我昨天买了一本书。", "book", "novel"),
        ("de", "The house is big and we like the garden.", "Haus", "Gebäude"),
        ("zh", "Good morning, my friend.", "", "早安"),
        ("zh", "Good morning, my friend.", "", "😀"),
        ("fr", "I bought a new car yesterday.", "", "véhicule"),
        ("de", "Can you see me?", "", "Könnt ihr"),
    ],
)
def test_a_corrected_draft_has_the_word(embedded: Translator, target: str, text: str, wrong: str, right: str) -> None:
    draft = embedded.translate(text, target)
    assert wrong in draft.text
    instruction = fix_instruction(wrong, right) if wrong else use_instruction(right)
    refined = draft.refine(instruction, required=right)
    assert (refined.missing_words, right in refined.text) == ((), True)
    assert not wrong or wrong not in refined.text
    again = refined.refine(fix_instruction(right, "BayLing"), required="BayLing")
    assert (again.missing_words, right in again.text) == ((), False)


def test_every_segment_of_a_long_text_is_corrected_in_its_place(embedded: Translator) -> None:
    draft = embedded.translate("\n".join(f"The house has {number} rooms." for number in range(2, 30)), "de", "en")
    lines = draft.text.splitlines()
    with_word = ["Haus" in line for line in lines]
    assert sum(with_word) > 20
    refined = draft.refine(fix_instruction("Haus", "Gebäude"), required="Gebäude")
    assert ["Gebäude" in line for line in refined.text.splitlines()] == with_word
    unchanged = [
        (old, new) for old, new, word in zip(lines, refined.text.splitlines(), with_word, strict=True) if not word
    ]
    assert all(old == new for old, new in unchanged)


def test_a_conversation_too_long_for_the_context_says_so(tiny_model: Path) -> None:
    with LlamaEngine.open(tiny_model, n_ctx=256) as engine:
        draft = Translator(engine).translate("The house is big.", "de", "en")
        assert draft.refine(FIX.replace("Kater", "Haus"), required="Hund").missing_words == ()
        engine_needs = "x " * 300
        with pytest.raises(ContextOverflow):
            draft.refine(engine_needs, required="Hund")
