"""Packing is exact: a packed row gives what every document gives alone, forward and backward."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM

from bayling_finetune.kernels import Kernels, accelerate, hidden_states, linear_cross_entropy
from bayling_finetune.packing import ATTENTION, Document, pack


def small_model(attention: str) -> LlamaForCausalLM:
    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=97,
        hidden_size=48,
        intermediate_size=80,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=True,
        attn_implementation=attention,
    )
    return LlamaForCausalLM(config)


@pytest.fixture
def documents() -> list[Document]:
    random = np.random.default_rng(3)
    lengths = [5, 9, 9, 10, 14, 23, 23, 40, 41, 7]
    made = []
    for length in lengths:
        targets = random.random(length) < 0.5
        targets[0] = False
        targets[-1] = True
        made.append(Document(random.integers(1, 97, length).astype(np.int32), targets))
    return made


PREFIX = np.array([1, 17, 33, 8, 60, 2, 11], dtype=np.int32)


def reference(model: LlamaForCausalLM, documents: list[Document]) -> tuple[float, dict[str, torch.Tensor]]:
    """Every document alone, through transformers' own forward pass; its loss, summed, and all gradients."""
    total = torch.zeros(())
    for document in documents:
        ids = torch.from_numpy(np.concatenate((PREFIX, document.ids))).long()[None]
        logits = model(input_ids=ids, use_cache=False).logits[0]
        positions = torch.from_numpy(np.flatnonzero(document.targets)) + len(PREFIX)
        total = total + functional.cross_entropy(logits[positions - 1], ids[0, positions], reduction="sum")
    total.backward()  # type: ignore[no-untyped-call]
    return total.item(), {
        name: value.grad.clone() for name, value in model.named_parameters() if value.grad is not None
    }


@pytest.mark.parametrize("fused", [False, True], ids=["transformers", "kernels"])
@pytest.mark.parametrize("max_padding", [0, 3, 100])
def test_a_packed_row_equals_its_documents_alone(documents: list[Document], fused: bool, max_padding: int) -> None:
    expected_loss, expected = reference(small_model("eager"), documents)
    model = small_model(ATTENTION)
    kernels = Kernels.load(compiled=False)
    if fused:
        accelerate(model, kernels, torch.float32)
    batch = pack(PREFIX, documents, max_padding=max_padding)
    states = hidden_states(model, batch.input_ids, batch.position_ids, batch.layout)
    loss = linear_cross_entropy(states[batch.predict_from], model.lm_head.weight, batch.predict_ids, kernels, chunk=16)
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == pytest.approx(expected_loss, rel=1e-5)
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        torch.testing.assert_close(parameter.grad, expected[name], rtol=2e-4, atol=2e-5)


def test_documents_do_not_see_each_other(documents: list[Document]) -> None:
    model = small_model(ATTENTION)
    batch = pack(PREFIX, documents, max_padding=3)
    changed = batch.input_ids.clone()
    last = sum(count * length for count, length in batch.layout.groups[:-1]) + len(PREFIX)
    changed[0, last:] = 96 - changed[0, last:] % 90
    with torch.no_grad():
        before = hidden_states(model, batch.input_ids, batch.position_ids, batch.layout)
        after = hidden_states(model, changed, batch.position_ids, batch.layout)
    assert torch.equal(before[:last], after[:last])
    assert not torch.allclose(before[last:], after[last:])


def test_every_target_is_predicted_from_the_token_before_it(documents: list[Document]) -> None:
    batch = pack(PREFIX, documents)
    assert len(batch.predict_ids) == sum(int(document.targets.sum()) for document in documents)
    assert torch.equal(batch.predict_ids, batch.input_ids[0, batch.predict_from + 1])


def test_a_document_that_begins_with_a_response_is_refused() -> None:
    with pytest.raises(ValueError, match="begin with a response"):
        pack(PREFIX, [Document(np.array([4, 5], dtype=np.int32), np.array([True, False]))])
    with pytest.raises(ValueError, match="needs documents"):
        pack(PREFIX, [])
