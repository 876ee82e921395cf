"""A difference and its base give the checkpoint that the difference was taken from."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from bayling_convert import convert
from bayling_lite.errors import CheckpointError, UsageError
from tests.convert.small_checkpoints import CONFIG, random_tensors

Make = Callable[..., Path]


def with_norms(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights as of a trained model: what scales is about one."""
    return {
        name: tensor if tensor.ndim > 1 else tensor.float().add(1).to(tensor.dtype) for name, tensor in tensors.items()
    }


def trained_on(base: dict[str, torch.Tensor], *, seed: int = 5) -> dict[str, torch.Tensor]:
    """What fine-tuning makes of a base: every number a little different, in fp16."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: (tensor.float() + 0.001 * torch.randn(tensor.shape, generator=generator)).half()
        for name, tensor in base.items()
    }


@pytest.fixture
def three(make_checkpoint: Make) -> tuple[Path, Path, Path]:
    """Base, target and their difference, all fp16."""
    base = with_norms(random_tensors(CONFIG, torch.float16))
    delta = {name: tensor - base[name] for name, tensor in trained_on(base).items()}
    # What users of the difference get, which where a weight changes its sign is not to the last bit what was trained.
    target = {name: base[name] + delta[name] for name in base}
    said = {"name": "sum"}
    return (
        make_checkpoint("base", tensors=base),
        make_checkpoint("target", tensors=target, said=said),
        make_checkpoint("delta", tensors=delta, said=said),
    )


@pytest.mark.parametrize("file_type", ["F16", "Q4_K_M"])
def test_base_and_difference_give_the_target(file_type: str, three: tuple[Path, Path, Path], tmp_path: Path) -> None:
    base, target, delta = three
    convert(delta, tmp_path / "sum.gguf", file_type, base=base)
    convert(target, tmp_path / "target.gguf", file_type)
    assert (tmp_path / "sum.gguf").read_bytes() == (tmp_path / "target.gguf").read_bytes()


def test_the_files_may_be_cut_differently(
    three: tuple[Path, Path, Path], tmp_path: Path, make_checkpoint: Make
) -> None:
    base, target, delta = three
    tensors = load_file(base / "model.safetensors")
    names = sorted(tensors)
    (base / "model.safetensors").unlink()
    torch.save({name: tensors[name] for name in names[::2]}, base / "pytorch_model-00001-of-00002.bin")
    torch.save({name: tensors[name] for name in names[1::2]}, base / "pytorch_model-00002-of-00002.bin")
    index = ", ".join(f'"{name}": "pytorch_model-0000{1 + at % 2}-of-00002.bin"' for at, name in enumerate(names))
    (base / "pytorch_model.bin.index.json").write_text(f'{{"weight_map": {{{index}}}}}')
    convert(delta, tmp_path / "sum.gguf", base=base)
    convert(target, tmp_path / "target.gguf")
    assert (tmp_path / "sum.gguf").read_bytes() == (tmp_path / "target.gguf").read_bytes()


def test_a_difference_without_a_tokenizer_has_its_base_s(three: tuple[Path, Path, Path], tmp_path: Path) -> None:
    base, target, delta = three
    (delta / "tokenizer.model").unlink()
    convert(delta, tmp_path / "sum.gguf", base=base)
    convert(target, tmp_path / "target.gguf")
    assert (tmp_path / "sum.gguf").read_bytes() == (tmp_path / "target.gguf").read_bytes()


def test_what_cannot_be_checked_is_said(three: tuple[Path, Path, Path], tmp_path: Path) -> None:
    """Differences taken in float32 end in any digit: nothing in them tells what they were taken from."""
    base, _, delta = three
    assert not [word for word in convert(delta, tmp_path / "sum.gguf", base=base).warnings if "base" in word]
    generator = torch.Generator().manual_seed(8)
    blurred = {
        name: (tensor.float() * (1 + 1e-2 * torch.randn(tensor.shape, generator=generator))).half()
        for name, tensor in load_file(delta / "model.safetensors").items()
    }
    save_file(blurred, delta / "model.safetensors")
    warnings = convert(delta, tmp_path / "blurred.gguf", base=base).warnings
    assert any("whether this is the base" in word for word in warnings)


def refused(delta: Path, base: Path | None, *said: str, kind: type[Exception] = CheckpointError) -> None:
    output = delta.parent / "out.gguf"
    with pytest.raises(kind, match=".*".join(map(re.escape, said))):
        convert(delta, output, base=base)
    assert not [path for path in delta.parent.iterdir() if path.is_file()]


def test_a_difference_alone_is_no_model(three: tuple[Path, Path, Path]) -> None:
    refused(three[2], None, "only the difference", "--base", kind=UsageError)


def test_a_whole_model_is_no_difference(three: tuple[Path, Path, Path]) -> None:
    base, target, delta = three
    refused(target, base, "not a difference", "without a base")
    refused(delta, delta, "itself only a difference")


def test_a_wrong_base_of_the_same_shape(three: tuple[Path, Path, Path], make_checkpoint: Make) -> None:
    """LLaMA 2 has the shapes of LLaMA 1, and its weights are others."""
    generator = torch.Generator().manual_seed(11)
    other = {
        name: (torch.randn(tensor.shape, generator=generator) * 0.1).half()
        for name, tensor in random_tensors(CONFIG).items()
    }
    refused(three[2], make_checkpoint("other", tensors=with_norms(other)), "not the base", "same shapes")


def test_a_relative_of_the_base(three: tuple[Path, Path, Path], make_checkpoint: Make) -> None:
    """A model that somebody trained from the right base: its weights are nearly the same."""
    related = trained_on(load_file(three[0] / "model.safetensors"), seed=6)
    refused(three[2], make_checkpoint("related", tensors=related), "not the base", "same shapes")


def test_a_base_of_lower_precision_is_a_wrong_one(three: tuple[Path, Path, Path], make_checkpoint: Make) -> None:
    rounded = {name: tensor.bfloat16() for name, tensor in load_file(three[0] / "model.safetensors").items()}
    refused(three[2], make_checkpoint("rounded", tensors=rounded), "BF16", "lost digits")


def test_a_base_of_higher_precision_is_the_same(three: tuple[Path, Path, Path], tmp_path: Path) -> None:
    base, target, delta = three
    widened = {name: tensor.float() for name, tensor in load_file(base / "model.safetensors").items()}
    save_file(widened, base / "model.safetensors")
    convert(delta, tmp_path / "sum.gguf", base=base)
    convert(target, tmp_path / "target.gguf")
    assert (tmp_path / "sum.gguf").read_bytes() == (tmp_path / "target.gguf").read_bytes()


def test_another_size_another_tokenizer_other_names(three: tuple[Path, Path, Path], make_checkpoint: Make) -> None:
    base, _, delta = three
    wide = CONFIG | {"intermediate_size": 1024}
    large = make_checkpoint("large", tensors=with_norms(random_tensors(wide)), intermediate_size=1024)
    refused(delta, large, "not the base", "shape", "another size")
    deep = make_checkpoint(
        "shallow", tensors=with_norms(random_tensors(CONFIG | {"num_hidden_layers": 1})), num_hidden_layers=1
    )
    refused(delta, deep, "not the base", "lacks model.layers.1.")
    (base / "tokenizer.model").write_bytes((base / "tokenizer.model").read_bytes() + b"\x08\x00")
    refused(delta, base, "different tokenizers")


def test_numbers_whose_sum_is_none(three: tuple[Path, Path, Path]) -> None:
    """They are refused without a word of numpy's."""
    base, _, delta = three
    name = "model.layers.1.mlp.down_proj.weight"
    for folder, value in ((base, float("-inf")), (delta, float("inf"))):
        tensors = load_file(folder / "model.safetensors")
        tensors[name].view(-1)[3] = value
        save_file(tensors, folder / "model.safetensors")
    refused(delta, base, name, "infinite")


def test_a_norm_of_huge_numbers_is_no_difference(make_checkpoint: Make, tmp_path: Path) -> None:
    tensors = random_tensors(CONFIG)
    tensors["model.norm.weight"] += 3e38
    assert convert(make_checkpoint(tensors=tensors), tmp_path / "out.gguf", "Q8_0").path.exists()
