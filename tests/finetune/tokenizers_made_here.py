"""Tokenizers of every kind that a base can have, trained on the spot."""

from __future__ import annotations

import json
from pathlib import Path

from bayling_finetune.hub_tokenizer import HubTokenizer
from bayling_finetune.sentencepiece_tokenizer import SentencePieceTokenizer
from bayling_finetune.tokenizer import Tokenizer, load_tokenizer
from tests.convert.byte_level_tokenizers import llama3_like, write_tokenizer
from tests.convert.sentencepiece_as_json import PREPEND, saved_as_json
from tests.convert.small_checkpoints import train_tokenizer

_DECODER = {
    "type": "Sequence",
    "decoders": [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0},
    ],
}
KINDS = ("ours", "llama", "llama as json", "llama 3")
"""Those with SentencePiece cannot be used with the template bayling-3, which needs Llama 3's special tokens."""


def write_files(kind: str, folder: Path) -> Path:
    """The tokenizer's files in a folder, as a base has them."""
    folder.mkdir(exist_ok=True)
    if kind == "llama 3":
        write_tokenizer(folder, llama3_like())
    elif kind == "llama as json":
        said = saved_as_json(train_tokenizer(prefix=True)) | {"normalizer": PREPEND, "decoder": _DECODER}
        (folder / "tokenizer.json").write_text(json.dumps(said))
        (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": "<s>", "eos_token": "</s>"}))
    else:
        (folder / "tokenizer.model").write_bytes(train_tokenizer(prefix=kind == "llama"))
    return folder


def make_tokenizer(kind: str, folder: Path) -> Tokenizer:
    """As training loads it."""
    tokenizer = load_tokenizer(write_files(kind, folder))
    assert isinstance(tokenizer, HubTokenizer if kind in ("llama 3", "llama as json") else SentencePieceTokenizer)
    return tokenizer
