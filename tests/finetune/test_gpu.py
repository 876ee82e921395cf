"""On a CUDA device, where there is one: the packed row and its loss are those of the CPU."""

from __future__ import annotations

import pytest
import torch

from bayling_finetune.kernels import Kernels, accelerate, hidden_states, linear_cross_entropy
from bayling_finetune.packing import ATTENTION, Document, pack
from tests.finetune.test_packing import PREFIX, documents, small_model

__all__ = ["documents"]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("compiled", [False, True])
def test_a_packed_row_on_the_gpu_equals_that_on_the_cpu(documents: list[Document], compiled: bool) -> None:
    losses = []
    for device in (torch.device("cpu"), torch.device("cuda")):
        model = small_model(ATTENTION).to(device)
        kernels = Kernels.load(compiled=compiled and device.type == "cuda")
        accelerate(model, kernels, torch.float32)
        batch = pack(PREFIX, documents).to(device)
        states = hidden_states(model, batch.input_ids, batch.position_ids, batch.layout)
        loss = linear_cross_entropy(states[batch.predict_from], model.lm_head.weight, batch.predict_ids, kernels)
        losses.append(loss.item())
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
