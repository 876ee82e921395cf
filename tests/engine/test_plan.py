"""How an engine is set up from the model, the machine and what the caller asks for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import llama_cpp.llama_cpp as lib
import pytest

from bayling_lite.engine import GenerationRequest, plan
from bayling_lite.engine.base import MAX_BEAM_SIZE
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.engine.plan import ContextPlan, EngineOptions, ModelShape, check_memory, check_options, plan_context
from bayling_lite.errors import ModelError, UsageError
from bayling_lite.prompts import user_turn

MB = 2**20
SMALL = ModelShape(n_ctx_train=1024, n_head=4, kv_numbers=3072, model_bytes=5 * MB, recurrent=False)
LARGE = ModelShape(n_ctx_train=131_072, n_head=32, kv_numbers=65_536, model_bytes=4800 * MB, recurrent=False)


def made(shape: ModelShape, *, on_gpu: bool = False, **options: object) -> ContextPlan:
    return plan_context(shape, EngineOptions(**options), on_gpu=on_gpu)  # type: ignore[typeddict-item]


@pytest.fixture(autouse=True)
def _memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every machine has 16 GB here."""
    monkeypatch.setattr(plan, "_memory_bytes", lambda: 16 * 1024 * MB)


def test_the_context_is_the_models_own_up_to_8192_or_what_is_wanted() -> None:
    assert made(SMALL).n_ctx == 1024
    assert made(LARGE).n_ctx == 8192
    assert made(LARGE, n_ctx=20_000).n_ctx == 20_000
    assert made(replace(LARGE, n_ctx_train=0)).n_ctx == 8192


def test_all_requests_share_more_cells_than_one_may_have_where_that_costs_little() -> None:
    assert made(SMALL, n_parallel=16).n_cells == 16 * 512
    assert made(LARGE).n_cells == 8192
    # 512 MB, a thirty-second of the memory, at 128 KB a cell
    assert made(LARGE, n_ctx=256).n_cells == 4096


@pytest.mark.parametrize(
    ("shape", "on_gpu", "expected"),
    [(SMALL, False, 8), (LARGE, False, 16), (LARGE, True, 32), (replace(LARGE, recurrent=True), True, 4)],
)
def test_the_number_of_sequences_follows_model_and_machine(shape: ModelShape, on_gpu: bool, expected: int) -> None:
    assert made(shape, on_gpu=on_gpu).n_parallel == expected
    assert made(shape, on_gpu=on_gpu, n_parallel=7).n_parallel == 7


def test_a_batch_holds_every_sequence_and_the_widest_search_beside_them() -> None:
    for n_parallel in (1, 4, 16, 128):
        chosen = made(LARGE, n_parallel=n_parallel, n_batch=1)
        rows = max(n_parallel, 16) - 1 + MAX_BEAM_SIZE
        assert rows <= chosen.n_outputs <= chosen.n_batch
        assert chosen.n_sequences >= rows


def test_attention_scores_never_take_more_than_their_share() -> None:
    """Without flash attention there is a buffer of cells x heads float32 for each token of a step."""
    chosen = made(LARGE, kv_type="f32", n_ctx=32_768)
    assert not chosen.flash_attention
    assert chosen.n_ubatch * chosen.n_cells * 32 * 4 <= 128 * MB
    assert made(LARGE).flash_attention
    assert made(LARGE).n_ubatch == 512


def test_a_cache_larger_than_the_memory_is_refused() -> None:
    check_memory(made(LARGE, n_ctx=100_000))
    with pytest.raises(ModelError, match=r"A context of 200,000 tokens needs 24\.4 GB .* has 16\.0 GB"):
        check_memory(made(LARGE, n_ctx=200_000))
    check_memory(made(LARGE, n_ctx=200_000, kv_type="q8_0"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_ctx": 7}, "context.* at least 8, not 7"),
        ({"n_parallel": 0}, "sequences.* from 1 to 128, not 0"),
        ({"n_parallel": 129}, "sequences.* from 1 to 128, not 129"),
        ({"n_batch": 0}, "batch.* at least 1, not 0"),
        ({"n_threads": -1}, "threads must be at least 1, not -1"),
        ({"kv_type": "q3"}, "no KV cache of type 'q3'. Known: f16, f32, q8_0"),
    ],
)
def test_options_out_of_range_are_refused(options: EngineOptions, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_options(options)


@pytest.mark.parametrize(
    "options",
    [{"use_mmap": False}, {"use_mmap": True}, {"use_mlock": True}, {"n_gpu_layers": 0}, {"n_batch": 1}],
)
def test_an_engine_runs_with_every_option(chain_model: Path, options: EngineOptions) -> None:
    with LlamaEngine.open(chain_model, **options) as engine:
        assert engine.submit(GenerationRequest(user_turn("x" * 100))).result(timeout=30).text == "早 good day</"


def test_the_engine_says_what_computes_it(chain_model: Path) -> None:
    with LlamaEngine.open(chain_model, n_threads=2, n_gpu_layers=0) as engine:
        assert engine.info.device == "CPU, 2 threads"
        assert engine.info.can_search


@pytest.mark.gpu
@pytest.mark.skipif(not lib.llama_supports_gpu_offload(), reason="llama.cpp was built without a GPU backend")
def test_a_gpu_takes_all_layers_and_says_its_name(tiny_model: Path) -> None:
    request = GenerationRequest(user_turn("Provide the German translation for this sentence: Good day."), max_tokens=40)
    with LlamaEngine.open(tiny_model, n_gpu_layers=0) as engine:
        expected = engine.submit(request).result(timeout=60).text
    with LlamaEngine.open(tiny_model) as engine:
        assert not engine.info.device.startswith("CPU")
        assert engine.info.n_parallel == 32
        generations = [engine.submit(request) for _ in range(40)]
        texts = {generation.result(timeout=60).text for generation in generations}
    # Other kernels round differently; an undecided model may take another word, and a broken one takes rubbish.
    assert any(text.split()[0] == expected.split()[0] for text in texts)
