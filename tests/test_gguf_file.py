"""Bad model files are told apart before llama.cpp sees them."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from bayling_lite.engine.llama import LlamaEngine
from bayling_lite.errors import ModelNotFound, ModelUnreadable
from bayling_lite.gguf_file import check_is_model, read_header
from tests.conftest import MAKE_MODEL


def test_the_metadata_of_a_whole_file(random_model: Path) -> None:
    header = read_header(random_model)
    assert header.text("general.architecture") == "llama"
    assert header.text("bayling.template") == "bayling"
    assert header.number("llama.context_length") == 512
    assert header.flag("tokenizer.ggml.add_space_prefix") is False
    assert header.text("llama.context_length") is header.text("missing") is None
    assert "tokenizer.ggml.tokens" not in header.metadata


def test_every_truncation_is_noticed(random_model: Path, tmp_path: Path) -> None:
    whole = random_model.read_bytes()
    cut = tmp_path / "cut.gguf"
    for size in [*range(8, 40), *range(40, len(whole), len(whole) // 40), len(whole) - 64]:
        cut.write_bytes(whole[:size])
        with pytest.raises(ModelUnreadable, match="truncated"):
            read_header(cut)


def test_a_truncated_file_says_how_much_is_there(random_model: Path, tmp_path: Path) -> None:
    whole = random_model.read_bytes()
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(whole[:-1000])
    with pytest.raises(ModelUnreadable, match=f"holds {len(whole) - 1000:,} of {len(whole):,} bytes"):
        read_header(cut)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"GG", "not a GGUF"),
        (b"PK\x03\x04" + bytes(100), "not a GGUF"),
        ("早上好\n".encode() * 50, "not a GGUF"),
        (b"GGUF" + struct.pack("<IQQ", 1, 0, 0), "version 1"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "byte order"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 2**62) + bytes(64), "truncated"),
        (b"GGUF" + struct.pack("<IQQQ1sI", 3, 0, 1, 1, b"k", 99) + bytes(64), "damaged: unknown value type 99"),
        (b"GGUF" + struct.pack("<IQQQ1sIB", 3, 0, 1, 1, b"k", 7, 5) + bytes(64), "damaged: a truth value"),
        (b"GGUF" + struct.pack("<IQQQ1sI", 3, 1, 0, 1, b"t", 9) + bytes(64), "damaged: the tensor 't' has 9 dim"),
        (b"GGUF" + struct.pack("<IQQQ1sIQIQ", 3, 1, 0, 1, b"t", 1, 8, 999, 0) + bytes(64), "unknown type"),
    ],
)
def test_files_that_are_no_models(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelUnreadable, match=message):
        read_header(path)


def test_a_folder_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelUnreadable, match="is a folder, not a GGUF"):
        read_header(tmp_path)
    (tmp_path / "config.json").touch()
    with pytest.raises(ModelUnreadable, match="bayling convert"):
        read_header(tmp_path)
    with pytest.raises(ModelNotFound, match="no file"):
        read_header(tmp_path / "none.gguf")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("adapter", "is a LoRA adapter for bayling-2-7b, not a model: .* bayling convert ADAPTER --base CHECKPOINT"),
        ("imatrix", "is an importance matrix, not a model"),
        ("mmproj", "the part of a model that reads images"),
    ],
)
def test_what_goes_with_a_model_is_not_opened_as_one(make_model: MAKE_MODEL, kind: str, said: str) -> None:
    path = make_model(metadata={"general.type": kind, "general.base_model.0.name": "bayling-2-7b"})
    with pytest.raises(ModelUnreadable, match=said):
        LlamaEngine.open(path)
    check_is_model(read_header(make_model(metadata={"general.type": "model"})))
