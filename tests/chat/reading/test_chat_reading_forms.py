"""More of what people type for feedback, and more that only sounds like it: pairs of words, comparisons, complaints."""

from __future__ import annotations

import pytest

from bayling_lite.chat.reading.draft import Draft
from bayling_lite.chat.reading.feedback import Rule, forced_feedback, read_line
from bayling_lite.chat.reading.instructions import named_pair
from bayling_lite.languages import find_language


def draft(pair: str, source: str, text: str) -> Draft:
    codes = pair.split("-")
    return Draft(text, source, find_language(codes[0]), find_language(codes[1]))


EN_ZH = draft("en-zh", "Good morning, my friend. The token is lost.", "早上好，我的朋友。令牌丢了。")
EN_DE = draft("en-de", "The house is big and the banks are closed.", "Das Haus ist groß und die Ufer sind geschlossen.")
ZH_EN = draft("zh-en", "早上好，我的朋友。令牌丢了。", "Good morning, my friend. The sign is lost.")
DE_EN = draft("de-en", "Das Haus ist groß.", "The home is big.")
FR_EN = draft("fr-en", "La maison est grande.", "The home is big.")
EN_FR = draft("en-fr", "The house is big.", "Le domicile est gros.")


@pytest.mark.parametrize(
    ("against", "line", "pair"),
    [
        (EN_ZH, "translate token as 词元", ("token", "词元")),
        (EN_ZH, 'Please translate "token" as “词元”.', ("token", "词元")),
        (EN_ZH, "use 词元 for token", ("token", "词元")),
        (EN_ZH, "no, use 词元 for token please", ("token", "词元")),
        (EN_ZH, "token should be translated as 词元", ("token", "词元")),
        (EN_ZH, "token should be 词元", ("token", "词元")),
        (EN_ZH, "token means 词元 here", ("token", "词元")),
        (EN_ZH, "词元=token", ("token", "词元")),
        (EN_ZH, "token = 词元", ("token", "词元")),
        (EN_ZH, "token → 词元", ("token", "词元")),
        (EN_ZH, "“token”译为“词元”", ("token", "词元")),
        (EN_ZH, "把token译成词元", ("token", "词元")),
        (EN_ZH, "请将 token 翻译成词元", ("token", "词元")),
        (EN_ZH, "token应该翻译成词元", ("token", "词元")),
        (EN_ZH, "用词元翻译token", ("token", "词元")),
        (EN_ZH, "token的译法是词元", ("token", "词元")),
        (EN_DE, "translate banks as Banken", ("banks", "Banken")),
        (EN_DE, "use Bank for bank", ("bank", "Bank")),
        (EN_DE, "übersetze banks mit Banken", ("banks", "Banken")),
        (EN_DE, "banks soll mit Banken übersetzt werden", ("banks", "Banken")),
        (EN_DE, "bitte banks als Banken übersetzen", ("banks", "Banken")),
        (EN_DE, "nimm Banken für banks", ("banks", "Banken")),
        (EN_FR, "traduis house par maison", ("house", "maison")),
        (EN_FR, "house doit être traduit par maison", ("house", "maison")),
        (ZH_EN, "令牌译为token", ("令牌", "token")),
        (ZH_EN, "translate 令牌 as token", ("令牌", "token")),
        (DE_EN, "translate Haus as house", ("Haus", "house")),
        (EN_ZH, "don't translate token", ("token", "token")),
        (EN_ZH, "keep token untranslated", ("token", "token")),
        (EN_ZH, "keep “token” in English, please", ("token", "token")),
        (EN_ZH, "token不翻译", ("token", "token")),
        (EN_ZH, "保留token原文", ("token", "token")),
        (EN_DE, "banks nicht übersetzen", ("banks", "banks")),
        (FR_EN, "ne traduis pas maison", ("maison", "maison")),
    ],
)
def test_a_pair_of_words_is_a_refinement_that_must_have_the_one(
    against: Draft, line: str, pair: tuple[str, str]
) -> None:
    reading = read_line(line, against)
    assert (reading.feedback, reading.rule, reading.required) == (True, Rule.FORM, (pair[1],))
    assert named_pair(line, against) == pair
    if pair[0] != pair[1]:  # both are quoted, so that the sentence with the word is known
        assert pair[0] in reading.instruction
        assert pair[1] in reading.instruction


def test_a_pair_whose_word_is_not_in_the_text_is_asked_for_but_not_required() -> None:
    reading = read_line("use 词元 for tokenizer", EN_ZH)
    assert (reading.feedback, reading.instruction, reading.required) == (True, 'Use the word "词元".', ())
    assert named_pair("use 词元 for tokenizer", EN_ZH) is None
    assert forced_feedback("use 词元 for token", EN_ZH).required == ("词元",)


@pytest.mark.parametrize(
    ("against", "line", "told"),
    [
        (EN_ZH, "不是令牌，是词元", "请改正“令牌”，应为“词元”。"),
        (EN_ZH, "是词元，不是令牌", "请改正“令牌”，应为“词元”。"),
        (EN_ZH, "令牌改成词元", "请改正“令牌”，应为“词元”。"),
        (EN_ZH, "不要用令牌，用词元", "请改正“令牌”，应为“词元”。"),
        (EN_ZH, "词元比令牌更合适", "请改正“令牌”，应为“词元”。"),
        (EN_ZH, "令牌 -> 词元", 'Fix "令牌": it should be "词元".'),
        (EN_ZH, "应该用词元", "请使用“词元”这个词。"),
        (EN_ZH, "用词元", "请使用“词元”这个词。"),
        (EN_ZH, "用词语“词元”", "请使用“词元”这个词。"),
        (EN_ZH, "词元更好", "请使用“词元”这个词。"),
        (EN_ZH, "how about 词元?", 'Use the word "词元".'),
        (EN_ZH, "it should be 词元", 'Use the word "词元".'),
        (EN_ZH, "I'd prefer 词元", 'Use the word "词元".'),
        (EN_ZH, "better: 词元", 'Use the word "词元".'),
        (EN_ZH, "try 词元 instead", 'Use the word "词元".'),
        (EN_DE, "not Ufer but Banken", 'Fix "Ufer": it should be "Banken".'),
        (EN_DE, "Banken, not Ufer", 'Fix "Ufer": it should be "Banken".'),
        (EN_DE, "it's Banken, not Ufer", 'Fix "Ufer": it should be "Banken".'),
        (EN_DE, "don't use Ufer, use Banken", 'Fix "Ufer": it should be "Banken".'),
        (EN_DE, "Ufer is wrong, it should be Banken", 'Fix "Ufer": it should be "Banken".'),
        (EN_DE, "Banken is better than Ufer", 'Fix "Ufer": it should be "Banken".'),
        (EN_DE, "I prefer Banken to Ufer", 'Fix "Ufer": it should be "Banken".'),
        (EN_DE, "Ufer => Banken", 'Fix "Ufer": it should be "Banken".'),
        (EN_DE, "nicht Ufer, sondern Banken", 'Fix "Ufer": it should be "Banken".'),
        (EN_DE, "Ufer ist falsch, richtig ist Banken", 'Fix "Ufer": it should be "Banken".'),
        (EN_DE, "lieber Banken als Ufer", 'Fix "Ufer": it should be "Banken".'),
        (EN_DE, "no, replace Ufer with Banken", 'Fix "Ufer": it should be "Banken".'),
        (EN_DE, "„Banken“ wäre besser", 'Use the word "Banken".'),
        (EN_FR, "pas domicile mais maison", 'Fix "domicile": it should be "maison".'),
        (EN_FR, "je préfère maison à domicile", 'Fix "domicile": it should be "maison".'),
        (EN_FR, "non, remplace domicile par maison", 'Fix "domicile": it should be "maison".'),
        (EN_FR, "plutôt « maison »", 'Use the word "maison".'),
        (DE_EN, 'what about "house"?', 'Use the word "house".'),
    ],
)
def test_a_comparison_of_words_gets_the_trained_wording(against: Draft, line: str, told: str) -> None:
    reading = read_line(line, against)
    assert (reading.feedback, reading.rule, reading.instruction) == (True, Rule.FORM, told)
    assert len(reading.required) == 1


@pytest.mark.parametrize(
    ("against", "line", "rule"),
    [
        (EN_DE, "sounds too stiff", Rule.STYLE),
        (EN_DE, "It reads a bit unnatural.", Rule.STYLE),
        (EN_DE, "klingt zu steif", Rule.STYLE),
        (EN_ZH, "有点生硬", Rule.STYLE),
        (EN_DE, "Rephrase it, please.", Rule.STYLE),
        (EN_DE, "another version", Rule.STYLE),
        (EN_DE, "Say it differently", Rule.STYLE),
        (EN_DE, "Formuliere es um", Rule.STYLE),
        (EN_FR, "une autre traduction", Rule.STYLE),
        (EN_ZH, "换个说法", Rule.STYLE),
        (EN_ZH, "请重新翻译一下。", Rule.STYLE),
        (EN_DE, "use the past tense", Rule.REQUEST),
        (EN_DE, "Put it in the plural", Rule.REQUEST),
        (EN_DE, "bitte im Präteritum", Rule.REQUEST),
        (ZH_EN, "改用过去时", Rule.REQUEST),
        (EN_DE, "You forgot the last sentence", Rule.REQUEST),
        (ZH_EN, "漏译了第二句", Rule.REQUEST),
        (EN_DE, "“Ufer” is wrong", Rule.REQUEST),
        (EN_DE, 'I don\'t like "Ufer" here.', Rule.REQUEST),
        (EN_DE, "„Ufer“ passt nicht", Rule.REQUEST),
        (EN_DE, "remove geschlossen", Rule.REQUEST),
        (ZH_EN, "把 sign 换一个词", Rule.REQUEST),
    ],
)
def test_remarks_on_the_draft_go_to_the_model_as_typed(against: Draft, line: str, rule: Rule) -> None:
    reading = read_line(line, against)
    assert (reading.feedback, reading.rule, reading.instruction) == (True, rule, line)


@pytest.mark.parametrize(
    ("against", "line"),
    [
        (EN_DE, "Not coffee but tea, please."),
        (EN_DE, "I prefer tea to coffee"),
        (EN_DE, "Tea is better than coffee"),
        (EN_DE, "What about lunch?"),
        (EN_DE, "Tea would be better."),
        (EN_DE, "It should be fine"),
        (EN_DE, "It is a cat, not a dog"),
        (EN_DE, "Maybe tomorrow"),
        (EN_DE, "The house is mine"),
        (EN_DE, "The banks should be open"),
        (EN_DE, "Use salt for cooking"),
        (EN_DE, "Write a letter for the house"),
        (EN_DE, "You forgot your keys."),
        (EN_DE, "Try another door"),
        (EN_DE, "Remove your shoes."),
        (EN_DE, "Don't translate this."),
        (EN_DE, 'She said "house".'),
        (EN_DE, "x = 5"),
        (EN_DE, "No, the other one."),
        (EN_ZH, "Please take a seat"),
        (EN_ZH, "Mr 李 is here"),
        (DE_EN, "Nicht heute, sondern morgen."),
        (DE_EN, "Lieber spät als nie."),
        (DE_EN, "Vielleicht morgen"),
        (DE_EN, "Lass Peter so"),
        (DE_EN, "Tee wäre besser."),
        (FR_EN, "Pas demain mais aujourd'hui."),
        (FR_EN, "Je préfère le thé au café."),
        (FR_EN, "Pourquoi pas demain ?"),
        (ZH_EN, "不是我，是他。"),
        (ZH_EN, "茶比咖啡更好"),
        (ZH_EN, "用 iPhone 拍照"),
        (ZH_EN, "使用 Windows 的电脑"),
        (ZH_EN, "iPhone 更好"),
        (ZH_EN, "这本书译成英文了。"),
        (ZH_EN, "请在 App Store 下载。"),
        (ZH_EN, "你按了“A”键。"),
    ],
)
def test_sentences_that_compare_and_remark_are_translated(against: Draft, line: str) -> None:
    reading = read_line(line, against)
    assert (reading.feedback, reading.rule) == (False, Rule.PLAIN)
