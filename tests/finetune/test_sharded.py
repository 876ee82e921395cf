"""Under FSDP2 the kernels give the gradients of one process: two processes on the CPU, each with half of the rows."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import distributed, nn
from torch.distributed.fsdp import fully_shard

from bayling_finetune.fused import Kernels
from bayling_finetune.kernels import install
from bayling_finetune.packing import pack
from tests.finetune.rows import PREFIX, alone, assert_same, small_model, some_documents
from tests.finetune.test_kernels import low_rank


def learn(rank: int, meeting: str, adapted: bool, checkpointing: bool) -> tuple[float, dict[str, torch.Tensor]]:
    """One process: shard, learn from its rows; the loss of all, and the whole gradients."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    try:
        inner = small_model()
        model: nn.Module = low_rank(inner) if adapted else inner
        if checkpointing:
            model.activation_checkpointing_enable()  # type: ignore[operator]
        model.train()
        for layer in inner.model.layers:
            fully_shard(layer)
        fully_shard(inner)
        install(model, Kernels.load(compiled=False), torch.float32, "auto")
        loss = model(pack(PREFIX, some_documents()[rank::2]))
        loss.backward()
        total = loss.detach().clone()
        distributed.all_reduce(total)
        sharded = {name: value.grad for name, value in model.named_parameters() if value.grad is not None}
        return total.item(), {name: 2 * value.full_tensor() for name, value in sharded.items()}  # type: ignore[attr-defined]
    finally:
        distributed.destroy_process_group()


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    """Two: each waits for the other, so that neither can do both halves."""
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.mark.slow
@pytest.mark.parametrize("adapted", [False, True], ids=["full", "lora"])
@pytest.mark.parametrize("checkpointing", [False, True])
def test_sharded_gradients_are_those_of_one_process(
    processes: ProcessPoolExecutor, tmp_path: Path, adapted: bool, checkpointing: bool
) -> None:
    reference = low_rank(small_model()) if adapted else small_model()
    expected_loss, expected = alone(reference, some_documents())
    asked = [processes.submit(learn, rank, str(tmp_path / "meeting"), adapted, checkpointing) for rank in range(2)]
    (loss, found), _ = (one.result(timeout=300) for one in asked)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    assert_same(found, expected)
