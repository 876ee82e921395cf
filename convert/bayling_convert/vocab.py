"""The tokenizer: a SentencePiece BPE model as GGUF's token lists.

The model file is one protocol buffer message; the few fields we need are read from the wire format itself
(https://protobuf.dev/programming-guides/encoding/, sentencepiece's ``sentencepiece_model.proto``), because the bindings
do not tell the normalizer's settings and llama.cpp has to be told them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import Any

from bayling_convert.checkpoint import read_json
from bayling_lite.errors import CheckpointError


class PieceType(IntEnum):
    """SentencePiece's piece types; GGUF's ``tokenizer.ggml.token_type`` has the same numbers."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


@dataclass(frozen=True, slots=True)
class Piece:
    """One token. BPE merges pieces with the higher ``score`` first."""

    text: str
    score: float = 0.0
    kind: PieceType = PieceType.NORMAL


@dataclass(frozen=True, slots=True)
class Vocab:
    """All tokens by id, the special ids (None: the model has none), and how text is prepared."""

    pieces: tuple[Piece, ...]
    bos: int | None
    eos: int | None
    unk: int | None
    pad: int | None
    add_space_prefix: bool
    remove_extra_whitespaces: bool
    add_bos: bool = True
    add_eos: bool = False

    def spellable_specials(self) -> tuple[str, ...]:
        """Control and byte tokens that llama.cpp would merge out of plain text.

        It looks pairs of pieces up in all tokens, SentencePiece in the normal ones only. A vocabulary with both
        ``</`` and ``s>`` therefore lets the four characters ``</s>`` in a document become the end token.
        """
        known = {piece.text for piece in self.pieces}
        special = (p.text for p in self.pieces if p.kind in (PieceType.CONTROL, PieceType.BYTE, PieceType.UNKNOWN))
        return tuple(
            text
            for text in special
            if any(_reachable(text[:cut], known) and _reachable(text[cut:], known) for cut in range(1, len(text)))
        )


def _reachable(text: str, known: set[str]) -> bool:
    return len(text) == 1 or text in known


def read_vocab(folder: Path, vocab_size: int, tokenizer_config: Mapping[str, Any]) -> Vocab:
    """The tokenizer of a checkpoint, with added tokens, filled up to ``vocab_size`` with unused ones.

    Raises:
        CheckpointError: no ``tokenizer.model``, a damaged one, or one that llama.cpp would tokenize differently.
    """
    path = folder / "tokenizer.model"
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        hint = ""
        if (folder / "tokenizer.json").exists():
            hint = " Its tokenizer.json is of another kind; llama.cpp's own convert_hf_to_gguf.py may handle it."
        raise CheckpointError(f"{folder} has no tokenizer.model (SentencePiece).{hint}") from None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        vocab = parse_sentencepiece(data)
    except (ValueError, IndexError, struct.error, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} is not a SentencePiece model, or is damaged. Fetch or save it again.") from error
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    if len(vocab.pieces) > vocab_size:
        raise CheckpointError(
            f"{path} has {len(vocab.pieces)} tokens, the model only {vocab_size}: they do not belong together."
        )
    pieces = list(vocab.pieces) + [
        Piece(f"[PAD{number}]", -10000.0, PieceType.UNUSED) for number in range(len(vocab.pieces), vocab_size)
    ]
    for number, piece in _added_tokens(folder, tokenizer_config).items():
        if len(vocab.pieces) <= number < vocab_size:
            pieces[number] = piece
    by_text = {piece.text: number for number, piece in enumerate(pieces)}
    return replace(
        vocab,
        pieces=tuple(pieces),
        bos=by_text.get(_token_text(tokenizer_config, "bos_token"), vocab.bos),
        eos=by_text.get(_token_text(tokenizer_config, "eos_token"), vocab.eos),
        pad=by_text.get(_token_text(tokenizer_config, "pad_token"), vocab.pad),
        add_bos=bool(tokenizer_config.get("add_bos_token", True)),
        add_eos=bool(tokenizer_config.get("add_eos_token", False)),
    )


def _token_text(tokenizer_config: Mapping[str, Any], key: str) -> str:
    value = tokenizer_config.get(key)
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else ""


def _added_tokens(folder: Path, tokenizer_config: Mapping[str, Any]) -> dict[int, Piece]:
    """Tokens that were added behind the SentencePiece model's, from either place where transformers keeps them."""
    texts: dict[int, tuple[str, bool]] = {}
    try:
        for text, number in (read_json(folder / "added_tokens.json") or {}).items():
            texts[int(number)] = (text, False)
        for number, entry in (tokenizer_config.get("added_tokens_decoder") or {}).items():
            texts[int(number)] = (str(entry["content"]), bool(entry.get("special")))
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise CheckpointError(f"{folder}: the list of added tokens is damaged. Fetch or save it again.") from error
    return {
        number: Piece(text, -1000.0, PieceType.CONTROL if special else PieceType.USER_DEFINED)
        for number, (text, special) in texts.items()
    }


def parse_sentencepiece(data: bytes) -> Vocab:
    """Read a serialized ``ModelProto``.

    Raises:
        CheckpointError: a valid model that llama.cpp's tokenizer does not reproduce.
        ValueError, IndexError, struct.error, TypeError, AttributeError: not such a message.
    """
    pieces: list[Piece] = []
    trainer: dict[int, Any] = {}
    normalizer: dict[int, Any] = {}
    for number, value in _fields(data):
        if number == 1:
            piece = dict(_fields(value))
            pieces.append(Piece(piece[1].decode(), _float(piece.get(2)), PieceType(piece.get(3, PieceType.NORMAL))))
        elif number == 2:
            trainer.update(_fields(value))
        elif number == 3:
            normalizer.update(_fields(value))
    if not pieces:
        raise ValueError("no pieces")
    _check_supported(trainer, normalizer, pieces)
    return Vocab(
        pieces=tuple(pieces),
        unk=next((number for number, piece in enumerate(pieces) if piece.kind is PieceType.UNKNOWN), None),
        bos=_control(trainer.get(41, 1), pieces),
        eos=_control(trainer.get(42, 2), pieces),
        pad=_control(trainer.get(43, -1), pieces),
        add_space_prefix=bool(normalizer.get(3, 1)),
        remove_extra_whitespaces=bool(normalizer.get(4, 1)),
    )


def _check_supported(trainer: Mapping[int, Any], normalizer: Mapping[int, Any], pieces: list[Piece]) -> None:
    unsupported = {
        "is not a BPE model": trainer.get(3, 1) != 2,
        "has no byte fallback": not any(piece.kind is PieceType.BYTE for piece in pieces),
        "normalizes its text": bool(normalizer.get(2)),
        "drops repeated spaces": bool(normalizer.get(4, 1)),
        "marks spaces at the ends of words": bool(trainer.get(24, 0)),
        "does not mark spaces": not normalizer.get(5, 1),
    }
    for what, true in unsupported.items():
        if true:
            raise CheckpointError(
                f"The tokenizer {what}, which llama.cpp's does not do alike. Train it as SentencePiece BPE with "
                "byte_fallback, normalization_rule_name=identity and remove_extra_whitespaces=False."
            )


def _control(number: int, pieces: list[Piece]) -> int | None:
    return number if 0 <= number < len(pieces) and pieces[number].kind is PieceType.CONTROL else None


def _float(raw: bytes | None) -> float:
    return float(struct.unpack("<f", raw)[0]) if raw is not None else 0.0


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Fields of a message: numbers as int (negative int32 included), everything else as bytes."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        wire = tag & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield tag >> 3, value - (1 << 64) if value >> 63 else value
            continue
        if wire == 2:
            size, at = _varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if at + size > len(data):
            raise ValueError("truncated")
        yield tag >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number that does not end")
