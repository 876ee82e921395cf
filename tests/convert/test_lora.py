"""LoRA adapters, merged in the same pass or laid over the base when it runs, say what peft's own model says."""

from __future__ import annotations

import ctypes
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt
import pytest
import torch
from gguf import GGUFReader
from safetensors.torch import load_file, save_file

from bayling_convert import convert, convert_adapter
from bayling_convert.proof.scoring import Scorer
from bayling_lite.errors import CheckpointError, UsageError
from tests.convert.small_checkpoints import CONFIG, corpus, random_tensors

Make = Callable[..., Path]
TARGETS = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "mlp.down_proj")


@pytest.fixture
def make_adapter(trained: Path, tmp_path: Path) -> Callable[..., Path]:
    """Write an adapter for the trained checkpoint as peft does; ``rank`` and ``changes`` go into its configuration."""
    weights = load_file(trained / "model.safetensors")

    def make(name: str = "adapter", *, rank: int = 4, targets: tuple[str, ...] = TARGETS, **changes: Any) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        config = {"peft_type": "LORA", "r": rank, "lora_alpha": 8, "bias": "none", "base_model_name_or_path": "trained"}
        (folder / "adapter_config.json").write_text(json.dumps(config | changes))
        generator = torch.Generator().manual_seed(3)
        tensors = {}
        for layer in range(2):
            for target in targets:
                module = f"model.layers.{layer}.{target}"
                high, wide = weights[f"{module}.weight"].shape
                start = f"base_model.model.{module}"
                tensors[f"{start}.lora_A.weight"] = torch.randn(rank, wide, generator=generator) * 0.1
                tensors[f"{start}.lora_B.weight"] = torch.randn(high, rank, generator=generator) * 0.1
        save_file(tensors, folder / "adapter_model.safetensors")
        return folder

    return make


def merged(base: Path, adapter: Path, *, scale: Callable[[str], float]) -> dict[str, torch.Tensor]:
    """What ``merge_and_unload`` gives: W + scale * B A."""
    weights: dict[str, torch.Tensor] = load_file(base / "model.safetensors")
    low = load_file(adapter / "adapter_model.safetensors")
    for name in low:
        if ".lora_A" in name:
            target = name.removeprefix("base_model.model.").replace(".lora_A", "")
            weights[target] = weights[target] + scale(target) * (low[name.replace("_A", "_B")] @ low[name])
    return weights


def logits(path: Path, adapter: Path | None = None) -> npt.NDArray[np.float32]:
    """Of some sentences one behind the other, shape (tokens, vocabulary)."""
    with Scorer(path, n_ctx=128) as scorer:
        ids = scorer.tokenize("\n".join(corpus()[::40]))[:100]
        if adapter is None:
            return scorer.logits(ids)
        loaded = llama_cpp.llama_adapter_lora_init(scorer._model, str(adapter).encode())
        assert loaded
        one = (llama_cpp.llama_adapter_lora_p_ctypes * 1)(loaded)
        assert llama_cpp.llama_set_adapters_lora(scorer._context, one, 1, (ctypes.c_float * 1)(1.0)) == 0
        return scorer.logits(ids)


def alike(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> bool:
    return bool(np.abs(one - other).max() < 2e-3)


SCALES: dict[str, tuple[dict[str, Any], Callable[[str], float]]] = {
    "plain": ({}, lambda _: 8 / 4),
    "rank-stabilized": ({"use_rslora": True}, lambda _: 8 / 2),
    "one of its own": (
        {"alpha_pattern": {"1.self_attn.v_proj": 2}},
        lambda name: (2 if "layers.1.self_attn.v_proj" in name else 8) / 4,
    ),
}


@pytest.mark.parametrize("case", SCALES)
def test_merged_and_laid_over_say_the_same(
    case: str, trained: Path, make_adapter: Callable[..., Path], make_checkpoint: Make, tmp_path: Path
) -> None:
    changes, scale = SCALES[case]
    adapter = make_adapter(**changes)
    expected = make_checkpoint("expected", tensors=merged(trained, adapter, scale=scale))
    convert(expected, tmp_path / "expected.gguf", "F32")
    convert(adapter, tmp_path / "merged.gguf", "F32", base=trained)
    convert(trained, tmp_path / "base.gguf", "F32")
    convert_adapter(adapter, trained, tmp_path / "adapter.gguf", "F32")
    wanted = logits(tmp_path / "expected.gguf")
    assert not alike(logits(tmp_path / "base.gguf"), wanted)
    assert alike(logits(tmp_path / "merged.gguf"), wanted)
    assert alike(logits(tmp_path / "base.gguf", tmp_path / "adapter.gguf"), wanted)


def test_an_adapter_of_the_embedding(
    trained: Path, make_adapter: Callable[..., Path], make_checkpoint: Make, tmp_path: Path
) -> None:
    adapter = make_adapter()
    a, b = torch.randn(4, 600) * 0.1, torch.randn(256, 4) * 0.1
    name = "base_model.model.model.embed_tokens.lora_embedding_"
    save_file({f"{name}A": a, f"{name}B": b}, adapter / "adapter_model.safetensors")
    weights = load_file(trained / "model.safetensors")
    weights["model.embed_tokens.weight"] = weights["model.embed_tokens.weight"] + 2 * (b @ a).T
    convert(make_checkpoint("expected", tensors=weights), tmp_path / "expected.gguf", "F32")
    convert(adapter, tmp_path / "merged.gguf", "F32", base=trained)
    convert(trained, tmp_path / "base.gguf", "F32")
    convert_adapter(adapter, trained, tmp_path / "adapter.gguf", "F32")
    wanted = logits(tmp_path / "expected.gguf")
    assert alike(logits(tmp_path / "merged.gguf"), wanted)
    assert alike(logits(tmp_path / "base.gguf", tmp_path / "adapter.gguf"), wanted)


@pytest.mark.parametrize("is_stored", [False, True], ids=["tied", "tied and stored twice"])
@pytest.mark.parametrize("target", ["model.embed_tokens", "lm_head"])
def test_one_matrix_for_embedding_and_output(
    target: str, is_stored: bool, make_adapter: Callable[..., Path], make_checkpoint: Make, tmp_path: Path
) -> None:
    """What was trained is one use of it; the other stays."""
    weights = random_tensors(CONFIG | {"tie_word_embeddings": True})
    embedding = weights["model.embed_tokens.weight"]
    if is_stored:
        weights["lm_head.weight"] = embedding.clone()
    base = make_checkpoint("base", tensors=weights, tie_word_embeddings=True)
    adapter = make_adapter()
    wide, high = torch.randn(4, 256) * 0.1, torch.randn(600, 4) * 0.1
    names, pair = (("A.weight", "B.weight"), (wide, high)) if target == "lm_head" else (("A", "B"), (high.T, wide.T))
    start = f"base_model.model.{target}.lora_{'' if target == 'lm_head' else 'embedding_'}"
    save_file(
        {f"{start}{name}": matrix.contiguous() for name, matrix in zip(names, pair, strict=True)},
        adapter / "adapter_model.safetensors",
    )
    with pytest.raises(CheckpointError, match=r"does not have|cannot change"):
        convert_adapter(adapter, base, tmp_path / "adapter.gguf")
    if target == "lm_head" and not is_stored:
        with pytest.raises(CheckpointError, match="does not have"):
            convert(adapter, tmp_path / "merged.gguf", "F32", base=base)
        return
    convert(adapter, tmp_path / "merged.gguf", "F32", base=base)
    written = {tensor.name: tensor.data for tensor in GGUFReader(tmp_path / "merged.gguf").tensors}
    changed = (embedding + 2 * high @ wide).numpy()
    looked_up, output = (embedding.numpy(), changed) if target == "lm_head" else (changed, embedding.numpy())
    assert np.abs(written["token_embd.weight"] - looked_up).max() < 1e-5
    assert np.abs(written["output.weight"] - output).max() < 1e-5


def test_a_base_that_contradicts_its_configuration(
    make_adapter: Callable[..., Path], make_checkpoint: Make, tmp_path: Path
) -> None:
    base = make_checkpoint("base", tensors=random_tensors(CONFIG), head_dim=32)
    with pytest.raises(CheckpointError, match=r"config\.json asks for"):
        convert_adapter(make_adapter(), base, tmp_path / "adapter.gguf")
    assert not (tmp_path / "adapter.gguf").exists()


def test_a_merged_model_says_where_it_is_from(trained: Path, make_adapter: Callable[..., Path], tmp_path: Path) -> None:
    done = convert(make_adapter("formal"), tmp_path / "merged.gguf", base=trained)
    assert (done.provenance.name, done.provenance.base) == ("formal", "bayling-trained")
    assert done.template == "bayling"
    assert done.provenance.languages == ("en", "zh", "de")


@pytest.fixture
def refused(trained: Path, tmp_path: Path) -> Callable[..., None]:
    def refuse(adapter: Path, *said: str, kind: type[Exception] = CheckpointError, base: Path | None = trained) -> None:
        with pytest.raises(kind, match=".*".join(map(re.escape, said))):
            convert(adapter, tmp_path / "out.gguf", base=base)
        if base is not None:
            with pytest.raises(kind):
                convert_adapter(adapter, base, tmp_path / "out.gguf")
        assert not (tmp_path / "out.gguf").exists()

    return refuse


def test_an_adapter_needs_its_base(make_adapter: Callable[..., Path], refused: Callable[..., None]) -> None:
    refused(make_adapter(), "LoRA adapter", "trained on, trained", "--base", kind=UsageError, base=None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"use_dora": True}, "DoRA"),
        ({"peft_type": "IA3"}, "IA3"),
        ({"bias": "all"}, "biases"),
        ({"modules_to_save": ["lm_head"]}, "lm_head"),
        ({"fan_in_fan_out": True}, "transposed"),
        ({"lora_alpha": "much"}, "makes no sense"),
        ({"lora_alpha": float("nan")}, "lora_alpha is nan"),
        ({"lora_alpha": 1e300}, "lora_alpha is 1e+300"),
        ({"init_lora_weights": "pissa"}, "changed weights ('pissa')"),
        ({"alora_invocation_tokens": [1]}, "part of the text"),
        ({"layer_replication": [[0, 2], [1, 2]]}, "repeats layers"),
    ],
)
def test_what_is_more_than_two_thin_matrices(
    changes: dict[str, Any], said: str, make_adapter: Callable[..., Path], refused: Callable[..., None]
) -> None:
    refused(make_adapter(**changes), said)


def test_another_base(make_adapter: Callable[..., Path], refused: Callable[..., None], make_checkpoint: Make) -> None:
    adapter = make_adapter()
    refused(adapter, "shape", "says it was trained on trained", base=make_checkpoint(intermediate_size=256))
    refused(adapter, "layers.1", "does not have", base=make_checkpoint("shallow", num_hidden_layers=1))


def test_damaged_weights(make_adapter: Callable[..., Path], refused: Callable[..., None]) -> None:
    adapter = make_adapter()
    path = adapter / "adapter_model.safetensors"
    tensors = load_file(path)
    first = next(name for name in tensors if "lora_A" in name)
    for wrong, said in (
        ({name: tensor for name, tensor in tensors.items() if name != first}, "only one of two"),
        (tensors | {first: tensors[first][:2].contiguous()}, "do not fit together"),
        (tensors | {"base_model.model.model.norm.weight": torch.ones(256)}, "no matrix of LoRA"),
        ({}, "no LoRA matrices"),
    ):
        save_file(wrong, path)
        refused(adapter, said)
    path.unlink()
    refused(adapter, "has no adapter_model.safetensors")


def test_an_adapter_is_not_quantized(trained: Path, make_adapter: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="F32, F16 or BF16"):
        convert_adapter(make_adapter(), trained, tmp_path / "out.gguf", "Q4_K_M")
