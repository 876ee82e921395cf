"""Required phrases: each is in every result, whatever the model would rather say and however the tokens are cut."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from transformers import DynamicCache

from bayling_lite.engine.base import SearchParams
from bayling_lite.engine.constraints import Phrases, State
from bayling_lite.engine.llama.vocabulary import LlamaVocabulary
from bayling_lite.engine.search import BeamSearch, Found
from bayling_lite.engine.tokens import Tokenizer
from bayling_lite.engine.words import occurrences, occurs
from bayling_lite.errors import PhrasesDoNotFit
from bayling_lite.languages import find_language
from bayling_lite.prompts import BAYLING, translation_instruction, user_turn

Logits = npt.NDArray[np.float32]
Model = Callable[[tuple[int, ...]], Logits]
END = 0


class Pieces:
    """A vocabulary of an end token, all bytes, and some pieces."""

    def __init__(self, pieces: Iterable[str] = ()) -> None:
        self.pieces = [b"", *(bytes([value]) for value in range(256)), *(piece.encode() for piece in pieces)]

    @property
    def size(self) -> int:
        return len(self.pieces)

    def piece(self, token: int) -> bytes:
        return self.pieces[token]

    def is_end(self, token: int) -> bool:
        return token == END

    def text(self, tokens: Iterable[int]) -> str:
        return b"".join(map(self.piece, tokens)).decode(errors="replace")

    def ids(self, *pieces: str | bytes) -> list[int]:
        """The last token of each text: a piece rather than a byte."""
        data = [piece if isinstance(piece, bytes) else piece.encode() for piece in pieces]
        return [self.size - 1 - self.pieces[::-1].index(piece) for piece in data]


def drive(search: BeamSearch, model: Model) -> list[Found]:
    """Run a search on a model, given as a function from the tokens so far to logits."""
    texts: list[tuple[int, ...]] = [()]
    branches = search.start(model(()))
    while branches:
        assert len(branches) <= search.width
        texts = [(*texts[branch.parent], branch.token) for branch in branches]
        branches = search.step(np.stack([model(text) for text in texts]))
    return search.results()


def random_model(vocabulary: Pieces, seed: int, *, end: float = 0, liked: Iterable[int] = ()) -> Model:
    """Says something else after every text, likes some tokens, and likes to end."""
    likings = np.zeros(vocabulary.size, np.float32)
    likings[list(liked)] = 6
    likings[END] = end

    def logits(text: tuple[int, ...]) -> Logits:
        noise = np.random.default_rng([seed, *text]).normal(0, 2, vocabulary.size)
        values: Logits = noise.astype(np.float32) + likings
        return values

    return logits


def says(vocabulary: Pieces, *pieces: str) -> Model:
    """Says these pieces and ends, and takes up again after anything else at the piece that it was at."""
    wanted = [*vocabulary.ids(*pieces), END]

    def logits(text: tuple[int, ...]) -> Logits:
        values = np.zeros(vocabulary.size, np.float32)
        said = 0
        for token in text:
            said += said < len(wanted) - 1 and token == wanted[said]
        values[wanted[said]] = 12
        return values

    return logits


def test_occurrences_are_apart_and_in_order() -> None:
    assert list(occurrences("cat", "cat, category, (cat)")) == [(0, 3), (16, 19)]
    assert list(occurrences("词词", "词词词词词")) == [(0, 2), (2, 4)]
    assert list(occurrences("cat", "concat")) == []


@pytest.mark.parametrize(
    ("phrase", "text", "there"),
    [
        ("cat", "a cat.", True),
        ("cat", "a category", False),
        ("cat", "concat", False),
        ("cat", "category, cat", True),
        ("cat", "Cat", False),
        ("cat", "cat_1", False),
        ("cat", "cat2", False),
        ("cat", "(cat)", True),
        ("词元", "这个词元很长", True),
        ("GitHub", "使用GitHub的人", True),
        ("GitHub", "使用GitHubs的人", False),
        ("C++", "in C++11", True),
        ("C++", "ABC++", False),
        (".NET", "ASP.NET", True),
        ("New York", "New  York", False),
        ("café", "cafés", False),
        ("cafe", "cafe\u0301", False),
        ("แมว", "มีแมวสอง", True),
        ("한국", "한국어", True),
    ],
)
def test_words_of_their_own(phrase: str, text: str, there: bool) -> None:
    assert occurs(phrase, text) is there
    # Written byte by byte, or in any pieces, it comes to the same.
    vocabulary = Pieces()
    phrases = Phrases([phrase], vocabulary)
    data = text.encode()
    for size in (1, 2, 3, 5, len(data)):
        state = phrases.start
        for at in range(0, len(data), size):
            state = phrases.after(state, data[at : at + size])
        assert (state.need == 0) is there
        assert phrases.missing(state) == (not there)


def test_a_long_text_before_changes_nothing() -> None:
    """Only the end of a text is kept; what it once was part of is not forgotten."""
    phrases = Phrases(["cat", "a much longer phrase than that"], Pieces())
    state = phrases.start
    for char in b"concat" + b"\xe6\x97\xa9" * 40 + b"concat " * 20:
        state = phrases.after(state, bytes([char]))
        assert phrases.missing(state) == 2
    assert phrases.missing(phrases.after(state, b"cat")) == 1


def test_a_phrase_at_the_end_is_undone_by_another_letter() -> None:
    phrases = Phrases(["cat"], Pieces())
    cat = phrases.after(phrases.start, b"a cat")
    assert cat.need == 0
    assert phrases.after(cat, b"alog").need > 0
    assert phrases.after(cat, b"\xc3").need == 0  # the text may end here; its last byte is no letter
    assert phrases.after(phrases.after(cat, b"\xc3"), b"\xa9").need > 0  # é
    assert phrases.after(phrases.after(cat, b"\xc2"), b"\xa0").need == 0  # a no-break space
    assert phrases.after(phrases.after(cat, b"\xc3"), b"s").need == 0  # no character, so no letter
    assert phrases.after(cat, "的".encode()).need == 0


@pytest.mark.parametrize(
    ("required", "n_phrases"),
    [
        (("York", "New York"), 1),
        (("New York", "New York"), 1),
        (("ork", "New York"), 2),
        (("词", "词元"), 1),
        (("new york", "New York"), 2),
    ],
)
def test_a_phrase_within_another_is_there_with_it(required: tuple[str, ...], n_phrases: int) -> None:
    assert len(Phrases(required, Pieces())) == n_phrases


def test_overlapping_phrases_may_share_their_words() -> None:
    phrases = Phrases(["New York", "York City"], Pieces())
    assert phrases.after(phrases.start, b"in New York City").need == 0


def test_the_need_is_what_the_shortest_way_takes() -> None:
    """From any text, following the shortest way writes all that is missing in as many tokens as were said."""
    vocabulary = Pieces(["ca", "cat", " cat", "the c", "he ", "atalog", "词元", " the cat"])
    chance = random.Random(5)
    parts = [
        "cat",
        "the cat",
        "the catalog",
        "cat's",
        "词元",
        "_x",
        "é",
        "a",
        " ",
        ".",
        "atalog",
        "big the cat",
        "\u0301b",
        "早a",
    ]
    written = [b"\xe6", b"\xe8\xaf", b"\xc3", *(part.encode() for part in parts)]
    for _ in range(3000):
        required = [phrase for phrase in chance.sample(parts, chance.randint(1, 4)) if phrase.strip()] or ["cat"]
        phrases = Phrases(required, vocabulary)
        state, data = phrases.start, b""
        for piece in chance.choices(written, k=chance.randint(0, 4)):
            state, data = phrases.after(state, piece), data + piece
        while state.need:
            piece = vocabulary.piece(phrases.shortest(state))
            after = phrases.after(state, piece)
            assert after.need < state.need, (required, data, piece)
            state, data = after, data + piece
        assert all(occurs(phrase, data.decode(errors="replace")) for phrase in required), (required, data)


PIECES = ["ab", " ab", "abc", "c", " b", "b ", " c", "ca", "b.", "词", "元", "词元", "的词", ", ", "a b", " a"]
PHRASES = [
    "ab",
    "abc",
    "a b",
    "b ca",
    "词元",
    "元",
    "c.",
    "é",
    "x词",
    "_a",
    "bab",
    "早 a",
    "a b c a b c",
    "b.",
    "\u0301b",
]


@pytest.mark.parametrize("seed", [*range(40), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(40, 150))])
def test_every_result_has_every_phrase(seed: int) -> None:
    """Of models that know nothing, like to end at once or never, with tokens to spare or none."""
    chance = random.Random(seed)
    vocabulary = Pieces(chance.sample(PIECES, chance.randint(0, len(PIECES))))
    required = tuple(chance.sample(PHRASES, chance.randint(1, 4)))
    need = Phrases(required, vocabulary).start.need
    beam_size = chance.randint(1, 6)
    params = SearchParams(beam_size, n_best=beam_size, required=required)
    limit = need + chance.choice([0, 0, 1, 2, 5, 20])
    liked = chance.sample(range(1, vocabulary.size), 4) + vocabulary.ids(b"a", b"b", b" ", b"\xe8", b"\xc3")
    model = random_model(vocabulary, seed, end=chance.choice([-9, 0, 9, 15]), liked=liked)
    found = drive(BeamSearch(params, vocabulary, frozenset(), limit), model)
    assert found
    for result in found:
        text = vocabulary.text(result.tokens)
        assert all(occurs(phrase, text) for phrase in required), (required, text)
        assert len(result.tokens) <= limit
        assert END not in result.tokens


def test_one_token_too_few_is_an_error_that_says_both_numbers() -> None:
    vocabulary = Pieces([" York", "New"])
    params = SearchParams(2, required=("New York", "a"))
    BeamSearch(params, vocabulary, frozenset(), 4)  # New, York, a space, a
    with pytest.raises(PhrasesDoNotFit, match=r"take 4 tokens, but the answer may have 3\."):
        BeamSearch(params, vocabulary, frozenset(), 3)


def test_a_phrase_that_cannot_be_spelled_is_an_error_that_names_it() -> None:
    class NoBytes(Pieces):
        def __init__(self) -> None:
            super().__init__()
            self.pieces = [b"", b"a", b"b", b" "]

    with pytest.raises(PhrasesDoNotFit, match="no tokens to spell 'abc'"):
        BeamSearch(SearchParams(required=("ab", "abc")), NoBytes(), frozenset(), 99)
    with pytest.raises(PhrasesDoNotFit, match=r"no tokens to spell 'a\\ud800'"):
        BeamSearch(SearchParams(required=("a\ud800",)), Pieces(), frozenset(), 99)


def test_the_phrase_goes_where_the_model_likes_it_best() -> None:
    """A model that would say "a tall cup" says "a large cup" when it must: the phrase is not put before or behind."""
    words = ["a", " tall", " large", " cup", "."]
    vocabulary = Pieces(words)
    a, tall, large, cup, stop = vocabulary.ids(*words)
    next_best = {(): a, (a,): tall, (a, tall): cup, (a, large): cup}

    def logits(text: tuple[int, ...]) -> Logits:
        values = np.zeros(vocabulary.size, np.float32)
        values[next_best.get(text, END if text[-1:] == (stop,) else stop)] = 12
        if text == (a,):
            values[large] = 8
        return values

    (free,) = drive(BeamSearch(SearchParams(), vocabulary, frozenset(), 50), logits)
    (bound,) = drive(BeamSearch(SearchParams(required=("large",)), vocabulary, frozenset(), 50), logits)
    assert vocabulary.text(free.tokens) == "a tall cup."
    assert vocabulary.text(bound.tokens) == "a large cup."
    assert bound.finished


def test_a_phrase_that_is_there_anyway_changes_nothing() -> None:
    words = ["I", " live", " in", " New", " York", " City", "."]
    vocabulary = Pieces(words)
    model = says(vocabulary, *words)
    (free,) = drive(BeamSearch(SearchParams(), vocabulary, frozenset(), 50), model)
    required = ("York City", "live", "New York", "New York City.")
    (bound,) = drive(BeamSearch(SearchParams(required=required), vocabulary, frozenset(), 50), model)
    assert bound == free
    assert vocabulary.text(free.tokens) == "I live in New York City."


def test_a_phrase_in_the_middle_of_a_piece_counts() -> None:
    vocabulary = Pieces(["这个词元", "很长"])
    (found,) = drive(
        BeamSearch(SearchParams(required=("词元",)), vocabulary, frozenset(), 50), says(vocabulary, "这个词元", "很长")
    )
    assert vocabulary.text(found.tokens) == "这个词元很长"


def test_a_model_that_loops_is_brought_to_an_end() -> None:
    vocabulary = Pieces([" la", " token"])
    (la,) = vocabulary.ids(" la")

    def logits(text: tuple[int, ...]) -> Logits:
        values = np.zeros(vocabulary.size, np.float32)
        values[la] = 20
        values[END] = 1
        return values

    (found,) = drive(BeamSearch(SearchParams(required=("token",)), vocabulary, frozenset(), 200), logits)
    assert occurs("token", vocabulary.text(found.tokens))
    assert len(found.tokens) <= 200


@pytest.mark.slow
def test_many_and_long_phrases_keep_the_width_in_bounds() -> None:
    vocabulary = Pieces()
    required = tuple(f"phrase {number} of many" for number in range(12))
    search = BeamSearch(SearchParams(required=required), vocabulary, frozenset(), 400)
    assert search.width == 16
    (found,) = drive(search, random_model(vocabulary, 3, end=4))
    text = vocabulary.text(found.tokens)
    assert all(occurs(phrase, text) for phrase in required)


def test_left_early_those_with_more_phrases_come_first() -> None:
    vocabulary = Pieces([" one", " two"])
    search = BeamSearch(SearchParams(4, n_best=4, required=("one", "two")), vocabulary, frozenset(), 50)
    texts: list[tuple[int, ...]] = [()]
    model = random_model(vocabulary, 1)
    branches = search.start(model(()))
    for _ in range(2):
        texts = [(*texts[branch.parent], branch.token) for branch in branches]
        branches = search.step(np.stack([model(text) for text in texts]))
    found = search.results()
    missing = [sum(not occurs(phrase, vocabulary.text(each.tokens)) for phrase in ("one", "two")) for each in found]
    assert missing == sorted(missing)
    assert len(found) == 4


# The embedded model.

SENTENCES = [
    ("I have bad eyesight.", "de", ("Augen",)),
    ("Where did you buy the flowers?", "de", ("Blumen", "du")),
    ("The snow will soon disappear.", "de", ("verschwinden", "Schnee")),
    ("Nous ne sommes pas prêts.", "en", ("aren't", "ready")),
    ("Er hat die absolute Macht.", "en", ("absolute power",)),
    ("I would like some water.", "fr", ("de l'eau",)),
    ("You have to obey the law.", "zh", ("遵守", "法律")),
    ("Where are the shoes?", "zh", ("鞋子", "哪儿")),
    ("她有一双迷人的眼睛。", "en", ("beautiful eyes", "She")),
    ("新年快乐！", "en", ("Happy New Year",)),
    ("I bought it yesterday.", "zh", ("鹳",)),  # three byte tokens
]  # fmt: skip


@torch.inference_mode()
def search_with(model: Any, prompt: list[int], search: BeamSearch) -> Found:
    cache = DynamicCache()
    output = model(torch.tensor([prompt]), past_key_values=cache, use_cache=True)
    branches = search.start(output.logits[0, -1].numpy())
    while branches:
        cache.reorder_cache(torch.tensor([branch.parent for branch in branches]))
        tokens = torch.tensor([[branch.token] for branch in branches])
        branches = search.step(model(tokens, past_key_values=cache, use_cache=True).logits[:, -1].numpy())
    return search.results()[0]


@pytest.mark.slow
@pytest.mark.parametrize(("text", "target", "required"), SENTENCES)
def test_the_embedded_model_uses_the_words_it_must(
    model: Any, vocabulary: LlamaVocabulary, text: str, target: str, required: tuple[str, ...]
) -> None:
    tokenizer = Tokenizer(vocabulary, BAYLING)
    instruction = translation_instruction(text, find_language(target), terms=required)
    prompt = tokenizer.encode(BAYLING.render(user_turn(instruction)))
    search = BeamSearch(SearchParams(required=required), vocabulary, tokenizer.stop_ids, 60)
    found = search_with(model, prompt, search)
    answer = b"".join(map(vocabulary.piece, found.tokens)).decode()
    assert all(occurs(phrase, answer) for phrase in required), answer
    assert found.finished
    # The words are part of a sentence, and there once: no heap of words, nothing said again and again.
    assert sum(answer.count(phrase) for phrase in required) <= len(required) + 1, answer


def test_states_are_values() -> None:
    """A state can be gone on from in several ways."""
    phrases = Phrases(["cat"], Pieces())
    once: list[State] = [phrases.after(phrases.start, piece) for piece in (b"cat", b"dog")]
    again = [phrases.after(phrases.start, piece) for piece in (b"cat", b"dog")]
    assert once == again
    assert [state.need == 0 for state in once] == [True, False]
    assert list(itertools.chain.from_iterable(phrases.following(state) for state in once[:1])) == []
