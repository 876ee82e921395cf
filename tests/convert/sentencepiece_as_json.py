"""A SentencePiece model as ``tokenizer.json``, as converters write one: every pair that makes a piece, by score."""

from __future__ import annotations

from typing import Any

from bayling_convert.tokenizer.pieces import PieceType
from bayling_convert.tokenizer.sentencepiece_vocab import parse_sentencepiece

PREPEND: dict[str, Any] = {
    "type": "Sequence",
    "normalizers": [
        {"type": "Prepend", "prepend": "▁"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
    ],
}


def metaspace(scheme: str) -> dict[str, Any]:
    """How newer tokenizers prepare a text."""
    return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": False}


def saved_as_json(model: bytes) -> dict[str, Any]:
    """Without a normalizer and a pre-tokenizer: the caller's choice."""
    pieces = parse_sentencepiece(model).pieces
    normal = {piece.text: piece.score for piece in pieces if piece.kind is PieceType.NORMAL}
    pairs = [
        (token[:cut], token[cut:])
        for token in sorted(normal, key=lambda token: -normal[token])
        for cut in range(1, len(token))
        if token[:cut] in normal and token[cut:] in normal
    ]
    special = [(number, piece) for number, piece in enumerate(pieces) if piece.kind in (2, 3)]
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0",
        "added_tokens": [{"id": number, "content": piece.text, **flags} for number, piece in special],
        "normalizer": None,
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": "<unk>",
            "fuse_unk": True,
            "byte_fallback": True,
            "ignore_merges": False,
            "vocab": {piece.text: number for number, piece in enumerate(pieces)},
            "merges": [list(pair) for pair in pairs],
        },
    }
