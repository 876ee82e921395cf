"""llama.cpp's tokenizer, fed by our metadata, gives SentencePiece's ids."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
import sentencepiece

from bayling_convert import convert
from bayling_convert.scoring import Scorer
from bayling_convert.vocab import Piece, PieceType, Vocab, parse_sentencepiece, read_vocab
from bayling_lite.errors import CheckpointError
from tests.convert.small_checkpoints import corpus, train_tokenizer

SPECIMENS = (
    "",
    " ",
    "  ",
    "\n",
    "\t\t",
    "\r\n",
    "\x00",
    "a\x00b",
    "\x01\x02\x1b[31m\x7f",
    "\u0085\u00a0\u2028\ufeff",
    "</s>",
    "<s>",
    "<unk>",
    "<0x0A>",
    "▁",
    "▁▁ ▁",
    "Hello</s>World<s>",
    "ｆｕｌｌ　ｗｉｄｔｈ，１２３",
    "ﾊﾝｶｸ",
    "é vs é, ﬁ, Å",
    "ạ̈́̂",
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇨🇳 👍🏽",
    "老师在读一本书。",
    "龘𠮷𪚥",
    "١٢٣ ๑๒๓ 12345 3.14",
    "नमस्ते สวัสดี 안녕하세요 שלום",
    "\U0010ffff\ue000\ufffd",
)


def strings(count: int) -> list[str]:
    """The specimens, then mixtures of them, of sentences, of spaces and of any characters; the same each time."""
    dice = random.Random(7)
    made = list(SPECIMENS)
    spaces = ("", " ", "  ", "\n", "\n\n", "\t", " \n ", "　")
    while len(made) < count:
        kind = dice.randrange(4)
        if kind == 0:
            text = dice.choice(spaces).join(dice.choices(SPECIMENS, k=dice.randint(2, 5)))
        elif kind == 1:
            line = dice.choice(corpus())
            text = dice.choice(spaces) + line[dice.randrange(len(line)) :] + dice.choice(spaces)
        elif kind == 2:
            points = [dice.choice((0x20, 0x41, 0x300, 0x4E00, 0x1F600, 0xFF00)) + dice.randrange(64) for _ in range(20)]
            text = "".join(map(chr, points))
        else:
            text = (
                dice.choice(spaces).join(dice.choices(corpus(), k=3)).replace(" ", dice.choice((" ", "  ", "\u00a0")))
            )
        made.append(text)
    return made


@pytest.mark.parametrize("prefix", [False, True], ids=["ours", "space prefix"])
def test_a_thousand_strings(prefix: bool, make_checkpoint: Callable[..., Path], tmp_path: Path) -> None:
    gguf = tmp_path / "vocab.gguf"
    convert(make_checkpoint(prefix=prefix), gguf, "F16")
    tokenizer = sentencepiece.SentencePieceProcessor(model_proto=train_tokenizer(prefix=prefix))
    texts = strings(1000)
    assert len(texts) == 1000
    with Scorer(gguf, n_ctx=64, n_threads=1) as scorer:
        wrong = [text for text in texts if scorer.tokenize(text) != tokenizer.encode(text)]
        assert wrong == []
        specials = {0, 1, 2}
        assert not specials.intersection(scorer.tokenize("</s><s><unk>"))


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
        read_vocab(tmp_path, 1000, {})


def test_a_damaged_tokenizer(tmp_path: Path) -> None:
    whole = train_tokenizer()
    for damaged in (b"", b"not a tokenizer", whole[: len(whole) // 2], bytes(1000)):
        (tmp_path / "tokenizer.model").write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"tokenizer\.model"):
            read_vocab(tmp_path, 1000, {})


def test_added_tokens_fill_the_vocabulary(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.model").write_bytes(train_tokenizer())
    (tmp_path / "added_tokens.json").write_text('{"[PAD]": 600}', encoding="utf-8")
    config = {"added_tokens_decoder": {"601": {"content": "<|end|>", "special": True}}, "eos_token": "<|end|>"}
    vocab = read_vocab(tmp_path, 604, config)
    assert len(vocab.pieces) == 604
    assert (vocab.pieces[600].text, vocab.pieces[600].kind) == ("[PAD]", PieceType.USER_DEFINED)
    assert (vocab.pieces[601].text, vocab.pieces[601].kind) == ("<|end|>", PieceType.CONTROL)
    assert vocab.pieces[603].kind is PieceType.UNUSED
    assert vocab.eos == 601
    with pytest.raises(CheckpointError, match="do not belong together"):
        read_vocab(tmp_path, 599, {})
