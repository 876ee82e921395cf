"""Folders that cannot be converted: each is answered with what is wrong and what to do, and nothing is written."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from bayling_convert import convert
from bayling_convert.weights.ggml import ggml_library
from bayling_lite.errors import CheckpointError, ModelError, UsageError
from tests.convert.small_checkpoints import CONFIG, random_tensors

Make = Callable[..., Path]


def refused(folder: Path, *said: str, file_type: str = "Q8_0") -> None:
    """Converting raises a CheckpointError with all these words in it, and leaves no file."""
    output = folder.parent / "out.gguf"
    with pytest.raises(CheckpointError) as caught:
        convert(folder, output, file_type)
    for words in said:
        assert words in str(caught.value)
    left = [path for path in folder.parent.iterdir() if path != folder and path.is_file()]
    assert left == []


def test_no_folder(tmp_path: Path) -> None:
    refused(tmp_path / "nothing", "does not exist", "config.json")


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"")
    with pytest.raises(CheckpointError, match="is a file"):
        convert(path, tmp_path / "out.gguf")


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "no config.json")


@pytest.mark.parametrize("text", ["{", "[]", "\udcff", "{}"], ids=["broken", "list", "not text", "empty"])
def test_a_bad_config(text: str, make_checkpoint: Make) -> None:
    folder = make_checkpoint()
    (folder / "config.json").write_bytes(text.encode(errors="surrogateescape"))
    refused(folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"architectures": ["Qwen2ForCausalLM"]}, "Qwen2ForCausalLM"),
        ({"architectures": None, "model_type": "gpt2"}, "gpt2"),
        ({"hidden_act": "gelu"}, "gelu"),
        ({"quantization_config": {"bits": 4}}, "quantized already"),
        ({"hidden_size": "wide"}, "makes no sense"),
        ({"num_attention_heads": 0}, "makes no sense"),
        ({"num_key_value_heads": 3}, "impossible"),
        ({"rope_parameters": {"rope_type": "yarn", "factor": 2.0}}, "yarn"),
        ({"rope_parameters": {"rope_type": "linear"}}, "factor"),
    ],
)
def test_configurations_that_are_not_llamas(changes: dict[str, Any], said: str, make_checkpoint: Make) -> None:
    refused(make_checkpoint(tensors=random_tensors(CONFIG), **changes), said)


def test_a_model_of_another_kind_names_the_other_converter(make_checkpoint: Make) -> None:
    refused(make_checkpoint(architectures=["MistralForCausalLM"]), "MistralForCausalLM", "convert_hf_to_gguf.py")


def test_no_weights(make_checkpoint: Make) -> None:
    folder = make_checkpoint()
    (folder / "model.safetensors").unlink()
    refused(folder, "no model.safetensors")
    (folder / "pytorch_model.bin").write_bytes(b"")
    refused(folder, "pytorch_model.bin", "not a file of PyTorch")


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_truncated_weights(keep: int, make_checkpoint: Make) -> None:
    folder = make_checkpoint()
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:keep])
    refused(folder, "model.safetensors", "again")


def test_damaged_headers(make_checkpoint: Make) -> None:
    folder = make_checkpoint()
    entry = {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}
    for header in (b"\xff\xff", b"[]", b"{}", b'{"a": 1}', json.dumps({"a": entry}).encode()):
        (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))
        refused(folder)


def test_a_git_lfs_pointer(make_checkpoint: Make) -> None:
    folder = make_checkpoint()
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    refused(folder, "git lfs pull")


def test_a_number_type_that_is_not_known(make_checkpoint: Make) -> None:
    tensors = {name: tensor.double() for name, tensor in random_tensors(CONFIG).items()}
    refused(make_checkpoint(tensors=tensors), "F64", "BF16")


def test_missing_superfluous_and_misshapen_tensors(make_checkpoint: Make) -> None:
    folder = make_checkpoint()
    tensors = random_tensors(CONFIG)
    name = "model.layers.1.mlp.up_proj.weight"
    without = {key: value for key, value in tensors.items() if key != name}
    for wrong, said in (
        (without, "lacks 1 of 21"),
        (without | {name: torch.zeros(511, 256)}, "[511, 256]"),
        (tensors | {"model.layers.0.self_attn.q_proj.lora_A.weight": torch.zeros(8, 256)}, "lora_A"),
    ):
        save_file(wrong, folder / "model.safetensors")
        refused(folder, said)


def test_constants_of_older_checkpoints_are_left_out(make_checkpoint: Make, tmp_path: Path) -> None:
    tensors = random_tensors(CONFIG) | {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.zeros(32)}
    assert convert(make_checkpoint(tensors=tensors), tmp_path / "out.gguf", "F16").n_tensors == 21


def test_a_tied_matrix_stored_twice_is_written_once(make_checkpoint: Make, tmp_path: Path) -> None:
    tensors = random_tensors(CONFIG)
    same = tensors | {"lm_head.weight": tensors["model.embed_tokens.weight"].clone()}
    assert convert(make_checkpoint("a", tensors=same, tie_word_embeddings=True), tmp_path / "a.gguf").n_tensors == 20
    assert convert(make_checkpoint("b", tensors=tensors, tie_word_embeddings=True), tmp_path / "b.gguf").n_tensors == 21


def test_a_missing_shard_and_a_bad_index(make_checkpoint: Make) -> None:
    folder = make_checkpoint()
    index = folder / "model.safetensors.index.json"
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    weight_map = dict.fromkeys(random_tensors(CONFIG), "model-00001-of-00002.safetensors")
    index.write_text(json.dumps({"weight_map": weight_map | {"more": "model-00002-of-00002.safetensors"}}))
    refused(folder, "model-00002-of-00002.safetensors is missing")
    index.write_text(json.dumps({"weight_map": weight_map | {"more": "model-00001-of-00002.safetensors"}}))
    refused(folder, "promises more")
    index.write_text(json.dumps({"weight_map": {"a": "../elsewhere.safetensors"}}))
    refused(folder, "not a file of weights in this folder")
    index.write_text("{}")
    refused(folder, "no weight_map")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_numbers(value: float, make_checkpoint: Make) -> None:
    tensors = random_tensors(CONFIG)
    tensors["model.layers.0.mlp.up_proj.weight"][3, 5] = value
    refused(make_checkpoint(tensors=tensors), "up_proj", "damaged")


def test_weights_too_large_for_the_type(make_checkpoint: Make, tmp_path: Path) -> None:
    tensors = random_tensors(CONFIG)
    tensors["model.layers.0.mlp.up_proj.weight"][3, 5] = 70000.0
    folder = make_checkpoint(tensors=tensors)
    refused(folder, "too large for F16", "BF16", file_type="F16")
    convert(folder, tmp_path / "out.gguf", "BF16")


def test_no_tokenizer(make_checkpoint: Make) -> None:
    folder = make_checkpoint()
    (folder / "tokenizer.model").unlink()
    refused(folder, "no tokenizer.model")
    (folder / "tokenizer.json").write_text("{}")
    refused(folder, "tokenizer.json", "no tokenizer model")


@pytest.mark.parametrize("said", [{"name": 3}, {"languages": [1]}, {"demonstrator": "yes"}])
def test_a_bayling_json_with_wrong_types(said: dict[str, Any], make_checkpoint: Make) -> None:
    refused(make_checkpoint(said=said), "wrong type")


def test_an_unknown_type(make_checkpoint: Make, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Q4_K_M"):
        convert(make_checkpoint(), tmp_path / "out.gguf", "Q3")


def test_a_missing_library(make_checkpoint: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_checkpoint()
    empty = tmp_path / "libraries"
    empty.mkdir()
    monkeypatch.setenv("LLAMA_CPP_LIB_PATH", str(empty))
    ggml_library.cache_clear()
    try:
        with pytest.raises(ModelError, match="pip install"):
            convert(folder, tmp_path / "out.gguf")
        (empty / "libggml-base.so").write_bytes(b"not a library")
        with pytest.raises(ModelError, match="cannot be used"):
            convert(folder, tmp_path / "out.gguf")
    finally:
        ggml_library.cache_clear()
    assert not (tmp_path / "out.gguf").exists()


def test_an_unreadable_link(make_checkpoint: Make) -> None:
    folder = make_checkpoint()
    shutil.rmtree(folder / "model.safetensors", ignore_errors=True)
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").mkdir()
    refused(folder, "model.safetensors")
