"""Whether a draft is as wished, and how much of the rest stayed."""

from __future__ import annotations

import pytest

from bayling_lite.evaluate.interactive.formality import Formality, is_formality
from bayling_lite.evaluate.interactive.kept import longest_common, rest_kept, tokens
from bayling_lite.evaluate.interactive.refinement_sets import Wish
from bayling_lite.evaluate.interactive.wishes import (
    checks,
    followed,
    instruction,
    is_needless,
    kept,
    not_added,
    overruled,
)
from bayling_lite.languages import find_language
from bayling_lite.prompts import Wording

GERMAN, CHINESE, ENGLISH = map(find_language, ("de", "zh", "en"))


@pytest.mark.parametrize(
    ("wish", "before", "after", "done"),
    [
        (Wish(contains=("Ufer",)), "Die Bank.", "Das Ufer.", True),
        (Wish(contains=("Ufer",)), "Die Bank.", "Die Uferbank.", False),
        (Wish(contains=("Ufer",)), "Die Bank.", "Das ufer.", False),
        (Wish(contains=("Ufer", "am")), "Die Bank.", "Das Ufer.", False),
        (Wish(absent=("Bank",)), "Die Bank.", "Das Ufer.", True),
        (Wish(absent=("Bank",)), "Die Bank.", "DIE BANK!", False),
        (Wish(absent=("Bank",)), "Die Bank.", "Das Bankett.", True),
        (Wish(absent=("Bank",)), "Die Bank.", " ", False),
        (Wish(shorter=1), "Die Bank.", "Bank.", True),
        (Wish(shorter=1), "Die Bank.", "Die Bank. ", False),
        (Wish(shorter=1), "Die Bank.", "", False),
        (Wish(shorter=0.5), "Die Bank.", "Bank.", False),
        # Marks are no length, and what nobody sees is no change.
        (Wish(shorter=1), "Die Bank.", "Die Bank", False),
        (Wish(longer=1), "Die Bank.", "„Die Bank …“", False),
        (Wish(shorter=1), "Wir treffen uns an der Bank.", "Wir treffen uns an de Bank.", False),
        (Wish(shorter=1), "Wir treffen uns an der Bank.", "Wir treffen uns an Bank.", True),
        (Wish(shorter=1), "Die Bank.", "…", False),
        (Wish(longer=1), "Die Bank.", "Die Banken.", True),
        (Wish(longer=1.5), "Die Bank.", "Die Banken.", False),
        (Wish(language=ENGLISH), "Die Bank ist heute zu.", "The bank is closed today.", True),
        (Wish(language=ENGLISH), "Die Bank ist heute zu.", "Die Bank ist heute geschlossen.", False),
        (Wish(language=ENGLISH), "Die Bank ist heute zu.", "123", None),
        (Wish(language=ENGLISH), "Die Bank ist heute zu.", "银行今天不开门。", False),
        (Wish(language=GERMAN), "Yes.", "Ja.", None),  # Portuguese, says the detector
        (Wish(absent=("Masse",)), "Die Masse.", "Die Maße.", True),
        (Wish(formality="formal"), "Hast du Zeit?", "Haben Sie Zeit?", True),
        (Wish(formality="formal"), "Hast du Zeit?", "Ist Zeit?", None),
        (Wish(formality="formal", contains=("Zeit",)), "Hast du Muße?", "Ist Muße?", False),
        (Wish("Make it sound natural."), "Die Bank.", "Das Ufer.", None),
    ],
)
def test_checks(wish: Wish, before: str, after: str, done: bool | None) -> None:
    assert followed(checks(wish, before, after, GERMAN)) is done


@pytest.mark.parametrize(
    ("code", "formality", "text", "done"),
    [
        ("zh", "formal", "您好吗？", True),
        ("zh", "formal", "你和您", False),
        ("zh", "informal", "你好吗？", True),
        ("zh", "formal", "你们好", None),
        ("zh", "formal", "迷你裙", None),
        ("de", "formal", "Wie geht es Ihnen?", True),
        ("de", "formal", "Sie kommt.", None),  # she, or you
        ("de", "informal", "Wie geht es dir?", True),
        ("fr", "formal", "Comment allez-vous ?", True),
        ("fr", "informal", "Je t'aime.", True),
        ("fr", "formal", "Le ton est bon.", None),
        ("fr", "informal", "Tu as rendez-vous ?", True),
        ("es", "informal", "Es vuestra casa.", True),
        ("ja", "formal", "ますます寒い", None),
        ("es", "informal", "¿Cómo te llamas?", True),
        ("ru", "formal", "Как вас зовут?", True),
        ("ru", "informal", "Это твоя книга?", True),
        ("uk", "informal", "Це твоя книга?", True),
        ("ja", "formal", "これは本です。", True),
        ("ja", "informal", "これは本だ。", True),
        ("en", "formal", "I do not know.", True),
        ("en", "formal", "I don’t know; I do not care.", False),
        ("en", "informal", "It's late.", True),
        ("en", "formal", "Mary's book", None),
        ("ar", "formal", "anything", None),
    ],
)
def test_formality(code: str, formality: Formality, text: str, done: bool | None) -> None:
    assert is_formality(text, formality, code) is done


def test_tokens_are_words_characters_and_marks() -> None:
    assert tokens("It's 3-fold, 早上!") == ["It's", "3-fold", ",", "早", "上", "!"]
    assert longest_common("abcbdab", "bdcaba") == 4
    assert longest_common("", "abc") == 0


@pytest.mark.parametrize(
    ("wish", "before", "after", "share"),
    [
        # One word came in: one may have gone.
        (Wish(contains=("Ufer",)), "Wir sind an der Bank .", "Wir sind am Ufer .", (3, 5)),
        (Wish(contains=("Ufer",)), "Wir sind an der Bank .", "Wir sind an der Ufer .", (5, 5)),
        # It was there already: nothing had to go.
        (Wish(contains=("Bank",), always=True), "An der Bank", "An Bank", (2, 3)),
        # What was to go is known.
        (Wish(contains=("Ufer",), absent=("Bank",)), "an der bank .", "am Ufer .", (1, 3)),
        (Wish(absent=("der",)), "an der Bank der", "an Bank", (2, 2)),
        # With each word of address, its verb may go.
        (Wish(formality="formal"), "Hast du heute Zeit?", "Haben Sie heute Zeit?", (3, 3)),
        (Wish(formality="formal"), "Hast du heute Zeit?", "Haben Sie Zeit?", (2, 3)),
        (Wish(shorter=1), "an der Bank", "Bank", (0, 0)),
        (Wish(shorter=1, keep=("an", "der Bank")), "an der Bank hier", "an Bank", (1, 3)),
        # What the draft did not have cannot stay.
        (Wish(shorter=1, keep=("an", "Frau Müller")), "an der Bank hier", "an Bank", (1, 1)),
        # A word goes with all that it is part of.
        (Wish(contains=("Ufer",), absent=("Bank",)), "die Bank-Seite hier", "die Ufer-Seite hier", (2, 2)),
        (Wish("Nicer!"), "an der Bank", "Bank", (0, 0)),
        (Wish(contains=("Ufer",)), "an der Bank", "", (0, 2)),
    ],
)
def test_the_rest_is_kept(wish: Wish, before: str, after: str, share: tuple[int, int]) -> None:
    assert kept(wish, before, after, GERMAN) == share


BANK = "Wir sehen uns an der Bank."


@pytest.mark.parametrize(
    ("wish", "before", "after", "share"),
    [
        (Wish(contains=("Ufer",)), BANK, "Wir sehen uns an der Ufer.", (6, 6)),
        (Wish(contains=("Ufer",)), BANK, BANK, (7, 7)),
        (Wish(contains=("Ufer",)), BANK, "", (0, 0)),
        # The word is there, and the rest is kept; but so is what nobody asked for.
        (Wish(contains=("Ufer",)), BANK, 'Sure, with "Ufer": Wir sehen uns an der Ufer.', (6, 13)),
        (Wish(contains=("Ufer",)), BANK, "Wir sehen uns an der Bank. Ufer Ufer", (7, 8)),
        (Wish(contains=("Ufer",)), BANK, "“Wir sehen uns an der Ufer.”", (6, 8)),
        (Wish(contains=("Ufer",), absent=("Bank",)), "Bank an Bank", "Ufer an Ufer", (1, 1)),
        (Wish(contains=("am Ufer",), absent=("Bank",)), "Die Bank.", "Die am Ufer.", (2, 2)),
        # As much may come for what has to go as there was of it.
        (Wish(absent=("der Bank",)), BANK, "Wir sehen uns an diesem Ufer.", (5, 5)),
        (Wish(absent=("der Bank",)), BANK, "Wir sehen uns an diesem großen Ufer.", (5, 6)),
        (Wish(formality="formal"), "Hast du heute Zeit?", "Haben Sie heute Zeit?", (3, 3)),
        (Wish(formality="formal"), "Hast du Zeit?", "Hätten Sie wohl Zeit?", (2, 3)),
        (Wish(shorter=1), BANK, "Bank.", (0, 0)),
        (Wish(contains=("Ufer",), keep=("Bank",)), BANK, "Bank.", (0, 0)),
    ],
)
def test_what_nobody_asked_for_shows(wish: Wish, before: str, after: str, share: tuple[int, int]) -> None:
    assert not_added(wish, before, after, GERMAN) == share


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [("en", "I don't see it.", "I do not see it."), ("zh", "你好吗？", "您好吗？"), ("ja", "本だ。", "本です。")],
)
def test_forms_of_address_are_asked_for(code: str, before: str, after: str) -> None:
    language = find_language(code)
    for share in (kept, not_added):
        right, total = share(Wish(formality="formal"), before, after, language)
        assert right == total > 0


def test_overlapping_parts_go_once() -> None:
    assert rest_kept("a b c d", "a d", spans=[(2, 5), (4, 5), (2, 3)]) == (2, 2)
    assert rest_kept("a b c d", "a d", spans=[(2, 3), (2, 5)]) == (2, 2)


def test_letters_that_become_two_do_not_shift_what_goes() -> None:
    assert kept(Wish(absent=("der",)), "İ der Bank", "İ Bank", GERMAN) == (2, 2)


@pytest.mark.parametrize(
    ("wish", "draft", "needless"),
    [
        (Wish(contains=("Bank",)), "Die Bank.", True),
        (Wish(contains=("Bank",), always=True), "Die Bank.", False),
        (Wish(contains=("Bank", "Ufer")), "Die Bank.", False),
        (Wish(absent=("Ufer",)), "Die Bank.", True),
        (Wish(absent=("Ufer",)), "", False),
        (Wish(absent=("Ufer",), shorter=1), "Die Bank.", False),
        (Wish(formality="formal"), "Die Bank.", False),
        (Wish("Nicer!"), "Die Bank.", False),
    ],
)
def test_what_is_so_already_is_not_said(wish: Wish, draft: str, needless: bool) -> None:
    assert is_needless(wish, draft, GERMAN) is needless


def test_the_program_has_words_of_its_own() -> None:
    replaced = Wish(contains=("Ufer",), absent=("Bank",))
    assert instruction(replaced, "Die Bank.", Wording.ENGLISH) == 'Fix "Bank": it should be "Ufer".'
    # As it stands in the draft, at the beginning of a sentence, say.
    assert instruction(replaced, "BANK!", Wording.ENGLISH) == 'Fix "BANK": it should be "Ufer".'
    # Nobody names a word that is not there.
    assert instruction(replaced, "Die Küste.", Wording.ENGLISH) == 'Use the word "Ufer".'
    assert instruction(Wish(shorter=0.8), "Die Bank.", Wording.CHINESE) == "请译得短一点。"
    assert instruction(Wish("Kürzer!", shorter=1), "Die Bank.", Wording.CHINESE) == "Kürzer!"


def test_a_later_wish_may_take_an_earlier_one_back() -> None:
    assert overruled(Wish(contains=("Bank",)), Wish(contains=("Ufer",), absent=("bank",)))
    assert overruled(Wish(absent=("Bank",)), Wish(contains=("Bank",)))
    assert overruled(Wish(absent=("Bank",)), Wish(contains=("die Bank",)))
    assert overruled(Wish(formality="formal"), Wish(formality="informal"))
    assert overruled(Wish(contains=("Bank",)), Wish(language=CHINESE))
    assert not overruled(Wish(contains=("Bank",)), Wish(contains=("Ufer",), shorter=1))
