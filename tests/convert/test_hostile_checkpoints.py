"""Checkpoints made to do harm: each is refused with a clear reason, at once, in little memory, and leaves nothing."""

from __future__ import annotations

import json
import os
import pickle
import struct
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from bayling_convert import convert
from bayling_lite.errors import CheckpointError
from tests.convert.small_checkpoints import CONFIG, random_tensors
from tests.convert.torch_files import Runs, write_pickle

Make = Callable[..., Path]
WEIGHTS = "model.safetensors"


def everything(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def refused(folder: Path, said: str, *, largest: int = 30_000_000) -> None:
    """A CheckpointError that says this, and no file more than before."""
    before = everything(folder.parent)
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(CheckpointError, match=said) as caught:
            convert(folder, folder.parent / "out.gguf", "Q8_0")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert everything(folder.parent) == before
    assert len(str(caught.value)) < 2000
    assert peak < largest
    assert time.process_time() - began < 20  # not a measurement: what goes wrong here would take minutes or for ever


@pytest.fixture(scope="module")
def tensors() -> dict[str, torch.Tensor]:
    return random_tensors(CONFIG)


def write_safetensors(path: Path, header: bytes, data: bytes = b"") -> None:
    path.write_bytes(struct.pack("<Q", len(header)) + header + data)


def sharded(folder: Path, *parts: dict[str, torch.Tensor], weight_map: dict[str, str] | None = None) -> None:
    """Write shards and, unless another is given, the index that they ask for."""
    (folder / WEIGHTS).unlink(missing_ok=True)
    names = [f"model-{number:05}-of-{len(parts):05}.safetensors" for number in range(1, len(parts) + 1)]
    for name, part in zip(names, parts, strict=True):
        save_file(part, folder / name)
    if weight_map is None:
        weight_map = {tensor: name for name, part in zip(names, parts, strict=True) for tensor in part}
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps({"weight_map": weight_map}))


def halves(tensors: dict[str, torch.Tensor]) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    names = sorted(tensors)
    return {name: tensors[name] for name in names[:10]}, {name: tensors[name] for name in names[10:]}


# The configuration.


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"num_hidden_layers": 2**40}, "num_hidden_layers is 1099511627776"),
        ({"num_hidden_layers": 10**9}, "impossible"),
        ({"num_hidden_layers": 513}, "impossible"),
        ({"num_hidden_layers": -1}, "num_hidden_layers is -1"),
        ({"num_hidden_layers": True}, "num_hidden_layers is True"),
        ({"num_hidden_layers": "2"}, "num_hidden_layers is 2"),
        ({"num_hidden_layers": 2.5}, r"num_hidden_layers is 2\.5"),
        ({"num_hidden_layers": None}, "num_hidden_layers is None"),
        ({"num_hidden_layers": [2]}, "num_hidden_layers is "),
        ({"num_attention_heads": 10**9}, "makes no sense|impossible"),
        ({"num_attention_heads": 10**9, "num_key_value_heads": 10**9, "head_dim": 64}, "shape"),
        ({"num_key_value_heads": -2}, "num_key_value_heads is -2"),
        ({"hidden_size": 2**31 - 1}, "shape|impossible"),
        ({"vocab_size": 2**31 - 1}, "shape"),
        ({"head_dim": 3}, "impossible"),
        ({"head_dim": float("inf")}, "head_dim is inf"),
        ({"max_position_embeddings": 10**400}, "max_position_embeddings is 1000"),
        ({"rms_norm_eps": float("nan")}, "rms_norm_eps is nan"),
        ({"rms_norm_eps": float("inf")}, "rms_norm_eps is inf"),
        ({"rms_norm_eps": -1e-6}, "rms_norm_eps is -1e-06"),
        ({"rms_norm_eps": "small"}, "rms_norm_eps is small"),
        ({"rms_norm_eps": False}, "rms_norm_eps is False"),
        ({"tie_word_embeddings": "false"}, "tie_word_embeddings is false"),
        ({"attention_bias": 1}, "attention_bias is 1"),
        ({"rope_parameters": {"rope_theta": 0}}, "rope_theta is 0"),
        ({"rope_parameters": {"rope_theta": float("nan")}}, "rope_theta is nan"),
        ({"rope_parameters": "linear"}, "makes no sense"),
        ({"rope_parameters": [1, 2]}, "makes no sense"),
        ({"rope_parameters": {"rope_type": "linear", "factor": 0}}, "factor is 0"),
        ({"rope_parameters": {"rope_type": "linear", "factor": float("inf")}}, "factor is inf"),
        ({"rope_parameters": {"rope_type": ["linear"]}}, "only 'linear' and 'llama3'"),
        (
            {
                "rope_parameters": {
                    "rope_type": "llama3",
                    "factor": 8.0,
                    "low_freq_factor": 4.0,
                    "high_freq_factor": 4.0,
                    "original_max_position_embeddings": 8192,
                }
            },
            r"low_freq_factor is 4\.0",
        ),
        ({"architectures": 5}, "only LlamaForCausalLM|shape"),
        ({"architectures": [["LlamaForCausalLM"]], "model_type": None}, "only LlamaForCausalLM"),
        ({"architectures": {"LlamaForCausalLM": 1}, "model_type": {}}, "only LlamaForCausalLM"),
    ],
    ids=str,
)
def test_values_that_cannot_be(
    make_checkpoint: Make, tensors: dict[str, torch.Tensor], changes: dict[str, Any], said: str
) -> None:
    folder = make_checkpoint(tensors={"a": torch.zeros(1)})
    save_file(tensors, folder / WEIGHTS)
    (folder / "config.json").write_text(json.dumps(CONFIG | changes))
    refused(folder, said)


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "bayling.json", f"{WEIGHTS}.index.json"])
def test_json_that_is_too_long_too_deep_or_not_json(make_checkpoint: Make, name: str) -> None:
    folder = make_checkpoint()
    if "index" in name:
        (folder / WEIGHTS).unlink()
    for content, said in (
        (b" " * (9 * 1024 * 1024) + b"{}", "bytes, which no such file needs"),
        (b'{"a":' * 200_000, "cannot be read as JSON"),
        (b"[" * 200_000, "cannot be read as JSON"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "cannot be read as JSON"),
        (b'{"a": "\xff\xfe"}', "cannot be read as JSON"),
        (b"", "cannot be read as JSON"),
        (b'{"a": 1}' * 2, "cannot be read as JSON"),
        (b"[]", "should hold a JSON object"),
    ):
        (folder / name).write_bytes(content)
        refused(folder, said)


# The index and the shards.


def test_a_missing_shard(make_checkpoint: Make, tensors: dict[str, torch.Tensor]) -> None:
    folder = make_checkpoint()
    sharded(folder, *halves(tensors))
    (folder / "model-00002-of-00002.safetensors").unlink()
    refused(folder, r"model-00002-of-00002\.safetensors is missing")


def test_a_tensor_in_two_shards(make_checkpoint: Make, tensors: dict[str, torch.Tensor]) -> None:
    folder = make_checkpoint()
    first, second = halves(tensors)
    name = min(second)
    sharded(folder, first | {name: second[name]}, second)
    refused(folder, f"the tensor {name} is in two files")


def test_an_index_that_names_the_wrong_file(make_checkpoint: Make, tensors: dict[str, torch.Tensor]) -> None:
    folder = make_checkpoint()
    first, second = halves(tensors)
    one, other = (f"model-0000{number}-of-00002.safetensors" for number in (1, 2))
    weight_map = dict.fromkeys(first, other) | dict.fromkeys(second, one)
    sharded(folder, first, second, weight_map=weight_map)
    refused(folder, "not where it says")
    sharded(folder, first, second, weight_map=dict.fromkeys(first, one) | dict.fromkeys(second, other) | {"more": one})
    refused(folder, "promises more")
    sharded(folder, first, second, weight_map=dict.fromkeys(first, one))
    refused(folder, "lacks 11 of 21")


@pytest.mark.parametrize(
    "shard",
    [
        *("../secret.safetensors", "/etc/passwd", "sub/model.safetensors", "..", "", "a\\b.safetensors", "model.txt"),
        *("\0.safetensors", "a\0.bin", "x" * 5000 + ".safetensors", "gone.bin", None, 5, ["a"], {"a": "b"}),
    ],
    ids=lambda shard: str(shard)[:20],
)
def test_an_index_that_leads_elsewhere(make_checkpoint: Make, shard: object) -> None:
    folder = make_checkpoint()
    (folder / WEIGHTS).rename(folder.parent / "secret.safetensors")
    (folder / "sub").mkdir()
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps({"weight_map": {"lm_head.weight": shard}}))
    refused(folder, "not a file of weights in this folder|is missing")


@pytest.mark.parametrize("weight_map", [[], {}, "x", None, 3])
def test_an_index_without_a_map(make_checkpoint: Make, weight_map: object) -> None:
    folder = make_checkpoint()
    (folder / WEIGHTS).unlink()
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps({"weight_map": weight_map}))
    refused(folder, "no weight_map")


# The headers.


def entry(shape: object = (2,), offsets: object = (0, 8), dtype: object = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"a": entry(), "b": entry()}, "overlaps another or leaves a gap"),
        ({"a": entry(), "b": entry(offsets=(4, 12))}, "overlaps another or leaves a gap"),
        ({"a": entry(), "b": entry((1,), (12, 16))}, "overlaps another or leaves a gap"),
        ({"a": entry(offsets=(8, 16))}, "overlaps another or leaves a gap"),
        ({"a": entry()}, "8 bytes behind its last tensor"),
        ({"a": entry((6,), (0, 24))}, "8 bytes behind the file's end"),
        ({"a": entry((2**60,), (0, 2**62))}, "behind the file's end"),
        ({"a": entry((2**62, 2**62, 0), (0, 0))}, "16 bytes behind its last tensor"),
        ({"a": entry((4,), (0, 8))}, "does not fill its bytes"),
        ({"a": entry((2,), (8, 0))}, "does not fill its bytes"),
        ({"a": entry((-2,), (0, -8))}, "damaged header"),
        ({"a": entry((-2, -1))}, "damaged header"),
        ({"a": entry((2.0,))}, "damaged header"),
        ({"a": entry((True, 2))}, "damaged header"),
        ({"a": entry(("2",))}, "damaged header"),
        ({"a": entry(((2,),))}, "damaged header"),
        ({"a": entry(2)}, "damaged header"),
        ({"a": entry("22")}, "damaged header"),
        ({"a": entry(None)}, "damaged header"),
        ({"a": entry((1,) * 9, (0, 4))}, "damaged header"),
        ({"a": entry((10**4000,) * 1000)}, "damaged header"),
        ({"a": entry((2**64,))}, "damaged header"),
        ({"a": entry(offsets=(0, 8.0))}, "damaged header"),
        ({"a": entry(offsets=(False, 8))}, "damaged header"),
        ({"a": entry(offsets=(0, 4, 8))}, "damaged header"),
        ({"a": entry(offsets=8)}, "damaged header"),
        ({"a": entry(dtype="F8_E4M3")}, "F8_E4M3"),
        ({"a": entry(dtype=["F32"])}, "damaged header"),
        ({"a": entry(dtype=None)}, "only F32, F16 and BF16"),
        ({"a": 3}, "damaged header"),
        ({"a": None}, "damaged header"),
        ({"a": {}}, "damaged header"),
        ([], "damaged header"),
        ({}, "16 bytes behind"),
    ],
)
def test_headers_that_lie(make_checkpoint: Make, header: object, said: str) -> None:
    folder = make_checkpoint()
    write_safetensors(folder / WEIGHTS, json.dumps(header).encode(), bytes(16))
    refused(folder, said)


def test_headers_that_are_no_json(make_checkpoint: Make) -> None:
    folder = make_checkpoint()
    twice = b'{"a":%b,"a":%b}' % ((json.dumps(entry()).encode(),) * 2)
    for header in (
        b'{"a":' * 100_000,
        b"[" * 100_000,
        b"{}" * 2,
        twice,
        b'{"a":' + b"9" * 9999 + b"}",
        b"\xff\xfe{}",
        b"  ",
    ):
        write_safetensors(folder / WEIGHTS, header, bytes(8))
        refused(folder, "damaged header")


@pytest.mark.parametrize("length", [0, 1, 2**24 + 1, 2**31, 2**63, 2**64 - 1])
def test_lengths_of_headers_that_cannot_be(make_checkpoint: Make, length: int) -> None:
    folder = make_checkpoint()
    with (folder / WEIGHTS).open("wb") as file:
        file.write(struct.pack("<Q", length) + b"{}")
        file.truncate(1 << 33)  # nothing of it is on the disk
    refused(folder, "not a safetensors file")


@pytest.mark.slow
def test_many_entries_take_little(make_checkpoint: Make) -> None:
    folder = make_checkpoint()
    write_safetensors(folder / WEIGHTS, b'{"a":[' + b"[]," * 1_000_000 + b"1]}")
    refused(folder, "damaged header", largest=120_000_000)


def test_tensors_with_unknown_and_with_strange_names(make_checkpoint: Make, tensors: dict[str, torch.Tensor]) -> None:
    folder = make_checkpoint()
    for name in (
        "model.layers.2.input_layernorm.weight",
        "../x",
        "",
        "lm_head.weight\n",
        "model.layers.00.mlp.up_proj.weight",
    ):
        save_file(tensors | {name: torch.zeros(256)}, folder / WEIGHTS)
        refused(folder, "1 tensors with no place in a LLaMA")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model.norm.weight", float("nan")),
        ("model.layers.1.mlp.down_proj.weight", float("inf")),
        ("lm_head.weight", float("-inf")),
    ],
)
def test_weights_that_are_no_numbers(make_checkpoint: Make, name: str, value: float) -> None:
    tensors = random_tensors(CONFIG)
    tensors[name].view(-1)[-1] = value
    refused(make_checkpoint(tensors=tensors), name.replace(".", r"\."))


# Pickles.


def test_a_pickle_that_asks_for_code(make_checkpoint: Make) -> None:
    folder = make_checkpoint()
    (folder / WEIGHTS).unlink()
    write_pickle(folder / "pytorch_model.bin", pickle.dumps({"a": Runs(os.system, f"touch {folder}/ran")}, protocol=2))
    refused(folder, "asks for code to be run: '.*system'")
    sharded(folder, weight_map={"a": "pytorch_model.bin"})
    refused(folder, "asks for code to be run")


# What stands in a file's place.


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("name", ["config.json", WEIGHTS, "tokenizer.model"])
def test_a_link_out_of_the_folder(make_checkpoint: Make, outside: Path, name: str) -> None:
    folder = make_checkpoint()
    (folder / name).rename(outside / name)
    (folder / name).symlink_to(outside / name)
    refused(folder, "is a link to .*, outside the checkpoint's folder")
    (folder / name).unlink()
    (folder / name).symlink_to(Path("..") / "outside" / name)
    refused(folder, "outside the checkpoint's folder")
    # Through a second link, in the folder itself.
    (folder / "link").symlink_to(outside)
    (folder / name).unlink()
    (folder / name).symlink_to(Path("link") / name)
    refused(folder, "outside the checkpoint's folder")


def test_a_shard_that_is_a_link_out_of_the_folder(
    make_checkpoint: Make, outside: Path, tensors: dict[str, torch.Tensor]
) -> None:
    folder = make_checkpoint()
    sharded(folder, *halves(tensors))
    shard = folder / "model-00002-of-00002.safetensors"
    shard.rename(outside / shard.name)
    shard.symlink_to(outside / shard.name)
    refused(folder, "outside the checkpoint's folder")


def test_the_links_of_the_hubs_cache(make_checkpoint: Make, tmp_path: Path) -> None:
    folder = make_checkpoint()
    blobs, snapshot = (tmp_path / "models--owner--name" / part for part in ("blobs", "snapshots/0123abcd"))
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for number, path in enumerate(sorted(folder.iterdir())):
        path.rename(blobs / str(number))
        (snapshot / path.name).symlink_to(Path("../../blobs") / str(number))
    assert convert(snapshot, tmp_path / "out.gguf", "F16").n_tensors == 21
    (tmp_path / "out.gguf").unlink()
    (blobs / "0").rename(tmp_path / "elsewhere")
    (blobs / "0").symlink_to(tmp_path / "elsewhere")
    refused(snapshot, "outside the checkpoint's folder")


@pytest.mark.parametrize("kind", ["pipe", "folder", "broken link", "loop"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("config.json", "no config.json"),
        (WEIGHTS, "no weights"),
        ("pytorch_model-00001-of-00001.bin", "is missing"),
        ("model-00001-of-00001.safetensors", "is missing"),
        ("tokenizer.model", "no tokenizer"),
    ],
)
def test_something_else_in_a_files_place(make_checkpoint: Make, name: str, said: str, kind: str) -> None:
    folder = make_checkpoint()
    if "00001" in name:
        (folder / WEIGHTS).unlink()
        (folder / f"{WEIGHTS}.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
    path = folder / name
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("nowhere" if kind == "broken link" else name)
    refused(folder, said)


def test_a_link_to_a_device(make_checkpoint: Make) -> None:
    folder = make_checkpoint()
    (folder / "config.json").unlink()
    (folder / "config.json").symlink_to("/dev/zero")
    refused(folder, "no config.json")
