"""A former answer revised: its parts by themselves, on models that are written down."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from bayling_lite.engine.base import GREEDY, GenerationRequest, Revision, SamplingParams, SearchParams
from bayling_lite.engine.phrase_places import Placing
from bayling_lite.engine.revising import FormerAnswer, Reviser, Scripted, script
from bayling_lite.errors import EngineError, PhrasesDoNotFit, UsageError
from bayling_lite.prompts import user_turn

END = 0
LIKELY, SURE = 3.0, 30.0


class Pieces:
    """A vocabulary of an end token and pieces; texts are cut into the longest ones."""

    def __init__(self, *pieces: str | bytes) -> None:
        self._pieces = [b"", *(piece if isinstance(piece, bytes) else piece.encode() for piece in pieces)]

    @property
    def size(self) -> int:
        return len(self._pieces)

    def piece(self, token: int) -> bytes:
        return self._pieces[token]

    def is_end(self, token: int) -> bool:
        return token == END

    def ids(self, text: str, *, first: bool = False) -> list[int]:
        del first
        data, found = text.encode(), []
        while data:
            token = max(
                (t for t, p in enumerate(self._pieces) if p and data.startswith(p)), key=lambda t: len(self.piece(t))
            )
            found.append(token)
            data = data[len(self._pieces[token]) :]
        return found

    def text(self, ids: list[int]) -> str:
        return b"".join(map(self.piece, ids)).decode()


WORDS = Pieces("d", "er", "as", " Kat", "er.", " Haus", " ist", " zu", ".", "ze", *"Haus ")
LETTERS = Pieces(*"abcdefgh .")
HAN = Pieces(*"甲乙丙丁戊己庚辛 。")


def row(vocabulary: Pieces, **logits: float) -> npt.NDArray[np.float32]:
    """Logits by piece: ``end`` for the end token, ``_x`` for `` x``."""
    values = np.zeros(vocabulary.size, np.float32)
    for name, value in logits.items():
        values[END if name == "end" else vocabulary.ids(name.replace("_", " "))[0]] = value
    return values


def reviser(text: str, phrase: str, place: tuple[int, int], vocabulary: Pieces, leaning: float = 5.0) -> Reviser:
    revision = Revision(text, phrase, (place,), leaning)
    former = FormerAnswer(text, vocabulary.ids(text), vocabulary)
    return Reviser((), script(former, revision, vocabulary.ids), revision, vocabulary, [END], vocabulary.is_end)


def judged(one: Reviser, vocabulary: Pieces, *rows: npt.NDArray[np.float32]) -> str:
    """The answer after rows of logits, each given alone."""
    for logits in rows:
        one.judge(logits[None], [])
    return vocabulary.text(one.tokens)


# The script.


def test_a_phrase_takes_its_place_with_the_space_before_it() -> None:
    text = "der Kater ist zu."
    former = FormerAnswer(text, WORDS.ids(text), WORDS)
    found = script(former, Revision(text, "Haus", ((4, 9),)), WORDS.ids)
    assert WORDS.text([scripted.token for scripted in found]) == "der Haus ist zu."
    assert [WORDS.piece(scripted.token) for scripted in found if scripted.firm] == [b" Haus"]


def test_characters_of_several_tokens_are_not_cut() -> None:
    bytewise = Pieces(*(bytes([value]) for value in range(256)))
    text = "早上好，你好。"
    former = FormerAnswer(text, bytewise.ids(text), bytewise)
    assert [end for end in former.ends if end is not None] == list(range(len(text) + 1))
    found = script(former, Revision(text, "早安", ((0, 3), (4, 6))), bytewise.ids)
    assert bytewise.text([scripted.token for scripted in found]) == "早安，早安。"
    assert sum(scripted.firm for scripted in found) == 2 * len("早安".encode())


def test_what_a_token_has_beyond_the_place_stays() -> None:
    vocabulary = Pieces(*"abcdefgh.", "bc", "d.")
    former = FormerAnswer("abcd.", vocabulary.ids("abcd."), vocabulary)
    found = script(former, Revision("abcd.", "g", ((2, 4),)), vocabulary.ids)
    assert vocabulary.text([scripted.token for scripted in found]) == "abg."


def test_a_space_before_the_whole_text_is_none_of_its_characters() -> None:
    vocabulary = Pieces(" ab", "c")
    assert FormerAnswer("abc", vocabulary.ids(" abc"), vocabulary).ends == [0, 2, 3]
    with pytest.raises(PhrasesDoNotFit, match="spelled"):
        FormerAnswer("abc", vocabulary.ids("c"), vocabulary)


# Deciding.


def test_what_comes_before_the_phrase_and_the_phrase_need_no_model() -> None:
    one = reviser("甲乙丙", "庚", (1, 2), HAN)
    assert HAN.text(one.tokens) == "甲庚"
    assert one.guess(5) == HAN.ids("丙")
    assert one.guess(0) == []


def test_the_script_is_kept_unless_another_token_is_much_likelier() -> None:
    assert judged(reviser("甲乙丙", "庚", (1, 2), HAN), HAN, row(HAN, 辛=LIKELY)) == "甲庚丙"
    assert judged(reviser("甲乙丙", "庚", (1, 2), HAN), HAN, row(HAN, 辛=SURE)) == "甲庚辛"
    assert judged(reviser("甲乙丙", "庚", (1, 2), HAN, 0.0), HAN, row(HAN, 辛=0.1)) == "甲庚辛"


def test_several_guesses_are_judged_at_once() -> None:
    one = reviser("甲乙丙丁", "庚", (0, 1), HAN)
    guess = one.guess(9)
    assert HAN.text(guess) == "乙丙丁"
    one.judge(np.stack([row(HAN)] * 4), guess)
    assert (HAN.text(one.tokens), one.done) == ("庚乙丙丁", True)
    one = reviser("甲乙丙丁", "庚", (0, 1), HAN)
    one.judge(np.stack([row(HAN), row(HAN, 辛=SURE), row(HAN, 甲=SURE), row(HAN)]), one.guess(9))
    assert HAN.text(one.tokens) == "庚乙辛"  # what was guessed behind a wrong guess says nothing


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("丁", "甲庚辛丁"),  # in the place of c
        ("丙", "甲庚辛丙"),  # before c
        ("戊", "甲庚辛戊"),  # in the place of c and d
    ],
)
def test_after_another_token_the_script_goes_on_where_the_model_finds_it(after: str, expected: str) -> None:
    one = reviser("甲乙丙丁戊己", "庚", (1, 2), HAN)
    assert judged(one, HAN, row(HAN, 辛=SURE), row(HAN, **{after: SURE})) == expected
    rest = HAN.ids("甲乙丙丁戊己"["甲乙丙丁戊己".index(after) + 1 :])
    assert one.guess(9) == rest


def test_who_does_not_find_back_is_brought_back() -> None:
    one = reviser("甲乙丙丁", "庚", (1, 2), HAN)
    astray = [row(HAN, 辛=SURE)] * 9
    text = ""
    for logits in astray:
        text = judged(one, HAN, logits)
        if not text.startswith("甲庚辛"):
            break
    assert text == "甲庚丙"


def test_the_answer_ends_where_the_script_does_unless_much_is_missing() -> None:
    one = reviser("甲乙", "庚", (1, 2), HAN)
    assert (judged(one, HAN, row(HAN, 辛=LIKELY)), one.done) == ("甲庚", True)
    one = reviser("甲乙", "庚", (1, 2), HAN)
    assert (judged(one, HAN, row(HAN, _=SURE), row(HAN, end=SURE)), one.done) == ("甲庚 ", True)
    one = reviser("甲乙丙丁", "庚", (1, 2), HAN)
    assert (judged(one, HAN, row(HAN, end=SURE)), one.done) == ("甲庚丙", False)  # never before


def test_nothing_runs_on_with_the_phrase() -> None:
    one = reviser("das Kater.", "Kat", (4, 9), WORDS)
    assert judged(one, WORDS, row(WORDS, ze=SURE)) == "das Kat."
    one = reviser("a b", "g", (0, 1), LETTERS)
    assert judged(one, LETTERS, row(LETTERS, h=SURE)) == "g "


def test_a_second_place_is_firm_too() -> None:
    revision = Revision("甲乙丙甲乙", "庚", ((1, 2), (4, 5)))
    former = FormerAnswer("甲乙丙甲乙", HAN.ids("甲乙丙甲乙"), HAN)
    one = Reviser((), script(former, revision, HAN.ids), revision, HAN, [END], HAN.is_end)
    assert judged(one, HAN, *[row(HAN)] * 2, row(HAN, 辛=SURE), row(HAN)) == "甲庚丙甲庚"
    assert one.done


def test_numbers_that_are_none_are_an_error() -> None:
    one = reviser("甲乙丙", "庚", (1, 2), HAN)
    with pytest.raises(EngineError, match="no numbers"):
        one.judge(np.full((1, HAN.size), np.nan, np.float32), [])


# A phrase without a place.


def placed(text: str, phrase: str, kept: tuple[tuple[int, int], ...] = (), **logits: dict[str, float]) -> str:
    """The text with ``[phrase]`` where it is put, and ``|`` where it goes on. ``afterN`` are logits by piece."""
    former = FormerAnswer(text, LETTERS.ids(text), LETTERS)
    placing = Placing(former, Revision(text, phrase, kept=kept), LETTERS.ids)
    rows = np.stack([row(LETTERS, **logits.get(f"after{count}", {})) for count in range(len(text) + 1)])
    placing.take(rows[:2])
    assert not placing.done
    placing.take(rows[2:])
    assert placing.done
    if placing.best is None:
        return ""
    best = placing.best
    return f"{text[: best.count]}[{LETTERS.text(list(best.ids))}]{text[best.count : best.resume]}|{text[best.resume :]}"


def test_a_phrase_is_put_where_the_model_would_begin_it() -> None:
    assert placed("ab cd ef", "g", after3={"g": 2.0}) == "ab [g]cd| ef"
    assert placed("ab cd ef", "g", after2={"_": 2.0}) == "ab[ g] cd| ef"
    assert placed("ab cd ef", "g", after1={"g": 9.0}, after0={"g": 1.0}) == "[g]ab| cd ef"  # not within a word
    assert placed("ab cd ef", "g", after0={"g": 2.0, "a": 40.0}, after6={"g": 1.0, "e": 1.0}) == "ab cd [g]ef|"


def test_a_phrase_is_never_put_into_a_word() -> None:
    vocabulary = Pieces("x", "a", " ")
    placing = Placing(FormerAnswer("aaa", [2, 2, 2], vocabulary), Revision("aaa", "x"), vocabulary.ids)
    placing.take(np.zeros((4, 4), np.float32))
    assert placing.best is not None
    assert (placing.done, placing.best.count) == (True, 0)


# What is kept.


def test_what_is_kept_is_firm_and_decided_by_the_model_up_to_there() -> None:
    revision = Revision("甲乙丙丁戊", "庚", ((1, 2),), 5.0, kept=((3, 4),))
    former = FormerAnswer(revision.text, HAN.ids(revision.text), HAN)
    found = script(former, revision, HAN.ids)
    assert [(scripted.firm, scripted.new) for scripted in found] == [
        *((False, False), (True, True), (False, False), (True, False), (False, False))
    ]
    one = Reviser((), found, revision, HAN, [END], HAN.is_end)
    assert HAN.text(one.tokens) == "甲庚"
    assert judged(one, HAN, row(HAN, 辛=SURE), row(HAN, 丁=SURE)) == "甲庚辛丁"
    assert judged(one, HAN, row(HAN, 己=SURE)) == "甲庚辛丁己"
    # Nothing leads past it, and nothing stands in its place.
    one = Reviser((), found, revision, HAN, [END], HAN.is_end)
    assert judged(one, HAN, row(HAN, 辛=SURE), row(HAN, 戊=SURE)) == "甲庚辛戊"
    assert judged(one, HAN, row(HAN, 丁=SURE), row(HAN, 戊=SURE)) == "甲庚辛戊丁戊"
    one = Reviser((), found, revision, HAN, [END], HAN.is_end)
    assert judged(one, HAN, row(HAN), row(HAN, 辛=SURE)) == "甲庚丙丁"


def test_what_comes_before_the_place_can_be_kept_too() -> None:
    revision = Revision("甲乙丙丁", "庚", ((2, 3),), kept=((0, 1),))
    former = FormerAnswer(revision.text, HAN.ids(revision.text), HAN)
    one = Reviser((), script(former, revision, HAN.ids), revision, HAN, [END], HAN.is_end)
    assert HAN.text(one.tokens) == "甲乙庚"


def test_nothing_runs_on_with_what_is_kept() -> None:
    revision = Revision("das Kater.", "d", ((0, 3),), 5.0, kept=((4, 7),))
    former = FormerAnswer("das Kat.", WORDS.ids("das Kat."), WORDS)
    found = script(former, revision, WORDS.ids)
    assert [WORDS.piece(scripted.token) for scripted in found if scripted.bordered] == [b"d", b" Kat"]
    one = Reviser((), found, revision, WORDS, [END], WORDS.is_end)
    assert judged(one, WORDS, row(WORDS), row(WORDS, ze=SURE)) == "d Kat."


def test_what_is_kept_is_no_place_for_a_phrase() -> None:
    assert placed("ab cd ef", "g", ((3, 5),), after3={"g": 5.0}, after6={"g": 1.0}) == "ab cd [g]ef|"
    assert placed("ab cd ef", "g", ((3, 5),), after2={"_": 5.0}, after6={"g": 1.0}) == "ab cd [g]ef|"
    assert placed("ab cd ef", "g", ((3, 8),), after3={"g": 5.0}, after5={"_": 5.0}, after0={"g": 1.0}) == "[g]ab| cd ef"
    assert placed("ab", "g", ((0, 2),), after0={"g": 5.0}) == "ab[ g]|"


# The contract.


@pytest.mark.parametrize(
    ("text", "phrase", "places", "leaning", "said"),
    [
        ("abc", " ", (), 1.0, "cannot be empty"),
        ("abc", "x", ((2, 1),), 1.0, "in order"),
        ("abc", "x", ((1, 2), (1, 3)), 1.0, "in order"),
        ("abc", "x", ((1, 4),), 1.0, "in the text"),
        ("abc", "x", (), -1.0, "0 or more"),
        ("abc", "x", (), float("nan"), "0 or more"),
    ],
)
def test_a_revision_that_cannot_be_is_refused(
    text: str, phrase: str, places: tuple[tuple[int, int], ...], leaning: float, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        Revision(text, phrase, places, leaning)


def test_variants_that_cannot_be_are_refused() -> None:
    with pytest.raises(UsageError, match="one place"):
        Revision("abc", "x", variants=("y",))
    with pytest.raises(UsageError, match="cannot be empty"):
        Revision("abc", "x", ((0, 1),), variants=("",))


@pytest.mark.parametrize("kept", [((2, 4),), ((1, 2), (0, 1)), ((0, 2),), ((1, 3),)])
def test_what_is_kept_is_in_the_text_and_apart_from_the_places(kept: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(UsageError, match=r"in the text|apart"):
        Revision("abc", "x", ((1, 2),), kept=kept)


def test_a_revision_is_neither_sampled_nor_searched_for() -> None:
    revision, asked = Revision("a", "b"), user_turn("x")
    for sampling, search, logprobs in (
        (SamplingParams(1.0), None, None),
        (GREEDY, SearchParams(), None),
        (GREEDY, None, 0),
    ):
        with pytest.raises(UsageError, match="cannot be combined"):
            GenerationRequest(asked, sampling, search=search, logprobs=logprobs, revision=revision)


def test_scripted_tokens_are_values() -> None:
    assert Scripted(1) == Scripted(1, firm=False) != Scripted(1, firm=True)
