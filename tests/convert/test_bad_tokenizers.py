"""A damaged or hostile tokenizer gets a clear error, and one of another kind a hint who can convert it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bayling_convert.reading.files import Folder
from bayling_convert.tokenizer.byte_level_bpe import LLAMA3
from bayling_convert.tokenizer.pieces import Vocab
from bayling_convert.tokenizer.vocab import read_vocab
from bayling_lite.errors import CheckpointError
from tests.convert.byte_level_tokenizers import GPT2_STEP, PLAIN, SIZE, cuts, llama3_like, split, write_tokenizer


def read(folder: Path, vocab_size: int = SIZE) -> Vocab:
    config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    return read_vocab(Folder(folder), vocab_size, config)


def model(**options: Any) -> Callable[[dict[str, Any]], object]:
    return lambda said: said["model"].update(options)


def vocabulary(**tokens: Any) -> Callable[[dict[str, Any]], object]:
    return lambda said: said["model"]["vocab"].update(tokens)


def added(number: Any, content: Any, **flags: Any) -> Callable[[dict[str, Any]], object]:
    return lambda said: said["added_tokens"].append({"id": number, "content": content, **PLAIN, **flags})


def pre(steps: Any) -> Callable[[dict[str, Any]], object]:
    return lambda said: said.update(pre_tokenizer=steps)


def merge(*entry: Any) -> Callable[[dict[str, Any]], object]:
    return lambda said: said["model"]["merges"].append(entry[0] if len(entry) == 1 else list(entry))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (pre(cuts(split(r"\w+|\W"))), r"\\w\+\|\\W.*convert_hf_to_gguf"),
        (pre(cuts(split(LLAMA3, behavior="MergedWithNext"))), "MergedWithNext.*convert_hf_to_gguf"),
        (pre(GPT2_STEP | {"add_prefix_space": True}), "add_prefix_space"),
        (pre(GPT2_STEP), "taking whole words"),
        (lambda said: said.update(normalizer={"type": "NFC"}), "changes a text first .NFC"),
        (model(type="WordPiece"), "WordPiece, not BPE"),
        (model(dropout=0.5), "dropout"),
        (model(end_of_word_suffix="</w>"), "end_of_word_suffix"),
        (model(byte_fallback=True), "falls back"),
        (model(vocab=None), "no vocabulary"),
        (model(merges={}), "no list of merges"),
        (lambda said: said.update(model=[]), "no tokenizer model"),
        (lambda said: said["model"]["vocab"].pop("Ġ"), "needs a token 'Ġ'"),
        (vocabulary(a=5), "same id 5"),
        (vocabulary(word=-1), "id -1"),
        (vocabulary(word=True), "id True"),
        (vocabulary(word=10**12), "id 1000000000000"),
        (vocabulary(word=5000), "do not belong together"),
        (vocabulary(**{"\ud800": 3000}), "cannot be written"),
        (vocabulary(**{"a\0b": 3000}), "cannot be written"),
        (vocabulary(**{"a" * 5000: 3000}), "cannot be written"),
        (merge("Ġ", "zzzz"), "needs a token 'zzzz'"),
        (merge("a b c"), "not a pair"),
        (merge("a"), "not a pair"),
        (merge(1, 2), "not a pair"),
        (merge("!", "!"), "twice"),
        (added(SIZE, "<think>"), "knows only 2256 tokens"),
        (added(5, "<think>", special=True), "do not belong together"),
        (added(2005, "<think>"), "is both"),
        (added(2300, "Hello\udc00"), "cannot be written"),
        (added(2.5, "<think>"), "id 2.5"),
        (lambda said: said.update(added_tokens=[7]), "list of added tokens is damaged"),
        (lambda said: said["added_tokens"].append({"id": 2255}), "list of added tokens is damaged"),
        (lambda said: said.update(post_processor={"type": "RobertaProcessing"}), "RobertaProcessing"),
        (lambda said: said.update(post_processor={"type": "TemplateProcessing", "single": [3]}), "post_processor"),
        (pre({"type": "Sequence", "pretokenizers": [{"type": "ByteLevel"}, 5]}), "pretokenizers are damaged"),
    ],
)  # fmt: skip
def test_damaged_or_of_another_kind(change: Callable[[dict[str, Any]], object], complaint: str, tmp_path: Path) -> None:
    said = json.loads(json.dumps(llama3_like()))
    change(said)
    write_tokenizer(tmp_path, said)
    with pytest.raises(CheckpointError, match=complaint):
        read(tmp_path)


def test_two_tokens_of_one_name(tmp_path: Path) -> None:
    said = llama3_like()
    said["added_tokens"].append({"id": SIZE, "content": "<|eot_id|>", **PLAIN})
    write_tokenizer(tmp_path, said)
    with pytest.raises(CheckpointError, match=r"2009 and 2256 have the same name"):
        read(tmp_path, SIZE + 1)


def test_files_that_are_no_json(tmp_path: Path) -> None:
    write_tokenizer(tmp_path, llama3_like())
    path = tmp_path / "tokenizer.json"
    for damaged in (b"", b"[]", b'{"model":', b"[" * 100_000, b'{"model": {"vocab": \xff}}'):
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"tokenizer\.json"):
            read(tmp_path)
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(CheckpointError, match="no such file needs"):
        read(tmp_path)
