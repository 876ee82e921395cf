"""Translation, formality, length, style: drafts and answers that differ in what was asked for, and in nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random

import pytest

from bayling_finetune.dialogues.kinds.formality import FormalityMaker
from bayling_finetune.dialogues.kinds.length import LengthMaker, compared
from bayling_finetune.dialogues.kinds.style import StyleMaker
from bayling_finetune.dialogues.kinds.translation import TranslationMaker
from bayling_finetune.dialogues.styles import address, contractions, numbers, punctuation, spelling, variants
from bayling_finetune.dialogues.styles.values import Variant
from bayling_finetune.dialogues.tools import Maker, Tools
from bayling_finetune.dialogues.values import Dialogue, Direction
from bayling_finetune.dialogues.wording import Intent, Style
from bayling_lite.languages import find_language
from bayling_lite.messages import Role
from tests.dialogues.small_corpus import NoLexicon


def direction(source: str, reference: str, pair: str) -> Direction:
    first, second = pair.split("-")
    return Direction(source, reference, find_language(first), find_language(second), weight=2.0, origin="tests")


def made(maker: Maker, about: Direction, others: Mapping[str, Sequence[str]] | None = None) -> list[Dialogue]:
    """What thirty chances make of it."""
    tools = Tools(NoLexicon(), others=others or {})
    found = [maker.make(about, tools, Random(seed)) for seed in range(30)]
    assert found == [maker.make(about, tools, Random(seed)) for seed in range(30)]
    return [dialogue for dialogue in found if dialogue is not None]


def said(dialogue: Dialogue) -> list[str]:
    roles = [message.role for message in dialogue.conversation]
    assert roles == [Role.USER, Role.ASSISTANT] * (len(roles) // 2)
    return [message.content for message in dialogue.conversation]


def only(found: list[Variant]) -> Variant:
    assert len(found) == 1
    return found[0]


GUTEN = direction("Good morning!", "Guten Morgen!", "en-de")


def test_translation_answers_with_the_reference() -> None:
    dialogues = made(TranslationMaker(), GUTEN)
    assert len(dialogues) == 30
    assert all(said(dialogue)[1:] == ["Guten Morgen!"] for dialogue in dialogues)
    assert all("Good morning!" in said(dialogue)[0] for dialogue in dialogues)
    assert len({said(dialogue)[0] for dialogue in dialogues}) > 10
    first = dialogues[0]
    assert (first.weight, first.origin, first.source_language, first.learnt) == (2.0, "tests", "en", (True,))


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("I don't know.", "I do not know."),
        ("I can't and I won't.", "I cannot and I will not."),
        ("It's a dog and I'm tired.", "It is a dog and I am tired."),
        ("We’ll see what they’ve done.", "We will see what they have done."),
        ("Don't go there at seven o'clock.", "Do not go there at seven o'clock."),
        ("Let's go, you're late.", "Let us go, you are late."),
        ("Tom doesn't like it.", "Tom does not like it."),
        ("There's no way he isn't coming.", "There is no way he is not coming."),
    ],
)
def test_contractions_are_written_out(short: str, full: str) -> None:
    variant = only(contractions.variants(short))
    assert (variant.text, variant.style, variant.back) == (full, Style.FULL_FORMS, Style.CONTRACTIONS)


@pytest.mark.parametrize(
    "uncertain",
    [
        "He'd gone.",
        "Tom's here.",
        "It's been raining.",
        "Don't you know?",
        "Why don't we go?",
        "You know Tom, don't you?",
        "Isn't that nice?",
        "Rock 'n' roll isn't dead.",
        "Yes, I am.",
        "Here I am",
        "Y'all don't know.",
    ],
)
def test_uncertain_contractions_are_left_alone(uncertain: str) -> None:
    assert contractions.variants(uncertain) == []


@pytest.mark.parametrize(
    ("full", "short"),
    [
        ("I do not know.", "I don't know."),
        ("I am very sorry.", "I'm very sorry."),
        ("It is a dog.", "It's a dog."),
        ("You will see.", "You'll see."),
        ("They are not here.", "They're not here."),
    ],
)
def test_full_forms_are_contracted(full: str, short: str) -> None:
    variant = only(contractions.variants(full))
    assert (variant.text, variant.style) == (short, Style.CONTRACTIONS)


def test_mixed_forms_do_not_come_back() -> None:
    assert only(contractions.variants("I don't know and I do not care.")).back is None


@pytest.mark.parametrize(
    ("british", "american"),
    [
        ("The colour of the theatre is grey.", "The color of the theater is gray."),
        ("Colours matter. Travelling helps, he realised.", "Colors matter. Traveling helps, he realized."),
        ("My favourite neighbour organised it.", "My favorite neighbor organized it."),
    ],
)
def test_spelling_goes_both_ways(british: str, american: str) -> None:
    assert only(spelling.variants(british, "en")) == Variant(american, Style.AMERICAN, Style.BRITISH)
    assert only(spelling.variants(american, "en")) == Variant(british, Style.BRITISH, Style.AMERICAN)


@pytest.mark.parametrize(
    "text", ["Pearl Harbor", "the Labour party", "set background-color: red", "a `color` here", "no"]
)
def test_names_and_code_keep_their_spelling(text: str) -> None:
    assert spelling.variants(text, "en") == []


def test_the_list_of_spellings_is_sound() -> None:
    pairs = spelling.AMERICAN_OF
    assert len(pairs) > 250
    assert not pairs.keys() & set(pairs.values())
    assert len(set(pairs.values())) == len(pairs)


def test_swiss_spelling_has_no_eszett() -> None:
    variant = only(spelling.variants("Er ließ die Straße, dass es groß ist.", "de"))
    assert variant == Variant("Er liess die Strasse, dass es gross ist.", Style.SWISS, Style.ESZETT)
    assert spelling.variants("Er muss.", "de") == []


@pytest.mark.parametrize(
    ("code", "words", "figures"),
    [
        ("en", "He has three brothers and two cats.", "He has 3 brothers and 2 cats."),
        ("de", "Sie blieb drei Tage.", "Sie blieb 3 Tage."),
        ("fr", "Il a deux voitures.", "Il a 2 voitures."),
        ("zh", "我有三本书和两个朋友。", "我有3本书和2个朋友。"),
    ],
)
def test_small_numbers_in_words_and_figures(code: str, words: str, figures: str) -> None:
    assert only(numbers.variants(words, code)) == Variant(figures, Style.NUMERALS, Style.NUMBER_WORDS)
    assert only(numbers.variants(figures, code)) == Variant(words, Style.NUMBER_WORDS, Style.NUMERALS)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "Two of them came."),
        ("en", "It is one of three books."),
        ("en", "twenty-three books"),
        ("en", "Read page 3 books."),
        ("en", "It costs 3.5 dollars"),
        ("en", "He has 3 brothers and two cats."),
        ("de", "Die zweite von drei Frauen."),
        ("zh", "星期三我有空。"),
        ("zh", "我有一个朋友和三本书。"),
        ("zh", "他三十岁。"),
        ("fr", "tous les deux jours"),
    ],
)
def test_other_numbers_are_left_alone(code: str, text: str) -> None:
    assert numbers.variants(text, code) == []


@pytest.mark.parametrize(
    ("code", "text", "style", "changed"),
    [
        ("en", 'He said "no" and "yes".', Style.CURLY_QUOTES, "He said “no” and “yes”."),
        ("de", "Er sagte „nein“.", Style.STRAIGHT_QUOTES, 'Er sagte "nein".'),
        ("fr", 'Il a dit "non".', Style.GUILLEMETS, "Il a dit « non »."),
        ("zh", "他说“不”。", Style.CORNER_QUOTES, "他说「不」。"),
        ("zh", "真的吗？好，走！", Style.HALF_WIDTH, "真的吗?好,走!"),
        ("zh", "真的吗? 好,走!", Style.FULL_WIDTH, "真的吗？好，走！"),
    ],
)
def test_punctuation(code: str, text: str, style: Style, changed: str) -> None:
    assert {variant.style: variant.text for variant in punctuation.variants(text, code)}[style] == changed


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", 'A 6" pipe and an 8" one.'),
        ("en", "“Unfinished, he said."),
        ("en", 'He said “a "b" c”.'),
        ("zh", "版本 3.5 好"),
        ("zh", "用 a.b 吧"),
    ],
)
def test_doubtful_punctuation_is_left_alone(code: str, text: str) -> None:
    assert punctuation.variants(text, code) == []


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "I don't like the colour of “three books”. He said so."),
        ("de", "Er ließ „zwei Tage“ aus."),
        ("fr", "Il a dit « deux voitures »."),
        ("zh", "他说“三本书”，好吗？"),
    ],
)
def test_asking_for_the_old_style_gives_the_old_text(code: str, text: str) -> None:
    language = find_language(code)
    found = variants(text, language)
    assert found
    for variant in found:
        assert variant.text != text
        back = [there.text for there in variants(variant.text, language) if there.style is variant.back]
        assert variant.back is None or not back or back == [text]


def test_style_dialogues_change_the_style_alone() -> None:
    about = direction("Er hat drei Brüder.", "He has three brothers.", "de-en")
    dialogues = made(StyleMaker(), about)
    texts = {"He has three brothers.", "He has 3 brothers."}
    assert len(dialogues) == 30
    for dialogue in dialogues:
        _, draft, _, answer = said(dialogue)
        assert {draft, answer} == texts
        # A draft that nobody wrote is context only.
        assert dialogue.learnt == (draft == about.reference, True)
    assert {said(dialogue)[1] for dialogue in dialogues} == texts
    assert made(StyleMaker(), direction("Hallo.", "Hello.", "de-en")) == []


def test_chinese_address_leaves_the_plural_alone() -> None:
    variant = only(address.variants("你知道你们的老师吗？", "zh"))
    assert variant == Variant("您知道你们的老师吗？", Style.NIN, Style.NI)
    assert only(address.variants("您好，您是谁？", "zh")).text == "你好，你是谁？"
    assert address.variants("你们好。", "zh") == []
    assert address.variants("你和您", "zh") == []
    assert address.variants("迷你车给你", "zh") == []


@pytest.mark.parametrize(
    ("source", "reference", "pair", "informal", "formal"),
    [
        ("Where are you?", "你在哪里？", "en-zh", "你在哪里？", "您在哪里？"),
        ("Ich weiß nicht.", "I don't know.", "de-en", "I don't know.", "I do not know."),
    ],
)
def test_formality_goes_the_way_that_was_asked(
    source: str, reference: str, pair: str, informal: str, formal: str
) -> None:
    drafts = set()
    for dialogue in made(FormalityMaker(), direction(source, reference, pair)):
        _, draft, wish, answer = said(dialogue)
        assert {draft, answer} == {informal, formal}
        if re.search(r"(more|very|a bit) formal|更正式|不够正式", wish) and "less" not in wish:
            assert answer == formal
        if (
            re.search(r"less formal|casual(ly)?\b(?!\.)|contractions", wish)
            and "instead" not in wish
            and "too" not in wish
        ):
            assert answer == informal
        drafts.add(draft)
    assert drafts == {informal, formal}


def test_german_and_french_need_two_translations() -> None:
    for reference, other, pair in (
        ("Wo warst du?", "Wo waren Sie?", "en-de"),
        ("Je te crois.", "Je vous crois.", "en-fr"),
    ):
        about = direction("x", reference, pair)
        assert made(FormalityMaker(), about) == []
        dialogues = made(FormalityMaker(), about, {about.key(): (other,)})
        assert {tuple(said(dialogue)[1::2]) for dialogue in dialogues} == {(reference, other), (other, reference)}
        assert all(dialogue.learnt == (True, True) for dialogue in dialogues)


@pytest.mark.parametrize(
    ("pair", "reference", "other"),
    [
        ("en-de", "Wo warst du?", "Wo sind Sie gewesen, mein Herr?"),  # other words, too
        ("en-de", "Hast du Hunger?", "Habt ihr Hunger?"),  # several people
        ("en-de", "Sie kommt, wenn du willst.", "Sie kommen, wenn du willst."),  # she, they
        ("en-fr", "Tu es habillé.", "Vous êtes habillée."),  # a woman
        ("en-fr", "Toi, tu l'as dit.", "Vous, vous l'avez conté."),
    ],
)
def test_translations_that_differ_in_more_are_not_set_against_each_other(pair: str, reference: str, other: str) -> None:
    about = direction("x", reference, pair)
    assert made(FormalityMaker(), about, {about.key(): (other,)}) == []


def test_length_is_clearly_another() -> None:
    long, short = "Es ist mir nicht möglich, heute noch zu kommen.", "Ich kann heute nicht kommen."
    about = direction("I can't come today.", long, "en-de")
    dialogues = made(LengthMaker(), about, {about.key(): (short, "Es ist mir unmöglich, heute noch zu kommen.")})
    drafts = set()
    for dialogue in dialogues:
        _, draft, wish, answer = said(dialogue)
        assert {draft, answer} == {long, short}
        if re.search(r"\b(short|shorter|brief|briefer|fewer|concise)\b|kürzer|knapper\b", wish) and "too" not in wish:
            assert (answer == short) != bool(re.search(r"too short|zu kurz|weniger knapp", wish))
        drafts.add(draft)
    assert drafts == {long, short}
    assert made(LengthMaker(), about, {about.key(): (f"{long} Ja.",)}) == []
    assert made(LengthMaker(), about) == []


def test_lengths_are_compared_in_both_ways() -> None:
    german, chinese = find_language("de"), find_language("zh")
    assert compared("Das ist ein sehr langer Satz.", "Das ist lang.", german) is Intent.SHORTER
    assert compared("Das ist lang.", "Das ist ein sehr langer Satz.", german) is Intent.LONGER
    assert compared("Das ist lang.", "Das ist kurz.", german) is None
    assert compared("钟停了。", "时钟已经停止了。", chinese) is Intent.LONGER
    assert compared("...", "Das ist kurz.", german) is None
