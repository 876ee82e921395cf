"""Precision, compiling and the arithmetic of how much a device is used."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bayling_finetune import computing
from bayling_finetune.config import Hardware
from bayling_finetune.distributed import find_device
from bayling_lite.errors import RecipeError
from tests.finetune.small_training import CPU, changed, model_of, recipe, trainer, with_adapter, write_base


@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
def test_without_a_compiler_training_goes_on_and_says_why() -> None:
    import torch._inductor.config as inductor

    said: list[str] = []
    # its own way: what monkeypatch puts back stays hidden, for the tests after this one, too
    with inductor.patch({"cpp.cxx": ("no-such-compiler",)}):
        kernels = computing.load_kernels(Hardware(compile=True), CPU, said.append)
    assert len(said) == 1
    assert "C++ compiler" in said[0]
    assert torch.equal(kernels.swiglu(torch.zeros(1, 2), torch.ones(1, 2)), torch.zeros(1, 2))
    assert computing.load_kernels(Hardware(compile=False), CPU, said.append) == kernels
    assert len(said) == 1, "nothing is said of what nobody asked for"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("precision", "held", "computed"),
    [
        ("fp32", torch.float32, torch.float32),
        ("bf16", torch.float32, torch.bfloat16),
        ("bf16-pure", torch.bfloat16, torch.bfloat16),
    ],
)
def test_precision_is_that_of_weights_and_products(
    precision: str, held: torch.dtype, computed: torch.dtype, tmp_path: Path
) -> None:
    of = changed(recipe(), "hardware", precision=precision)
    one = trainer(of, tmp_path)
    seen: list[torch.dtype] = []
    one.model.get_submodule("model.layers.1.mlp.up_proj").register_forward_hook(
        lambda _module, _inputs, output: seen.append(output.dtype)
    )
    losses = [one.take_step().loss for _ in range(8)]
    assert {parameter.dtype for parameter in one.model.parameters()} == {held}
    assert set(seen) == {computed}
    assert losses[-1] < losses[0]


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
def test_operations_count_what_is_trained_and_what_is_frozen(tmp_path: Path) -> None:
    model = model_of(recipe())
    # a layer: q and o 64 x 64, k and v 64 x 32, three of 64 x 128
    assert computing.operations_per_token(model) == 2 * 6 * (2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 128)
    write_base(tmp_path / "base")
    adapted = model_of(with_adapter(recipe()), tmp_path / "base")
    frozen = 2 * (2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 128)
    small = sum(value.numel() for value in adapted.parameters() if value.requires_grad)
    assert computing.operations_per_token(adapted) == 4 * frozen + 6 * small


def test_memory_is_measured_and_a_cpu_has_no_known_peak() -> None:
    assert 10e6 < computing.peak_memory(CPU) < 1e12
    assert computing.peak_operations(CPU, torch.bfloat16) is None


def test_a_device_that_is_not_there_is_refused() -> None:
    assert find_device("cpu") == CPU
    with pytest.raises(RecipeError, match="The device 'cuda:99' cannot be used"):
        find_device("cuda:99")
    with pytest.raises(RecipeError, match="The device 'toaster' cannot be used"):
        find_device("toaster")
