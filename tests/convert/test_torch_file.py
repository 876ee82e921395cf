"""Files of torch.save are read without torch as torch reads them."""

from __future__ import annotations

import io
import json
import tarfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from bayling_convert import convert
from bayling_convert.reading.files import Folder
from bayling_convert.reading.stored import BITS, StoredTensor, widened
from bayling_convert.reading.torch_file import read_torch_header
from bayling_lite.errors import CheckpointError
from tests.convert.small_checkpoints import CONFIG, random_tensors
from tests.convert.torch_files import NAME, header


def numbers(path: Path, stored: StoredTensor) -> np.ndarray:
    bits = np.fromfile(
        path, BITS[stored.dtype], stored.n_bytes // np.dtype(BITS[stored.dtype]).itemsize, offset=stored.offset
    )
    return widened(bits, stored.dtype).reshape(stored.shape)


def assert_same(path: Path) -> dict[str, StoredTensor]:
    tensors = header(path)
    expected = torch.load(path, weights_only=True)
    assert list(tensors) == list(expected)
    for name, tensor in expected.items():
        assert (tensors[name].name, tensors[name].file) == (name, path.name)
        assert np.array_equal(numbers(path, tensors[name]), tensor.detach().float().numpy()), name
    return tensors


def random(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape))).to(dtype)


@pytest.mark.parametrize(
    ("dtype", "said"), [(torch.float32, "F32"), (torch.float16, "F16"), (torch.bfloat16, "BF16")], ids=str
)
def test_every_number_of_a_state_dict(tmp_path: Path, dtype: torch.dtype, said: str) -> None:
    module = torch.nn.Sequential(
        torch.nn.Embedding(7, 32), torch.nn.Linear(32, 5, bias=False), torch.nn.RMSNorm(32)
    ).to(dtype)
    path = tmp_path / NAME
    torch.save(module.state_dict(), path)
    tensors = assert_same(path)
    assert {tensor.dtype for tensor in tensors.values()} == {said}
    assert tensors["0.weight"].shape == (7, 32)


def test_parameters_attributes_scalars_and_empty_tensors(tmp_path: Path) -> None:
    with_attribute = torch.nn.Parameter(random(3, 4))
    with_attribute.initialized = True  # type: ignore[attr-defined]
    tensor = random(2, 2)
    tensor.origin = "here"  # type: ignore[attr-defined]
    path = tmp_path / NAME
    torch.save(
        {
            "parameter": torch.nn.Parameter(random(4, 3)),
            "frozen": torch.nn.Parameter(random(4), requires_grad=False),
            "with_attribute": with_attribute,
            "tensor": tensor,
            "scalar": torch.tensor(1.5),
            "empty": torch.empty(0, 4),
        },
        path,
    )
    assert_same(path)


def test_views_of_one_storage_and_tied_weights(tmp_path: Path) -> None:
    whole = random(10, 6, dtype=torch.bfloat16)
    path = tmp_path / NAME
    torch.save({"whole": whole, "rows": whole[3:5], "tied": whole, "column": whole[:, :1].contiguous()}, path)
    tensors = assert_same(path)
    assert tensors["tied"].offset == tensors["whole"].offset == tensors["rows"].offset - 3 * 6 * 2


@pytest.mark.parametrize(
    "view", [random(4, 6).T, random(4, 6)[:, 2:4], random(1, 6).expand(4, 6)], ids=["T", "cut", "wide"]
)
def test_a_tensor_that_is_not_stored_row_by_row(tmp_path: Path, view: torch.Tensor) -> None:
    path = tmp_path / NAME
    torch.save({"view": view}, path)
    with pytest.raises(CheckpointError, match=r"'view' is not stored row by row.*contiguous"):
        header(path)


def test_strides_of_dimensions_of_one_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / NAME
    torch.save({"row": random(6, 1).T, "column": random(1, 6).T}, path)
    assert_same(path)


@pytest.mark.parametrize("key", ["state_dict", "model", "module"])
def test_a_dictionary_in_a_dictionary(tmp_path: Path, key: str) -> None:
    path = tmp_path / NAME
    torch.save({key: OrderedDict(a=random(3)), "epoch": 3}, path)
    assert list(header(path)) == ["a"]


def test_what_is_no_tensor(tmp_path: Path) -> None:
    path = tmp_path / NAME
    for content in ({"a": random(2), "epoch": 3}, {"a": {"b": {"c": random(2)}}}, {"a": None}):
        torch.save(content, path)
        with pytest.raises(CheckpointError, match=r"is not a tensor\. Save the model's state_dict"):
            header(path)
    for other in ([random(2)], random(2), {3: random(2)}):
        torch.save(other, path)
        with pytest.raises(CheckpointError, match="does not hold tensors by their names"):
            header(path)


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.int64, torch.int8, torch.bool, torch.uint16, torch.float8_e4m3fn]
)
def test_other_number_types_only_in_rotary_tables(tmp_path: Path, dtype: torch.dtype) -> None:
    path = tmp_path / NAME
    torch.save({"a": random(2), "model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(4).to(dtype)}, path)
    assert list(header(path)) == ["a"]
    torch.save({"a": random(2), "model.norm.weight": torch.ones(4).to(dtype)}, path)
    with pytest.raises(CheckpointError, match=r"'model\.norm\.weight' is of type \w+; only F32, F16 and BF16"):
        header(path)


def test_only_headers_are_read(tmp_path: Path) -> None:
    path = tmp_path / NAME
    torch.save({f"layer.{i}": random(256, 512) for i in range(8)}, path)
    folder = Folder(tmp_path)
    read: list[int] = []

    class Counting(io.FileIO):
        def read(self, size: int | None = -1) -> bytes:
            data = super().read(-1 if size is None else size) or b""
            read.append(len(data))
            return data

    folder.open = lambda name: Counting(tmp_path / name)  # type: ignore[method-assign]
    read_torch_header(folder, NAME)
    assert sum(read) < 16_000 < path.stat().st_size
    assert len(read) < 40


def test_formats_before_pytorch_1_6(tmp_path: Path) -> None:
    path = tmp_path / NAME
    torch.save({"a": random(2)}, path, _use_new_zipfile_serialization=False)
    with pytest.raises(CheckpointError, match=r"before 1\.6.*torch\.save\(torch\.load"):
        header(path)
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("storages"))
    with pytest.raises(CheckpointError, match=r"before 1\.6"):
        header(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a file of PyTorch"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
        (b"<!DOCTYPE html>", "not a file of PyTorch"),
        (b"PK\x03\x04", "truncated"),
        (b"PK\x03\x04" + bytes(5000), "truncated"),
    ],
)
def test_what_is_no_file_of_torch(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        header(tmp_path / NAME)


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / NAME
    torch.save({f"layer.{i}": random(16, 16, dtype=torch.float16) for i in range(4)}, path)
    whole = path.read_bytes()
    for size in [*range(0, len(whole), 37), *range(len(whole) - 64, len(whole))]:
        path.write_bytes(whole[:size])
        with pytest.raises(CheckpointError):
            header(path)


def test_no_flipped_byte_ends_otherwise_than_in_an_answer_or_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / NAME
    torch.save({"a": random(4, 4), "b": torch.nn.Parameter(random(3, dtype=torch.float16))}, path)
    whole = path.read_bytes()
    random_numbers = np.random.default_rng(5)
    for _ in range(600):
        changed = bytearray(whole)
        for at in random_numbers.integers(0, len(whole), random_numbers.integers(1, 4)):
            changed[at] = random_numbers.integers(0, 256)
        path.write_bytes(changed)
        try:
            tensors = header(path)
        except CheckpointError:
            continue
        assert all(tensor.offset + tensor.n_bytes <= len(whole) for tensor in tensors.values())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_a_checkpoint_gives_the_same_file_as_from_safetensors(
    make_checkpoint: Callable[..., Path], tmp_path: Path, dtype: torch.dtype
) -> None:
    folder = make_checkpoint(dtype=dtype)
    convert(folder, tmp_path / "expected.gguf", "Q8_0")
    (folder / "model.safetensors").unlink()
    tensors = random_tensors(CONFIG, dtype)
    tensors |= {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(32, dtype=torch.float64)}
    torch.save(tensors, folder / NAME)
    convert(folder, tmp_path / "single.gguf", "Q8_0")
    (folder / NAME).unlink()
    names = sorted(tensors)
    weight_map: dict[str, str] = {}
    for number, part in enumerate((names[:9], names[9:]), start=1):
        shard = f"pytorch_model-{number:05}-of-00002.bin"
        torch.save(OrderedDict((name, torch.nn.Parameter(tensors[name])) for name in part), folder / shard)
        weight_map |= dict.fromkeys(part, shard)
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    convert(folder, tmp_path / "sharded.gguf", "Q8_0")
    expected = (tmp_path / "expected.gguf").read_bytes()
    assert (tmp_path / "single.gguf").read_bytes() == expected
    assert (tmp_path / "sharded.gguf").read_bytes() == expected
