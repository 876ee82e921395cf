"""The engine on the embedded model's weights in float32, beside transformers: alone, in a batch, searching."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as lib
import numpy as np
import pytest
import torch

from bayling_lite.engine import Completion, Generation, GenerationRequest, SearchParams
from bayling_lite.engine.decoder import Chunk, Outcome
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.engine.llama.context import LlamaContext
from bayling_lite.engine.llama.model import load_model, start_backend
from bayling_lite.engine.llama.vocabulary import LlamaVocabulary
from bayling_lite.engine.tokens import Tokenizer
from bayling_lite.languages import find_language
from bayling_lite.messages import Conversation
from bayling_lite.prompts import BAYLING, translation_instruction, user_turn
from tests.engine.reference import reference_f32_gguf, reference_model
from tests.engine.test_search import padded, requests

pytestmark = pytest.mark.slow

MOST_TOKENS = 40
EVERYDAY = 12
ALL = 200
HALF = "\ufffd"  # a character cut off at the token limit


@pytest.fixture(scope="module")
def f32_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return reference_f32_gguf(tiny_model, tmp_path_factory.mktemp("reference") / "tiny.F32.gguf")


@pytest.fixture(scope="module")
def reference(tiny_model: Path) -> Any:
    return reference_model(tiny_model)


@pytest.fixture(scope="module")
def vocabulary(tiny_model: Path) -> Iterator[LlamaVocabulary]:
    start_backend()
    model = load_model(tiny_model, "llama", {})
    yield LlamaVocabulary(model, space_prefix=False)
    lib.llama_model_free(model)


@pytest.fixture
def engine(f32_model: Path) -> Iterator[LlamaEngine]:
    with LlamaEngine.open(f32_model, n_threads=1, kv_type="f32", n_parallel=16, drafting=False) as engine:
        yield engine


def conversations(count: int) -> list[Conversation]:
    pairs = requests()[:count]
    assert len(pairs) == count
    return [user_turn(translation_instruction(text, find_language(target))) for text, target in pairs]


class Reference:
    """transformers' answers to conversations, as texts."""

    def __init__(self, model: Any, vocabulary: LlamaVocabulary) -> None:
        self._model = model
        self._vocabulary = vocabulary
        self._tokenizer = Tokenizer(vocabulary, BAYLING)

    @torch.inference_mode()
    def answers(self, asked: Sequence[Conversation], **options: Any) -> list[str]:
        """Generated in groups of similar length; padding changes nothing but the seventh decimal."""
        prompts = [self._tokenizer.encode(BAYLING.render(conversation)) for conversation in asked]
        order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
        texts = [""] * len(prompts)
        for start in range(0, len(order), 25):
            group = order[start : start + 25]
            ids, mask = padded([prompts[index] for index in group])
            options = {"do_sample": False, "max_new_tokens": MOST_TOKENS, "pad_token_id": 0, **options}
            rows = self._model.generate(ids, attention_mask=mask, **options)[:, ids.shape[1] :]
            for index, row in zip(group, rows.tolist(), strict=True):
                texts[index] = self._text(row)
        return texts

    def _text(self, tokens: Sequence[int]) -> str:
        kept = itertools.takewhile(lambda token: token != 0 and not self._vocabulary.is_end(token), tokens)
        return b"".join(map(self._vocabulary.piece, kept)).decode(errors="replace")

    @torch.inference_mode()
    def gap(self, asked: Conversation, answer: str, other: str) -> float:
        """Where two answers part, the difference between the two best logits there."""
        ids = self._tokenizer.encode(BAYLING.render(asked))
        ours, theirs = (
            self._tokenizer.encode(BAYLING.render(asked.assistant(text)))[len(ids) :] for text in (answer, other)
        )
        same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(ours, theirs, strict=False)))
        logits = self._model(torch.tensor([ids + ours[:same]])).logits[0, -1].numpy()
        best, second = np.sort(logits)[[-1, -2]]
        return float(best - second)


def complete(engine: LlamaEngine, asked: Sequence[Conversation], **options: Any) -> list[Completion]:
    generations = [engine.submit(GenerationRequest(one, max_tokens=MOST_TOKENS, **options)) for one in asked]
    return [generation.result(timeout=120) for generation in generations]


@pytest.mark.parametrize("count", [EVERYDAY, pytest.param(ALL, marks=pytest.mark.slow)])
def test_greedy_answers_are_those_of_transformers(
    count: int, engine: LlamaEngine, reference: Any, vocabulary: LlamaVocabulary
) -> None:
    asked = conversations(count)
    theirs = Reference(reference, vocabulary)
    expected = theirs.answers(asked)
    for conversation, text in zip(asked, expected, strict=True):
        ours = engine.submit(GenerationRequest(conversation, max_tokens=MOST_TOKENS)).result(timeout=60).text
        assert ours.rstrip(HALF) == text.rstrip(HALF) or theirs.gap(conversation, ours, text) < 1e-3


@pytest.mark.parametrize("count", [EVERYDAY, pytest.param(ALL, marks=pytest.mark.slow)])
def test_answers_in_a_batch_are_those_of_one_at_a_time(count: int, engine: LlamaEngine) -> None:
    asked = conversations(count)
    alone = [complete(engine, [one])[0].text for one in asked]
    together = [completion.text for completion in complete(engine, asked)]
    assert sum(map(str.__eq__, alone, together)) >= 0.99 * count


@pytest.mark.parametrize("count", [EVERYDAY, pytest.param(ALL, marks=pytest.mark.slow)])
def test_the_best_of_five_beams_is_that_of_transformers(
    count: int, engine: LlamaEngine, reference: Any, vocabulary: LlamaVocabulary
) -> None:
    asked = conversations(count)
    expected = Reference(reference, vocabulary).answers(asked, num_beams=5, early_stopping=False, length_penalty=1.0)
    completions = complete(engine, asked, search=SearchParams(5))
    ours = [completion.text for completion in completions]
    same = [one.rstrip(HALF) == other.rstrip(HALF) for one, other in zip(ours, expected, strict=True)]
    assert sum(same) >= 0.98 * count
    greedy = [completion.text for completion in complete(engine, asked)]
    assert ours != greedy  # the search did find something else


def test_log_probabilities_are_those_of_transformers(
    engine: LlamaEngine, reference: Any, vocabulary: LlamaVocabulary
) -> None:
    (conversation,) = conversations(1)
    (completion,) = complete(engine, [conversation], logprobs=3)
    tokenizer = Tokenizer(vocabulary, BAYLING)
    prompt = tokenizer.encode(BAYLING.render(conversation))
    answer = tokenizer.encode(BAYLING.render(conversation.assistant(completion.text)))[len(prompt) : -1]
    with torch.inference_mode():
        rows = reference(torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 :].log_softmax(-1)
    assert len(completion.logprobs) == completion.n_generated == len(answer)
    for token, row, said in zip(answer, rows, completion.logprobs, strict=False):
        best = row.topk(3)
        assert said.logprob == pytest.approx(row[token].item(), abs=1e-3)
        assert [logprob for _, logprob in said.top] == pytest.approx(best.values.tolist(), abs=1e-3)
        assert said.token == vocabulary.piece(token).decode(errors="replace")
        assert said.top[0][0] == said.token  # greedy


def test_hypotheses_come_best_first_with_scores(engine: LlamaEngine) -> None:
    (conversation,) = conversations(1)
    (completion,) = complete(engine, [conversation], search=SearchParams(5, n_best=4))
    scores = [hypothesis.score for hypothesis in completion.hypotheses]
    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True)
    assert completion.text == completion.hypotheses[0].text
    assert len({hypothesis.text for hypothesis in completion.hypotheses}) == 4
    best = completion.hypotheses[0]
    assert best.score == pytest.approx(best.logprob / (best.n_tokens + best.finished))


def test_searches_and_samples_share_a_batch(f32_model: Path) -> None:
    asked = conversations(12)
    with LlamaEngine.open(f32_model, n_threads=1, n_parallel=16, kv_type="f32") as engine:
        searches = [SearchParams(3) if at % 2 else None for at in range(len(asked))]
        wanted = [
            GenerationRequest(one, max_tokens=30, search=search) for one, search in zip(asked, searches, strict=True)
        ]
        alone = [engine.submit(request).result(timeout=60).text for request in wanted]
        generations = [engine.submit(request) for request in wanted]
        assert [generation.result(timeout=60).text for generation in generations] == alone


def test_a_search_that_is_cancelled_gives_the_best_there_is(f32_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (conversation,) = conversations(1)
    steps = itertools.count()
    decode = LlamaContext.decode

    def cancelling(self: LlamaContext, chunks: Sequence[Chunk]) -> Outcome:
        if next(steps) == 5:
            generations[0].cancel()
        return decode(self, chunks)

    request = GenerationRequest(conversation, max_tokens=400, search=SearchParams(5, n_best=3))
    with LlamaEngine.open(f32_model, n_threads=1) as engine:
        whole = engine.submit(request).result(timeout=30)
        assert whole.n_generated > 5
        generations: list[Generation] = []
        ready = threading.Event()
        monkeypatch.setattr(LlamaContext, "decode", lambda *arguments: ready.wait(10) and cancelling(*arguments))
        generations.append(engine.submit(request))
        ready.set()
        completion = generations[0].result(timeout=30)
        assert completion.finish_reason == "cancelled"
        assert 3 <= completion.n_generated <= 5
        assert completion.text == completion.hypotheses[0].text != ""
        assert not any(hypothesis.finished for hypothesis in completion.hypotheses)
        monkeypatch.undo()
        assert engine.submit(request).result(timeout=30).text == whole.text


def test_a_searched_answer_is_found_in_memory_by_the_next_turn(engine: LlamaEngine) -> None:
    (conversation,) = conversations(1)
    (first,) = complete(engine, [conversation], search=SearchParams(5))
    (second,) = complete(engine, [conversation.assistant(first.text).user("again")])
    assert second.n_cached >= first.n_prompt
