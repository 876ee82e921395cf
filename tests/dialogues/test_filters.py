"""Filters: each pair that goes, goes for the reason that is said; good ones stay."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from bayling_finetune.dialogues.filters import Filters, share_of_letters, width
from bayling_finetune.dialogues.identification import in_language
from bayling_finetune.dialogues.sources import Reason
from bayling_finetune.dialogues.sources.cleaning import count_words
from bayling_finetune.dialogues.values import Direction
from bayling_lite.errors import UsageError
from bayling_lite.languages import find_language

GOOD = [
    ("en-zh", "Good morning.", "早上好。"),
    ("en-zh", "Yes.", "是的。"),
    (
        "en-zh",
        "The queue module implements multi-producer, multi-consumer queues.",
        "queue 模块实现多生产者，多消费者队列。",
    ),
    ("en-zh", "Use `tf.keras.layers.Dense(10)` here.", "在此使用 `tf.keras.layers.Dense(10)`。"),
    ("en-zh", "You know, the phone number is 010-65978888.", "知道啊，电话是010-65978888。"),
    ("en-zh", "How about 13:15?", "13:15怎么样？"),
    ("zh-en", "不入虎穴，焉得虎子。", "Nothing ventured, nothing gained: you have to take risks to get what you want."),
    (
        "en-de",
        "I have never seen such a beautiful sunset before.",
        "Ich habe noch nie einen so schönen Sonnenuntergang gesehen.",
    ),
    ("en-de", "Tom sang.", "Tom hat gesungen."),
    ("fr-de", "Elle est née à Paris en 1986.", "Sie wurde 1986 in Paris geboren."),
    ("en-ja", "The weather is nice today.", "今日は天気がいいです。"),
    ("en-ko", "The weather is nice today.", "오늘은 날씨가 좋습니다."),
    ("en-ru", "The weather is nice today.", "Сегодня хорошая погода."),
    ("en-uk", "I do not know where my brother is now.", "Я не знаю, де зараз знаходиться мій брат."),
    ("en-ar", "The weather is nice today.", "الطقس جميل اليوم."),
    ("en-th", "The weather is nice today.", "วันนี้อากาศดี"),
    ("en-vi", "The weather is nice today.", "Hôm nay thời tiết đẹp."),
]
BAD = [
    ("en-zh", "", "空", Reason.EMPTY),
    ("en-zh", "Not empty.", " \u3000", Reason.EMPTY),
    ("en-zh", "Caf\ufffd", "咖啡馆", Reason.DAMAGED),
    ("en-zh", "word " * 151, "词" * 200, Reason.TOO_LONG),
    ("en-zh", "A long story. " * 10, "长" * 301, Reason.TOO_LONG),
    ("en-zh", "x" * 1001, "长" * 280, Reason.TOO_LONG),
    ("en-zh", "1,234.56 + 789 = ?", "1,234.56 + 789 = ？", Reason.NO_TEXT),
    ("en-zh", "...", "……", Reason.NO_TEXT),
    ("en-de", "Mozilla VPN", "Mozilla VPN", Reason.COPY),
    ("en-de", "Firefox blog!", "»Firefox Blog«", Reason.COPY),
    ("en-zh", "Choose a project that you like.", "Choose a project you like best.", Reason.WRONG_LANGUAGE),
    ("en-zh", "选择你喜欢的项目。", "请选择你喜欢的项目。", Reason.WRONG_LANGUAGE),
    (
        "en-zh",
        "You can only use letters in names.",
        "名前には大小英字だけを含むことができます。",
        Reason.WRONG_LANGUAGE,
    ),
    (
        "en-zh",
        "Wir haben heute leider keine Zeit, um mit euch ins Kino zu gehen.",
        "今天没空和你们去看电影。",
        Reason.WRONG_LANGUAGE,
    ),
    (
        "en-de",
        "People are excited to contribute when they feel a sense of ownership.",
        "Your leaders will have different opinions, as all healthy communities should!",
        Reason.WRONG_LANGUAGE,
    ),
    (
        "en-fr",
        "I will never forget the day when we met.",
        "Ich werde den Tag nie vergessen, an dem wir uns trafen.",
        Reason.WRONG_LANGUAGE,
    ),
    (
        "en-ja",
        "China has many large and beautiful cities.",
        "中国有很多又大又漂亮的城市值得一看。",
        Reason.WRONG_LANGUAGE,
    ),
    ("en-ru", "I do not know where my brother is now.", "I do not know where he could be now.", Reason.WRONG_LANGUAGE),
    (
        "en-uk",
        "I do not know where my brother is now.",
        "Я не знаю, где сейчас находится мой брат и что он делает.",
        Reason.WRONG_LANGUAGE,
    ),
    (
        "en-zh",
        "Yes, he came home very late yesterday, and then we talked for hours about you.",
        "是的。",
        Reason.LENGTH_RATIO,
    ),
    ("zh-en", "昨天他很晚才回家，然后我们聊了好几个小时，谈了很多关于你的事情。", "Yes, he did.", Reason.LENGTH_RATIO),
    ("en-de", "Come in.", "Kommen Sie bitte herein und setzen Sie sich dort drüben hin.", Reason.LENGTH_RATIO),
]


def direction(pair: str, source: str, reference: str) -> Direction:
    first, second = pair.split("-")
    return Direction(source, reference, find_language(first), find_language(second))


@pytest.mark.parametrize(("pair", "source", "reference"), GOOD)
def test_a_good_pair_stays_whichever_way_round(pair: str, source: str, reference: str) -> None:
    good = direction(pair, source, reference)
    assert Filters().reason(good) is None
    assert Filters().reason(good.reversed()) is None


@pytest.mark.parametrize(("pair", "source", "reference", "reason"), BAD)
def test_a_bad_pair_goes_for_its_reason_whichever_way_round(
    pair: str, source: str, reference: str, reason: Reason
) -> None:
    bad = direction(pair, source, reference)
    assert Filters().reason(bad) is reason
    assert Filters().reason(bad.reversed()) is reason


def test_every_filter_can_be_switched_off() -> None:
    off = Filters(max_words=0, max_characters=0, max_ratio=0, min_letters=0, languages=False, copies=False)
    for pair, source, reference, reason in BAD:
        kept = off.reason(direction(pair, source, reference)) is None
        assert kept == (reason not in (Reason.EMPTY, Reason.DAMAGED)), (source, reference)


def test_the_verdict_does_not_depend_on_the_order() -> None:
    pairs = [direction(*entry[:3]) for entry in (*GOOD, *BAD)]
    filters = Filters()
    verdicts = {pair.key(): filters.reason(pair) for pair in pairs}
    random.Random(1).shuffle(pairs)
    assert {pair.key(): filters.reason(pair) for pair in pairs} == verdicts
    assert len(Counter(verdicts.values())) == 8


def test_a_limit_that_makes_no_sense_is_refused() -> None:
    for wrong in ({"max_words": -1}, {"max_ratio": 1.0}, {"max_ratio": float("nan")}, {"min_letters": 1.0}):
        with pytest.raises(UsageError):
            Filters(**wrong)


def test_names_numbers_and_single_words_pass_for_any_language_of_their_script() -> None:
    for text in ("Tom.", "Berlin", "Angela Merkel, Helmut Kohl", "v2.13.0 (2024-01-01)", "GitHub"):
        for code in ("en", "de", "fr", "it"):
            assert in_language(text, find_language(code))


def test_a_single_word_in_another_script_is_noticed() -> None:
    assert not in_language("你好", find_language("en"))
    assert not in_language("Спасибо", find_language("de"))
    assert not in_language("こんにちは", find_language("zh"))


def test_lengths_are_measured_in_the_language() -> None:
    english, chinese = find_language("en"), find_language("zh")
    assert count_words("two words", english) == 2
    assert count_words("我们今天去 New York 看朋友。", chinese) == 4 + 2 + 1
    sentence = "In the middle of the journey of our life I came to myself within a dark wood."
    assert width("在我们人生旅途的中途，我发现自己身处一片黑暗的森林之中。", chinese) == pytest.approx(
        len(sentence), rel=0.3
    )
    assert share_of_letters("abc 1") == 0.75
    assert share_of_letters(" ") == 0
