"""What the file says of itself, read back with the gguf package and by llama.cpp."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gguf import GGUFReader

from bayling_convert import Folder, Provenance, convert
from bayling_convert.proof.scoring import Scorer
from bayling_convert.tokenizer.vocab import read_vocab
from bayling_lite.engine.templates import placeholders
from bayling_lite.errors import CheckpointError, UsageError
from bayling_lite.gguf_file import read_header
from bayling_lite.prompts import BAYLING, V1_PLACEHOLDERS
from tests.convert.byte_level_tokenizers import SIZE, llama3_like, write_tokenizer
from tests.convert.native_tokenizer import native_vocabulary

SAID = {
    "name": "bayling-tiny",
    "template": "bayling",
    "languages": ["en", "zh", "de", "fr"],
    "license": "CC-BY-SA-4.0",
    "demonstrator": True,
    "base": None,
    "recipe_sha256": "a" * 64,
    "data_sha256": "b" * 64,
    "version": "0",
}


def metadata(path: Path) -> dict[str, Any]:
    return {key: field.contents() for key, field in GGUFReader(path).fields.items()}


def test_every_key(make_checkpoint: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    done = convert(make_checkpoint(said=SAID), path, "Q4_K_M")
    found = metadata(path)
    expected = {
        "general.architecture": "llama",
        "general.type": "model",
        "general.name": "bayling-tiny",
        "general.basename": "bayling-tiny",
        "general.size_label": "1.5M",
        "general.license": "CC-BY-SA-4.0",
        "general.languages": ["en", "zh", "de", "fr"],
        "general.version": "0",
        "general.file_type": 15,
        "general.quantization_version": 2,
        "llama.block_count": 2,
        "llama.context_length": 256,
        "llama.embedding_length": 256,
        "llama.feed_forward_length": 512,
        "llama.attention.head_count": 4,
        "llama.attention.head_count_kv": 2,
        "llama.attention.key_length": 64,
        "llama.attention.value_length": 64,
        "llama.attention.layer_norm_rms_epsilon": pytest.approx(1e-5),
        "llama.rope.freq_base": 10000.0,
        "llama.rope.dimension_count": 64,
        "llama.vocab_size": 600,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_eos_token": False,
        "tokenizer.ggml.add_space_prefix": False,
        "tokenizer.ggml.remove_extra_whitespaces": False,
        "tokenizer.chat_template": BAYLING.jinja,
        "bayling.template": "bayling",
        "bayling.stop_token_ids": [2],
        "bayling.languages": ["en", "zh", "de", "fr"],
        "bayling.demonstrator": True,
        "bayling.recipe_sha256": "a" * 64,
        "bayling.data_sha256": "b" * 64,
        "bayling.version": "0",
    }
    assert {key: found.get(key) for key in expected} == expected
    assert "bayling.base" not in found
    assert len(found["tokenizer.ggml.tokens"]) == len(found["tokenizer.ggml.scores"]) == 600
    assert found["tokenizer.ggml.tokens"][:3] == ["<unk>", "<s>", "</s>"]
    assert found["tokenizer.ggml.token_type"][:4] == [2, 3, 3, 6]
    assert (done.n_bytes, done.n_tensors) == (path.stat().st_size, 21)
    with Scorer(path, n_ctx=32) as scorer:
        assert (scorer.bos, scorer.eos, scorer.n_vocab) == (1, 2, 600)


def test_without_bayling_json_the_folder_names_it_and_its_chat_template_stays(
    make_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_checkpoint("my-model")
    path = tmp_path / "model.gguf"
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": "old"}), encoding="utf-8")
    convert(folder, path, "F16")
    found = metadata(path)
    assert (found["general.name"], found["tokenizer.chat_template"]) == ("my-model", "old")
    assert "bayling.template" not in found
    assert found["bayling.demonstrator"] is False
    (folder / "chat_template.jinja").write_text("new", encoding="utf-8")
    convert(folder, path, "F16", overwrite=True)
    assert metadata(path)["tokenizer.chat_template"] == "new"
    convert(folder, path, "F16", template="bayling", overwrite=True)
    found = metadata(path)
    assert (found["bayling.template"], found["tokenizer.chat_template"]) == ("bayling", BAYLING.jinja)


def test_a_base_model_is_named(make_checkpoint: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    convert(make_checkpoint(said={"name": "b", "base": "llama", "datasets": ["tatoeba"]}), path, "F16")
    found = metadata(path)
    assert (found["bayling.base"], found["general.base_model.0.name"]) == ("llama", "llama")
    assert found["general.datasets"] == ["tatoeba"]


@pytest.mark.parametrize(
    "old",
    [
        {"rope_parameters": None, "rope_theta": 50000.0, "torch_dtype": "float32", "dtype": None},
        {"rope_parameters": {"rope_theta": 50000.0, "rope_type": "default"}},
    ],
    ids=["before transformers 5", "since transformers 5"],
)
def test_old_and_new_configurations(old: dict[str, Any], make_checkpoint: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    convert(make_checkpoint(**old), path, "F16")
    assert metadata(path)["llama.rope.freq_base"] == 50000.0


def test_templates_that_do_not_fit(make_checkpoint: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_checkpoint()
    path = tmp_path / "model.gguf"
    with pytest.raises(UsageError, match="bayling, bayling-3"):
        convert(folder, path, template="nonsense")
    with pytest.raises(CheckpointError, match=r"<\|start_header_id\|>.*choose another template"):
        convert(folder, path, template="bayling-3")
    (folder / "bayling.json").write_text('{"template": "nonsense"}', encoding="utf-8")
    with pytest.raises(CheckpointError, match="nonsense"):
        convert(folder, path)
    assert not path.exists()


def test_the_token_that_ends_a_turn(make_checkpoint: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_checkpoint(vocab_size=605)
    names = ("<|eot_id|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>")
    added = {str(600 + number): {"content": name, "special": True} for number, name in enumerate(names)}
    (folder / "tokenizer_config.json").write_text(json.dumps({"added_tokens_decoder": added}), encoding="utf-8")
    convert(folder, tmp_path / "model.gguf", "F16", template="bayling-3")
    found = metadata(tmp_path / "model.gguf")
    assert found["tokenizer.ggml.eot_token_id"] == 600
    assert found["bayling.stop_token_ids"] == [2, 600, 601]


@pytest.fixture
def llama3_checkpoint(make_checkpoint: Callable[..., Path]) -> Path:
    """Of the shape of the published 8B checkpoint: its configuration names as EOS what does not end a turn."""
    folder = make_checkpoint("bayling-2-llama-3-8b", vocab_size=SIZE, num_hidden_layers=1, eos_token_id=2001)
    (folder / "tokenizer.model").unlink()
    write_tokenizer(folder, llama3_like())
    (folder / "generation_config.json").write_text('{"eos_token_id": [2, 2001]}', encoding="utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("template", ["bayling-3", None])
def test_a_byte_level_tokenizer(template: str | None, llama3_checkpoint: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    said = Provenance(languages=("en", "zh"), base="Llama-3-8B-Instruct", base_url="https://hub.example/llama")
    convert(llama3_checkpoint, path, "F16", template=template, provenance=said)
    found = metadata(path)
    expected = {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "llama-bpe",
        "tokenizer.ggml.bos_token_id": 2000,
        "tokenizer.ggml.eos_token_id": 2001,
        "tokenizer.ggml.eot_token_id": 2009,
        "tokenizer.ggml.add_bos_token": True,
        "bayling.stop_token_ids": [2001, 2009],
        "bayling.languages": ["en", "zh"],
        "general.base_model.0.name": "Llama-3-8B-Instruct",
        "general.base_model.0.url": "https://hub.example/llama",
    }
    assert {key: found.get(key) for key in expected} == expected
    assert "tokenizer.ggml.scores" not in found
    assert len(found["tokenizer.ggml.merges"]) == len(llama3_like()["model"]["merges"])


def test_the_runtime_stops_where_the_file_says(llama3_checkpoint: Path, tmp_path: Path) -> None:
    """A token that llama.cpp knows no reason to stop at, but the checkpoint's configuration does."""
    (llama3_checkpoint / "generation_config.json").write_text('{"eos_token_id": [2, 2001, 2100]}', encoding="utf-8")
    convert(llama3_checkpoint, tmp_path / "model.gguf", "F16", template="bayling-3")
    header = read_header(tmp_path / "model.gguf")
    ends = header.numbers("bayling.stop_token_ids")
    assert ends == (2001, 2009, 2100)
    config = json.loads((llama3_checkpoint / "tokenizer_config.json").read_text(encoding="utf-8"))
    with native_vocabulary(read_vocab(Folder(llama3_checkpoint), SIZE, config), ends=ends) as told:
        assert [told.is_end(number) for number in (2, 2001, 2009, 2100, 2101)] == [False, True, True, True, False]
    with native_vocabulary(read_vocab(Folder(llama3_checkpoint), SIZE, config)) as untold:
        assert [untold.is_end(number) for number in (2001, 2009, 2100)] == [True, True, False]


def test_placeholders(make_checkpoint: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_checkpoint("v1")
    convert(folder, tmp_path / "model.gguf", "F16", template="bayling", provenance=Provenance(placeholders=True))
    assert placeholders(read_header(tmp_path / "model.gguf")) == V1_PLACEHOLDERS
    convert(folder, tmp_path / "other.gguf", "F16", template="bayling")
    assert placeholders(read_header(tmp_path / "other.gguf")) == {}
