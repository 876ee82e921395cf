"""Lines about words that the user has named before, about what is missing, and about how readers are addressed."""

from __future__ import annotations

import pytest

from bayling_lite.chat.reading.draft import Draft
from bayling_lite.chat.reading.feedback import read_line
from bayling_lite.engine.scripted import ScriptedEngine
from bayling_lite.languages import find_language
from bayling_lite.prompts import fix_instruction, use_instruction
from bayling_lite.translate import Translator


def against(source: str, text: str, pair: str) -> Draft:
    first, second = pair.split("-")
    return Draft(text, source, find_language(first), find_language(second))


EN_DE = against("He was in town when news came.", "Er war in der Stadt, als die Nachricht kam.", "en-de")
DE_EN = against("Er war in der Stadt, als die Nachricht kam.", "He was in the city when the news came.", "de-en")
EN_FR = against("He is hungry and tired.", "Il a faim et il est fatigué.", "en-fr")
ZH_EN = against("房子很旧，花园很大。", "The house is very old and the garden is big.", "zh-en")
EN_ZH = against("The house is very old.", "房子很旧。", "en-zh")


def test_a_word_that_was_named_before_gives_way_to_the_one_that_is_named_now() -> None:
    engine = ScriptedEngine(["令牌丢了。", "词元丢了。", "代币丢了。"])
    draft = Translator(engine).translate("The token is lost.", "zh", "en", terms=[("token", "令牌")])
    assert read_line("use 词元 for token", Draft.of(draft)).instruction == fix_instruction("令牌", "词元")
    draft = draft.refine(fix_instruction("令牌", "词元"))
    assert read_line("use 代币 for token", Draft.of(draft)).instruction == fix_instruction("词元", "代币")
    assert read_line("don't translate token", Draft.of(draft)).instruction == fix_instruction("词元", "token")
    # What is asked for already is what stands there.
    assert read_line("use 词元 for token", Draft.of(draft)).instruction == fix_instruction("token", "词元")


def test_a_word_that_does_not_stand_in_every_sentence_about_it_is_no_name_for_it() -> None:
    engine = ScriptedEngine(["令牌丢了。", "有标记吗？"])
    draft = Translator(engine).translate("The token is lost. Is the token here?", "zh", "en", terms=[("token", "令牌")])
    # Both sentences are meant, and only the source's word is in both.
    assert read_line("use 词元 for token", Draft.of(draft)).instruction == fix_instruction("token", "词元")


@pytest.mark.parametrize(
    ("draft", "line", "required"),
    [
        (EN_DE, "Stadt should be Ort please", "Ort"),
        (EN_DE, "use Sie instead of du", "Sie"),
        (EN_FR, "use vous instead of tu", "vous"),
        (EN_DE, "Ort, nicht Stadt", "Ort"),
        (EN_FR, "soif, pas faim", "soif"),
        (EN_DE, "it's das, not die", "das"),
        (EN_ZH, "房子应该译成建筑物", "建筑物"),
        (ZH_EN, "把house翻译成building", "building"),
    ],
)
def test_the_word_alone_is_required(draft: Draft, line: str, required: str) -> None:
    assert read_line(line, draft).required == (required,)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("stadt should be Ort", fix_instruction("Stadt", "Ort")),
        ("replace er with sie", fix_instruction("Er", "Sie")),  # it begins the sentence
        ("replace Er with Sie", fix_instruction("Er", "Sie")),
    ],
)
def test_the_wrong_word_is_told_as_the_draft_writes_it(line: str, told: str) -> None:
    assert read_line(line, EN_DE).instruction == told


def test_a_form_of_address_is_a_word() -> None:
    assert read_line("use du", EN_DE).instruction == use_instruction("du")


@pytest.mark.parametrize(
    ("draft", "line"),
    [
        (EN_DE, "use informal address"),
        (EN_DE, "please use polite form"),
        (EN_DE, "use the Sie form"),
        (EN_DE, "use gender-neutral language"),
        (DE_EN, "use contractions"),
        (DE_EN, "benutze den Imperativ"),
        (EN_DE, "bitte siezen"),
        (EN_DE, "duzen, bitte"),
        (EN_FR, "vouvoie"),
        (EN_FR, "tutoie-le s'il te plaît"),
        (EN_DE, "you forgot the town"),
        (EN_DE, "you left out news"),
        (DE_EN, "du hast die Stadt vergessen"),
        (DE_EN, "es fehlt die Nachricht"),
        (EN_FR, "tu as oublié tired"),
        (ZH_EN, "你漏了花园"),
        (EN_DE, "wrong article"),
        (DE_EN, "Falsche Zeitform!"),
        (EN_FR, "mauvais article"),
        (ZH_EN, "时态不对，用过去时"),
        (DE_EN, "streiche when"),
        (DE_EN, "lass news weg"),
    ],
)
def test_a_wish_without_a_word_is_feedback_and_requires_none(draft: Draft, line: str) -> None:
    reading = read_line(line, draft)
    assert (reading.feedback, reading.required) == (True, ())


@pytest.mark.parametrize(
    ("draft", "line"),
    [
        (EN_DE, "You forgot the town."),  # with a full stop it may be what comes next
        (EN_DE, "you forgot the keys"),
        (EN_DE, "Use the enclosed form."),
        (EN_DE, "Please sign the form."),
        (DE_EN, "Sie duzen sich."),
        (ZH_EN, "翻译是一门艺术。"),
        (against("Il fait beau.", "The weather is fine.", "fr-en"), "Mauvais temps !"),
        (EN_DE, "The wrong word can hurt."),
        (DE_EN, "Du hast Post."),
        (DE_EN, "Lass uns gehen."),
        (EN_FR, "Make a list of things."),
        (ZH_EN, "你忘了带伞。"),
    ],
)
def test_sentences_that_are_like_them_are_texts(draft: Draft, line: str) -> None:
    assert not read_line(line, draft).feedback
