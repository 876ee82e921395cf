"""Many requests at once: shared prefixes, fairness, a full memory, cancelling and crashing beside others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from bayling_lite.engine import Completion, GenerationRequest, SamplingParams, SearchParams, plan
from bayling_lite.engine.answers import Answer
from bayling_lite.engine.decoder import Chunk, Outcome
from bayling_lite.engine.jobs import SamplingJob
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.engine.llama.context import LlamaContext
from bayling_lite.engine.search_job import SearchJob
from bayling_lite.errors import EngineError, PhrasesDoNotFit
from bayling_lite.messages import Conversation
from bayling_lite.prompts import user_turn

MakeModel = Callable[..., Path]
WORDS = ("the", "good", "day", "in", "on", "he", "er", "w", "the good", "good day", "day in", "on the", "he", "go", "x")
QUESTIONS = [user_turn(f"{word} {number}") for number, word in enumerate(WORDS)]


def ask(conversation: Conversation, max_tokens: int | None = 20, seed: int | None = None) -> GenerationRequest:
    sampling = SamplingParams() if seed is None else SamplingParams(temperature=1.2, top_p=0.9, seed=seed)
    return GenerationRequest(conversation, sampling=sampling, max_tokens=max_tokens)


def alone(model: Path, requests: Sequence[GenerationRequest], n_ctx: int | None = None) -> list[str]:
    """What each request gets when it is the only one, from an engine that remembers nothing."""
    texts = []
    for request in requests:
        with LlamaEngine.open(model, n_threads=1, kv_type="f32", n_ctx=n_ctx) as engine:
            texts.append(engine.submit(request).result(timeout=30).text)
    return texts


def together(engine: LlamaEngine, requests: Sequence[GenerationRequest]) -> list[Completion]:
    return [generation.result(timeout=60) for generation in [engine.submit(request) for request in requests]]


Steps = list[list[Chunk]]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """Every batch that was evaluated."""
    seen: Steps = []
    decode = LlamaContext.decode

    def watched(self: LlamaContext, chunks: Sequence[Chunk]) -> Outcome:
        seen.append(list(chunks))
        return decode(self, chunks)

    monkeypatch.setattr(LlamaContext, "decode", watched)
    return seen


@contextmanager
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Requests submitted inside are all waiting when the first batch is composed."""
    ready = threading.Event()
    decode = LlamaContext.decode

    def waiting(self: LlamaContext, chunks: Sequence[Chunk]) -> Outcome:
        assert ready.wait(10)
        return decode(self, chunks)

    with monkeypatch.context() as patch:
        patch.setattr(LlamaContext, "decode", waiting)
        yield
        ready.set()


def test_requests_in_one_batch_get_what_they_get_alone(random_model: Path, steps: Steps) -> None:
    requests = [ask(question) for question in QUESTIONS]
    expected = alone(random_model, requests)
    steps.clear()
    with LlamaEngine.open(random_model, n_threads=1, n_parallel=16, kv_type="f32") as engine:
        texts = [completion.text for completion in together(engine, requests)]
    assert texts == expected
    assert len(set(texts)) > len(texts) // 2
    assert max(len(step) for step in steps) >= len(requests) - 2  # they did share their batches


def test_more_requests_than_sequences_are_all_served(random_model: Path, steps: Steps) -> None:
    requests = [ask(question) for question in QUESTIONS]
    expected = alone(random_model, requests)
    steps.clear()
    with LlamaEngine.open(random_model, n_threads=1, kv_type="f32", n_parallel=3) as engine:
        assert [completion.text for completion in together(engine, requests)] == expected
    assert max(len(step) for step in steps) == 3


def test_the_same_seed_gives_the_same_text_whatever_else_is_in_the_batch(random_model: Path) -> None:
    requests = [ask(question, seed=number) for number, question in enumerate(QUESTIONS)]
    expected = alone(random_model, requests)
    with LlamaEngine.open(random_model, n_threads=1, n_parallel=16, kv_type="f32") as engine:
        assert [completion.text for completion in together(engine, requests)] == expected
        assert [completion.text for completion in together(engine, requests[::-1])] == expected[::-1]


def test_a_prefix_that_requests_share_is_evaluated_once(random_model: Path, steps: Steps) -> None:
    shared = "the good day " * 20
    with LlamaEngine.open(random_model, n_threads=1, n_parallel=16) as engine:
        prompts = [user_turn(f"{shared}{number}") for number in range(8)]
        counts = [engine.count_tokens(prompt) for prompt in prompts]
        completions = together(engine, [ask(prompt, max_tokens=1) for prompt in prompts])
    n_shared = max(completion.n_cached for completion in completions)
    assert n_shared > 270
    assert sorted(completion.n_cached for completion in completions) == [0] + 7 * [n_shared]
    evaluated = sum(len(chunk.tokens) for step in steps for chunk in step)
    assert evaluated == sum(counts) - 7 * n_shared


@pytest.mark.slow
def test_answers_flow_while_a_long_prompt_is_read(endless_model: Path, steps: Steps) -> None:
    with LlamaEngine.open(endless_model, n_threads=1, n_ctx=20_000) as engine:
        stream = engine.submit(ask(user_turn("x"), max_tokens=None))
        next(iter(stream))
        steps.clear()
        long = user_turn("y" * 1500)
        engine.submit(ask(long, max_tokens=1)).result(timeout=60)
        stream.cancel()
    reading = [step for step in steps if len(step) > 1]
    assert len(reading) >= 1500 // 48
    assert all(len(step) == 2 for step in reading)
    assert max(len(chunk.tokens) for step in reading for chunk in step) <= 48


def test_a_short_question_does_not_wait_for_a_long_one(random_model: Path) -> None:
    with LlamaEngine.open(random_model, n_threads=1, n_ctx=20_000) as engine:
        long = engine.submit(ask(user_turn("y" * 6000), max_tokens=1))
        assert engine.submit(ask(QUESTIONS[0], max_tokens=5)).result(timeout=60).n_generated
        with pytest.raises(TimeoutError):
            long.result(timeout=0)
        assert long.result(timeout=60).n_generated == 1


def small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """All requests together have no more memory than one may have."""
    monkeypatch.setattr(plan, "_CELLS_EACH", 0)


@pytest.mark.slow
@pytest.mark.parametrize("seeded", [False, True], ids=["greedy", "sampled"])
def test_when_the_memory_is_full_requests_wait_and_lose_nothing(
    random_model: Path, monkeypatch: pytest.MonkeyPatch, seeded: bool
) -> None:
    requests = [
        ask(question, max_tokens=150, seed=number if seeded else None) for number, question in enumerate(QUESTIONS)
    ]
    expected = alone(random_model, requests, n_ctx=288)
    small_memory(monkeypatch)
    suspended: list[SamplingJob] = []
    suspend = SamplingJob.suspend

    def counted(self: SamplingJob) -> None:
        suspended.append(self)
        suspend(self)

    monkeypatch.setattr(SamplingJob, "suspend", counted)
    with LlamaEngine.open(random_model, n_threads=1, n_parallel=16, kv_type="f32", n_ctx=288) as engine:
        completions = together(engine, requests)
    assert [completion.text for completion in completions] == expected
    assert suspended


def test_cancelling_one_leaves_the_others_as_they_are(random_model: Path) -> None:
    requests = [ask(question, max_tokens=60) for question in QUESTIONS[:6]]
    expected = alone(random_model, requests, n_ctx=4096)
    with LlamaEngine.open(random_model, n_threads=1, n_parallel=16, kv_type="f32", n_ctx=4096) as engine:
        generations = [engine.submit(request) for request in requests]
        victims = [engine.submit(ask(user_turn("the good day " * count), max_tokens=None)) for count in (1, 20, 200)]
        next(iter(generations[0]))
        for victim in victims:
            victim.cancel()
        assert [generation.result(timeout=60).text for generation in generations] == expected
        assert {victim.result(timeout=10).finish_reason for victim in victims} == {"cancelled"}


def test_a_crash_inside_one_request_leaves_the_others_running(
    random_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [ask(question) for question in QUESTIONS[:6]]
    expected = alone(random_model, requests)
    add = Answer.add

    def crashing(self: Answer, token: int) -> bool:
        if len(self.tokens) == 5 and self._generation is generations[2]:
            raise ZeroDivisionError("no such thing")
        return add(self, token)

    monkeypatch.setattr(Answer, "add", crashing)
    with LlamaEngine.open(random_model, n_threads=1, n_parallel=16, kv_type="f32") as engine:
        with held(monkeypatch):
            generations = [engine.submit(request) for request in requests]
        for number, generation in enumerate(generations):
            if number == 2:
                with pytest.raises(EngineError, match="no such thing"):
                    generation.result(timeout=30)
            else:
                assert generation.result(timeout=30).text == expected[number]
        monkeypatch.undo()
        assert engine.submit(requests[2]).result(timeout=30).text == expected[2]


def test_a_batch_that_fails_is_tried_request_by_request(random_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What llama.cpp refuses for one must not end the others, whose tokens happened to stand beside it."""
    requests = [ask(question) for question in QUESTIONS[:5]]
    expected = alone(random_model, requests)
    decode = LlamaContext.decode
    victim = 0
    all_begun = threading.Event()
    late = 0  # the position of a token that is generated when all have begun

    def refusing(self: LlamaContext, chunks: Sequence[Chunk]) -> Outcome:
        if any(chunk.position > late and chunk.sequence == victim for chunk in chunks):
            all_begun.wait(30)
            raise EngineError("not with me")
        return decode(self, chunks)

    monkeypatch.setattr(LlamaContext, "decode", refusing)
    with LlamaEngine.open(random_model, n_threads=1, n_parallel=16, kv_type="f32") as engine:
        late = engine.count_tokens(requests[victim].conversation) + 4
        with held(monkeypatch):
            generations = [engine.submit(request) for request in requests]
        for generation in generations:
            next(iter(generation))
        all_begun.set()
        failed = 0
        for number, generation in enumerate(generations):
            try:
                assert generation.result(timeout=30).text == expected[number]
            except EngineError as error:
                assert str(error) == "not with me"  # noqa: PT017 - which one it hits is the scheduler's choice
                failed += 1
    assert failed == 1


def test_closing_ends_all_that_runs_and_all_that_waits(endless_model: Path) -> None:
    engine = LlamaEngine.open(endless_model, n_threads=1, n_ctx=50_000, n_parallel=4)
    generations = [engine.submit(ask(question, max_tokens=None)) for question in QUESTIONS[:8]]
    for generation in generations[:4]:
        next(iter(generation))
    working = [thread for thread in threading.enumerate() if thread.name == "bayling-engine"]
    engine.close()
    assert sum(thread.is_alive() for thread in working) < len(working)
    assert [generation.result(timeout=0).finish_reason for generation in generations[:4]] == 4 * ["cancelled"]
    for generation in generations[4:]:
        with pytest.raises(EngineError, match="closed"):
            generation.result(timeout=0)


@pytest.mark.parametrize("search", [None, SearchParams(5)], ids=["greedy", "search"])
def test_a_model_that_computes_no_numbers_fails_its_requests_and_no_others(
    random_model: Path, monkeypatch: pytest.MonkeyPatch, search: SearchParams | None
) -> None:
    """Whatever step they fail in, nothing of them stays behind."""
    expected = alone(random_model, [ask(QUESTIONS[0])])
    decode = LlamaContext.decode
    for n_good_steps in range(4):
        with LlamaEngine.open(random_model, n_threads=1, kv_type="f32") as engine:
            left = iter(range(n_good_steps))

            def broken(self: LlamaContext, chunks: Sequence[Chunk], left: Iterator[int] = left) -> Outcome:
                outcome = decode(self, chunks)
                if next(left, None) is None:
                    self.logits[:] = float("nan")
                return outcome

            with monkeypatch.context() as patch:
                patch.setattr(LlamaContext, "decode", broken)
                request = GenerationRequest(QUESTIONS[1], max_tokens=20, search=search)
                with pytest.raises(EngineError, match=r"number|NaN|finite"):
                    engine.submit(request).result(timeout=30)
            slots = engine._scheduler._place.sequences._slots
            assert not any(slot.busy for slot in slots)
            assert engine.submit(ask(QUESTIONS[0])).result(timeout=30).text == expected[0]


def test_a_search_that_gave_its_memory_up_finds_the_same(random_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [GenerationRequest(question, max_tokens=40, search=SearchParams(2)) for question in QUESTIONS]
    expected = alone(random_model, requests, n_ctx=330)
    small_memory(monkeypatch)
    suspended: list[SearchJob] = []
    suspend = SearchJob.suspend

    def counted(self: SearchJob) -> None:
        suspended.append(self)
        suspend(self)

    monkeypatch.setattr(SearchJob, "suspend", counted)
    with LlamaEngine.open(random_model, n_threads=1, kv_type="f32", n_ctx=330, n_parallel=16) as engine:
        assert [completion.text for completion in together(engine, requests)] == expected
    assert suspended


def test_whoever_waits_for_a_prefix_is_served_when_its_leader_is_cancelled(random_model: Path) -> None:
    shared = "the good day " * 100
    requests = [ask(user_turn(f"{shared}{number}")) for number in range(5)]
    expected = alone(random_model, requests, n_ctx=4096)
    with LlamaEngine.open(random_model, n_threads=1, kv_type="f32", n_ctx=4096, n_parallel=8) as engine:
        for _ in range(5):
            leader = engine.submit(ask(user_turn(shared + "leader"), max_tokens=None))
            followers = [engine.submit(request) for request in requests]
            leader.cancel()
            assert [follower.result(timeout=30).text for follower in followers] == expected


def test_required_phrases_for_which_the_memory_is_too_small_are_an_error(
    random_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_memory(monkeypatch)
    with LlamaEngine.open(random_model, n_threads=1, kv_type="f32", n_ctx=250) as engine:
        search = SearchParams(32, required=("good day", "in the day", "he on"))
        request = GenerationRequest(QUESTIONS[0], search=search)
        with pytest.raises(PhrasesDoNotFit, match="larger context"):
            engine.submit(request).result(timeout=30)
        assert engine.submit(ask(QUESTIONS[0])).result(timeout=30).n_generated
