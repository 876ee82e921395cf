"""Finding turns by words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bayling_lite.chat.records.searching import Words
from bayling_lite.chat.records.store import SessionStore
from bayling_lite.errors import UsageError
from tests.chat.records.kept_sessions import session, talked, translated


@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        (["token"], "The TOKENS of a text", True),
        (["token", "text"], "The TOKENS of a Text", True),
        (["token", "other"], "The tokens of a text", False),
        (["annual report"], "the annual\n  report", True),
        (["annual report"], "report, annual", False),
        (["straße"], "STRASSE", True),
        (["词元"], "每个词元都是", True),
        (["ａｂｃ"], "xABCx", True),
        (["100%"], "100%", True),
        (["a_b"], "axb", False),
        (["é"], "cafe\u0301", True),
        (["İ".lower()], "İstanbul", True),
        (["\ud800"], "lone \ud800 surrogate", True),
    ],
)
def test_words_occur(words: list[str], text: str, found: bool) -> None:
    assert Words.of(words).occur_in(text) is found
    assert bool(Words.of(words).excerpt(text)) is found or len(words) > 1


@pytest.mark.parametrize(
    ("word", "text", "excerpt"),
    [
        ("hit", "a " * 50 + "HIT" + " b" * 50, "…a a HIT b b…"),
        ("hit", "Hit at once", "Hit at o…"),
        ("end", "this is the\n\nend", "…the end"),
        ("词", "每个词都是一样的吗", "每个词都是一样的…"),
        ("ss", "xxxxxxxxß and more", "…xxxxxß and…"),
        ("none", "nothing", ""),
    ],
)
def test_an_excerpt_shows_the_hit_and_what_stands_around_it(word: str, text: str, excerpt: str) -> None:
    assert Words.of([word]).excerpt(text, 5) == excerpt


def test_hits_come_with_their_turn_and_session_the_newest_first() -> None:
    with SessionStore.in_memory() as store:
        first = store.add(session([translated("a", None, "Good morning.", "早上好。")], "a", title="One"))
        turns = [talked("a", None, "Hello?", "GOOD day"), talked("b", "a", "Good?", "Morning")]
        undone = replace(talked("c", None, "good", "morning"), reason="good")
        second = store.add(session([*turns, undone], "b", title="Two"))
        found = [(hit.session, hit.title, hit.number, hit.where, hit.excerpt) for hit in store.search(["good"])]
        assert found == [
            (second, "Two", 3, "typed", "good"),
            (second, "Two", 2, "typed", "Good?"),
            (second, "Two", 1, "answer", "GOOD day"),
            (first, "One", 1, "typed", "Good morning."),
        ]
        assert [hit.number for hit in store.search(["GOOD", "早上"])] == [1]
        assert not list(store.search(["nowhere"]))
        with pytest.raises(UsageError, match="empty"):
            list(store.search(["", "  "]))


def test_more_turns_than_a_page() -> None:
    with SessionStore.in_memory() as store:
        turns = [talked(str(number), None, f"line {number}", "x") for number in range(1100)]
        store.add(session(turns, None))
        assert len(list(store.search(["line"]))) == 1100
        assert [hit.number for hit in store.search(["line 77"])][-1] == 78
