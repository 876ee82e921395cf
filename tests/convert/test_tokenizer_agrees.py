"""llama.cpp's tokenizer, fed by our metadata, gives the ids of the checkpoint's own: SentencePiece in its two forms."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sentencepiece

from bayling_convert import convert
from bayling_convert.proof.scoring import Scorer
from bayling_convert.reading.files import Folder
from bayling_convert.tokenizer.pieces import Piece, PieceType, Vocab
from bayling_convert.tokenizer.sentencepiece_vocab import parse_sentencepiece
from bayling_convert.tokenizer.vocab import read_vocab
from bayling_lite.errors import CheckpointError
from tests.convert.byte_level_tokenizers import reference
from tests.convert.native_tokenizer import native_vocabulary
from tests.convert.sentencepiece_as_json import PREPEND, metaspace, saved_as_json
from tests.convert.small_checkpoints import corpus, train_tokenizer
from tests.convert.varied_strings import varied_strings

LLAMA2 = os.environ.get("BAYLING_LLAMA2_TOKENIZER")


def read(folder: Path, vocab_size: int = 600, config: dict[str, Any] | None = None) -> Vocab:
    return read_vocab(Folder(folder), vocab_size, config or {})


def differing(vocab: Vocab, encode: Callable[[str], list[int]], count: int = 1000) -> list[str]:
    texts = varied_strings(count)
    assert len(texts) == count
    with native_vocabulary(vocab) as llama:
        return [text for text in texts if llama.tokenize(text) != encode(text)]


@pytest.mark.parametrize("prefix", [False, True], ids=["ours", "space prefix"])
def test_a_thousand_strings(prefix: bool, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.model").write_bytes(train_tokenizer(prefix=prefix))
    vocab = read(tmp_path)
    tokenizer = sentencepiece.SentencePieceProcessor(model_proto=train_tokenizer(prefix=prefix))
    assert differing(vocab, tokenizer.encode) == []
    assert vocab.caveats == ()
    with native_vocabulary(vocab) as llama:
        assert not {0, 1, 2}.intersection(llama.tokenize("</s><s><unk>"))


@pytest.mark.skipif(LLAMA2 is None, reason="BAYLING_LLAMA2_TOKENIZER names no LLaMA 2 tokenizer.model")
def test_llama_2(tmp_path: Path) -> None:
    model = Path(str(LLAMA2)).read_bytes()
    (tmp_path / "tokenizer.model").write_bytes(model)
    vocab = read(tmp_path, 32000)
    assert (vocab.bos, vocab.eos, vocab.unk, vocab.add_bos, vocab.stops) == (1, 2, 0, True, (2,))
    assert vocab.spellable_specials() == ()
    assert differing(vocab, sentencepiece.SentencePieceProcessor(model_proto=model).encode) == []


@pytest.mark.parametrize("prefix", [False, True], ids=["ours", "space prefix"])
def test_a_converted_file(prefix: bool, make_checkpoint: Callable[..., Path], tmp_path: Path) -> None:
    gguf = tmp_path / "vocab.gguf"
    convert(make_checkpoint(prefix=prefix), gguf, "F16")
    tokenizer = sentencepiece.SentencePieceProcessor(model_proto=train_tokenizer(prefix=prefix))
    with Scorer(gguf, n_ctx=64, n_threads=1) as scorer:
        assert [text for text in varied_strings(200) if scorer.tokenize(text) != tokenizer.encode(text)] == []


@pytest.mark.parametrize("merges", ["pairs", "strings"])
@pytest.mark.parametrize("prefix", [False, True], ids=["no prefix", "space prefix"])
def test_saved_as_json(prefix: bool, merges: str, tmp_path: Path) -> None:
    said = saved_as_json(train_tokenizer(prefix=prefix))
    said["normalizer"] = PREPEND if prefix else PREPEND["normalizers"][1]
    if merges == "strings":
        said["model"]["merges"] = [" ".join(pair) for pair in said["model"]["merges"]]
    (tmp_path / "tokenizer.json").write_text(json.dumps(said), encoding="utf-8")
    vocab = read(tmp_path, config={"eos_token": "</s>"})
    kinds = [piece.kind for piece in vocab.pieces[:4]]
    assert kinds == [PieceType.UNKNOWN, PieceType.CONTROL, PieceType.CONTROL, PieceType.BYTE]
    assert (vocab.eos, vocab.unk, vocab.add_space_prefix, vocab.caveats) == (2, 0, prefix, ())
    tokenizer = reference(tmp_path)
    assert differing(vocab, lambda text: list(tokenizer.encode(text, add_special_tokens=False).ids)) == []
    same = sentencepiece.SentencePieceProcessor(model_proto=train_tokenizer(prefix=prefix))
    assert differing(vocab, same.encode) == []


@pytest.mark.parametrize("scheme", ["first", "always", "never"])
def test_saved_as_json_with_metaspace(scheme: str, tmp_path: Path) -> None:
    said = saved_as_json(train_tokenizer(prefix=True)) | {"pre_tokenizer": metaspace(scheme)}
    (tmp_path / "tokenizer.json").write_text(json.dumps(said), encoding="utf-8")
    vocab = read(tmp_path, config={"eos_token": "</s>"})
    tokenizer = reference(tmp_path)
    different = differing(vocab, lambda text: list(tokenizer.encode(text, add_special_tokens=False).ids))
    if scheme == "never":
        assert (different, vocab.caveats) == ([], ())
    else:
        assert all(text[0] in " ▁" for text in different)
        assert "begins with a space" in vocab.caveats[0]


@pytest.mark.slow
def test_what_transformers_saves(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    (tmp_path / "tokenizer.model").write_bytes(train_tokenizer(prefix=True))
    config = {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "config.json").write_text('{"model_type": "llama"}', encoding="utf-8")
    saved = tmp_path / "saved"
    AutoTokenizer.from_pretrained(tmp_path).save_pretrained(saved)
    assert not (saved / "tokenizer.model").exists()
    vocab = read(saved, config=json.loads((saved / "tokenizer_config.json").read_text(encoding="utf-8")))
    assert (vocab.bos, vocab.eos, vocab.add_bos) == (1, 2, True)
    tokenizer = reference(saved)
    different = differing(vocab, lambda text: list(tokenizer.encode(text, add_special_tokens=False).ids))
    assert all(text[0] in " ▁" for text in different)


def unlisted(said: dict[str, Any]) -> None:
    said["model"]["merges"].pop()


def interleaved(said: dict[str, Any]) -> None:
    merges = said["model"]["merges"]
    again = next(n for n in range(1, len(merges)) if "".join(merges[n]) == "".join(merges[n - 1]))
    merges.append(merges.pop(again))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (unlisted, "llama.cpp would"),
        (interleaved, "different ranks"),
        (lambda said: said["model"].update(ignore_merges=True), "whole words"),
        (lambda said: said["model"].update(byte_fallback=False), "falls back"),
        (lambda said: said["model"].update(dropout=0.1), "dropout"),
        (lambda said: said["model"].update(type="Unigram"), "Unigram"),
        (lambda said: said.update(normalizer={"type": "NFKC"}), "NFKC"),
        (lambda said: said.update(normalizer=None), "prepares a text"),
        (lambda said: said.update(normalizer=None, pre_tokenizer=metaspace("first") | {"split": True}), "Metaspace"),
        (lambda said: said["model"]["vocab"].pop("<0x41>"), "0x41"),
        (lambda said: said.update(post_processor={"type": "BertProcessing"}), "BertProcessing"),
    ],
)
def test_json_that_llama_cpp_would_get_wrong(
    change: Callable[[dict[str, Any]], object], complaint: str, tmp_path: Path
) -> None:
    said = saved_as_json(train_tokenizer(prefix=True)) | {"normalizer": PREPEND}
    change(said)
    (tmp_path / "tokenizer.json").write_text(json.dumps(said), encoding="utf-8")
    with pytest.raises(CheckpointError, match=complaint) as caught:
        read(tmp_path, config={"eos_token": "</s>"})
    assert "tokenizer.json" in str(caught.value)


def test_pieces_scores_and_types() -> None:
    vocab = parse_sentencepiece(train_tokenizer())
    tokenizer = sentencepiece.SentencePieceProcessor(model_proto=train_tokenizer())
    assert len(vocab.pieces) == tokenizer.get_piece_size()
    for number, piece in enumerate(vocab.pieces):
        assert (piece.text, piece.score) == (tokenizer.id_to_piece(number), tokenizer.get_score(number))
        assert (piece.kind is PieceType.CONTROL) == tokenizer.is_control(number)
        assert (piece.kind is PieceType.BYTE) == tokenizer.is_byte(number)
    assert (vocab.unk, vocab.bos, vocab.eos, vocab.pad) == (0, 1, 2, None)
    assert (vocab.add_space_prefix, vocab.remove_extra_whitespaces) == (False, False)


def test_names_that_plain_text_could_become() -> None:
    pieces = (Piece("<s>", kind=PieceType.CONTROL), Piece("</s>", kind=PieceType.CONTROL), Piece("</"), Piece("s>"))
    vocab = Vocab(pieces, 0, 1, None, None, False, False)
    assert vocab.spellable_specials() == ("<s>", "</s>")
    assert parse_sentencepiece(train_tokenizer()).spellable_specials() == ()


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("model_type", "unigram", "not a BPE model"),
        ("byte_fallback", False, "no byte fallback"),
        ("normalization_rule_name", "nmt_nfkc", "normalizes its text"),
        ("remove_extra_whitespaces", True, "drops repeated spaces"),
    ],
)
def test_tokenizers_that_llama_cpp_would_get_wrong(option: str, value: object, complaint: str, tmp_path: Path) -> None:
    options = {
        "model_type": "bpe",
        "byte_fallback": True,
        "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False,
        option: value,
    }
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus()),
        model_prefix=str(tmp_path / "tokenizer"),
        vocab_size=450,
        hard_vocab_limit=False,
        minloglevel=2,
        **options,
    )
    with pytest.raises(CheckpointError, match=complaint):
        read(tmp_path, 1000)


def test_a_damaged_tokenizer(tmp_path: Path) -> None:
    whole = train_tokenizer()
    for damaged in (b"", b"not a tokenizer", whole[: len(whole) // 2], bytes(1000)):
        (tmp_path / "tokenizer.model").write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"tokenizer\.model"):
            read(tmp_path, 1000)


def test_no_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no tokenizer\.model and no tokenizer\.json"):
        read(tmp_path)
    (tmp_path / "tokenizer.model").write_bytes(train_tokenizer())
    with pytest.raises(CheckpointError, match="makes no sense"):
        read(tmp_path, 1 << 40)
