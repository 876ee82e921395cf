"""A SentencePiece vocabulary that was saved as ``tokenizer.json``: LLaMA 1 and 2 without ``tokenizer.model``.

The library merges listed pairs in the order of the list; llama.cpp merges any two neighbours that make a token, the one
with the highest score first. Both do the same when every pair that makes a token is listed, and all pairs that make one
token stand together: then the place in the list is the score. Lists that were made from a SentencePiece model are so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayling_convert.tokenizer.pieces import Piece, PieceType, Vocab
from bayling_convert.tokenizer.sentencepiece_vocab import BYTE_TOKENS
from bayling_convert.tokenizer.tokenizer_json import ELSEWHERE, TokenizerJson
from bayling_lite.errors import CheckpointError

_SPACE = "▁"


def merged_pieces(said: TokenizerJson) -> Vocab:
    """The vocabulary; added tokens, special ids and the rest of the ids are the caller's to put in.

    Raises:
        CheckpointError: llama.cpp would tokenize differently.
    """
    if not said.model.get("byte_fallback"):
        raise CheckpointError(f"Its tokenizer is neither byte-level nor falls back to bytes. {ELSEWHERE}")
    if said.model.get("ignore_merges"):
        raise CheckpointError(f"Its tokenizer takes whole words without merging, which llama.cpp does not. {ELSEWHERE}")
    missing = next((token for token in BYTE_TOKENS if token not in said.tokens), None)
    if missing is not None:
        raise CheckpointError(f"Its tokenizer has no token {missing} to fall back to. {ELSEWHERE}")
    prefix, caveats = _space_prefix(said)
    apart = {*BYTE_TOKENS, *(token.text for token in said.added)}
    scores = _scores(said.merges)
    _check_all_pairs_listed(said, apart)
    unknown = said.model.get("unk_token") or "<unk>"
    kinds = dict.fromkeys(BYTE_TOKENS, PieceType.BYTE) | {unknown: PieceType.UNKNOWN}
    lowest = float(-len(scores) - 1)
    pieces = {
        number: Piece(text, scores.get(text, lowest), kinds.get(text, PieceType.NORMAL))
        for text, number in said.tokens.items()
    }
    return Vocab(
        pieces=tuple(pieces.get(number, Piece("")) for number in range(max(pieces) + 1)),
        bos=None,
        eos=None,
        unk=said.tokens.get(unknown),
        pad=None,
        add_space_prefix=prefix,
        remove_extra_whitespaces=False,
        caveats=caveats,
    )


def _scores(merges: tuple[tuple[str, str], ...]) -> dict[str, float]:
    """For each token that is merged, the negative of its place among them."""
    scores: dict[str, float] = {}
    last = None
    for left, right in merges:
        token = left + right
        if token != last and token in scores:
            raise CheckpointError(
                f"Its tokenizer merges pairs to {token!r} with different ranks, which llama.cpp does not. {ELSEWHERE}"
            )
        scores.setdefault(token, float(-len(scores)))
        last = token
    return scores


def _check_all_pairs_listed(said: TokenizerJson, apart: set[str]) -> None:
    listed = set(said.merges)
    known = said.tokens.keys() - apart
    for token in known:
        for cut in range(1, len(token)):
            left, right = token[:cut], token[cut:]
            # llama.cpp begins with the characters of the text, tokens or not.
            formable = (cut == 1 or left in known) and (cut == len(token) - 1 or right in known)
            if formable and (left, right) not in listed:
                raise CheckpointError(
                    f"Its tokenizer does not merge {left!r} and {right!r} although there is a token {token!r}; "
                    f"llama.cpp would. {ELSEWHERE}"
                )


def _space_prefix(said: TokenizerJson) -> tuple[bool, tuple[str, ...]]:
    """Whether a space is put before a text, and where that differs from llama.cpp's way."""
    steps = [*map(_plain, said.normalizers), *map(_plain, said.pre_tokenizers)]
    spaces = {"type": "Replace", "pattern": {"String": " "}, "content": _SPACE}
    if steps == [{"type": "Prepend", "prepend": _SPACE}, spaces]:
        return True, ()
    if steps == [spaces]:
        return False, ()
    if len(steps) == 1 and steps[0].get("type") == "Metaspace" and steps[0].get("replacement") == _SPACE:
        scheme = steps[0].get("prepend_scheme", "always" if steps[0].get("add_prefix_space", True) else "never")
        if steps[0].get("split", True) is False and scheme in ("always", "first", "never"):
            if scheme == "never":
                return False, ()
            caveat = "A text that begins with a space gets one token more than the checkpoint's own tokenizer gives it."
            return True, (caveat,)
    raise CheckpointError(
        f"Its tokenizer prepares a text with the steps {steps}, which llama.cpp does not do alike. {ELSEWHERE}"
    )


def _plain(step: Mapping[str, Any]) -> dict[str, Any]:
    return dict(step)
