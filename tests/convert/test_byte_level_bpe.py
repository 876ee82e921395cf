"""llama.cpp's tokenizer, fed by our metadata, gives the ids of the checkpoint's own: byte-level BPE (LLaMA 3)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bayling_convert.reading.files import Folder
from bayling_convert.tokenizer.byte_level_bpe import GPT2, LLAMA3, QWEN2
from bayling_convert.tokenizer.pieces import PieceType, Vocab
from bayling_convert.tokenizer.vocab import read_vocab
from bayling_lite.errors import CheckpointError
from tests.convert.byte_level_tokenizers import (
    DIGITS,
    GPT2_STEP,
    LLAMA3_REGEX,
    PLAIN,
    SIZE,
    SPECIALS,
    cuts,
    llama3_like,
    reference,
    split,
    with_merge,
    write_tokenizer,
)
from tests.convert.native_tokenizer import native_vocabulary
from tests.convert.varied_strings import KNOWN_DIFFERENCES, varied_strings


def read(folder: Path, vocab_size: int = SIZE) -> Vocab:
    config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    return read_vocab(Folder(folder), vocab_size, config)


def differing(folder: Path, vocab: Vocab, texts: list[str]) -> list[str]:
    tokenizer = reference(folder)
    with native_vocabulary(vocab) as llama:
        return [text for text in texts if llama.tokenize(text) != tokenizer.encode(text, add_special_tokens=False).ids]


@pytest.mark.parametrize(
    ("pre", "ignore_merges", "steps"),
    [
        ("llama-bpe", True, cuts(split(LLAMA3_REGEX))),
        pytest.param("llama-bpe", True, cuts(split(LLAMA3, behavior="Removed", invert=True)), marks=pytest.mark.slow),
        pytest.param("smaug-bpe", False, cuts(split(LLAMA3)), marks=pytest.mark.slow),
        pytest.param("qwen2", False, cuts(split(QWEN2)), marks=pytest.mark.slow),
        pytest.param("gpt-2", False, GPT2_STEP, marks=pytest.mark.slow),
        ("gpt-2", False, cuts(split(GPT2))),
        pytest.param(
            "smollm", False, {"type": "Sequence", "pretokenizers": [DIGITS, GPT2_STEP]}, marks=pytest.mark.slow
        ),
    ],
)
def test_a_thousand_strings(pre: str, ignore_merges: bool, steps: dict[str, Any], tmp_path: Path) -> None:
    said = llama3_like(ignore_merges=ignore_merges) | {"pre_tokenizer": steps}
    write_tokenizer(tmp_path, said)
    vocab = read(tmp_path)
    assert (vocab.model, vocab.pre, vocab.caveats) == ("gpt2", pre, ())
    assert differing(tmp_path, vocab, varied_strings(1000)) == []


def test_the_cuts_are_what_the_strings_test(tmp_path: Path) -> None:
    """With another regular expression's name, many of the strings come out differently."""
    write_tokenizer(tmp_path, llama3_like(ignore_merges=False))
    wrong = llama3_like(ignore_merges=False) | {"pre_tokenizer": cuts(split(QWEN2))}
    write_tokenizer(tmp_path / "other", wrong)
    assert len(differing(tmp_path, read(tmp_path / "other"), varied_strings(1000))) > 50


def test_words_that_no_merging_makes(tmp_path: Path) -> None:
    said = llama3_like()
    said["model"]["merges"] = [pair for pair in said["model"]["merges"] if "song" not in (*pair, "".join(pair))]
    assert "song" in said["model"]["vocab"]
    write_tokenizer(tmp_path, said)
    texts = ["song", "1song\nsong", "a song", "songs", *varied_strings(300)]
    assert differing(tmp_path, read(tmp_path), texts) == []
    said["model"]["ignore_merges"] = False
    write_tokenizer(tmp_path / "merging", said)
    assert differing(tmp_path, read(tmp_path / "merging"), ["song"]) == ["song"]


def test_both_ways_to_write_merges(tmp_path: Path) -> None:
    said = llama3_like()
    write_tokenizer(tmp_path, said)
    pairs = read(tmp_path)
    said["model"]["merges"] = [" ".join(pair) for pair in said["model"]["merges"]]
    write_tokenizer(tmp_path, said)
    assert read(tmp_path) == pairs


def test_special_tokens(tmp_path: Path) -> None:
    write_tokenizer(tmp_path, llama3_like())
    vocab = read(tmp_path, SIZE + 3)
    assert [piece.text for piece in vocab.pieces[2000:SIZE]] == list(SPECIALS)
    assert {piece.kind for piece in vocab.pieces[2000:SIZE]} == {PieceType.CONTROL}
    assert {piece.kind for piece in vocab.pieces[:2000]} == {PieceType.NORMAL}
    assert {piece.kind for piece in vocab.pieces[SIZE:]} == {PieceType.UNUSED}
    assert (vocab.bos, vocab.eos, vocab.add_bos, vocab.add_eos, vocab.spellable_specials()) == (
        2000,
        2001,
        True,
        False,
        (),
    )
    tokenizer = reference(tmp_path)
    tokenizer.encode_special_tokens = False
    text = "<|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|>"
    with native_vocabulary(vocab) as llama:
        assert llama.bos == 2000
        assert llama.tokenize(text, special=True) == tokenizer.encode(text, add_special_tokens=False).ids
        assert not [number for number in llama.tokenize("".join(SPECIALS)) if number >= 2000]


def test_tokens_found_in_every_text(tmp_path: Path) -> None:
    said = llama3_like()
    said["added_tokens"] += [{"id": SIZE, "content": "<think>", **PLAIN}, {"id": SIZE + 1, "content": "词元", **PLAIN}]
    write_tokenizer(tmp_path, said)
    vocab = read(tmp_path, SIZE + 2)
    assert [piece.kind for piece in vocab.pieces[SIZE:]] == [PieceType.USER_DEFINED] * 2
    texts = ["<think>", " <think>a", "这个词元和词", "<think><think>\n词元 词元", "<thin", *varied_strings(200)]
    assert differing(tmp_path, vocab, texts) == []
    assert vocab.caveats == ()
    said["added_tokens"][-1]["content"] = "k>x"
    said["added_tokens"][-2]["rstrip"] = True
    write_tokenizer(tmp_path, said)
    caveats = read(tmp_path, SIZE + 2).caveats
    assert ["spaces around" in caveats[0], "overlap" in caveats[1], len(caveats)] == [True, True, 2]


def test_a_control_token_that_is_one_word(tmp_path: Path) -> None:
    said = llama3_like()
    said["added_tokens"].append({"id": SIZE, "content": "END", **PLAIN, "special": True})
    write_tokenizer(tmp_path, said)
    assert read(tmp_path, SIZE + 1).spellable_specials() == ("END",)


def test_an_ordinary_token_that_llama_cpp_takes_for_an_end(tmp_path: Path) -> None:
    said = llama3_like()
    said["model"]["vocab"]["</s>"] = SIZE
    write_tokenizer(tmp_path, said)
    vocab = read(tmp_path, SIZE + 1)
    assert "'</s>'" in vocab.caveats[0]
    with native_vocabulary(vocab) as llama:
        assert llama.is_end(SIZE)


def test_what_ends_an_answer(tmp_path: Path) -> None:
    write_tokenizer(tmp_path, llama3_like(), {"bos_token": "<|begin_of_text|>"})
    with pytest.raises(CheckpointError, match="which token ends a text"):
        read(tmp_path)
    (tmp_path / "config.json").write_text('{"eos_token_id": 2001}', encoding="utf-8")
    assert (read(tmp_path).eos, read(tmp_path).stops) == (2001, (2001,))
    # Id 2 is an ordinary token here, and no end; nor is what lies outside the vocabulary.
    listed = {"eos_token_id": [2, 2001, 2009, 128009, -1, None, "x"], "pad_token_id": -1}
    (tmp_path / "generation_config.json").write_text(json.dumps(listed), encoding="utf-8")
    vocab = read(tmp_path)
    assert (vocab.eos, vocab.stops, vocab.pad) == (2001, (2001, 2009), None)
    write_tokenizer(tmp_path, llama3_like(), {"eos_token": {"content": "<|eot_id|>"}, "pad_token": "<|end_of_text|>"})
    vocab = read(tmp_path)
    assert (vocab.bos, vocab.eos, vocab.stops, vocab.pad) == (2000, 2009, (2009, 2001), 2001)
    with native_vocabulary(vocab) as llama:
        assert [llama.is_end(number) for number in (2001, 2009, 2010, 2)] == [True, True, False, False]


@pytest.mark.parametrize(
    ("post_processor", "config", "add_bos", "add_eos"),
    [
        ("own", {}, True, False),
        ("own", {"add_bos_token": False}, False, False),
        (None, {}, False, False),
        (None, {"add_bos_token": True}, True, False),
        ({"type": "ByteLevel", "trim_offsets": True}, {"add_eos_token": True}, False, True),
    ],
)
def test_who_writes_bos(
    post_processor: Any, config: dict[str, Any], add_bos: bool, add_eos: bool, tmp_path: Path
) -> None:
    said = llama3_like()
    if post_processor != "own":
        said["post_processor"] = post_processor
    write_tokenizer(tmp_path, said, config | {"bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>"})
    vocab = read(tmp_path)
    assert (vocab.bos, vocab.add_bos, vocab.add_eos) == (2000, add_bos, add_eos)
    with native_vocabulary(vocab) as llama:
        assert llama.bos == (2000 if add_bos else None)


def test_a_model_file_of_another_kind_beside_it(tmp_path: Path) -> None:
    write_tokenizer(tmp_path, llama3_like())
    (tmp_path / "tokenizer.model").write_bytes(b"IQ== 0\nIg== 1\n")
    assert read(tmp_path).model == "gpt2"


@pytest.mark.parametrize(
    ("left", "right", "text"),
    [
        ("a", "中", "a中"),
        ("s", "a", "'sa s'a"),
        *(
            pytest.param(*case, marks=pytest.mark.xfail(strict=True, reason=f"llama.cpp differs: {what}"))
            for what, case in KNOWN_DIFFERENCES.items()
        ),
    ],
)
def test_where_words_end(left: str, right: str, text: str, tmp_path: Path) -> None:
    """Two characters that are joined where they stand in one word; and the differences that are known."""
    write_tokenizer(tmp_path, with_merge(left, right))
    assert differing(tmp_path, read(tmp_path, SIZE + 8), [text]) == []
