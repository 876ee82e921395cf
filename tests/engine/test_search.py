"""Beam search is transformers' own, and its parts are right by themselves."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from transformers import DynamicCache

from bayling_lite.engine.base import SearchParams
from bayling_lite.engine.llama.vocabulary import LlamaVocabulary
from bayling_lite.engine.ranking import Ranking
from bayling_lite.engine.search import BeamSearch, Found
from bayling_lite.engine.tokens import Tokenizer
from bayling_lite.errors import EngineError
from bayling_lite.languages import find_language
from bayling_lite.prompts import BAYLING, translation_instruction, user_turn

Logits = npt.NDArray[np.float32]
END = 0
BEAMS = 5
MOST_TOKENS = 40


class Letters:
    """A vocabulary of an end token and letters."""

    def __init__(self, letters: str, more_ends: Iterable[int] = ()) -> None:
        self._pieces = [b"", *(letter.encode() for letter in letters)]
        self._ends = {END, *more_ends}

    @property
    def size(self) -> int:
        return len(self._pieces)

    def piece(self, token: int) -> bytes:
        return self._pieces[token]

    def is_end(self, token: int) -> bool:
        return token in self._ends


def drive(search: BeamSearch, model: Callable[[tuple[int, ...]], Logits], *, steps: int | None = None) -> list[Found]:
    """Run a search on a model, given as a function from the tokens so far to logits; leave it early after ``steps``."""
    texts: list[tuple[int, ...]] = [()]
    branches = search.start(model(()))
    for _ in itertools.count() if steps is None else range(steps):
        if not branches:
            break
        assert len(branches) <= search.width
        texts = [(*texts[branch.parent], branch.token) for branch in branches]
        branches = search.step(np.stack([model(text) for text in texts]))
    return search.results()


def random_model(n_vocab: int, seed: int, *, end: float = 0) -> Callable[[tuple[int, ...]], Logits]:
    """A model that says something else after every text. ``end`` is added to the logit of the end token."""

    def logits(text: tuple[int, ...]) -> Logits:
        values = np.random.default_rng([seed, *text]).normal(0, 2, n_vocab).astype(np.float32)
        values[END] += np.float32(end)
        return values

    return logits


def log_softmax(logits: Logits) -> npt.NDArray[np.float64]:
    wide = logits.astype(np.float64)
    values: npt.NDArray[np.float64] = wide - np.log(np.exp(wide - wide.max()).sum()) - wide.max()
    return values


def every_text(
    model: Callable[[tuple[int, ...]], Logits], n_vocab: int, length: int
) -> Iterator[tuple[tuple[int, ...], float, bool]]:
    """(tokens, log-probability, finished) of every text up to a length, finished or cut there."""

    def grow(text: tuple[int, ...], logprob: float) -> Iterator[tuple[tuple[int, ...], float, bool]]:
        if len(text) == length:
            yield text, logprob, False
            return
        logprobs = log_softmax(model(text))
        yield text, logprob + logprobs[END], True
        for token in range(1, n_vocab):
            yield from grow((*text, token), logprob + logprobs[token])

    return grow((), 0.0)


@pytest.mark.parametrize("length_penalty", [0.0, 0.6, 1.0, 2.0])
@pytest.mark.parametrize("seed", range(8))
def test_a_wide_beam_finds_the_best_of_all_texts(seed: int, length_penalty: float) -> None:
    model = random_model(4, seed)
    search = BeamSearch(SearchParams(27, length_penalty, n_best=5), Letters("abc"), frozenset({END}), 3)
    found = drive(search, model)
    ranked = sorted(
        (-logprob / (len(text) + finished) ** length_penalty, text, logprob, finished)
        for text, logprob, finished in every_text(model, 4, 3)
    )
    assert [(result.tokens, result.finished) for result in found] == [(text, end) for _, text, _, end in ranked[:5]]
    assert [result.score for result in found] == pytest.approx([-score for score, *_ in ranked[:5]], abs=1e-5)
    assert [result.logprob for result in found] == pytest.approx([entry[2] for entry in ranked[:5]], abs=1e-5)


def test_results_come_best_first_and_as_many_as_wanted() -> None:
    found = drive(BeamSearch(SearchParams(6, n_best=6), Letters("abcdef"), frozenset({END}), 8), random_model(7, 3))
    assert len({result.tokens for result in found}) == 6
    assert [result.score for result in found] == sorted((result.score for result in found), reverse=True)


def test_a_higher_length_penalty_wants_longer_texts() -> None:
    def length(penalty: float) -> float:
        lengths = []
        for seed in range(20):
            search = BeamSearch(SearchParams(4, penalty), Letters("abcdef"), frozenset({END}), 12)
            lengths.append(len(drive(search, random_model(7, seed))[0].tokens))
        return float(np.mean(lengths))

    assert length(0.0) < length(1.0) < length(3.0)


def test_every_end_token_ends() -> None:
    """By its id among the stop ids, and by what the vocabulary says."""

    def model(text: tuple[int, ...]) -> Logits:
        return np.array([-9, 1, 5, 4], np.float32)  # 2 and 3 are likely, and both end

    search = BeamSearch(SearchParams(2, n_best=2), Letters("abc", more_ends=[2]), frozenset({3}), 9)
    found = drive(search, model)
    assert all(result.finished and set(result.tokens) <= {1} for result in found)
    assert found[0].tokens == ()


def test_where_most_tokens_end_the_others_go_on() -> None:
    """With more end tokens than candidates looked at first, the beam is still filled."""
    ends = frozenset(range(1, 40))
    vocabulary = Letters("x" * 45, more_ends=ends)
    logits = np.linspace(5, 0, 46).astype(np.float32)
    logits[40] = 6
    branches = BeamSearch(SearchParams(3), vocabulary, ends, 9).start(logits)
    assert [branch.token for branch in branches] == [40, 41, 42]


def test_the_token_limit_cuts_and_says_so() -> None:
    search = BeamSearch(SearchParams(3, n_best=3), Letters("abc"), frozenset({END}), 4)
    found = drive(search, random_model(4, 1, end=-50))
    assert [(len(result.tokens), result.finished) for result in found] == [(4, False)] * 3
    one = BeamSearch(SearchParams(3), Letters("abc"), frozenset({END}), 1)
    assert one.start(random_model(4, 1, end=-50)(())) == []
    assert len(one.results()[0].tokens) == 1


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_a_search_left_early_has_what_there_is(steps: int) -> None:
    search = BeamSearch(SearchParams(3, n_best=3), Letters("abc"), frozenset({END}), 50)
    found = drive(search, random_model(4, 2, end=-50), steps=steps)
    assert [len(result.tokens) for result in found] == [steps + 1] * 3
    assert not any(result.finished for result in found)


def test_before_its_start_a_search_has_nothing() -> None:
    assert BeamSearch(SearchParams(3), Letters("abc"), frozenset({END}), 50).results() == []


def test_logits_that_are_not_numbers_are_an_error() -> None:
    search = BeamSearch(SearchParams(2), Letters("abc"), frozenset({END}), 9)
    with pytest.raises(EngineError, match="not numbers"):
        search.start(np.full(4, np.nan, np.float32))


def test_rows_must_be_those_asked_for() -> None:
    search = BeamSearch(SearchParams(2), Letters("abc"), frozenset({END}), 9)
    search.start(random_model(4, 0)(()))
    with pytest.raises(ValueError, match="1 rows of logits for 2 hypotheses"):
        search.step(np.zeros((1, 4), np.float32))


@pytest.mark.parametrize("n_vocab", [3, 63, 64, 65, 1000, 8003])
@pytest.mark.parametrize("n_rows", [1, 5])
@pytest.mark.parametrize("forbidden", [False, True])
def test_the_ranking_is_that_of_a_full_sort(n_vocab: int, n_rows: int, forbidden: bool) -> None:
    random = np.random.default_rng(n_vocab)
    logits = random.normal(0, 3, (n_rows, n_vocab)).astype(np.float32)
    if forbidden:
        logits[:, 1::3] = -np.inf
    scores = random.normal(-5, 2, n_rows)
    logprobs = np.stack([log_softmax(row) for row in logits])
    totals = logprobs + scores[:, None]
    order = np.argsort(-totals, axis=None)[:10]
    best = Ranking(logits).best(scores, 10)
    wanted = [divmod(int(place), n_vocab) for place in order]
    reachable = [place for place in wanted if np.isfinite(totals[place])]
    assert [(candidate.row, candidate.token) for candidate in best][: len(reachable)] == reachable
    assert [candidate.total for candidate in best][: len(reachable)] == pytest.approx(
        [totals[place] for place in reachable], abs=1e-5
    )
    two = Ranking(logits).best_of_each(scores, 2)
    assert [(candidate.row, candidate.token) for candidate in two] == [
        (row, int(token)) for row in range(n_rows) for token in np.argsort(-logprobs[row])[:2]
    ]


# What follows compares with transformers on the embedded model.

SUBJECTS = {
    "en": "My sister/The old man/Our teacher/Nobody/Tom/The children",
    "de": "Meine Schwester/Der alte Mann/Unser Lehrer/Niemand/Tom/Mein Bruder",
    "fr": "Ma sœur/Le vieil homme/Notre professeur/Mon frère/Tom/Le médecin",
    "zh": "我妹妹/那位老人/我们的老师/我的朋友/汤姆/医生",
}
PREDICATES = {
    "en": "went home early/is waiting for the bus/has never seen the sea/wants to buy a new car/will come tomorrow"
    "/can speak three languages/did not answer the question/lives near the station/was reading a book",
    "de": "geht heute früh nach Hause/wartet auf den Bus/hat das Meer nie gesehen/will ein Auto kaufen/kommt morgen"
    "/spricht drei Sprachen/wohnt neben dem Bahnhof/hat gestern gekocht/liest jeden Abend ein Buch",
    "fr": "est rentré tôt/attend le bus/n'a jamais vu la mer/veut acheter une voiture/viendra demain"
    "/parle trois langues/habite près de la gare/lit un livre/travaille trop",
    "zh": "今天很早就回家了/正在等公共汽车/从来没有见过大海/想买一辆新车/明天会来/会说三种语言/住在车站附近/喜欢看书"
    "/昨天做了晚饭",
}
TARGETS = {"en": ("de", "fr", "zh"), "de": ("en",), "fr": ("en",), "zh": ("en",)}


def requests() -> list[tuple[str, str]]:
    """Sentences and the language to translate them to, of all directions by turns."""
    by_language = []
    for language, targets in TARGETS.items():
        frame = "{1}{0}。" if language == "zh" else "{1} {0}."
        words = itertools.product(PREDICATES[language].split("/"), SUBJECTS[language].split("/"))
        by_language.append(list(zip(itertools.starmap(frame.format, words), itertools.cycle(targets), strict=False)))
    return list(itertools.chain.from_iterable(zip(*by_language, strict=True)))


def padded(prompts: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and attention mask, filled up on the left."""
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    return ids, mask


Best = tuple[tuple[int, ...], float]
"""The best hypothesis: its tokens without the end token, and its score."""


@torch.inference_mode()
def transformers_results(model: Any, prompts: list[list[int]], length_penalty: float) -> list[Best]:
    ids, mask = padded(prompts)
    output = model.generate(
        ids,
        attention_mask=mask,
        num_beams=BEAMS,
        length_penalty=length_penalty,
        early_stopping=False,
        do_sample=False,
        max_new_tokens=MOST_TOKENS,
        pad_token_id=0,
        return_dict_in_generate=True,
        output_scores=True,
    )
    ends = (0, model.config.eos_token_id)
    answers = [
        itertools.takewhile(lambda token: token not in ends, row)
        for row in output.sequences[:, ids.shape[1] :].tolist()
    ]
    return list(zip(map(tuple, answers), output.sequences_scores.tolist(), strict=True))


@torch.inference_mode()
def our_results(model: Any, prompts: list[list[int]], searches: list[BeamSearch]) -> list[Best]:
    """Drive one search for each prompt, all of them in one batch of transformers' forward."""
    ids, mask = padded(prompts)
    cache = DynamicCache()
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    output = model(ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True)
    logits = output.logits[:, -1].numpy()
    branches = [search.start(row) for search, row in zip(searches, logits, strict=True)]
    first_row = list(range(len(searches)))
    while any(branches):
        parents = [first + branch.parent for first, own in zip(first_row, branches, strict=True) for branch in own]
        tokens = [branch.token for own in branches for branch in own]
        first_row = list(itertools.accumulate((len(own) for own in branches[:-1]), initial=0))
        order = torch.tensor(parents)
        cache.reorder_cache(order)
        mask = torch.cat((mask[order], torch.ones(len(order), 1, dtype=mask.dtype)), dim=1)
        output = model(
            torch.tensor(tokens)[:, None],
            attention_mask=mask,
            position_ids=mask.sum(1, keepdim=True) - 1,
            past_key_values=cache,
            use_cache=True,
        )
        logits = output.logits[:, -1].numpy()
        branches = [
            search.step(logits[first : first + len(own)]) if own else []
            for search, first, own in zip(searches, first_row, branches, strict=True)
        ]
    found = [search.results()[0] for search in searches]
    return [(best.tokens, best.score) for best in found]


def agreement(model: Any, vocabulary: LlamaVocabulary, count: int, length_penalty: float) -> float:
    """The share of sentences whose best hypothesis is the same, with the same score."""
    tokenizer = Tokenizer(vocabulary, BAYLING)
    prompts = [
        tokenizer.encode(BAYLING.render(user_turn(translation_instruction(text, find_language(target)))))
        for text, target in requests()[:count]
    ]
    assert len(prompts) == count
    prompts.sort(key=len)
    same = 0
    for at in range(0, count, 25):
        batch = prompts[at : at + 25]
        params = SearchParams(BEAMS, length_penalty)
        searches = [BeamSearch(params, vocabulary, tokenizer.stop_ids, MOST_TOKENS) for _ in batch]
        ours = our_results(model, batch, searches)
        theirs = transformers_results(model, batch, length_penalty)
        for (tokens, score), (wanted, wanted_score) in zip(ours, theirs, strict=True):
            same += tokens == wanted and score == pytest.approx(wanted_score, abs=1e-3)
    return same / count


@pytest.mark.slow
@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
def test_the_best_hypothesis_is_that_of_transformers(
    model: Any, vocabulary: LlamaVocabulary, length_penalty: float
) -> None:
    assert agreement(model, vocabulary, 15, length_penalty) >= 0.98


@pytest.mark.slow
def test_the_best_hypothesis_is_that_of_transformers_for_200_sentences(model: Any, vocabulary: LlamaVocabulary) -> None:
    assert agreement(model, vocabulary, 200, 1.0) >= 0.98
