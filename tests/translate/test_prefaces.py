"""What is said before the paper's sentence."""

from __future__ import annotations

from bayling_lite.prompts import Wording
from bayling_lite.translate.asking.prefaces import sentence_preface, text_preface


def test_what_holds_for_a_text_stands_on_lines_of_its_own() -> None:
    assert text_preface(wording=Wording.ENGLISH) == ""
    assert text_preface(
        context="A novel,\nset in {1920}.",
        style="plain",
        formality="formal",
        instruction="Keep names.",
        wording=Wording.ENGLISH,
    ) == (
        "About the text: A novel, set in {1920}.\n"
        "Style of the translation: plain\n"
        "Write the translation in a formal tone, with the polite forms of address.\n"
        "Keep names.\n"
    )
    assert text_preface(formality="informal", wording=Wording.CHINESE) == "译文请使用非正式的语气，不用敬称。\n"


def test_what_holds_for_a_sentence_stands_on_lines_of_its_own() -> None:
    assert sentence_preface(wording=Wording.CHINESE) == ""
    assert sentence_preface(
        tags=True, notes="a button", before=("He came.", "He sat."), after=("She\nsmiled.",), wording=Wording.ENGLISH
    ) == (
        "Keep every tag such as <1>, </1> or <2/>, each once, at the words it belongs to.\n"
        "Note for the translator: a button\n"
        "The text before the sentence, not to be translated: He came. He sat.\n"
        "The text after the sentence, not to be translated: She smiled.\n"
    )
    assert sentence_preface(before=("他来了。", "他坐下。"), wording=Wording.CHINESE) == (
        "句子的上文（不要翻译）：他来了。他坐下。\n"
    )
