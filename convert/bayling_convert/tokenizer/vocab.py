"""The tokenizer of a checkpoint, in any of the forms there are, as GGUF's lists.

LLaMA 1 and 2 have SentencePiece (``tokenizer.model``, or saved as ``tokenizer.json``), LLaMA 3 a byte-level BPE
(``tokenizer.json``). Which it is, the files say; around either stand added tokens, special ids and, where the model has
more rows than the tokenizer has tokens, ids that mean nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bayling_convert.reading.files import LARGEST_TEXT, CheckpointFiles
from bayling_convert.reading.json_files import read_json
from bayling_convert.tokenizer.added_tokens import apply_added_tokens, find_added_tokens, special_names
from bayling_convert.tokenizer.byte_level_bpe import byte_level_bpe
from bayling_convert.tokenizer.merged_pieces import merged_pieces
from bayling_convert.tokenizer.pieces import MOST_TOKENS, Piece, PieceType, Vocab
from bayling_convert.tokenizer.sentencepiece_vocab import read_sentencepiece
from bayling_convert.tokenizer.tokenizer_json import Frame, frame, is_byte_level, parse_tokenizer_json
from bayling_lite.errors import CheckpointError

# Names that llama.cpp takes for tokens that end an answer, whatever the file says they are (llama-vocab.cpp).
_ENDS_BY_NAME = frozenset(
    (
        *("</s>", "<eos>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<|eot_id|>", "<|eom_id|>", "<|end|>"),
        *("<|end_of_text|>", "<|endoftext|>", "<|im_end|>", "<|return|>", "<|call|>", "<|calls|>"),
        *("<|flush|>", "<end_of_turn>", "<end_of_utterance>", "<turn|>", "<|tool_response>"),
        *("<｜end▁of▁sentence｜>", "[e~[", "<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"),
        *("<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>", "<|file_sep|>"),
    )
)

__all__ = ["Piece", "PieceType", "Vocab", "read_vocab"]


def read_vocab(files: CheckpointFiles, vocab_size: int, tokenizer_config: Mapping[str, Any]) -> Vocab:
    """The tokenizer, with added tokens, filled up to ``vocab_size`` (the rows of the embedding) with unused ones.

    Raises:
        CheckpointError: there is none, it is damaged, or llama.cpp would tokenize differently.
    """
    if not 1 <= vocab_size <= MOST_TOKENS:
        raise CheckpointError(f"{files.where}: a vocabulary of {vocab_size} tokens makes no sense. Fetch it again.")
    said = read_json(files, "tokenizer.json", LARGEST_TEXT)
    vocab, around, name = _base(files, said)
    with _about(files, name):
        if len(vocab.pieces) > vocab_size:
            raise CheckpointError(
                f"It has {len(vocab.pieces)} tokens, the model only {vocab_size}: they do not belong together."
            )
    with _about(files, "tokenizer_config.json"):
        names = special_names(tokenizer_config, read_json(files, "special_tokens_map.json") or {})
        added = find_added_tokens(said, tokenizer_config, read_json(files, "added_tokens.json"))
        vocab = apply_added_tokens(vocab, added, {*names.values(), *_in(around)}, vocab_size)
        _check_names(vocab)
        vocab = replace(vocab, caveats=(*vocab.caveats, *_mistaken_ends(vocab)))
        configs = [read_json(files, file) or {} for file in ("generation_config.json", "config.json")]
        return _with_special_ids(vocab, names, around, configs, tokenizer_config)


def _base(files: CheckpointFiles, said: Mapping[str, Any] | None) -> tuple[Vocab, Frame | None, str]:
    """The tokens themselves, what is put around a text, and the file that says both."""
    # Llama 3 checkpoints may have a tokenizer.model, too, of Meta's own format.
    if said is None or not is_byte_level(said):
        data = files.read("tokenizer.model")
        if data is not None:
            with _about(files, "tokenizer.model"):
                return read_sentencepiece(data), None, "tokenizer.model"
    if said is None:
        raise CheckpointError(
            f"{files.where} has no tokenizer.model and no tokenizer.json. Put the one of the model it was made from "
            "there, or open its tokenizer with transformers and save it with save_pretrained."
        )
    with _about(files, "tokenizer.json"):
        parsed = parse_tokenizer_json(said)
        vocab = byte_level_bpe(parsed) if is_byte_level(said) else merged_pieces(parsed)
        return vocab, frame(parsed.post_processors), "tokenizer.json"


def _in(around: Frame | None) -> tuple[str, ...]:
    return (*around.before, *around.after) if around is not None else ()


def _check_names(vocab: Vocab) -> None:
    """llama.cpp ends the process when two tokens have one name."""
    owners: dict[str, int] = {}
    for number, piece in enumerate(vocab.pieces):
        other = owners.setdefault(piece.text, number)
        if other != number:
            raise CheckpointError(f"The tokens {other} and {number} have the same name {piece.text!r}. Fetch it again.")


def _mistaken_ends(vocab: Vocab) -> Iterator[str]:
    for piece in vocab.pieces:
        if piece.kind in (PieceType.NORMAL, PieceType.USER_DEFINED) and piece.text in _ENDS_BY_NAME:
            yield f"llama.cpp ends an answer at the token {piece.text!r}, which is an ordinary one of this tokenizer."


def _with_special_ids(
    vocab: Vocab,
    names: Mapping[str, str],
    around: Frame | None,
    configs: list[dict[str, Any]],
    tokenizer_config: Mapping[str, Any],
) -> Vocab:
    """Put in which tokens begin and end a text, and whether the tokenizer writes them by itself.

    What the tokenizer does counts most, then what its configuration names, then the model's configuration.
    """
    by_name = {piece.text: number for number, piece in enumerate(vocab.pieces) if piece.kind is not PieceType.UNUSED}
    said = {
        key: [number for config in configs for number in _ids(config.get(f"{key}_token_id"), vocab)]
        for key in ("bos", "eos", "pad")
    }
    first = {
        "bos": around.before[0] if around is not None and around.before else names.get("bos", ""),
        "eos": around.after[0] if around is not None and around.after else names.get("eos", ""),
        "pad": names.get("pad", ""),
    }
    own = {"bos": vocab.bos, "eos": vocab.eos, "pad": vocab.pad}
    found = {key: by_name.get(first[key], own[key]) for key in own}
    found = {key: next(iter(said[key]), None) if number is None else number for key, number in found.items()}
    eos = found["eos"]
    if eos is None:
        raise CheckpointError(
            "Nothing says which token ends a text, and llama.cpp would take an ordinary one for it. "
            "Name it here as eos_token."
        )
    add_bos, add_eos = (tokenizer_config.get(f"add_{key}_token") for key in ("bos", "eos"))
    usual = around is None and vocab.model == "llama"
    return replace(
        vocab,
        bos=found["bos"],
        eos=eos,
        pad=found["pad"],
        unk=by_name.get(names.get("unk", ""), vocab.unk),
        add_bos=add_bos if isinstance(add_bos, bool) else usual or (around is not None and bool(around.before)),
        add_eos=add_eos if isinstance(add_eos, bool) else around is not None and bool(around.after),
        # Old configurations name as EOS what is another token of this tokenizer: of LLaMA 1, its BOS.
        stops=tuple(
            dict.fromkeys((eos, *(number for number in said["eos"] if number not in (found["bos"], vocab.unk))))
        ),
    )


def _ids(value: Any, vocab: Vocab) -> Iterator[int]:
    """The ids in a model's configuration that are special tokens; some name those of another model's vocabulary."""
    for number in value if isinstance(value, list) else [value]:
        within = isinstance(number, int) and 0 <= number < len(vocab.pieces)
        if within and vocab.pieces[number].kind in (PieceType.CONTROL, PieceType.UNKNOWN):
            yield number


@contextlib.contextmanager
def _about(files: CheckpointFiles, name: str) -> Iterator[None]:
    """Say in an error which file it is about."""
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"{files.path(name)}: {error}") from error
