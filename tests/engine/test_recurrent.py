"""A recurrent model (Mamba), whose sequences cannot forget their last tokens: served in batches all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt
import pytest

from bayling_lite.engine import GenerationRequest, Revision, SearchParams
from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.errors import UsageError
from bayling_lite.prompts import user_turn
from tests.conftest import WIDTH, vocabulary

INNER, STATE, KERNEL, RANK, LAYERS = 2 * WIDTH, 8, 4, 4, 2
QUESTIONS = [user_turn(text) for text in ("the good day", "he", "good in", "on the", "xy", "go go")]


@pytest.fixture(scope="module")
def mamba(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A miniature Mamba with random weights."""
    path = tmp_path_factory.mktemp("models") / "mamba.gguf"
    tokens = vocabulary()
    writer = gguf.GGUFWriter(path, "mamba")
    writer.add_context_length(512)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_block_count(LAYERS)
    writer.add_ssm_conv_kernel(KERNEL)
    writer.add_ssm_inner_size(INNER)
    writer.add_ssm_state_size(STATE)
    writer.add_ssm_time_step_rank(RANK)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list([token for token, _ in tokens])
    writer.add_token_scores([-float(index) for index in range(len(tokens))])
    writer.add_token_types([kind for _, kind in tokens])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(False)
    writer.add_string("bayling.template", "bayling")
    for name, tensor in _weights(len(tokens)):
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _weights(n_vocab: int) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    chance = np.random.default_rng(3)

    def normal(*shape: int) -> npt.NDArray[np.float32]:
        return chance.normal(0, 2 / np.sqrt(shape[-1]), shape).astype(np.float32)

    yield "token_embd.weight", normal(n_vocab, WIDTH)
    yield "output_norm.weight", np.ones(WIDTH, np.float32)
    yield "output.weight", normal(n_vocab, WIDTH)
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        yield block + "attn_norm.weight", np.ones(WIDTH, np.float32)
        yield block + "ssm_in.weight", normal(2 * INNER, WIDTH)
        yield block + "ssm_conv1d.weight", normal(INNER, KERNEL)
        yield block + "ssm_conv1d.bias", np.zeros(INNER, np.float32)
        yield block + "ssm_x.weight", normal(RANK + 2 * STATE, INNER)
        yield block + "ssm_dt.weight", normal(INNER, RANK)
        yield block + "ssm_dt.bias", np.zeros(INNER, np.float32)
        yield block + "ssm_a", -np.abs(normal(INNER, STATE)) - np.float32(0.1)
        yield block + "ssm_d", np.ones(INNER, np.float32)
        yield block + "ssm_out.weight", normal(WIDTH, INNER)


def test_many_at_once_get_what_they_get_alone_and_turns_cost_what_is_new(mamba: Path) -> None:
    requests = [GenerationRequest(question, max_tokens=25) for question in QUESTIONS]
    expected = []
    for request in requests:
        with LlamaEngine.open(mamba, n_threads=1) as engine:
            expected.append(engine.submit(request).result(timeout=30))
    assert len({completion.text for completion in expected}) > 1
    with LlamaEngine.open(mamba, n_threads=1) as engine:
        running = [engine.submit(request) for request in requests]
        assert [one.result(timeout=30).text for one in running] == [one.text for one in expected]
        first = engine.submit(requests[0]).result(timeout=30)
        again = GenerationRequest(QUESTIONS[0].assistant(first.text).user("again"), max_tokens=5)
        second = engine.submit(again).result(timeout=30)
        assert second.n_cached >= first.n_prompt


def test_a_cancelled_one_disturbs_nobody(mamba: Path) -> None:
    with LlamaEngine.open(mamba, n_threads=1) as engine:
        expected = engine.submit(GenerationRequest(QUESTIONS[0], max_tokens=40)).result(timeout=30).text
        for _ in range(5):
            victim = engine.submit(GenerationRequest(user_turn("the good day " * 20)))
            other = engine.submit(GenerationRequest(QUESTIONS[0], max_tokens=40))
            victim.cancel()
            assert other.result(timeout=30).text == expected


def test_it_cannot_be_searched_and_says_so(mamba: Path) -> None:
    with LlamaEngine.open(mamba, n_threads=1) as engine:
        assert not engine.info.can_search
        with pytest.raises(UsageError, match="recurrent"):
            engine.submit(GenerationRequest(QUESTIONS[0], search=SearchParams(2))).result(timeout=30)
        with pytest.raises(UsageError, match="recurrent"):
            engine.submit(GenerationRequest(QUESTIONS[0], revision=Revision("the day", "good"))).result(timeout=30)
