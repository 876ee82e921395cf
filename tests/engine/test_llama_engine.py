"""The llama.cpp engine on miniature models: text, cache, cancelling, closing, sampling, threads."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Unpack

import llama_cpp.llama_cpp as lib
import numpy as np
import pytest

from bayling_lite.engine import Completion, Engine, Generation, GenerationRequest, SamplingParams
from bayling_lite.engine.decoder import Chunk, Outcome
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.engine.llama.context import LlamaContext
from bayling_lite.engine.llama.model import KV_TYPES, load_model, shape_of, start_backend
from bayling_lite.engine.llama.vocabulary import LlamaVocabulary
from bayling_lite.engine.plan import EngineOptions, KVType, plan_context
from bayling_lite.errors import ContextOverflow, EngineClosed, EngineError, ModelError, ModelUnreadable, UsageError
from bayling_lite.gguf_file import read_header
from bayling_lite.messages import Conversation
from bayling_lite.prompts import user_turn

MakeModel = Callable[..., Path]
QUESTION = user_turn("the good day")


def ask(
    conversation: Conversation = QUESTION,
    *,
    max_tokens: int | None = None,
    stop: tuple[str, ...] = (),
    sampling: SamplingParams | None = None,
) -> GenerationRequest:
    return GenerationRequest(conversation, sampling=sampling or SamplingParams(), max_tokens=max_tokens, stop=stop)


@pytest.fixture
def chain(chain_model: Path) -> Iterator[LlamaEngine]:
    with LlamaEngine.open(chain_model, n_threads=1) as engine:
        yield engine


@pytest.fixture
def noisy(random_model: Path) -> Iterator[LlamaEngine]:
    with LlamaEngine.open(random_model, n_threads=1, kv_type="f32") as engine:
        yield engine


@pytest.fixture
def endless(endless_model: Path) -> Iterator[LlamaEngine]:
    """An engine whose answers only end at the edge of a context too long to reach within a test."""
    with LlamaEngine.open(endless_model, n_threads=1, n_ctx=200_000) as engine:
        yield engine


def started(generation: Generation) -> Iterator[str]:
    """Wait for the first piece."""
    pieces = iter(generation)
    next(pieces)
    return pieces


def evaluated(completion: Completion) -> int:
    """Tokens in the cache after a generation: at ``length`` the last token was said, but never evaluated."""
    return completion.n_prompt + completion.n_generated - (completion.finish_reason == "length")


# Text.


def test_an_answer_streams_whole_characters_and_ends_at_the_end_token(chain: LlamaEngine) -> None:
    generation = chain.submit(ask())
    assert list(generation) == ["早", " good", " day", "</"]
    completion = generation.result()
    assert completion.text == "早 good day</"
    assert completion.finish_reason == "stop"
    assert completion.n_generated == 6
    assert completion.n_prompt == chain.count_tokens(QUESTION)


def test_engine_and_generation_keep_the_contract(chain: LlamaEngine) -> None:
    assert isinstance(chain, Engine)
    generation: Generation = chain.submit(ask())
    assert generation.result().text


def test_a_stop_string_across_pieces_is_not_in_the_text(chain: LlamaEngine) -> None:
    generation = chain.submit(ask(stop=("d da",)))
    assert "".join(generation) == generation.result().text == "早 goo"
    assert generation.result().finish_reason == "stop"


def test_a_stop_string_that_never_completes_is_given_back(chain: LlamaEngine) -> None:
    assert chain.submit(ask(stop=("</s>", "day</x"))).result().text == "早 good day</"


def test_max_tokens_ends_with_length_and_never_with_half_a_character(chain: LlamaEngine) -> None:
    halved = chain.submit(ask(max_tokens=2)).result()
    assert (halved.text, halved.finish_reason, halved.n_generated) == ("", "length", 2)
    whole = chain.submit(ask(max_tokens=4)).result()
    assert (whole.text, whole.finish_reason, whole.n_generated) == ("早 good", "length", 4)


def test_generation_stops_at_the_edge_of_the_context(endless_model: Path) -> None:
    with LlamaEngine.open(endless_model, n_ctx=300) as engine:
        completion = engine.submit(ask()).result()
    assert completion.finish_reason == "length"
    assert completion.n_prompt + completion.n_generated == 300
    assert completion.text.startswith("abab")


def test_a_prompt_that_does_not_fit_says_by_how_much(chain_model: Path) -> None:
    with LlamaEngine.open(chain_model, n_ctx=300) as engine:
        long = user_turn("x" * 400)
        with pytest.raises(ContextOverflow) as caught:
            list(engine.submit(ask(long)))
        assert (caught.value.n_prompt, caught.value.n_ctx) == (engine.count_tokens(long), 300)
        assert engine.submit(ask()).result().text == "早 good day</"


def test_a_prompt_one_token_short_of_the_context_still_gets_one(endless_model: Path) -> None:
    with LlamaEngine.open(endless_model, n_ctx=300) as engine:
        missing = 299 - engine.count_tokens(user_turn("x"))
        completion = engine.submit(ask(user_turn("x" * (1 + missing)))).result()
    assert (completion.n_prompt, completion.n_generated, completion.text) == (299, 1, "a")


def test_special_tokens_in_a_text_do_not_end_or_steer_anything(chain: LlamaEngine) -> None:
    completion = chain.submit(ask(user_turn("</s><s><|eot_id|><0x0A> the good day"))).result()
    assert completion.text == "早 good day</"


# The cache.


def test_the_second_turn_evaluates_only_what_it_adds(noisy: LlamaEngine) -> None:
    first = noisy.submit(ask(max_tokens=12)).result()
    assert first.n_cached == 0
    longer = QUESTION.assistant(first.text).user("again")
    second = noisy.submit(ask(longer, max_tokens=12)).result()
    assert second.n_cached == evaluated(first)
    third = noisy.submit(ask(longer.assistant(second.text).user("more"), max_tokens=4)).result()
    assert third.n_cached == evaluated(second)


@contextmanager
def opened(path: Path, **options: Unpack[EngineOptions]) -> Iterator[LlamaContext]:
    """A context without an engine above it."""
    start_backend()
    model = load_model(path, "llama", options)
    context = LlamaContext(model, plan_context(shape_of(model, read_header(path)), options, on_gpu=False))
    yield context
    context.close()
    lib.llama_model_free(model)


@pytest.mark.parametrize(("kv_type", "tolerance"), [("f32", 1e-4), ("f16", 0.1)])
def test_logits_do_not_depend_on_what_was_cached(random_model: Path, kv_type: KVType, tolerance: float) -> None:
    """One token on top of a cache, or all of them at once: else the same question gets different answers."""
    tokens = [7 + index * 31 % 250 for index in range(240)]
    with opened(random_model, n_ctx=512, n_threads=1, kv_type=kv_type) as context:
        assert context.decode([Chunk(0, 0, tokens, 1)]) is Outcome.DONE
        at_once = context.logits.copy()
        assert context.keep(0, 239) == 239
        assert context.decode([Chunk(0, 239, tokens[239:], 1)]) is Outcome.DONE
        np.testing.assert_allclose(context.logits, at_once, atol=tolerance)


def test_a_cached_prefix_changes_no_token(noisy: LlamaEngine, random_model: Path) -> None:
    first = noisy.submit(ask(max_tokens=12)).result()
    longer = QUESTION.assistant("on the day").user("again")
    warm = noisy.submit(ask(longer, max_tokens=40)).result()
    assert warm.n_cached >= first.n_prompt
    with LlamaEngine.open(random_model, n_threads=1, kv_type="f32") as fresh:
        cold = fresh.submit(ask(longer, max_tokens=40)).result()
    assert cold.n_cached == 0
    assert warm.text == cold.text


def test_the_same_prompt_again_evaluates_one_token(noisy: LlamaEngine) -> None:
    first = noisy.submit(ask(max_tokens=30)).result()
    again = noisy.submit(ask(max_tokens=30)).result()
    assert again.n_cached == first.n_prompt - 1
    assert again.text == first.text


def test_another_conversation_does_not_see_the_last_one(noisy: LlamaEngine, random_model: Path) -> None:
    noisy.submit(ask(user_turn("on the other day"), max_tokens=30)).result()
    text = noisy.submit(ask(max_tokens=30)).result().text
    with LlamaEngine.open(random_model, n_threads=1, kv_type="f32") as fresh:
        assert fresh.submit(ask(max_tokens=30)).result().text == text


def test_a_prompt_of_several_batches_is_as_good_as_one_of_few(make_model: MakeModel) -> None:
    """Two questions with the same end: evaluated in chunks or on top of a cached prefix, the answer is the same."""
    model = make_model()
    long = user_turn("the good day " * 200)
    with LlamaEngine.open(model, n_threads=1, n_ctx=4096, kv_type="f32") as engine:
        cold = engine.submit(ask(long, max_tokens=20)).result()
        assert cold.n_prompt > 1024 > 512
        engine.submit(ask(user_turn("the good day " * 100), max_tokens=20)).result()
        warm = engine.submit(ask(long, max_tokens=20)).result()
    assert 0 < warm.n_cached < warm.n_prompt - 512
    assert warm.text == cold.text


# Cancelling and closing.


def test_cancelling_a_running_answer_keeps_what_there_is(endless: LlamaEngine) -> None:
    generation = endless.submit(ask())
    started(generation)
    generation.cancel()
    completion = generation.result(timeout=10)
    assert completion.finish_reason == "cancelled"
    assert completion.text.startswith("a")
    assert "".join(generation) == completion.text
    generation.cancel()
    assert generation.result() == completion


def watch_evaluations(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when some of the prompt is evaluated and llama.cpp is about to be called for more."""
    begun = threading.Event()
    decode = LlamaContext.decode

    def watched(self: LlamaContext, chunks: Sequence[Chunk]) -> Outcome:
        if chunks[0].position:
            begun.set()
        return decode(self, chunks)

    monkeypatch.setattr(LlamaContext, "decode", watched)
    return begun


def test_cancelling_interrupts_prompt_evaluation_and_leaves_a_sound_cache(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model()
    long = user_turn("the good day " * 6000)
    with LlamaEngine.open(model, n_threads=1, n_ctx=100_000, kv_type="f32") as engine:
        evaluating = watch_evaluations(monkeypatch)
        generation = engine.submit(ask(long))
        assert evaluating.wait(10)
        generation.cancel()
        completion = generation.result(timeout=30)
        assert (completion.finish_reason, completion.text, completion.n_generated) == ("cancelled", "", 0)
        after = engine.submit(ask(user_turn("the good day " * 60), max_tokens=20)).result()
    assert after.n_cached > 0
    with LlamaEngine.open(model, n_threads=1, n_ctx=100_000, kv_type="f32") as fresh:
        assert fresh.submit(ask(user_turn("the good day " * 60), max_tokens=20)).result().text == after.text


def test_an_interrupt_ends_an_evaluation_in_its_middle(make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the flag set before the evaluation, llama.cpp itself must stop: no check of ours comes in between."""
    outcomes: list[Outcome] = []
    generations: list[Generation] = []
    asked = threading.Event()
    decode = LlamaContext.decode

    def interrupted(self: LlamaContext, chunks: Sequence[Chunk]) -> Outcome:
        if not outcomes:
            assert asked.wait(10)
            generations[0].cancel()
        outcomes.append(decode(self, chunks))
        return outcomes[-1]

    monkeypatch.setattr(LlamaContext, "decode", interrupted)
    with LlamaEngine.open(make_model(), n_threads=1) as engine:
        generations.append(engine.submit(ask()))
        asked.set()
        assert generations[0].result(timeout=10).finish_reason == "cancelled"
    assert outcomes == [Outcome.INTERRUPTED]


def test_cancelling_what_waits_ends_it_at_once(endless_model: Path) -> None:
    with LlamaEngine.open(endless_model, n_threads=1, n_ctx=200_000, n_parallel=1) as engine:
        running = engine.submit(ask())
        waiting = engine.submit(ask())
        started(running)
        waiting.cancel()
        assert waiting.result(timeout=1).finish_reason == "cancelled"
        assert list(waiting) == []
        running.cancel()
        assert running.result(timeout=10).finish_reason == "cancelled"
        assert engine.submit(ask(max_tokens=2)).result(timeout=10).text == "ab"


def test_closing_cancels_what_runs_and_fails_what_waits(endless_model: Path) -> None:
    engine = LlamaEngine.open(endless_model, n_threads=1, n_ctx=200_000, n_parallel=1)
    running, waiting = engine.submit(ask()), engine.submit(ask())
    started(running)
    engine.close()
    assert running.result(timeout=1).finish_reason == "cancelled"
    with pytest.raises(EngineClosed):
        waiting.result(timeout=1)
    with pytest.raises(EngineClosed):
        engine.submit(ask())
    with pytest.raises(EngineClosed):
        engine.count_tokens(QUESTION)
    engine.close()


def test_closing_in_the_middle_of_a_long_prompt_ends_it(random_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = LlamaEngine.open(random_model, n_threads=1, n_ctx=100_000)
    evaluating = watch_evaluations(monkeypatch)
    generation = engine.submit(ask(user_turn("the good day " * 6000)))
    assert evaluating.wait(10)
    engine.close()
    assert generation.result(timeout=0).finish_reason == "cancelled"


def test_opening_and_closing_leaves_no_thread_and_frees_the_model(
    chain_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    freed: list[str] = []

    def counted(name: str, close: Callable[[object], None]) -> Callable[[object], None]:
        def closing(self: object) -> None:
            freed.append(name)
            close(self)

        return closing

    monkeypatch.setattr(LlamaContext, "close", counted("context", LlamaContext.close))  # type: ignore[arg-type]
    monkeypatch.setattr(LlamaVocabulary, "close", counted("model", LlamaVocabulary.close))  # type: ignore[arg-type]
    before = set(threading.enumerate())
    for _ in range(20):
        with LlamaEngine.open(chain_model, n_threads=1) as engine:
            engine.submit(ask()).result()
    assert set(threading.enumerate()) <= before  # others may end meanwhile
    assert sorted(freed) == ["context"] * 20 + ["model"] * 20


def test_a_forgotten_engine_is_freed_but_not_before_its_generation(endless_model: Path) -> None:
    before = set(threading.enumerate())
    engine = LlamaEngine.open(endless_model, n_threads=1, n_ctx=5000)
    alive = weakref.ref(engine)
    generation = engine.submit(ask(max_tokens=50))
    del engine
    gc.collect()
    assert generation.result(timeout=10).n_generated == 50
    del generation
    deadline = time.monotonic() + 10
    while (alive() is not None or not set(threading.enumerate()) <= before) and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.01)
    assert alive() is None
    assert set(threading.enumerate()) <= before  # others may end meanwhile


def test_a_program_that_ends_with_work_in_flight_ends_cleanly_and_silently(endless_model: Path) -> None:
    program = f"""
from bayling_lite.engine import GenerationRequest
from bayling_lite.gguf_file import read_header
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.prompts import user_turn
engine = LlamaEngine.open({str(endless_model)!r}, n_ctx=200000)
generation = engine.submit(GenerationRequest(user_turn("the good day")))
print(next(iter(generation)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "a\n", "")


def test_a_crash_reaches_its_caller_and_the_next_request_is_served(
    noisy: LlamaEngine, monkeypatch: pytest.MonkeyPatch, random_model: Path
) -> None:
    expected = noisy.submit(ask(max_tokens=20)).result().text
    with monkeypatch.context() as broken:
        broken.setattr(LlamaVocabulary, "piece", lambda self, token: 1 // 0)
        with pytest.raises(EngineError, match="by zero"):
            noisy.submit(ask(user_turn("another"), max_tokens=5)).result(timeout=10)
    after = noisy.submit(ask(max_tokens=20)).result(timeout=10)
    assert after.text == expected


# Threads and asyncio.


def test_requests_from_many_threads_each_get_their_own_answer(noisy: LlamaEngine) -> None:
    questions = [user_turn(word) for word in ("the", "good", "day", "in", "on", "he", "er", "w")]
    alone = [noisy.submit(ask(question, max_tokens=15)).result().text for question in questions]
    answers: dict[int, str] = {}

    def serve(index: int) -> None:
        for _ in range(3):
            answers[index] = "".join(noisy.submit(ask(questions[index], max_tokens=15)))

    threads = [threading.Thread(target=serve, args=(index,)) for index in range(len(questions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [answers[index] for index in range(len(questions))] == alone


@pytest.mark.slow
def test_asyncio_reads_pieces_while_the_loop_goes_on(endless: LlamaEngine) -> None:
    async def main() -> tuple[str, int]:
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                beats += 1
                await asyncio.sleep(0.001)

        heart = asyncio.create_task(beat())
        generation = endless.submit(ask(max_tokens=2000))
        text = "".join([piece async for piece in generation])
        assert (await generation).text == text
        heart.cancel()
        return text, beats

    text, beats = asyncio.run(main())
    assert text == "ab" * 1000
    assert beats > 5


# Sampling.


def test_the_same_seed_gives_the_same_text_and_another_seed_another(noisy: LlamaEngine) -> None:
    def sample(seed: int | None) -> str:
        return noisy.submit(ask(max_tokens=30, sampling=SamplingParams(temperature=1.5, seed=seed))).result().text

    sample(1)  # now the prompt is in the cache for all that follow
    assert sample(7) == sample(7)
    assert len({sample(seed) for seed in range(8)}) > 4
    assert len({sample(None) for _ in range(4)}) > 1
    assert sample(2**32 - 1) == sample(2**32 - 1)


@pytest.mark.parametrize(
    "narrow",
    [
        SamplingParams(temperature=2, top_k=1, seed=3),
        SamplingParams(temperature=2, top_p=1e-6, seed=3),
        SamplingParams(temperature=2, min_p=0.999, seed=3),
    ],
    ids=["top_k", "top_p", "min_p"],
)
def test_a_filter_that_leaves_one_token_is_greedy(noisy: LlamaEngine, narrow: SamplingParams) -> None:
    greedy = noisy.submit(ask(max_tokens=25)).result().text
    noisy.submit(ask(max_tokens=1)).result()
    free = SamplingParams(temperature=2, seed=3)
    assert noisy.submit(ask(max_tokens=25, sampling=free)).result().text != greedy
    assert noisy.submit(ask(max_tokens=25, sampling=narrow)).result().text == greedy


def test_the_repetition_penalty_breaks_a_loop(endless: LlamaEngine) -> None:
    penalised = SamplingParams(repeat_penalty=1e6)
    assert endless.submit(ask(max_tokens=12)).result().text == "ab" * 6
    text = endless.submit(ask(max_tokens=12, sampling=penalised)).result().text
    assert text.startswith("ab")
    assert not text.startswith("aba")


# Opening.


def test_the_kv_cache_can_have_other_types(chain_model: Path) -> None:
    with LlamaEngine.open(chain_model, kv_type="q8_0") as engine:
        assert engine.submit(ask()).result().text == "早 good day</"
    with pytest.raises(UsageError, match="q3"):
        LlamaEngine.open(chain_model, kv_type="q3")  # type: ignore[arg-type]


def test_info_says_what_the_file_says(make_model: MakeModel, chain: LlamaEngine) -> None:
    assert chain.info.n_ctx == 512
    assert not chain.info.demonstrator
    said = {
        "general.name": "Miniature",
        "bayling.template": "bayling-3",
        "bayling.languages": ["en", "zh", "tlh"],
        "bayling.demonstrator": True,
    }
    with LlamaEngine.open(make_model(metadata=said), n_ctx=64) as engine:
        assert (engine.info.name, engine.info.template, engine.info.n_ctx) == ("Miniature", "bayling-3", 64)
        assert [language.code for language in engine.info.languages] == ["en", "zh"]
        assert engine.info.demonstrator


def test_options_out_of_range_are_refused(chain_model: Path) -> None:
    with pytest.raises(UsageError, match="threads"):
        LlamaEngine.open(chain_model, n_threads=0)
    with pytest.raises(UsageError, match="context"):
        LlamaEngine.open(chain_model, n_ctx=0)
    with pytest.raises(UsageError, match="Known: bayling, bayling-3"):
        LlamaEngine.open(chain_model, template="alpaca")


def test_an_architecture_that_llama_cpp_does_not_have_is_named(make_model: MakeModel) -> None:
    model = make_model(architecture="perceptron")
    with pytest.raises(ModelUnreadable, match=r"architecture 'perceptron', which this version of llama.cpp cannot run"):
        LlamaEngine.open(model)


def test_a_file_that_llama_cpp_refuses_is_answered_with_its_reason(
    make_model: MakeModel, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = make_model().read_bytes()
    broken = make_model()
    broken.write_bytes(whole.replace(b"blk.1.ffn_up.weight", b"blk.1.ffn_xx.weight"))
    with pytest.raises(ModelUnreadable, match=r"blk\.1\.ffn_up\.weight"):
        LlamaEngine.open(broken)
    assert capfd.readouterr() == ("", "")


def test_a_context_larger_than_the_memory_is_refused(chain_model: Path) -> None:
    with pytest.raises(ModelError, match=r"2,147,483,648 tokens needs 1,024\.0 GB .* smaller one"):
        LlamaEngine.open(chain_model, n_ctx=2**31, kv_type="f32")


def test_a_context_that_llama_cpp_refuses_is_answered_with_its_reason(
    chain_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KV_TYPES, "q8_0", lib.GGML_TYPE_Q4_K)
    with pytest.raises(ModelError, match=r"cannot be made: .*block size"):
        LlamaEngine.open(chain_model, kv_type="q8_0")


def test_the_embedded_model_answers(tiny_model: Path) -> None:
    with LlamaEngine.open(tiny_model) as engine:
        assert engine.info.demonstrator
        assert {"en", "zh", "de", "fr"} <= {language.code for language in engine.info.languages}
        completion = engine.submit(
            ask(user_turn("Provide the Chinese translation for this sentence: Good morning."), max_tokens=64)
        ).result(timeout=60)
    assert completion.finish_reason == "stop"
    assert any("\u4e00" <= character <= "\u9fff" for character in completion.text)
