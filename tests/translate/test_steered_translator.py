"""What is said to a model before every sentence of a text, and a draft translated back."""

from __future__ import annotations

import pytest

from bayling_lite.engine.base import ModelInfo
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.errors import UsageError
from bayling_lite.languages import find_language
from bayling_lite.prompts import Wording, translation_instruction, user_turn
from bayling_lite.translate import Translator
from bayling_lite.translate.asking.segment_translator import SegmentTranslator
from bayling_lite.translate.asking.steering import Steering

CHINESE, ENGLISH = find_language("zh"), find_language("en")
FORMAL = Steering(formality="formal", context="a letter")
DEMONSTRATOR = ModelInfo("tiny", "bayling", n_ctx=4096, demonstrator=True)


def test_the_same_preface_stands_before_every_sentence() -> None:
    engine = ScriptedEngine(["早上好。", "你好吗？"])
    translation = Translator(engine, steering=FORMAL).translate("Good morning. How are you?", "zh", "en")
    preface = FORMAL.preface(Wording.ENGLISH)
    assert [request.conversation.messages[0].content for request in engine.requests] == [
        preface + translation_instruction(text, CHINESE) for text in ("Good morning.", "How are you?")
    ]
    whole = preface + translation_instruction("Good morning. How are you?", CHINESE)
    assert translation.conversation == user_turn(whole).assistant("早上好。你好吗？")


def test_the_preface_is_worded_like_the_request() -> None:
    engine = ScriptedEngine(["早上好。"])
    Translator(engine, wording=Wording.CHINESE, steering=FORMAL).translate("Good morning.", "zh", "en")
    assert engine.requests[0].conversation.messages[0].content.startswith(FORMAL.preface(Wording.CHINESE))


def test_a_demonstrator_is_not_told_and_the_user_is() -> None:
    engine = ScriptedEngine(["早上好。"], info=DEMONSTRATOR)
    translator = Translator(engine, steering=FORMAL)
    translator.translate("Good morning.", "zh", "en")
    assert engine.requests[0].conversation == user_turn(translation_instruction("Good morning.", CHINESE))
    assert translator.unheeded
    assert translator.note == SegmentTranslator(engine, steering=FORMAL).note
    assert translator.note.startswith("tiny is too small")


@pytest.mark.parametrize(
    ("info", "steering"),
    [(DEMONSTRATOR, None), (DEMONSTRATOR, Steering()), (ModelInfo("big", "bayling", 4096), FORMAL)],
)
def test_there_is_nothing_to_note_where_nothing_is_left_out(info: ModelInfo, steering: Steering | None) -> None:
    translator = Translator(ScriptedEngine(info=info), steering=steering)
    assert not translator.unheeded
    assert translator.note == ""


def test_a_refinement_goes_on_from_the_steered_request() -> None:
    engine = ScriptedEngine(["早上好。", "早安。"])
    draft = Translator(engine, steering=FORMAL).translate("Good morning.", "zh", "en")
    draft.refine("Be lively.")
    assert engine.requests[1].conversation == draft.conversation.user("Be lively.")


# Back.


def test_a_draft_is_translated_back_without_steering_and_terms() -> None:
    engine = ScriptedEngine(["早上好。", "你好吗？", "Good morning.", "How are you?"])
    translator = Translator(engine, steering=FORMAL)
    draft = translator.translate(" Good morning.\n\nHow are you?\n", "zh", "en", terms=[("morning", "早上")])
    back = draft.back().result()
    assert back.text == " Good morning.\n\nHow are you?\n"
    assert (back.source, back.target) == (CHINESE, ENGLISH)
    assert [request.conversation for request in engine.requests[2:]] == [
        user_turn(translation_instruction(text, ENGLISH)) for text in ("早上好。", "你好吗？")
    ]


def test_what_has_no_language_cannot_be_translated_back() -> None:
    translator = Translator(ScriptedEngine())
    with pytest.raises(UsageError, match="no language to translate back into"):
        translator.translate("42", "zh").back()
    with pytest.raises(UsageError, match="There is no draft"):
        translator.translate("", "zh").back()
