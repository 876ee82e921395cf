"""Which lines are feedback, and what of them the model is told: one table a language, with many lines that are not."""

from __future__ import annotations

import pytest

from bayling_lite.chat.reading.draft import Draft
from bayling_lite.chat.reading.feedback import Rule, forced_feedback, read_line
from bayling_lite.chat.reading.instructions import normalise
from bayling_lite.languages import find_language


def draft(pair: str, source: str, text: str, *, fixed: bool = False) -> Draft:
    codes = pair.split("-")
    return Draft(text, source, find_language(codes[0]), find_language(codes[1]), fixed)


EN_ZH = draft("en-zh", "Good morning, my friend. The token is lost.", "早上好，我的朋友。令牌丢了。")
EN_DE = draft("en-de", "The house is big and the bank is closed.", "Das Haus ist groß und die Bank ist geschlossen.")
ZH_EN = draft("zh-en", "早上好，我的朋友。", "Good morning, my friend.")
DE_EN = draft("de-en", "Das Haus ist groß.", "The home is big.")
FR_EN = draft("fr-en", "La maison est grande.", "The home is big.")
EN_FR = draft("en-fr", "The house is big.", "La maison est grosse.")


@pytest.mark.parametrize(
    ("against", "line", "told"),
    [
        (EN_ZH, "use 早安", 'Use the word "早安".'),
        (EN_ZH, "Use 早安.", 'Use the word "早安".'),
        (EN_ZH, 'use "早安"', 'Use the word "早安".'),
        (EN_ZH, 'Please use the word "早安" instead, please.', 'Use the word "早安".'),
        (EN_ZH, "use the word 早安", 'Use the word "早安".'),
        (EN_ZH, "use “词元”", 'Use the word "词元".'),
        (EN_ZH, "请使用“早安”", "请使用“早安”这个词。"),
        (EN_ZH, "请使用“早安”这个词。", "请使用“早安”这个词。"),
        (EN_ZH, "用早安", "请使用“早安”这个词。"),
        (EN_ZH, "用 「早安」 吧", "请使用“早安”这个词。"),
        (EN_ZH, "把“早上好”改成“早安”", "请改正“早上好”，应为“早安”。"),
        (EN_ZH, "将早上好换成早安吧", "请改正“早上好”，应为“早安”。"),
        (EN_ZH, "请改正“早上好”，应为“早安”。", "请改正“早上好”，应为“早安”。"),
        (EN_ZH, "早上好应该是早安", "请改正“早上好”，应为“早安”。"),
        (EN_ZH, "用早安代替早上好", "请改正“早上好”，应为“早安”。"),
        (EN_ZH, 'fix "早上好": it should be "早安"', 'Fix "早上好": it should be "早安".'),
        (EN_ZH, 'Fix "早上好": it should be "早安".', 'Fix "早上好": it should be "早安".'),
        (EN_ZH, "早上好 should be 早安", 'Fix "早上好": it should be "早安".'),
        (EN_ZH, "replace 早上好 with 早安", 'Fix "早上好": it should be "早安".'),
        (EN_ZH, "早安 instead of 早上好", 'Fix "早上好": it should be "早安".'),
        (EN_DE, "use Gebäude", 'Use the word "Gebäude".'),
        (EN_DE, "use 'Gebäude'", 'Use the word "Gebäude".'),
        (EN_DE, "Haus should be Gebäude", 'Fix "Haus": it should be "Gebäude".'),
        (EN_DE, "change Haus to Gebäude", 'Fix "Haus": it should be "Gebäude".'),
        (EN_DE, 'replace "Haus" by "Gebäude"', 'Fix "Haus": it should be "Gebäude".'),
        (EN_DE, "use Gebäude instead of Haus", 'Fix "Haus": it should be "Gebäude".'),
        (EN_DE, "use Gebäude, not Haus", 'Fix "Haus": it should be "Gebäude".'),
        (EN_DE, "Ersetze Haus durch Gebäude", 'Fix "Haus": it should be "Gebäude".'),
        (EN_DE, "bitte Haus durch Gebäude ersetzen", 'Fix "Haus": it should be "Gebäude".'),
        (EN_DE, "Gebäude statt Haus", 'Fix "Haus": it should be "Gebäude".'),
        (EN_DE, "„Haus“ sollte „Gebäude“ heißen", 'Fix "Haus": it should be "Gebäude".'),
        (EN_DE, "verwende „Gebäude“", 'Use the word "Gebäude".'),
        (EN_DE, "Bitte verwenden Sie das Wort „Gebäude“.", 'Use the word "Gebäude".'),
        (EN_DE, "bitte „Gebäude“ verwenden", 'Use the word "Gebäude".'),
        (EN_FR, "utilise « vaste »", 'Use the word "vaste".'),
        (EN_FR, "utilisez le mot « vaste », s'il vous plaît", 'Use the word "vaste".'),
        (EN_FR, "remplace grosse par grande", 'Fix "grosse": it should be "grande".'),
        (EN_FR, "grande au lieu de grosse", 'Fix "grosse": it should be "grande".'),
        (ZH_EN, "用“hello”", "请使用“hello”这个词。"),
        (ZH_EN, "用hello", "请使用“hello”这个词。"),
        (ZH_EN, "把friend改成buddy", "请改正“friend”，应为“buddy”。"),
        (DE_EN, "nimm „house“", 'Use the word "house".'),
        (DE_EN, "home should be house", 'Fix "home": it should be "house".'),
    ],
)
def test_a_request_for_a_word_gets_the_wording_that_models_are_trained_on(against: Draft, line: str, told: str) -> None:
    reading = read_line(line, against)
    assert (reading.feedback, reading.rule, reading.instruction) == (True, Rule.FORM, told)


@pytest.mark.parametrize(
    ("against", "line", "rule"),
    [
        (EN_ZH, "shorter", Rule.STYLE),
        (EN_ZH, "Make it more formal, please.", Rule.STYLE),
        (EN_ZH, "too long", Rule.STYLE),
        (EN_DE, "a bit less formal", Rule.STYLE),
        (EN_DE, "bitte kürzer", Rule.STYLE),
        (EN_DE, "use simpler words", Rule.STYLE),
        (EN_DE, "use formal language", Rule.STYLE),
        (EN_DE, "verwende kürzere Sätze", Rule.STYLE),
        (EN_FR, "utilise le vouvoiement", Rule.REQUEST),
        (EN_ZH, "用更正式的语气", Rule.STYLE),
        (EN_DE, "Mach es etwas höflicher.", Rule.STYLE),
        (EN_FR, "plus formel, s'il vous plaît", Rule.STYLE),
        (EN_FR, "Rends-le plus court", Rule.STYLE),
        (EN_ZH, "更正式一点", Rule.STYLE),
        (EN_ZH, "短一点。", Rule.STYLE),
        (EN_ZH, "请写得更口语化一些", Rule.STYLE),
        (ZH_EN, "语气太正式了", Rule.STYLE),
        (EN_DE, "Make the tone warmer for my sister.", Rule.REQUEST),
        (EN_DE, "Don't say “Haus” twice", Rule.REQUEST),
        (EN_DE, "Please use a more formal tone for my boss", Rule.REQUEST),
        (EN_DE, "rewrite the last sentence", Rule.REQUEST),
        (EN_DE, "Formuliere den zweiten Satz um", Rule.REQUEST),
        (EN_FR, "change le ton de la phrase", Rule.REQUEST),
        (EN_ZH, "不要用“令牌”", Rule.REQUEST),
        (ZH_EN, "请把这句话改得像朋友聊天", Rule.REQUEST),
        (ZH_EN, "it sounds like a robot", Rule.SCRIPT),
        (EN_ZH, "第一句不太通顺", Rule.SCRIPT),
    ],
)
def test_feedback_goes_to_the_model_as_typed(against: Draft, line: str, rule: Rule) -> None:
    reading = read_line(line, against)
    assert (reading.feedback, reading.rule, reading.instruction) == (True, rule, line)


@pytest.mark.parametrize(
    ("against", "line"),
    [
        (EN_ZH, "Use the back door."),
        (EN_ZH, "use your head"),
        (EN_ZH, "Use soap."),
        (EN_ZH, "Make yourself at home."),
        (EN_ZH, "Fix the door, please."),
        (EN_ZH, "Change trains in Cologne."),
        (EN_DE, "Please close the window."),
        (EN_DE, "Don't be late."),
        (EN_DE, "Replace the battery with a new one."),
        (EN_DE, "The meeting should be at noon."),
        (EN_DE, "I would like tea instead of coffee."),
        (EN_DE, "Say it again."),
        (EN_DE, "Say hello"),
        (EN_DE, "Write soon"),
        (EN_DE, "Longer days are coming."),
        (EN_DE, "That is too long."),
        (EN_DE, "More and more people live here."),
        (EN_DE, 'He asked: "Where is the station?"'),
        (EN_DE, 'Please read "War and Peace".'),
        (EN_ZH, "Good evening."),
        (EN_ZH, "OK"),
        (EN_ZH, "42"),
        (DE_EN, "Bitte schließen Sie die Tür."),
        (DE_EN, "Mach das Fenster zu."),
        (DE_EN, "Nimm den Zug."),
        (DE_EN, "Nutze die Zeit."),
        (DE_EN, "Nimm Platz"),
        (DE_EN, "Der Film war zu lang und zu laut."),
        (FR_EN, "Mets la table, s'il te plaît."),
        (FR_EN, "Change de train à Lyon."),
        (FR_EN, "Plus tard, peut-être."),
        (FR_EN, "Garde ton calme."),
        (FR_EN, "Mets ton manteau"),
        (ZH_EN, "用筷子吃饭。"),
        (ZH_EN, "请坐。"),
        (ZH_EN, "请把门关上。"),
        (ZH_EN, "不要迟到。"),
        (ZH_EN, "把书给我。"),
        (ZH_EN, "更多的人住在这里。"),
        (ZH_EN, "会议应该是中午开始。"),
        (ZH_EN, "我的 iPhone 很好用。"),
    ],
)
def test_sentences_are_translated_though_they_sound_like_orders(against: Draft, line: str) -> None:
    reading = read_line(line, against)
    assert (reading.feedback, reading.rule) == (False, Rule.PLAIN)


def test_without_a_draft_everything_is_a_text() -> None:
    assert read_line("make it shorter", None).rule is Rule.NO_DRAFT


def test_several_lines_or_a_long_line_are_a_text() -> None:
    assert read_line("make it shorter\nand warmer", EN_DE).rule is Rule.TOO_LONG
    assert read_line("make it shorter " * 20, EN_DE).rule is Rule.TOO_LONG


def test_a_fixed_source_language_makes_requests_in_another_language_feedback() -> None:
    line = "Please write this for children who are eight years old."
    assert read_line(line, DE_EN).rule is Rule.PLAIN
    fixed = draft("de-en", DE_EN.source_text, DE_EN.text, fixed=True)
    assert read_line(line, fixed).rule is Rule.REQUEST


def test_forced_feedback_needs_no_proof() -> None:
    assert forced_feedback("use the back door", EN_DE).instruction == 'Use the word "the back door".'
    assert forced_feedback("the rhythm is off", EN_DE).instruction == "the rhythm is off"


@pytest.mark.parametrize(
    ("against", "line", "required"),
    [
        (EN_DE, "use Gebäude", "Gebäude"),
        (EN_DE, 'use "the house"', "the house"),
        (EN_DE, "Haus should be Gebäude", "Gebäude"),
        (EN_DE, 'Fix "Haus": it should be "Gebäude".', "Gebäude"),
        (EN_ZH, "把“早上好”改成“早安”", "早安"),
        (EN_ZH, "用早安代替早上好", "早安"),
    ],
)
def test_the_word_that_is_asked_for_is_required(against: Draft, line: str, required: str) -> None:
    assert read_line(line, against).required == (required,)
    assert forced_feedback(line, against).required == (required,)


@pytest.mark.parametrize(
    ("against", "line"),
    [
        (EN_DE, "use simpler words"),
        (EN_DE, "use fewer nouns"),
        (EN_DE, "use formal language"),
        (EN_DE, "Haus should be shorter"),
        (EN_DE, "use the back door"),
        (EN_DE, "verwende kürzere Sätze"),
        (EN_FR, "utilise le vouvoiement"),
        (EN_ZH, "用更正式的语气"),
        (EN_ZH, "请使用书面语言"),
        (ZH_EN, "use a friendlier tone"),
    ],
)
def test_what_may_not_be_a_word_is_not_required(against: Draft, line: str) -> None:
    assert read_line(line, against).required == ()
    assert forced_feedback(line, against).required == ()


def test_two_quoted_words_are_not_taken_for_one() -> None:
    assert normalise('use "Haus" and "Gebäude"', EN_DE, certain=True) is None


def test_wrong_words_are_found_whole_where_words_are_spaced() -> None:
    assert EN_DE.mentions("haus")
    assert not EN_DE.mentions("Hau")
    assert EN_ZH.mentions("朋友")
