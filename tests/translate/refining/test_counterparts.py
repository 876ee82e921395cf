"""Which word of a draft a new one takes the place of, when only the word of the source is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import ContextOverflow
from bayling_lite.languages import find_language
from bayling_lite.prompts import fix_instruction, translation_instruction
from bayling_lite.translate import Translation, Translator
from bayling_lite.translate.refining.counterparts import counterpart

GERMAN, CHINESE = find_language("de"), find_language("zh")
SEARCHES = ModelInfo("searching", "bayling", n_ctx=4096, can_search=True)


@pytest.mark.parametrize(
    ("text", "translations", "found"),
    [
        ("Ich mag das Haus und die Gärten.", ["Haus"], "Haus"),
        ("Ich mag das Haus und die Gärten.", ["Das Haus ist das Haus"], "Haus"),
        ("Ich mag das Haus und die Gärten.", ["Der Garten", "Garten"], "Gärten"),
        ("Ich mag das Haus und die Gärten.", ["das und die"], ""),
        ("Ich mag das Haus und die Gärten.", ["Pass auf", "Das Auto"], ""),
        ("Ich mag das Haus und die Gärten.", [], ""),
        ("J'aime l'école.", ["L'école"], "école"),
    ],
)
def test_the_word_that_its_translation_shows_is_the_one(text: str, translations: list[str], found: str) -> None:
    assert counterpart(text, translations, GERMAN) == found


@pytest.mark.parametrize(("said", "found"), [("城市是城市", "城市"), ("花园里", "花园"), ("我的", ""), ("水", "")])
def test_in_chinese_it_is_what_both_have(said: str, found: str) -> None:
    assert counterpart("我喜欢这个城市的花园。", [said], CHINESE) == found


def drafted(text: str, answer: str, *refined: str | BaseException) -> tuple[Translation, ScriptedEngine]:
    translation = Translator(ScriptedEngine([answer])).translate(text, "de", "en")
    engine = ScriptedEngine(refined, info=SEARCHES)
    translation.translator.engine = engine
    return translation, engine


def test_the_word_is_asked_for_alone_and_with_the_small_word_before_it() -> None:
    draft, engine = drafted("We like the old houses.", "Wir mögen alte Häuser.", "Häuser", "Wir mögen alte Gebäude.")
    assert draft.refine(fix_instruction("house", "Gebäude"), required="Gebäude").text == "Wir mögen alte Gebäude."
    asked = [request.conversation.messages[-1].content for request in engine.requests[:-1]]
    assert asked == [translation_instruction("houses", GERMAN)]
    revision = engine.requests[-1].revision
    assert revision is not None
    assert (revision.text[slice(*revision.places[0])], len(revision.places)) == ("Häuser", 1)
    draft, engine = drafted("The house is old.", "Das Haus ist alt.", "Hütte", "Das Haus", "Das Gebäude ist alt.")
    draft.refine(fix_instruction("house", "Gebäude"), required="Gebäude")
    revision = engine.requests[-1].revision
    assert revision is not None
    assert (revision.phrase, revision.places) == ("Das Gebäude", ((0, 8),))


@pytest.mark.parametrize("answers", [("Pass auf",), (ContextOverflow(9, 8),)])
def test_what_the_model_does_not_know_is_left_to_the_engine(answers: tuple[str | BaseException, ...]) -> None:
    draft, engine = drafted("Houses are old.", "Häuser sind alt.", *answers, "Gebäude sind alt.")
    assert draft.refine(fix_instruction("house", "Gebäude"), required="Gebäude").text == "Gebäude sind alt."
    revision = engine.requests[-1].revision
    assert revision is not None
    assert revision.places == ()


def test_nothing_is_asked_about_a_word_of_the_draft() -> None:
    draft, engine = drafted("The house is old.", "Das Haus ist alt.", "Das Gebäude ist alt.")
    draft.refine(fix_instruction("Haus", "Gebäude"), required="Gebäude")
    assert len(engine.requests) == 1


@pytest.fixture(scope="module")
def embedded(tiny_model: Path) -> Iterator[Translator]:
    with LlamaEngine.open(tiny_model) as engine:
        yield Translator(engine)


@pytest.mark.parametrize(
    ("target", "text", "word", "wanted", "gone"),
    [
        ("de", "The house is old.", "house", "Gebäude", "Haus"),
        ("de", "I like the house and the garden.", "house", "Gebäude", "Haus"),
        ("fr", "Where is the dog?", "dog", "toutou", "chien"),
        ("zh", "There is no garden here.", "garden", "庭院", "花园"),
    ],
)
def test_the_new_word_takes_the_place_of_the_old_one(
    embedded: Translator, target: str, text: str, word: str, wanted: str, gone: str
) -> None:
    draft = embedded.translate(text, target, "en")
    refined = draft.refine(fix_instruction(word, wanted), required=wanted)
    assert gone in draft.text
    assert wanted in refined.text
    assert gone not in refined.text
