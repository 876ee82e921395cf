"""What users say: enough of it, well typed, and never at the cost of what they talk about."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

import pytest

from bayling_finetune.dialogues.wording import (
    LANGUAGES,
    SLOTS,
    Intent,
    Style,
    count,
    grammar,
    say,
    style_words,
    wordings,
)
from bayling_finetune.dialogues.wording.grammar import Grammar, Slot, fill
from bayling_finetune.dialogues.wording.names import language_names
from bayling_lite.errors import UsageError
from bayling_lite.languages import LANGUAGES as ALL_LANGUAGES
from bayling_lite.languages import find_language
from bayling_lite.prompts import Wording, fix_instruction, translation_instruction, use_instruction

HOSTILE = (
    "{term} 100% %s {0} {}",
    'He said: "I\'m „here“ «now» 「on」 ‘time’."',
    "two\nlines\n\nand  two  spaces ",
    "<rule> [a|b] \\n 3* x",
    "</s><|eot_id|>### Response:",
    "请不要。",
)


def slots(intent: Intent, text: str) -> dict[str, str]:
    return {name: "fr" if name == "target" else text for name in SLOTS[intent]}


def everything() -> list[tuple[Intent, str]]:
    return [(intent, language) for intent in Intent for language in LANGUAGES]


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_hundreds_of_wordings(language: str) -> None:
    few = {Intent.WELCOME: 60, Intent.REQUIRE: 120, Intent.TERM: 200, Intent.GRAMMAR: 250, Intent.NUMBER: 300}
    for intent in Intent:
        assert count(intent, language) >= few.get(intent, 300), intent
    assert count(Intent.TRANSLATE, language) >= 5000


def clumsy(wording: str, language: str) -> bool:
    """Politeness twice, or two ways of address."""
    folded = wording.casefold()
    return (
        folded.count({"en": "please", "de": "bitte", "fr": "plaît", "zh": "谢谢"}[language]) > 1
        or (language == "fr" and "tu " in folded and "vous" in folded)
        or (language == "de" and " du " in wording and "Sie" in wording)
    )


@pytest.mark.slow
@pytest.mark.parametrize(("intent", "language"), everything())
def test_every_wording_is_whole(intent: Intent, language: str) -> None:
    for wording in set(wordings(intent, language)):
        rest = wording
        for name in SLOTS[intent]:
            assert wording.count(f"{{{name}}}") == 1, wording
            rest = rest.replace(f"{{{name}}}", "x")
        assert not set(rest) & set("{}<[]|\\"), wording
        assert not any(
            wrong in rest for wrong in ("  ", " .", " ,", "..", ".,", "?.", "? ?", "吗吗", "。。", "，，")
        ), wording
        assert rest.strip() == rest or rest.startswith("\n"), wording
        # Carefully typed, it begins with a capital letter.
        assert not rest.lstrip("\n")[0].islower() or wording.lstrip('\n"„«“')[0] == "{", wording
        assert not clumsy(rest, language), wording


def test_requirements_are_a_line_of_their_own() -> None:
    for language in LANGUAGES:
        assert all(
            wording.startswith("\n") and wording.count("\n") == 1 for wording in wordings(Intent.REQUIRE, language)
        )


@pytest.mark.parametrize("text", HOSTILE)
def test_slots_come_out_as_they_went_in(text: str) -> None:
    random = Random(3)
    for intent, language in everything():
        for _ in range(12):
            said = say(intent, language, random, **slots(intent, text))
            assert said.count(text) >= len(SLOTS[intent] - {"target"}) > 0 or not SLOTS[intent] - {"target"}


def test_the_same_chance_says_the_same() -> None:
    def said(seed: int) -> list[str]:
        random = Random(seed)
        return [say(intent, language, random, **slots(intent, "x y")) for intent, language in everything()]

    assert said(1) == said(1)
    assert said(1) != said(2)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_product_is_heard_in_a_third_of_all(language: str) -> None:
    wording, random, german = Wording(language), Random(5), find_language("de")
    plain = translation_instruction("Hi.", german, wording=wording)
    terms = translation_instruction("Hi.", german, terms=["a, b"], wording=wording).removeprefix(plain)
    expected = {
        Intent.TRANSLATE: (plain, {"text": "Hi.", "target": "de"}),
        Intent.REQUIRE: (terms, {"terms": "a, b"}),
        Intent.USE: (use_instruction("a", wording=wording), {"term": "a"}),
        Intent.FIX: (fix_instruction("a", "b", wording=wording), {"wrong": "a", "right": "b"}),
    }
    for intent, (said, filled) in expected.items():
        heard = Counter(say(intent, language, random, **filled) for _ in range(600))
        assert heard[said] >= 200, intent
        assert len(heard) > 50, intent


def test_languages_are_named_in_the_language_that_is_spoken() -> None:
    random = Random(7)
    for spoken in LANGUAGES:
        for language in ALL_LANGUAGES:
            names = {name.casefold() for name in language_names(language.code, spoken)}
            for _ in range(10):
                said = say(Intent.TRANSLATE, spoken, random, text="§", target=language.code)
                assert any(name in said.casefold() for name in names), said
    with pytest.raises(UsageError):
        say(Intent.TRANSLATE, "de", random, text="x", target="tlh")


def test_quotation_marks_can_be_told_from_the_text() -> None:
    random = Random(11)
    for _ in range(300):
        said = say(Intent.FIX, "de", random, wrong='das "hier"', right="„so“")
        assert '"das "hier""' not in said
        assert "„„so““" not in said
        # Without quotation marks of its own, nobody would know where it ends.
        assert "ist falsch" not in said or 'das "hier" ist' not in said


def test_the_assistant_types_with_care() -> None:
    for language in LANGUAGES:
        careful = set(wordings(Intent.WELCOME, language))
        assert {say(Intent.WELCOME, language, Random(seed)) for seed in range(200)} <= careful


def test_users_type_as_they_like() -> None:
    said = [say(Intent.REMOVE, "en", Random(seed), words="Very") for seed in range(400)]
    careful = set(wordings(Intent.REMOVE, "en"))
    assert any(words.replace("Very", "{words}") not in careful for words in said)
    assert any(words.replace("Very", "").islower() for words in said)
    assert any(words[-1] not in ".!?\"'”’" for words in said)


def test_every_style_has_a_name() -> None:
    for language in LANGUAGES:
        for style in Style:
            names = {style_words(style, language, Random(seed)) for seed in range(40)}
            assert len(names) >= 2
            assert all(name and name == name.strip() for name in names)


def test_wrong_slots_are_refused() -> None:
    with pytest.raises(ValueError, match=r"takes the slots \['term'\], not \['word'\]"):
        say(Intent.USE, "en", Random(1), word="x")
    with pytest.raises(ValueError, match="nobody speaks 'es' here"):
        say(Intent.THANKS, "es", Random(1))


def test_a_grammar_has_choices_rules_weights_and_slots() -> None:
    rules = "# a remark\nall:\n    9* <kind>[ big|] {thing}\n    {thing:quoted}\\n[a|b]>\nkind:\n    one\n"
    grammar = Grammar(rules)
    texts = {Slot("thing"): "[x]", Slot("thing", quoted=True): '"[x]"'}
    assert [fill(form, texts) for form in grammar.forms("all")] == ["one big [x]", "one [x]", '"[x]"\na>', '"[x]"\nb>']
    random = Random(1)
    sampled = Counter(fill(grammar.sample("all", random), texts)[:3] for _ in range(1000))
    assert 850 < sampled["one"] < 950
    assert [fill(form, texts) for form in Grammar(rules, clash="big|a").forms("all")] == ["one [x]", '"[x]"\nb>']


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("a:\n    <b>\n", "'b' is not defined"),
        ("a:\n    <b>\nb:\n    [x|<a>]\n", "part of itself"),
        ("a:\n    x\na:\n    y\n", "defined twice"),
        ("a:\n    [x\\y]\n", "cannot read"),
        ("a:\n    x] y\n", "do not match"),
        ("a:\n    [x y\n", "do not match"),
    ],
)
def test_a_grammar_with_a_mistake_is_refused(rules: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Grammar(rules)


def test_every_rule_of_the_languages_is_used() -> None:
    for language in LANGUAGES:
        assert not grammar(language).unused({intent.value for intent in Intent} | {f"style_{style}" for style in Style})


@pytest.mark.slow
def test_a_prohibition_follows_no_modal_verb() -> None:
    clash = re.compile(r"\b(could|can|will|would|to|if you could)( you)?( please)? don't\b", re.IGNORECASE)
    assert not [said for intent in Intent for said in wordings(intent, "en") if clash.search(said)]
