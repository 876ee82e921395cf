"""Tokens added to a vocabulary, from every place where they are written down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sentencepiece

from bayling_convert.reading.files import Folder
from bayling_convert.tokenizer.pieces import PieceType, Vocab
from bayling_convert.tokenizer.vocab import read_vocab
from bayling_lite.errors import CheckpointError
from tests.convert.native_tokenizer import native_vocabulary
from tests.convert.small_checkpoints import train_tokenizer
from tests.convert.varied_strings import varied_strings


def write(folder: Path, *, prefix: bool = False, **files: Any) -> None:
    (folder / "tokenizer.model").write_bytes(train_tokenizer(prefix=prefix))
    for name, said in files.items():
        (folder / f"{name}.json").write_text(json.dumps(said), encoding="utf-8")


def read(folder: Path, vocab_size: int, config: dict[str, Any] | None = None) -> Vocab:
    return read_vocab(Folder(folder), vocab_size, config or {})


def test_they_fill_the_vocabulary(tmp_path: Path) -> None:
    write(tmp_path, added_tokens={"[PAD]": 600, "<s>": 1})
    config = {"added_tokens_decoder": {"601": {"content": "<|end|>", "special": True}}, "eos_token": "<|end|>"}
    vocab = read(tmp_path, 604, config)
    assert len(vocab.pieces) == 604
    assert (vocab.pieces[600].text, vocab.pieces[600].kind) == ("[PAD]", PieceType.USER_DEFINED)
    assert (vocab.pieces[601].text, vocab.pieces[601].kind) == ("<|end|>", PieceType.CONTROL)
    assert vocab.pieces[603].kind is PieceType.UNUSED
    assert (vocab.bos, vocab.eos) == (1, 601)
    with pytest.raises(CheckpointError, match="do not belong together"):
        read(tmp_path, 599)


def test_they_come_from_tokenizer_json_too(tmp_path: Path) -> None:
    """The ids of texts stay the model's: of the other file only the added tokens count."""
    added = [{"id": 600, "content": "<|end|>", "special": True}, {"id": 601, "content": "词元", "special": False}]
    write(tmp_path, tokenizer={"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}, "added_tokens": added})
    vocab = read(tmp_path, 602)
    assert [piece.kind for piece in vocab.pieces[600:]] == [PieceType.CONTROL, PieceType.USER_DEFINED]
    tokenizer = sentencepiece.SentencePieceProcessor(model_proto=train_tokenizer())
    with native_vocabulary(vocab) as llama:
        texts = [text for text in varied_strings(300) if "词元" not in text]
        assert [text for text in texts if llama.tokenize(text) != tokenizer.encode(text)] == []
        assert llama.tokenize("a词元b") == [*tokenizer.encode("a"), 601, *tokenizer.encode("b")]


@pytest.mark.parametrize("place", ["special_tokens_map", "tokenizer_config", "additional"])
def test_what_the_configuration_calls_special(place: str, tmp_path: Path) -> None:
    write(tmp_path, added_tokens={"[PAD]": 600})
    config: dict[str, Any] = {"pad_token": {"content": "[PAD]"}}
    if place == "additional":
        config = {"additional_special_tokens": ["[PAD]"]}
    elif place == "special_tokens_map":
        write(tmp_path, special_tokens_map=config)
        config = {}
    vocab = read(tmp_path, 601, config)
    assert vocab.pieces[600].kind is PieceType.CONTROL
    assert vocab.pad == (None if place == "additional" else 600)


def test_without_a_place_in_the_model(tmp_path: Path) -> None:
    write(tmp_path, added_tokens={"[PAD]": 600})
    with pytest.raises(CheckpointError, match=r"\[PAD\].*600.*knows only 600"):
        read(tmp_path, 600)
    # No text becomes a special token, and the model never writes it: it can be left out.
    assert read(tmp_path, 600, {"pad_token": "[PAD]"}).pad is None


def test_in_the_place_of_another(tmp_path: Path) -> None:
    write(tmp_path, added_tokens={"<think>": 300})
    with pytest.raises(CheckpointError, match="do not belong together"):
        read(tmp_path, 600)
    write(tmp_path, added_tokens={"<think>": 600, "</think>": 601})
    with pytest.raises(CheckpointError, match="is both"):
        read(tmp_path, 602, {"added_tokens_decoder": {"601": {"content": "<think>"}}})
    with pytest.raises(CheckpointError, match="same name"):
        read(tmp_path, 603, {"added_tokens_decoder": {"602": {"content": "<think>"}}})


@pytest.mark.parametrize("decoder", [[], {"x": {"content": "a"}}, {"600": {}}, {"600": {"content": 5}}, {"600": 7}])
def test_a_damaged_list(decoder: Any, tmp_path: Path) -> None:
    write(tmp_path)
    if decoder == []:
        decoder = [1]
    with pytest.raises(CheckpointError, match="tokenizer_config"):
        read(tmp_path, 601, {"added_tokens_decoder": decoder})


def test_spaces(tmp_path: Path) -> None:
    """SentencePiece writes a space as ▁; llama.cpp looks for such a token in the text as it is."""
    write(tmp_path, prefix=True, added_tokens={"▁@@▁": 600})
    vocab = read(tmp_path, 601)
    assert "puts a space before what follows" in vocab.caveats[0]
    with native_vocabulary(vocab) as llama:
        assert 600 in llama.tokenize("a @@ b")


def test_names_of_ids_that_mean_nothing(tmp_path: Path) -> None:
    """No text becomes one of them, and none is like another token: llama.cpp would end the process."""
    added = {"[PAD601]": 600, "[PAD602": 603, "[": 604} | {"[PAD605": 606}
    write(tmp_path, added_tokens=added)
    vocab = read(tmp_path, 607)
    unused = [piece.text for piece in vocab.pieces if piece.kind is PieceType.UNUSED]
    assert unused == ["[PAD601_]", "[PAD602_]", "[PAD605_]"]
    with native_vocabulary(vocab) as llama:
        assert not {601, 602, 605}.intersection(llama.tokenize("".join(unused)))


def test_old_configurations_that_name_other_ids(tmp_path: Path) -> None:
    write(tmp_path, config={"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": -1})
    vocab = read(tmp_path, 600, {"bos_token": "", "eos_token": "", "unk_token": ""})
    assert (vocab.bos, vocab.eos, vocab.stops, vocab.pad) == (1, 2, (2,), None)
