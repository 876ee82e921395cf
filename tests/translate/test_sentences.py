"""Where sentences end, case by case."""

from __future__ import annotations

import pytest

from bayling_lite.translate.sentences import sentence_spans


def sentences(text: str, limit: int = 400) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text, limit)]


# A bar stands where a sentence ends.
CASES = [
    "Good morning.| How are you?",
    "Stop!| Who is there?!| Nobody...| Well.",
    "Mr. Smith and Dr. Jones met Mrs. Brown.| They talked.",
    "J. R. R. Tolkien wrote it.| I read it.",
    "See e.g. the U.S. army, i.e. soldiers.| Fine.",
    "We met at 5 p.m.| He left.",
    "We met at 5 p.m. and left.",
    "Pens, paper, etc.| We have all.",
    "It costs 3.14 dollars.| That is 1.000.000 too much.",
    "Look at https://example.com/a.b?c=d!e and www.test.org.| Good.",
    "No.| I do not.| See no. 5 and p. 12.",
    'He said "Stop."| Then he left.',
    '"Really?" she asked.| "Yes."',
    "(It rained.)| We stayed.",
    "It is known.[12]| More follows.",
    "hello.| how are you?| fine",
    "I am 12.| He is 3.",
    "Well … maybe.| Yes… Or no.",
    "Am 3. Mai fahre ich.| Der 2. Weltkrieg war lang.| Es ist 5.| Wir gehen.",
    "Z. B. Äpfel, Birnen usw.| Das ist gut, d. h. nicht schlecht.",
    "„Ja.“ Dann ging er.".replace(".“", ".“|"),
    "»Nein.«| Er blieb.",
    "« Oui. »| Il part.| Ça va ?| Bien !",
    "M. Dupont et Mme. Durand arrivent.| Voilà.",
    "早上好。|你好吗？|我很好！",
    "“你好！”他说。|“再见。”|她走了。",
    "他说：“今天很热。”|我们回家吧。",
    "真的吗？！|是的……我想是。|好；|走吧。",
    "我有3.5元。|他用GPT-4.",
    "おはよう。|元気ですか？",
    "Really?|好的。",
    "Où ça?| À Paris.",
    "What? Yes.".replace("? ", "?| "),
    "¿Qué tal?| ¡Bien!| ¿Y tú?",
    "Как дела?| Хорошо.",
    "no end",
    "...",
]


@pytest.mark.parametrize("marked", CASES)
def test_sentences(marked: str) -> None:
    marked = marked.replace("Yes… Or", "Yes…| Or")
    assert sentences(marked.replace("|", "")) == [part.strip() for part in marked.split("|")]


def test_a_long_sentence_is_cut_after_a_clause() -> None:
    text = "one two three, four five six seven, eight nine ten eleven twelve"
    parts = sentences(text, 40)
    assert parts == ["one two three, four five six seven,", "eight nine ten eleven twelve"]


def test_a_long_chinese_sentence_is_cut_after_a_clause() -> None:
    assert sentences("我们昨天去了公园，看见了很多花，然后回家了", 36) == [
        "我们昨天去了公园，看见了很多花，",
        "然后回家了",
    ]


def test_a_run_without_punctuation_is_cut_at_a_space_else_anywhere() -> None:
    assert sentences("aaaa bbbb cccc dddd", 10) == ["aaaa bbbb", "cccc dddd"]
    assert sentences("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]
    assert sentences("好" * 12, 10) == ["好" * 5, "好" * 5, "好" * 2]


def test_a_cut_does_not_tear_an_accent_or_an_emoji() -> None:
    assert sentences("abcde\u0301fgh", 5) == ["abcd", "e\u0301fgh"]
    family = "👩\u200d👩\u200d👧"
    assert sentences("xxxxx" + family, 10) == ["xxxxx", family]


@pytest.mark.slow
def test_a_very_long_text_takes_linear_time() -> None:
    # Quadratic work on these would not end within the test run.
    for unit in ("a. ", "x", "好", "word ", "e.g. ", ".", "？”", "\u0301", "Mr. "):
        text = unit * (200_000 // len(unit))
        assert sum(map(len, sentences(text))) <= len(text)
