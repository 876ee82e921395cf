"""Words that stand for variables."""

import pytest

from bayling_lite.translate.asking.projection import plainly, projected
from bayling_lite.translate.asking.stand_ins import with_stand_ins
from bayling_lite.translate.formats.variables import mark
from bayling_lite.translate.markup import plain_text


@pytest.mark.parametrize(
    ("text", "asked", "answer", "expected"),
    [
        ("You have %d new messages.", "You have 12 new messages.", "你有12条新消息。", "你有%d条新消息。"),
        ("Good morning, {name}!", "Good morning, Tom!", "Guten Morgen, Tom!", "Guten Morgen, {name}!"),
        ("{{user}} has {count} apples.", "Tom has 12 apples.", "12个苹果是Tom的。", "{count}个苹果是{{user}}的。"),
        ("Tom likes %s.", "Tom likes Mary.", "Tom mag Mary.", "Tom mag %s."),
        (
            "100%% of <b>%(size)d</b> files",
            "100% of 12 files",
            "100% von 12 Dateien",
            "100%% von <b>%(size)d</b> Dateien",
        ),
    ],
)
def test_a_variable_is_where_its_word_is(text: str, asked: str, answer: str, expected: str) -> None:
    source = mark(text)
    stand_ins = with_stand_ins(source)
    assert plainly(stand_ins.source) == asked
    assert stand_ins.lost(answer) == []
    assert stand_ins.restored(projected(stand_ins.source, answer, {}), source).raw() == expected


def test_addresses_and_variables_of_any_text_are_variables() -> None:
    source = plain_text("Visit https://a.org/b, {name}, or write to me@a.org.")
    stand_ins = with_stand_ins(source)
    assert plainly(stand_ins.source) == "Visit Tom, Mary, or write to Peter."
    result = projected(stand_ins.source, "Mary, schreib Peter oder besuche Tom.", {})
    assert stand_ins.restored(result, source).text == "{name}, schreib me@a.org oder besuche https://a.org/b."


@pytest.mark.parametrize(
    "answer", ["Guten Morgen!", "Tom, guten Morgen, Tom!", "Tomaten!", "Toms Morgen", "Tom是汤姆。"]
)
def test_a_word_that_is_not_there_once_tells_nothing(answer: str) -> None:
    assert with_stand_ins(mark("Good morning, {name}!")).lost(answer) == ["{name}"]


@pytest.mark.parametrize("text", ["No variable.", "{a} {b} {c} {d} {e} are too many.", "{"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    source = mark(text)
    assert with_stand_ins(source).source == source
    assert with_stand_ins(source).words == ()
