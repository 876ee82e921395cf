"""A vocabulary as GGUF stores it: its tokens by id, the special ones among them, and how text is prepared for it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

MOST_TOKENS = 1 << 22
"""More than any vocabulary has; a larger number is a damaged or hostile file's."""

LONGEST_TOKEN = 1024
"""Characters; those of real vocabularies, runs of spaces among them, stay well below."""


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
    """One token. SentencePiece's BPE merges pieces with the higher ``score`` first."""

    text: str
    score: float = 0.0
    kind: PieceType = PieceType.NORMAL


@dataclass(frozen=True, slots=True)
class Vocab:
    """All tokens by id, the special ids (None: the model has none), and how text is prepared.

    ``model`` is ``tokenizer.ggml.model``: ``llama`` is SentencePiece's BPE, which merges along scores, ``gpt2`` a
    byte-level BPE, which merges along ``merges`` within the words that ``pre`` (``tokenizer.ggml.pre``) cuts a text
    into. ``stops`` are all the tokens that end an answer, by the checkpoint's own word. ``caveats`` are sentences on
    the rare texts that llama.cpp tokenizes differently.
    """

    pieces: tuple[Piece, ...]
    bos: int | None
    eos: int | None
    unk: int | None
    pad: int | None
    add_space_prefix: bool
    remove_extra_whitespaces: bool
    add_bos: bool = True
    add_eos: bool = False
    model: Literal["llama", "gpt2"] = "llama"
    pre: str = "default"
    merges: tuple[str, ...] = ()
    stops: tuple[int, ...] = ()
    caveats: tuple[str, ...] = ()

    def spellable_specials(self) -> tuple[str, ...]:
        """Control and byte tokens that llama.cpp would make of plain text.

        It looks texts up in all tokens, the checkpoint's own tokenizer in the normal ones only. A SentencePiece
        vocabulary with both ``</`` and ``s>`` therefore lets the four characters ``</s>`` in a document become the end
        token; a byte-level one that takes whole words without merging, any control token that is one word.
        """
        special = (p.text for p in self.pieces if p.kind in (PieceType.CONTROL, PieceType.BYTE, PieceType.UNKNOWN))
        if self.model == "gpt2":
            return tuple(text for text in special if is_one_word(text)) if self.pre == "llama-bpe" else ()
        known = {piece.text for piece in self.pieces}
        return tuple(text for text in special if is_reachable(text, known))


def is_reachable(text: str, known: AbstractSet[str]) -> bool:
    """Whether llama.cpp's SentencePiece tokenizer can merge two symbols to ``text``; single characters are symbols."""
    return any(
        (cut == 1 or text[:cut] in known) and (cut == len(text) - 1 or text[cut:] in known)
        for cut in range(1, len(text))
    )


def is_one_word(text: str) -> bool:
    """Whether LLaMA 3's pre-tokenizer leaves an ASCII text whole (others are spelt in other letters than their own)."""
    if not text.isascii():
        return False
    kinds = "".join({"L": "L", "N": "N", "Z": "S"}.get(unicodedata.category(character)[0], "O") for character in text)
    return re.fullmatch("[SO]?L+|N{1,3}|S?O+", kinds) is not None
