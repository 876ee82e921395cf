"""Packing is exact: a packed row gives what every document gives alone, forward and backward, by any backend."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.attention.flex_attention import flex_attention as plain_flex

from bayling_finetune import attention, grouped
from bayling_finetune.fused import Kernels
from bayling_finetune.kernels import install
from bayling_finetune.packing import Document, Layout, pack
from bayling_lite.errors import RecipeError
from tests.finetune.rows import PREFIX, SHAPES, alone, assert_same, gradients, small_model, some_documents

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
KERNELS = Kernels.load(compiled=False)
HERE = ["auto", "grouped", "sdpa"]


@pytest.mark.slow
@pytest.mark.parametrize("backend", HERE)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("share", [True, False], ids=["shared prefix", "own prefix"])
@pytest.mark.parametrize("max_padding", [0, 3, 100])
def test_a_packed_row_equals_its_documents_alone(backend: str, shape: str, share: bool, max_padding: int) -> None:
    documents = some_documents()
    expected_loss, expected = alone(small_model(shape), documents)
    model = small_model(shape)
    install(model, KERNELS, torch.float32, backend)
    loss = model(pack(PREFIX, documents, share_prefix=share, max_padding=max_padding))
    loss.backward()
    assert loss.item() == pytest.approx(expected_loss, rel=1e-5)
    assert_same(gradients(model), expected)


@pytest.mark.parametrize("backend", HERE)
def test_so_it_does_with_activation_checkpointing(backend: str) -> None:
    documents = some_documents()
    expected_loss, expected = alone(small_model(), documents)
    model = small_model()
    install(model, KERNELS, torch.float32, backend)
    model.activation_checkpointing_enable()
    model.train()
    layers: list[nn.Module] = []
    model.model.layers[1].self_attn.q_proj.register_forward_hook(lambda module, *_: layers.append(module))
    loss = model(pack(PREFIX, documents))
    loss.backward()
    assert len(layers) == 2, "the layer was not computed a second time"
    assert loss.item() == pytest.approx(expected_loss, rel=1e-5)
    assert_same(gradients(model), expected)


@pytest.mark.slow
@pytest.mark.parametrize("share", [True, False])
def test_flex_attention_by_its_mask_equals_the_others(share: bool) -> None:
    """Without compilation FlexAttention runs anywhere, with the same mask; compiled, a GPU test tries it."""
    layout = pack(PREFIX, some_documents(), share_prefix=share).layout
    query, key, value = _states(layout)
    expected = grouped.grouped_attention(query, key, value, layout, 0.3, kernels=KERNELS)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="flex_attention called without torch.compile")
        found = attention.flex_attention(query, key, value, layout, 0.3, flex=plain_flex)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("backend", HERE)
def test_documents_do_not_see_each_other(backend: str) -> None:
    documents = some_documents()
    layout = pack(PREFIX, documents, max_padding=3, multiple=1).layout
    query, key, value = _states(layout)
    attend = attention.backend(backend, KERNELS, CPU, torch.float32)
    before = attend(query, key, value, layout, 0.3)
    last = layout.n_tokens - layout.groups[-1][0] * layout.groups[-1][1]
    for states in (query, key, value):
        states[last:] += 1
    after = attend(query, key, value, layout, 0.3)
    assert torch.equal(before[:last], after[:last])
    assert not torch.allclose(before[last:], after[last:])


def test_our_row_is_exact_where_a_mask_of_ones_leaks() -> None:
    """Transformers takes packed rows only without a mask: one of ones, and documents silently see each other."""
    documents = some_documents((9, 14, 23))
    model = small_model(attn_implementation="sdpa")
    batch = pack(PREFIX, documents, share_prefix=False, multiple=1)
    with torch.no_grad():
        lonely = _losses(model, documents)
        masked = model(
            input_ids=batch.input_ids,
            position_ids=batch.position_ids,
            attention_mask=torch.ones_like(batch.input_ids),
            use_cache=False,
        ).logits[0, batch.predict_from]
        leaked = functional.cross_entropy(masked, batch.predict_ids, reduction="sum").item()
        install(model, KERNELS, torch.float32, "auto")
        packed = model(batch).item()
    assert packed == pytest.approx(lonely, rel=1e-5)
    assert abs(leaked - lonely) > 1e-2 * lonely


def test_a_backend_that_cannot_run_here_is_refused_with_the_remedy() -> None:
    for name in ("varlen", "flex", "flash"):
        with pytest.raises(RecipeError, match='CUDA devices only; here, "auto"'):
            attention.resolve(name, CPU, torch.bfloat16)
    for name in ("varlen", "flash"):
        with pytest.raises(RecipeError, match='precision = "bf16"'):
            attention.resolve(name, CUDA, torch.float32)
    if not importlib.util.find_spec("flash_attn"):
        with pytest.raises(RecipeError, match="flash-attn: install it"):
            attention.resolve("flash", CUDA, torch.bfloat16)
    with pytest.raises(RecipeError, match="no 'fast'"):
        attention.resolve("fast", CPU, torch.bfloat16)


def test_long_and_short_documents_go_in_tiles_that_hold_every_token_once() -> None:
    layout = Layout(7, ((3, 5), (1, 16), (9, 20), (1, 70), (2, 200)))
    tiling = grouped.Tiling.of(layout, CPU)
    assert sorted({(tile.count, tile.length) for tile in tiling.tiles}) == [
        (1, 16),
        (1, 32),
        (1, 96),
        (2, 224),
        (4, 16),
        (8, 32),
    ]
    assert tiling.spread[tiling.back].tolist() == list(range(layout.n_tokens))
    assert int(tiling.real.sum()) == layout.n_tokens


@pytest.mark.parametrize("share", [True, False])
def test_documents_longer_than_a_block_are_exact(share: bool) -> None:
    documents = some_documents((129, 128, 290, 40, 290, 3))
    expected_loss, expected = alone(small_model(), documents)
    model = small_model()
    install(model, KERNELS, torch.float32, "grouped")
    loss = model(pack(PREFIX, documents, share_prefix=share))
    loss.backward()
    assert loss.item() == pytest.approx(expected_loss, rel=1e-5)
    assert_same(gradients(model), expected)


def test_which_backends_share_a_prefix() -> None:
    assert attention.shares_prefix("auto", CPU, torch.bfloat16)
    assert attention.shares_prefix("auto", CUDA, torch.float32)
    assert not attention.shares_prefix("auto", CUDA, torch.bfloat16)
    assert attention.shares_prefix("flex", CUDA, torch.bfloat16)


@pytest.mark.parametrize("backend", [attention.varlen_attention, attention.flash_attention])
def test_a_backend_without_a_shared_prefix_refuses_one(backend: attention.Attention) -> None:
    layout = Layout(3, ((1, 4),))
    with pytest.raises(ValueError, match="share_prefix=False"):
        backend(*_states(layout), layout, 1.0)


def test_auto_does_not_hold_the_scores_of_long_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    short, long = Layout(7, ((2, 9),)), Layout(7, ((1, attention.SHORT),))
    attend = attention.backend("auto", KERNELS, CPU, torch.float32)
    used: list[str] = []
    with _spying(monkeypatch, used):
        attend(*_states(short), short, 0.3)
        attend(*_states(long), long, 0.3)
    assert used == ["grouped", "sdpa", "sdpa"]  # the prefix, then the documents


@contextmanager
def _spying(monkeypatch: pytest.MonkeyPatch, used: list[str]) -> Iterator[None]:
    fused, forward = functional.scaled_dot_product_attention, grouped._Grouped.forward

    def fused_spy(*arguments: Any, **options: Any) -> Any:
        used.append("sdpa")
        return fused(*arguments, **options)

    def grouped_spy(*arguments: Any) -> Any:
        used.append("grouped")
        return forward(*arguments)

    monkeypatch.setattr(functional, "scaled_dot_product_attention", fused_spy)
    monkeypatch.setattr(grouped._Grouped, "forward", staticmethod(grouped_spy))
    yield
    monkeypatch.undo()


def _states(layout: Layout) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Query of 4 heads, key and value of 2, 16 wide."""
    torch.manual_seed(2)
    return (
        torch.randn(layout.n_tokens, 4, 16),
        torch.randn(layout.n_tokens, 2, 16),
        torch.randn(layout.n_tokens, 2, 16),
    )


def _losses(model: nn.Module, documents: list[Document]) -> float:
    total = 0.0
    for document in documents:
        ids = torch.from_numpy(np.concatenate((PREFIX, document.ids))).long()[None]
        logits = model(input_ids=ids, use_cache=False).logits[0]
        positions = torch.from_numpy(np.flatnonzero(document.targets)) + len(PREFIX)
        total += functional.cross_entropy(logits[positions - 1], ids[0, positions], reduction="sum").item()
    return total
