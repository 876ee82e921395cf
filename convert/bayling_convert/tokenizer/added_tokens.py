"""Tokens added to a vocabulary: all the places where they are written down, and how they join the others."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from bayling_convert.tokenizer.pieces import Piece, PieceType, Vocab, is_reachable
from bayling_convert.tokenizer.tokenizer_json import DAMAGED, AddedToken, added_tokens
from bayling_lite.errors import CheckpointError

_SINGLE = ("bos", "eos", "unk", "pad", "sep", "cls", "mask")
_SEVERAL = ("additional_special_tokens", "extra_special_tokens")
# Below every score that a piece has.
_SCORE = -1e6
# Characters; longer common parts of two tokens are not looked for.
_OVERLAP = 64


def special_names(tokenizer_config: Mapping[str, Any], special_tokens_map: Mapping[str, Any]) -> dict[str, str]:
    """What the configuration calls special: ``{"bos": "<s>", "eos": "</s>", ...}``, further ones under other keys."""
    names: dict[str, str] = {}
    for said in (special_tokens_map, tokenizer_config):
        for key in _SINGLE:
            if text := _text(said.get(f"{key}_token")):
                names[key] = text
        for key in _SEVERAL:
            more = said.get(key)
            more = list(more.values()) if isinstance(more, dict) else more
            if isinstance(more, list):
                names |= {f"{key} {number}": text for number, entry in enumerate(more) if (text := _text(entry))}
    return names


def _text(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else ""


def find_added_tokens(
    tokenizer_json: Mapping[str, Any] | None, tokenizer_config: Mapping[str, Any], added: Mapping[str, Any] | None
) -> dict[int, AddedToken]:
    """Added tokens by id, from wherever transformers keeps them.

    Raises:
        CheckpointError: a list is damaged, or two of them contradict each other.
    """
    decoder = tokenizer_config.get("added_tokens_decoder") or {}
    if not isinstance(decoder, dict):
        raise CheckpointError(f"The list of added tokens is damaged. {DAMAGED}")
    try:
        entries = [dict(entry) | {"id": int(number)} for number, entry in decoder.items()]
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"The list of added tokens is damaged. {DAMAGED}") from error
    found: dict[int, AddedToken] = {}
    for token in (
        *added_tokens([{"id": number, "content": text} for text, number in (added or {}).items()]),
        *added_tokens((tokenizer_json or {}).get("added_tokens")),
        *added_tokens(entries),
    ):
        other = found.get(token.number)
        if other is not None and other.text != token.text:
            raise CheckpointError(
                f"The added token {token.number} is both {other.text!r} and {token.text!r}. {DAMAGED}"
            )
        found[token.number] = token
    return found


def apply_added_tokens(
    vocab: Vocab, added: Mapping[int, AddedToken], special: AbstractSet[str], vocab_size: int
) -> Vocab:
    """The vocabulary with added tokens, those named ``special`` marked as such, and names for the ids left over.

    Raises:
        CheckpointError: an added token contradicts the vocabulary, or has no place in it.
    """
    pieces: list[Piece | None] = [piece if piece.text else None for piece in vocab.pieces]
    pieces += [None] * (vocab_size - len(pieces))
    for number, token in added.items():
        is_special = token.special or token.text in special
        if number < vocab_size:
            pieces[number] = _joined(pieces[number], replace(token, special=is_special))
        elif not is_special:
            raise CheckpointError(
                f"The added token {token.text!r} has the id {number}, but the model knows only {vocab_size} tokens."
            )
    for number, piece in enumerate(pieces):
        if piece is not None and piece.text in special and piece.kind is PieceType.NORMAL:
            pieces[number] = replace(piece, kind=PieceType.CONTROL)
    for number, piece in enumerate(pieces):
        # SentencePiece writes spaces as ▁; llama.cpp looks for these tokens in the text as it is.
        if piece is not None and piece.kind is PieceType.USER_DEFINED and vocab.model == "llama":
            pieces[number] = replace(piece, text=piece.text.replace("▁", " "))
    filled = _filled(pieces)
    return replace(vocab, pieces=filled, caveats=(*vocab.caveats, *_caveats(vocab, filled, added.values())))


def _joined(piece: Piece | None, token: AddedToken) -> Piece:
    kind = PieceType.CONTROL if token.special else PieceType.USER_DEFINED
    if piece is None:
        return Piece(token.text, _SCORE, kind)
    if piece.text != token.text:
        raise CheckpointError(
            f"The added token {token.number} is {token.text!r}, but the vocabulary has {piece.text!r} there: "
            "they do not belong together."
        )
    return replace(piece, kind=kind) if piece.kind is PieceType.NORMAL else piece


def _filled(pieces: list[Piece | None]) -> tuple[Piece, ...]:
    """Give every id without a token a name that no other has and no text can become."""
    known = {piece.text for piece in pieces if piece is not None}
    filled: list[Piece] = []
    for number, piece in enumerate(pieces):
        if piece is None:
            names = (f"[PAD{number}{'_' * more}]" for more in itertools.count())
            name = next(name for name in names if name not in known and not is_reachable(name, known))
            piece = Piece(name, _SCORE, PieceType.UNUSED)
            known.add(name)
        filled.append(piece)
    return tuple(filled)


def _caveats(vocab: Vocab, pieces: tuple[Piece, ...], added: Iterable[AddedToken]) -> list[str]:
    """What llama.cpp does differently around added tokens that are found in every text."""
    plain = [piece.text for piece in pieces if piece.kind is PieceType.USER_DEFINED]
    caveats: list[str] = []
    if greedy := [token.text for token in added if not token.alone and token.text in plain]:
        caveats.append(f"The added token {greedy[0]!r} should heed the spaces around it; llama.cpp does not.")
    if overlapping := _overlapping(plain):
        caveats.append(
            f"Where the added tokens {overlapping[0]!r} and {overlapping[1]!r} overlap in a text, the checkpoint's own "
            "tokenizer takes the first, llama.cpp the longest."
        )
    if plain and vocab.add_space_prefix:
        caveats.append(f"llama.cpp puts a space before what follows an added token such as {plain[0]!r}.")
    return caveats


def _overlapping(texts: list[str]) -> tuple[str, str] | None:
    """Two texts of which one ends as another begins. Runs of one character do not count: they are cut alike."""
    beginnings: dict[str, set[str]] = {}
    for text in texts:
        for length in range(1, min(len(text), _OVERLAP)):
            beginnings.setdefault(text[:length], set()).add(text)
    for text in texts:
        for start in range(max(1, len(text) - _OVERLAP), len(text)):
            for other in sorted(beginnings.get(text[start:], set()) - {text}):
                if len(set(text + other)) > 1:
                    return text, other
    return None
