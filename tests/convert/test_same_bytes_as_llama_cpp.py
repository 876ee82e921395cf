"""One pass here gives bit for bit what llama.cpp gives in two."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import pytest
import torch
from gguf import GGUFReader, LlamaFileType

from bayling_convert import FileType, convert
from bayling_convert.scoring import Scorer

SHAPES: dict[str, dict[str, Any]] = {
    "untied": {"num_hidden_layers": 3},
    "tied": {"tie_word_embeddings": True},
    "many layers": {"num_hidden_layers": 17, "hidden_size": 256, "intermediate_size": 256},
    # Rows of 192 and 320 are no multiples of 256, the block of the K types.
    "narrow": {"hidden_size": 192, "intermediate_size": 320},
    "narrow, tied": {"hidden_size": 192, "intermediate_size": 512, "tie_word_embeddings": True},
    # Rows of 72 and 80 are no multiples of 32 either: those stay F16.
    "odd": {"hidden_size": 72, "intermediate_size": 80, "num_attention_heads": 2, "num_key_value_heads": 1},
    "odd, tied": {
        "hidden_size": 72,
        "intermediate_size": 256,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "tie_word_embeddings": True,
    },
}


def quantize(source: Path, target: Path, file_type: FileType) -> None:
    """llama.cpp's own quantization of a GGUF."""
    with Scorer(source, n_ctx=32):
        pass  # starts the library, quietly
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = int(LlamaFileType["MOSTLY_" + file_type.value])
    params.nthread = 2
    status = llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(params))
    assert status == 0


def tensors(path: Path) -> list[tuple[str, str, list[int], bytes]]:
    """Name, type, shape and bytes of every tensor, in the order of the file."""
    return [(t.name, t.tensor_type.name, t.shape.tolist(), t.data.tobytes()) for t in GGUFReader(path).tensors]


def assert_equal_to_two_steps(checkpoint: Path, folder: Path, file_type: FileType) -> None:
    exact, ours, theirs = folder / "f32.gguf", folder / "ours.gguf", folder / "theirs.gguf"
    convert(checkpoint, exact, "F32")
    convert(checkpoint, ours, file_type)
    quantize(exact, theirs, file_type)
    for mine, other in zip(tensors(ours), tensors(theirs), strict=True):
        assert mine[:3] == other[:3]
        assert mine[3] == other[3], f"the bytes of {mine[0]} differ"


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("file_type", [FileType.Q4_K_M, FileType.Q8_0, FileType.F16, FileType.BF16])
def test_every_tensor(file_type: FileType, shape: str, make_checkpoint: Callable[..., Path], tmp_path: Path) -> None:
    assert_equal_to_two_steps(make_checkpoint(**SHAPES[shape]), tmp_path, file_type)


def test_the_mixture_is_not_of_one_type(make_checkpoint: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "q4.gguf"
    convert(make_checkpoint(**SHAPES["many layers"]), path, "q4_k_m")
    kinds = {name: kind for name, kind, _, _ in tensors(path)}
    assert kinds["output.weight"] == "Q6_K"
    assert kinds["token_embd.weight"] == "Q4_K"
    assert kinds["output_norm.weight"] == "F32"
    raised = [layer for layer in range(17) if kinds[f"blk.{layer}.attn_v.weight"] == "Q6_K"]
    assert raised == [0, 1, 4, 7, 10, 13, 14, 15, 16]
    assert raised == [layer for layer in range(17) if kinds[f"blk.{layer}.ffn_down.weight"] == "Q6_K"]


@pytest.mark.slow
def test_eighty_layers(make_checkpoint: Callable[..., Path], tmp_path: Path) -> None:
    """LLaMA-2-70B's number of layers has a rule of its own."""
    checkpoint = make_checkpoint(num_hidden_layers=80, intermediate_size=256)
    assert_equal_to_two_steps(checkpoint, tmp_path, FileType.Q4_K_M)


def test_pieces_do_not_show(
    make_checkpoint: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = make_checkpoint()
    convert(checkpoint, tmp_path / "large.gguf")
    monkeypatch.setattr("bayling_convert.pipeline._PIECE", 1000)
    convert(checkpoint, tmp_path / "small.gguf")
    assert (tmp_path / "large.gguf").read_bytes() == (tmp_path / "small.gguf").read_bytes()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_checkpoints_are_converted_exactly(
    dtype: torch.dtype, make_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    half = make_checkpoint("half", dtype=dtype, said={"name": "same"})
    widened = {name: tensor.float() for name, tensor in load_file(half / "model.safetensors").items()}
    full = make_checkpoint("full", tensors=widened, said={"name": "same"})
    same_type = "BF16" if dtype is torch.bfloat16 else "F16"
    for file_type in ("F32", same_type, "Q4_K_M"):
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
    convert(shards, tmp_path / "shards.gguf")
    convert(trained, tmp_path / "single.gguf")
    assert (tmp_path / "shards.gguf").read_bytes() == (tmp_path / "single.gguf").read_bytes()
