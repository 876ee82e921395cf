"""Sixteen threads, five hundred requests of all kinds, cancelled at random: right results, and nothing left behind."""

from __future__ import annotations

import gc
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as lib
import pytest

from bayling_lite.engine import Completion, GenerationRequest, SamplingParams, SearchParams, plan
from bayling_lite.engine.generation import StreamedGeneration
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.engine.llama.context import LlamaContext
from bayling_lite.engine.llama.sampler import LlamaSampler
from bayling_lite.engine.sequences import Sequences
from bayling_lite.errors import BaylingError, ContextOverflow
from bayling_lite.messages import Conversation
from bayling_lite.prompts import user_turn

N_THREADS, N_REQUESTS, N_KINDS = 16, 500, 70
N_CTX = 900
ODD = (
    "",
    " ",
    "\n\n\n",
    "</s><s><unk><0x0A><|eot_id|>",
    "### Response:\n### Instruction:\n",
    "\x00\x01\x1b[31m\u202e",
    "\ud83d \udc00",
    "早安，世界 \U0001f600 e\u0301\u200b",
    "{{ 1/0 }} {% for x in y %}",
    "a" * 500,
    "y" * 5000,  # too long
)
WORDS = ("the", "good", "day", "in", "on", "he", "er", "w", "go", "x", "he the", "good day in")


def make_requests(chance: random.Random) -> list[GenerationRequest]:
    """Requests of all kinds, each with one right answer."""
    requests = []
    for number in range(N_KINDS):
        text = ODD[number] if number < len(ODD) else " ".join(chance.choices(WORDS, k=chance.randint(1, 40)))
        conversation: Conversation = user_turn(text)
        for _ in range(chance.choice((0, 0, 0, 1, 2))):
            conversation = conversation.assistant(chance.choice(WORDS) * 3).user(chance.choice(WORDS))
        # Few tokens to choose from: the borders between them are where the seventh decimal of a logit can decide, and
        # that depends on what else is in the batch.
        kind = chance.choice(("greedy", "sampled", "penalised", "searched", "constrained"))
        options: dict[str, Any] = {"max_tokens": chance.choice((1, 3, 12, 40, 80))}
        if kind == "sampled":
            options["sampling"] = SamplingParams(1.3, top_k=5, top_p=0.95, min_p=0.01, seed=number)
        elif kind == "penalised":
            options["sampling"] = SamplingParams(0.8, top_k=5, repeat_penalty=1.3, seed=number)
        elif kind == "searched":
            options["search"] = SearchParams(chance.choice((2, 5)), n_best=2)
        elif kind == "constrained":
            options |= {"search": SearchParams(4, required=("good",)), "max_tokens": 20}
        if kind in ("greedy", "sampled"):
            options |= {"logprobs": chance.choice((None, 0, 2)), "stop": chance.choice(((), ("e",), ("th", "on")))}
        requests.append(GenerationRequest(conversation, **options))
    return requests


def outcome(engine: LlamaEngine, request: GenerationRequest) -> str | type[BaylingError]:
    try:
        return engine.submit(request).result(timeout=120).text
    except BaylingError as error:
        return type(error)


class Ledger:
    """Counts what is made and what is freed; can look into an engine's sequences."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.samplers = 0
        self.sequences: list[Sequences] = []
        self.contexts: list[LlamaContext] = []
        make_sampler, close_sampler = LlamaSampler.__init__, LlamaSampler.close
        make_sequences, make_context = Sequences.__init__, LlamaContext.__init__

        def sampler_made(this: LlamaSampler, *arguments: Any, **options: Any) -> None:
            self.samplers += 1
            make_sampler(this, *arguments, **options)

        def sampler_closed(this: LlamaSampler) -> None:
            self.samplers -= 1
            close_sampler(this)

        def sequences_made(this: Sequences, *arguments: Any, **options: Any) -> None:
            self.sequences.append(this)
            make_sequences(this, *arguments, **options)

        def context_made(this: LlamaContext, *arguments: Any) -> None:
            self.contexts.append(this)
            make_context(this, *arguments)

        monkeypatch.setattr(LlamaSampler, "__init__", sampler_made)
        monkeypatch.setattr(LlamaSampler, "close", sampler_closed)
        monkeypatch.setattr(Sequences, "__init__", sequences_made)
        monkeypatch.setattr(LlamaContext, "__init__", context_made)

    def check(self) -> None:
        """Of an engine with nothing to do: no sampler, no busy sequence, and llama.cpp's memory is what we think."""
        assert self.samplers == 0
        context, sequences = self.contexts[-1], self.sequences[-1]
        for slot in sequences._slots:
            assert not slot.busy
            last = lib.llama_memory_seq_pos_max(context._memory, slot.number)
            assert last == len(slot.tokens) - 1


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    monkeypatch.setattr(plan, "_CELLS_EACH", 0)  # requests have to fight for memory
    return Ledger(monkeypatch)


def serve(engine: LlamaEngine, request: GenerationRequest, expected: str | type[BaylingError], number: int) -> str:
    """Ask as a user might, who may lose patience; returns what happened."""
    chance = random.Random(number)
    generation = engine.submit(request)
    manner = chance.choice(("result", "result", "stream", "cancel", "deadline"))
    try:
        if manner == "cancel":
            pieces = iter(generation)
            for _ in range(chance.randint(0, 3)):
                next(pieces, None)
            generation.cancel()
        elif manner == "deadline":
            try:
                generation.result(timeout=chance.choice((0, 0.001, 0.02)))
            except TimeoutError:
                generation.cancel()
        elif manner == "stream":
            assert "".join(generation) == generation.result(timeout=0).text
        completion: Completion = generation.result(timeout=120)
    except ContextOverflow as error:
        assert expected is ContextOverflow
        return type(error).__name__
    if completion.finish_reason == "cancelled":
        # What there was is the beginning of the right answer; a search has its best so far.
        assert manner in ("cancel", "deadline")
        assert isinstance(expected, type) or request.search or expected.startswith(completion.text)
    else:
        assert completion.text == expected
    return completion.finish_reason


def generations_alive() -> list[StreamedGeneration]:
    """Those that somebody holds, in this file or in another whose tests ran in this process."""
    gc.collect()
    return [thing for thing in gc.get_objects() if type(thing) is StreamedGeneration]


@pytest.mark.slow
def test_whatever_comes_every_result_is_right_and_nothing_is_left(random_model: Path, ledger: Ledger) -> None:
    requests = make_requests(random.Random(3))
    with LlamaEngine.open(random_model, n_threads=1, kv_type="f32", n_ctx=N_CTX, n_parallel=1) as engine:
        expected = [outcome(engine, request) for request in requests]
        ledger.check()
    assert ContextOverflow in expected
    assert len({one for one in expected if isinstance(one, str)}) > N_KINDS // 2
    before, others = set(threading.enumerate()), generations_alive()
    with LlamaEngine.open(random_model, n_threads=1, kv_type="f32", n_ctx=N_CTX, n_parallel=16) as engine:
        with ThreadPoolExecutor(N_THREADS) as pool:
            chosen = [number % N_KINDS for number in range(N_REQUESTS)]
            random.Random(4).shuffle(chosen)
            futures = [
                pool.submit(serve, engine, requests[kind], expected[kind], number) for number, kind in enumerate(chosen)
            ]
            happened = [future.result(timeout=300) for future in futures]
        engine.submit(requests[-1]).result(timeout=60)  # whatever was cancelled has been put away by now
        ledger.check()
        engine.close()
    assert set(happened) >= {"stop", "length", "cancelled", "ContextOverflow"}
    assert set(threading.enumerate()) <= before  # others may end meanwhile
    assert not [generation for generation in generations_alive() if not any(generation is other for other in others)]
