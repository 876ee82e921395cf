"""On a CUDA device, where there is one: every backend, compiled and not, gives what the documents give alone."""

from __future__ import annotations

import pytest
import torch

from bayling_finetune.attention import shares_prefix
from bayling_finetune.fused import Kernels
from bayling_finetune.kernels import install
from bayling_finetune.packing import pack
from tests.finetune.rows import COMPILING, PREFIX, alone, assert_same, gradients, small_model, some_documents
from tests.finetune.test_kernels import low_rank, mean_error

CUDA = torch.device("cuda")
pytestmark = [
    pytest.mark.gpu,
    COMPILING,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("backend", ["auto", "grouped", "sdpa", "flex"])
def test_in_float32_the_row_equals_its_documents_alone(backend: str, checkpointing: bool, compiled: bool) -> None:
    documents = some_documents()
    expected_loss, expected = alone(small_model(), documents)
    model = small_model(head_dim=16).to(CUDA) if backend == "flex" else small_model().to(CUDA)
    if backend == "flex":  # heads of a power of two
        expected_loss, expected = alone(small_model(head_dim=16), documents)
    if checkpointing:
        model.activation_checkpointing_enable()
        model.train()
    install(model, Kernels.load(compiled=compiled), torch.float32, backend)
    loss = model(pack(PREFIX, documents).to(CUDA))
    loss.backward()
    assert loss.item() == pytest.approx(expected_loss, rel=1e-4)
    assert_same(gradients(model), expected, tolerance=1e-3)


@pytest.mark.parametrize("adapted", [False, True], ids=["full", "lora"])
@pytest.mark.parametrize("backend", ["auto", "grouped", "sdpa", "varlen", "flex", "flash"])
def test_in_bfloat16_it_is_as_near_to_float32_as_transformers_is(backend: str, adapted: bool) -> None:
    if backend == "flash":
        pytest.importorskip("flash_attn")
    documents = some_documents((5, 9, 9, 40, 130, 200))

    def made() -> torch.nn.Module:
        model = small_model(head_dim=16)
        return low_rank(model) if adapted else model

    exact_loss, exact = alone(made(), documents)
    with torch.autocast("cuda", torch.bfloat16):
        _, theirs = alone(made().to(CUDA), documents)
    model = made().to(CUDA)
    install(model, Kernels.load(compiled=True), torch.bfloat16, backend)
    share = shares_prefix(backend, CUDA, torch.bfloat16)
    loss = model(pack(PREFIX, documents, share_prefix=share).to(CUDA))
    loss.backward()
    assert loss.item() == pytest.approx(exact_loss, rel=2e-2)
    assert mean_error(gradients(model), exact) < 1.5 * mean_error(theirs, exact)


def test_the_loss_of_a_large_vocabulary_takes_little_memory() -> None:
    from bayling_finetune.cross_entropy import linear_cross_entropy

    tokens, width, vocabulary = 8192, 512, 128_256
    hidden = torch.randn(tokens, width, device=CUDA, dtype=torch.bfloat16, requires_grad=True)
    weight = torch.randn(vocabulary, width, device=CUDA, dtype=torch.bfloat16)
    targets = torch.randint(vocabulary, (tokens,), device=CUDA)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    linear_cross_entropy(hidden, weight, targets, Kernels.load(compiled=True)).backward()  # type: ignore[no-untyped-call]
    taken = torch.cuda.max_memory_allocated() - before
    assert taken < tokens * vocabulary * 2 / 3, "a third of the logits in 16 bits"
