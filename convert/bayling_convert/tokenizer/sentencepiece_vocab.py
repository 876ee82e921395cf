"""A SentencePiece BPE model (``tokenizer.model``), the tokenizer of LLaMA 1 and 2.

The file is one protocol buffer message; the few fields we need are read from the wire format itself
(https://protobuf.dev/programming-guides/encoding/, sentencepiece's ``sentencepiece_model.proto``), because the bindings
do not tell the normalizer's settings and llama.cpp has to be told them.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from bayling_convert.tokenizer.pieces import LONGEST_TOKEN, Piece, PieceType, Vocab
from bayling_lite.errors import CheckpointError

BYTE_TOKENS = tuple(f"<0x{byte:02X}>" for byte in range(256))
"""What a character becomes that no piece has. llama.cpp needs them all."""


def read_sentencepiece(data: bytes) -> Vocab:
    """Read a serialized ``ModelProto``.

    Raises:
        CheckpointError: not such a message, or a model that llama.cpp's tokenizer does not reproduce.
    """
    try:
        return parse_sentencepiece(data)
    except (ValueError, IndexError, struct.error, TypeError, AttributeError, KeyError, OverflowError) as error:
        raise CheckpointError("It is not a SentencePiece model, or is damaged. Fetch or save it again.") from error


def parse_sentencepiece(data: bytes) -> Vocab:
    """Read a serialized ``ModelProto``.

    Raises:
        CheckpointError: a valid model that llama.cpp's tokenizer does not reproduce.
        ValueError, IndexError, struct.error, TypeError, AttributeError, KeyError: not such a message.
    """
    pieces: list[Piece] = []
    trainer: dict[int, Any] = {}
    normalizer: dict[int, Any] = {}
    for number, value in _fields(data):
        if number == 1:
            piece = dict(_fields(value))
            if not 1 <= len(piece[1]) <= LONGEST_TOKEN or b"\0" in piece[1]:
                raise ValueError("a piece that is no text")
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
        "has no byte fallback": not set(BYTE_TOKENS) <= {p.text for p in pieces if p.kind is PieceType.BYTE},
        "normalizes its text": bool(normalizer.get(2)),
        "drops repeated spaces": bool(normalizer.get(4, 1)),
        "marks spaces at the ends of words": bool(trainer.get(24, 0)),
        "does not mark spaces": not normalizer.get(5, 1),
        "has scores that are no numbers": not all(math.isfinite(piece.score) for piece in pieces),
        "has unused pieces": any(piece.kind is PieceType.UNUSED for piece in pieces),
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
