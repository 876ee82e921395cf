"""Glossary terms: which apply where, which contradict one another, and when a word counts as being there."""

from __future__ import annotations

import itertools
import random
import re

import pytest

from bayling_lite.engine import words
from bayling_lite.errors import UsageError
from bayling_lite.translate import glossary
from bayling_lite.translate.glossary import Term, TermIndex, applying, check_terms, occurs


def test_a_term_occurs_as_a_word() -> None:
    assert occurs("token", "Token!")
    assert not occurs("art", "party")
    assert occurs("公园", "我们去公园吧")
    assert occurs("C++", "I like C++.")
    assert not occurs("", "text")
    assert occurs("a.b", "x a.b")
    assert not occurs("a.b", "x acb")
    assert occurs("art", "party art")


@pytest.mark.parametrize(
    ("term", "text"), [("BayLing", "我喜欢BayLing。"), ("Token", "这个Token很长"), ("3", "有3个"), ("été", "l'été")]
)
def test_a_latin_word_needs_no_space_beside_chinese(term: str, text: str) -> None:
    assert occurs(term, text)


@pytest.mark.parametrize(
    ("term", "text"), [("แมว", "มีแมวสอง"), ("ແມວ", "ມີແມວສອງ"), ("Token", "คำว่าTokenนี้"), ("ឆ្មា", "មានឆ្មាពីរ")]
)
def test_scripts_that_separate_no_words_have_no_borders_to_look_for(term: str, text: str) -> None:
    assert occurs(term, text)


def test_what_a_search_guarantees_counts_as_being_there() -> None:
    pieces = ("", " ", "a", "Token", "词", "token", "s", "-", "_", "9", "。", "e\u0301", "é", "Tokens", "แมว", "ມ")
    phrases = ("Token", "词", "a", "词a", "a词", "9", "-Token", "Token-", "é", "แมว", "aแ")
    texts = ["".join(parts) for parts in itertools.product(pieces, repeat=3)]
    guaranteed = [(phrase, text) for phrase in phrases for text in texts if words.occurs(phrase, text)]
    assert len(guaranteed) > 1000
    assert [pair for pair in guaranteed if not occurs(*pair)] == []


def test_the_longer_of_two_terms_counts() -> None:
    terms = [("York", "约克"), ("New York", "纽约"), ("new", "新")]
    assert applying(terms, "I live in New York.") == (("New York", "纽约"),)
    assert applying(terms, "From York to New York.") == (("York", "约克"), ("New York", "纽约"))
    assert applying(terms, "A new house in York.") == (("York", "约克"), ("new", "新"))
    assert applying([("北京", "Beijing"), ("北京大学", "Peking University")], "我在北京大学。") == (
        ("北京大学", "Peking University"),
    )


def test_the_term_that_is_written_as_in_the_text_counts() -> None:
    terms = [("polish", "polieren"), ("Polish", "polnisch")]
    assert applying(terms, "I polish my shoes.") == (("polish", "polieren"),)
    assert applying(terms, "My Polish shoes.") == (("Polish", "polnisch"),)
    assert applying([("polish", "polieren")], "Polish your shoes!") == (("polish", "polieren"),)


def places(word: str, text: str) -> list[tuple[int, int]]:
    """Where a word stands in a text, found by trying every place."""
    pattern = re.compile(re.escape(word), re.IGNORECASE)
    found = [match.span() for at in range(len(text)) if (match := pattern.match(text, at))]
    return [(start, end) for start, end in found if occurs(word, text[max(0, start - 1) : end + 1])]


def applying_one_by_one(terms: list[Term], text: str) -> tuple[Term, ...]:
    """What :func:`applying` says, for each term on its own."""
    taken = [(place, word) for word, _ in terms for place in places(word, text)]

    def counts(word: str, start: int, end: int) -> bool:
        return not any(
            first <= start and end <= last and (last - first > end - start or (text[start:end] == other != word))
            for (first, last), other in taken
        )

    return tuple(term for term in terms if any(counts(term[0], *place) for place in places(term[0], text)))


def test_many_terms_are_found_as_if_each_were_looked_for() -> None:
    chance = random.Random(5)
    pieces = ["ab", "Straße", "STRASSE", "词", "词元", "σα", " ", " ", *"aAßİiıſsΣς-"]
    applied = 0
    for _ in range(200):
        words = {"".join(chance.choices(pieces, k=chance.randint(1, 3))).strip() for _ in range(25)}
        terms = [(word, "x") for word in sorted(words - {"", "-", "--", "---"})]
        text = "".join(chance.choices([*pieces, *(word for word, _ in terms)], k=12))
        index = TermIndex(terms)
        assert index.applying(text) == applying_one_by_one(terms, text), (terms, text)
        assert index.occurring(text) == tuple(term for term in terms if occurs(term[0], text)), (terms, text)
        applied += len(index.applying(text))
    assert applied > 250


def test_terms_that_begin_alike_are_not_tried_one_by_one() -> None:
    index = TermIndex((f"product {number}", f"Ware {number}") for number in range(5000))
    before = glossary._pattern.cache_info().misses
    assert index.applying("The product is no product 4711, but a product 47.") == (
        ("product 47", "Ware 47"),
        ("product 4711", "Ware 4711"),
    )
    assert glossary._pattern.cache_info().misses - before < 10


def test_terms_are_taken_once_and_with_single_spaces() -> None:
    assert check_terms([("a", "b"), (" a", "b\n"), ("c  d", "e\tf")]) == (("a", "b"), ("c d", "e f"))


def test_a_word_with_two_translations_is_refused() -> None:
    with pytest.raises(UsageError, match="'bank' has two translations, 'Bank' and 'Ufer': choose one"):
        check_terms([("bank", "Bank"), ("bank", "Ufer")])


@pytest.mark.parametrize("term", [("", "x"), ("x", " ")])
def test_half_a_term_is_refused(term: tuple[str, str]) -> None:
    with pytest.raises(UsageError, match="neither can be empty"):
        check_terms([term])
