"""One pass here gives bit for bit what llama.cpp gives in two."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGUFReader

from bayling_convert import FileType, convert
from bayling_convert.importance.imatrix import Imatrix
from bayling_convert.weights.ggml import quantize_rows
from bayling_convert.weights.quantize import choose_kinds
from tests.convert.reference_quantizer import (
    Importances,
    Matrix,
    hyper_parameters,
    quantize,
    random_importances,
    random_matrices,
    tensors,
    write_gguf,
)

BLOCKED = [file_type for file_type in FileType if not file_type.is_exact]

OF_ONE_TYPE = (FileType.Q8_0, FileType.Q6_K)
"""Those without a mixture."""

MODELS: dict[str, dict[str, Any]] = {
    "untied": {},
    "tied": {"tied": True},
    # Eight layers and more have a first eighth; four queries share a value head here.
    "odd layers, shared heads": {
        "n_layers": 9,
        "n_heads": 8,
        "head_dim": 8,
        "intermediate_size": 256,
        "vocab_size": 257,
    },
    "odd layers": {"n_layers": 17, "intermediate_size": 256, "n_kv_heads": 4, "vocab_size": 100},
    # Rows of 192 and 320 are no multiples of 256, the block of the K types.
    "narrow": {"n_layers": 9, "hidden_size": 192, "intermediate_size": 320},
    "narrow, tied": {"hidden_size": 192, "intermediate_size": 512, "tied": True},
    # Rows of 72 and 80 are no multiples of 32 either: those stay F16.
    "odd rows": {"hidden_size": 72, "intermediate_size": 80, "n_heads": 2, "n_kv_heads": 1},
    "odd rows, tied": {"hidden_size": 72, "intermediate_size": 256, "n_heads": 2, "n_kv_heads": 1, "tied": True},
}
"""Numbers of a model's shape, for models made of random matrices."""
SLOW = ("untied", "odd layers", "tied", "narrow", "narrow, tied", "odd rows, tied")

CHECKPOINTS: dict[str, dict[str, Any]] = {
    "untied": {"num_hidden_layers": 1},
    "tied": {"tie_word_embeddings": True},
    "many layers": {"num_hidden_layers": 17, "hidden_size": 256, "intermediate_size": 256, "head_dim": 8},
    "narrow, tied": {"hidden_size": 192, "intermediate_size": 512, "tie_word_embeddings": True},
}
"""Keys of ``config.json``, for checkpoints that go the whole way."""


def ours(matrices: list[Matrix], file_type: FileType, hyper: Any, importances: Importances | None) -> dict[str, Any]:
    """Type and bytes of every tensor, as we choose and quantize them."""
    kinds = choose_kinds(file_type, matrices, hyper, has_imatrix=importances is not None)
    made = {}
    for matrix in matrices:
        rows = matrix.data.reshape(-1, matrix.shape[-1])
        quantized = quantize_rows(rows, kinds[matrix.name], (importances or {}).get(matrix.name))
        assert quantized is not None
        made[matrix.name] = (kinds[matrix.name].name, quantized.tobytes())
    return made


def assert_same(
    folder: Path, file_type: FileType, *, measured: bool, seed: int = 0, **changes: Any
) -> dict[str, tuple[str, bytes]]:
    """Types and bytes are llama.cpp's; what they are."""
    hyper = hyper_parameters(**changes)
    matrices = random_matrices(hyper, seed)
    importances = random_importances(matrices) if measured else None
    source = write_gguf(folder / "f32.gguf", hyper, matrices)
    quantize(source, folder / "theirs.gguf", file_type, importances)
    mine = ours(matrices, file_type, hyper, importances)
    theirs = {name: (kind, data) for name, kind, _, data in tensors(folder / "theirs.gguf")}
    assert {name: kind for name, (kind, _) in mine.items()} == {name: kind for name, (kind, _) in theirs.items()}
    assert [name for name in mine if mine[name] != theirs[name]] == []
    return mine


@pytest.mark.slow
@pytest.mark.parametrize("measured", [pytest.param(False, marks=pytest.mark.slow), True], ids=["plain", "imatrix"])
@pytest.mark.parametrize(
    "model", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in MODELS]
)
@pytest.mark.parametrize(
    "file_type", [pytest.param(name, marks=pytest.mark.slow) if name in OF_ONE_TYPE else name for name in BLOCKED]
)
def test_types_and_bytes(file_type: FileType, model: str, measured: bool, tmp_path: Path) -> None:
    assert_same(tmp_path, file_type, measured=measured, **MODELS[model])


@pytest.mark.parametrize("file_type", [FileType.F32, FileType.F16, FileType.BF16])
def test_floats(file_type: FileType, tmp_path: Path) -> None:
    made = assert_same(tmp_path, file_type, measured=True, **MODELS["odd rows"])
    assert {kind for kind, _ in made.values()} == {"F32", file_type.value}


@pytest.mark.slow
@pytest.mark.parametrize("n_kv_heads", [1, 8], ids=["70B", "65B"])
@pytest.mark.parametrize("file_type", [FileType.Q4_K_S, FileType.Q4_K_M, FileType.Q5_K_M, FileType.IQ4_XS])
def test_eighty_layers(file_type: FileType, n_kv_heads: int, tmp_path: Path) -> None:
    """LLaMA-2-70B's number of layers has a rule of its own."""
    shape = {"n_layers": 80, "n_heads": 8, "n_kv_heads": n_kv_heads, "intermediate_size": 256, "vocab_size": 33}
    made = assert_same(tmp_path, file_type, measured=False, **shape)
    raised = sum(kind == "Q5_K" for name, (kind, _) in made.items() if "attn_v" in name)
    if file_type in (FileType.Q4_K_S, FileType.Q4_K_M):
        assert (raised > 10) is (n_kv_heads == 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_random_shapes(seed: int, tmp_path: Path) -> None:
    chance = np.random.default_rng(seed)
    n_kv_heads = int(chance.integers(1, 3))
    shape: dict[str, Any] = {
        "n_layers": int(chance.integers(1, 18)),
        "n_kv_heads": n_kv_heads,
        "n_heads": n_kv_heads * int(chance.choice([1, 2, 3, 4, 5, 8])),
        "head_dim": int(chance.choice([16, 32, 36])),
        "hidden_size": int(chance.choice([64, 192, 256, 260])),
        "intermediate_size": int(chance.choice([80, 128, 256])),
        "vocab_size": int(chance.integers(2, 400)),
        "tied": bool(chance.integers(2)),
    }
    for file_type in BLOCKED:
        assert_same(tmp_path, file_type, measured=bool(chance.integers(2)), seed=seed, **shape)


@pytest.mark.slow
def test_the_importances_are_used(tmp_path: Path) -> None:
    for file_type in (FileType.Q4_0, FileType.Q4_K_M):
        plain = assert_same(tmp_path, file_type, measured=False)
        weighted = assert_same(tmp_path, file_type, measured=True)
        changed = {name for name in plain if plain[name] != weighted[name]}
        assert changed == {name for name in plain if name.startswith("blk.") and "norm" not in name}


def test_an_importance_of_another_length_is_refused() -> None:
    rows = np.ones((2, 256), np.float32)
    with pytest.raises(ValueError, match="256 columns"):
        quantize_rows(rows, FileType.Q4_K_M.default_kind, np.ones(255, np.float32))


@pytest.mark.parametrize("measured", [False, True], ids=["plain", "imatrix"])
@pytest.mark.parametrize(
    ("file_type", "shape"),
    [(FileType.Q4_K_M, "untied"), (FileType.Q4_0, "narrow, tied"), (FileType.BF16, "tied")]
    + [
        pytest.param(file_type, shape, marks=pytest.mark.slow)
        for file_type in (FileType.Q4_K_M, FileType.IQ4_XS)
        for shape in ("tied", "many layers", "narrow, tied")
    ],
)
def test_the_whole_way(
    file_type: FileType, shape: str, measured: bool, make_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    checkpoint = make_checkpoint(**CHECKPOINTS[shape])
    exact, mine, theirs = tmp_path / "f32.gguf", tmp_path / "ours.gguf", tmp_path / "theirs.gguf"
    convert(checkpoint, exact, "F32")
    matrices = [Matrix(tensor.name, tensor.data) for tensor in GGUFReader(exact).tensors]
    importances = random_importances(matrices) if measured else None
    counts = {name: np.asarray([1]) for name in importances or {}}
    imatrix = (
        Imatrix({name: values[np.newaxis] for name, values in importances.items()}, counts) if importances else None
    )
    convert(checkpoint, mine, file_type, imatrix=imatrix)
    quantize(exact, theirs, file_type, importances)
    for one, other in zip(tensors(mine), tensors(theirs), strict=True):
        assert one[:3] == other[:3]
        assert one[3] == other[3], f"the bytes of {one[0]} differ"


def test_the_mixture_is_not_of_one_type(make_checkpoint: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "q4.gguf"
    convert(make_checkpoint(**CHECKPOINTS["many layers"]), path, "q4_k_m")
    kinds = {name: kind for name, kind, _, _ in tensors(path)}
    assert kinds["output.weight"] == "Q6_K"
    assert kinds["token_embd.weight"] == "Q4_K"
    assert kinds["output_norm.weight"] == "F32"
    raised = [layer for layer in range(17) if kinds[f"blk.{layer}.attn_v.weight"] == "Q6_K"]
    assert raised == [0, 1, 4, 7, 10, 13, 14, 15, 16]
    assert raised == [layer for layer in range(17) if kinds[f"blk.{layer}.ffn_down.weight"] == "Q6_K"]


def test_pieces_do_not_show(
    make_checkpoint: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = make_checkpoint()
    convert(checkpoint, tmp_path / "large.gguf")
    monkeypatch.setattr("bayling_convert.work._PIECE", 1000)
    convert(checkpoint, tmp_path / "small.gguf")
    assert (tmp_path / "large.gguf").read_bytes() == (tmp_path / "small.gguf").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_checkpoints_are_converted_exactly(
    dtype: torch.dtype, make_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    half = make_checkpoint("half", dtype=dtype, said={"name": "same"})
    widened = {name: tensor.float() for name, tensor in load_file(half / "model.safetensors").items()}
    full = make_checkpoint("full", tensors=widened, said={"name": "same"})
    same_type = "BF16" if dtype is torch.bfloat16 else "F16"
    for file_type in ("F32", same_type, "Q8_0"):
        convert(half, tmp_path / "half.gguf", file_type, overwrite=True)
        convert(full, tmp_path / "full.gguf", file_type, overwrite=True)
        assert (tmp_path / "half.gguf").read_bytes() == (tmp_path / "full.gguf").read_bytes()
    convert(half, tmp_path / "half.gguf", same_type, overwrite=True)
    stored = {name: data for name, _, _, data in tensors(tmp_path / "half.gguf")}
    embedding = load_file(half / "model.safetensors")["model.embed_tokens.weight"]
    assert stored["token_embd.weight"] == embedding.view(torch.int16).numpy().astype(np.int16).tobytes()


def test_shards_give_the_same_file(trained: Path, tmp_path: Path) -> None:
    from transformers import LlamaForCausalLM

    shards = tmp_path / trained.name
    LlamaForCausalLM.from_pretrained(trained, dtype=torch.float32).save_pretrained(shards, max_shard_size="1MB")
    assert len(list(shards.glob("model-*.safetensors"))) > 2
    for name in ("tokenizer.model", "bayling.json"):
        (shards / name).write_bytes((trained / name).read_bytes())
    convert(shards, tmp_path / "shards.gguf", "Q8_0")
    convert(trained, tmp_path / "single.gguf", "Q8_0")
    assert (tmp_path / "shards.gguf").read_bytes() == (tmp_path / "single.gguf").read_bytes()
