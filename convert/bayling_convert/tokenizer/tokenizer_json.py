"""A ``tokenizer.json``, the file of Hugging Face's tokenizers library, read and checked without that library.

What every kind of it has in common: tokens, merges, added tokens, and the steps a text goes through
(https://huggingface.co/docs/tokenizers/pipeline). The kinds themselves are in
:mod:`bayling_convert.tokenizer.byte_level_bpe` (LLaMA 3) and :mod:`bayling_convert.tokenizer.merged_pieces` (LLaMA 1
and 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bayling_convert.tokenizer.pieces import LONGEST_TOKEN, MOST_TOKENS
from bayling_lite.errors import CheckpointError

ELSEWHERE = "llama.cpp's own convert_hf_to_gguf.py may handle it; bayling opens the GGUF it writes."
DAMAGED = "Fetch or save it again."


@dataclass(frozen=True, slots=True)
class AddedToken:
    """A token found by its text before anything else is done to a text.

    ``special`` ones are not found in what users write. ``alone`` is false for one that takes the spaces around it with
    it, or counts only between word borders, which llama.cpp does not know.
    """

    number: int
    text: str
    special: bool
    alone: bool = True


@dataclass(frozen=True, slots=True)
class TokenizerJson:
    """A BPE tokenizer: ids by token, pairs to merge in their order, added tokens, and the steps around them."""

    tokens: Mapping[str, int]
    merges: tuple[tuple[str, str], ...]
    added: tuple[AddedToken, ...]
    model: Mapping[str, Any]
    normalizers: tuple[Mapping[str, Any], ...]
    pre_tokenizers: tuple[Mapping[str, Any], ...]
    post_processors: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """The tokens put before and after every text, by name. Both empty: none."""

    before: tuple[str, ...]
    after: tuple[str, ...]


def parse_tokenizer_json(said: Mapping[str, Any]) -> TokenizerJson:
    """Read what ``tokenizer.json`` holds.

    Raises:
        CheckpointError: it is damaged, or of a kind that llama.cpp does not reproduce.
    """
    model = said.get("model")
    if not isinstance(model, dict):
        raise CheckpointError(f"It describes no tokenizer model. {DAMAGED}")
    kind = model.get("type", "BPE" if "merges" in model else "of unknown kind")
    if kind != "BPE":
        raise CheckpointError(f"Its tokenizer is {kind}, not BPE, which LLaMA models have. {ELSEWHERE}")
    for option in ("dropout", "continuing_subword_prefix", "end_of_word_suffix"):
        if model.get(option):
            raise CheckpointError(f"Its tokenizer has {option}={model[option]!r}, which llama.cpp ignores. {ELSEWHERE}")
    tokens = _tokens(model.get("vocab"))
    return TokenizerJson(
        tokens=tokens,
        merges=_merges(model.get("merges"), tokens),
        added=added_tokens(said.get("added_tokens")),
        model=model,
        normalizers=_steps(said.get("normalizer"), "normalizers"),
        pre_tokenizers=_steps(said.get("pre_tokenizer"), "pretokenizers"),
        post_processors=_steps(said.get("post_processor"), "processors"),
    )


def is_byte_level(said: Mapping[str, Any]) -> bool:
    """Whether the tokens stand for bytes rather than characters."""
    return any(step.get("type") == "ByteLevel" for step in _steps(said.get("pre_tokenizer"), "pretokenizers"))


def added_tokens(entries: Any) -> tuple[AddedToken, ...]:
    """The list ``added_tokens``, or ``added_tokens_decoder`` of ``tokenizer_config.json`` with its ids put in.

    Raises:
        CheckpointError: it is damaged.
    """
    if entries is None:
        return ()
    try:
        return tuple(
            AddedToken(
                number=_checked_id(entry["id"], entry["content"]),
                text=_checked_text(entry["content"]),
                special=bool(entry.get("special", False)),
                alone=not any(entry.get(flag, False) for flag in ("lstrip", "rstrip", "single_word")),
            )
            for entry in entries
        )
    except (TypeError, KeyError, AttributeError) as error:
        raise CheckpointError(f"The list of added tokens is damaged. {DAMAGED}") from error


def frame(post_processors: tuple[Mapping[str, Any], ...]) -> Frame | None:
    """What is put around a text; None when no step says it.

    Raises:
        CheckpointError: a step that llama.cpp does not reproduce, or a damaged one.
    """
    found: Frame | None = None
    for step in post_processors:
        kind = step.get("type")
        if kind == "ByteLevel":  # trims offsets, not tokens
            continue
        if kind != "TemplateProcessing" or found is not None:
            raise CheckpointError(f"Its tokenizer ends with the step {kind}, which llama.cpp does not do. {ELSEWHERE}")
        before: list[str] = []
        after: list[str] = []
        try:
            into = before
            for item in step["single"]:
                if "Sequence" in item:
                    into = after
                else:
                    into.append(_checked_text(item["SpecialToken"]["id"]))
        except (TypeError, KeyError) as error:
            raise CheckpointError(f"Its post_processor is damaged. {DAMAGED}") from error
        if len(before) > 1 or len(after) > 1:
            raise CheckpointError(f"Its tokenizer puts {before} before a text and {after} after it. {ELSEWHERE}")
        found = Frame(tuple(before), tuple(after))
    return found


def _tokens(vocab: Any) -> Mapping[str, int]:
    if not isinstance(vocab, dict) or not vocab:
        raise CheckpointError(f"It has no vocabulary. {DAMAGED}")
    owners: dict[int, str] = {}
    for text, number in vocab.items():
        _checked_text(text)
        other = owners.setdefault(_checked_id(number, text), text)
        if other != text:
            raise CheckpointError(f"Its tokens {other!r} and {text!r} have the same id {number}. {DAMAGED}")
    return vocab


def _merges(entries: Any, tokens: Mapping[str, int]) -> tuple[tuple[str, str], ...]:
    """Pairs, written ``"a b"`` in older files and ``["a", "b"]`` in newer ones."""
    if not isinstance(entries, list):
        raise CheckpointError(f"It has no list of merges. {DAMAGED}")
    merges: dict[tuple[str, str], None] = {}
    for entry in entries:
        parts = entry.split(" ") if isinstance(entry, str) else entry
        if not isinstance(parts, list) or len(parts) != 2 or not all(isinstance(part, str) and part for part in parts):
            raise CheckpointError(f"Its merge {entry!r:.80} is not a pair of tokens. {DAMAGED}")
        left, right = parts
        for part in (left, right, left + right):
            if part not in tokens:
                raise CheckpointError(f"Its merge of {left!r} and {right!r} needs a token {part!r}. {DAMAGED}")
        if (left, right) in merges:
            raise CheckpointError(f"It merges {left!r} and {right!r} twice. {DAMAGED}")
        merges[left, right] = None
    return tuple(merges)


def _steps(step: Any, inside: str) -> tuple[Mapping[str, Any], ...]:
    """The steps of a stage; a ``Sequence`` has them under ``inside``."""
    if step is None:
        return ()
    if not isinstance(step, dict):
        raise CheckpointError(f"Its {inside} are damaged. {DAMAGED}")
    if step.get("type") != "Sequence":
        return (step,)
    steps = step.get(inside)
    if not isinstance(steps, list):
        raise CheckpointError(f"Its {inside} are damaged. {DAMAGED}")
    return tuple(inner for one in steps for inner in _steps(one, inside))


def _checked_id(number: Any, text: Any) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < MOST_TOKENS:
        raise CheckpointError(f"Its token {text!r:.80} has the id {number!r:.40}. {DAMAGED}")
    return number


def _checked_text(text: Any) -> str:
    """GGUF holds UTF-8, and llama.cpp reads a name up to its first NUL."""
    fits = isinstance(text, str) and 1 <= len(text) <= LONGEST_TOKEN and "\0" not in text
    if not fits or any("\ud800" <= character <= "\udfff" for character in text):
        raise CheckpointError(f"It has a token {text!r:.80}, which cannot be written as text. {DAMAGED}")
    return str(text)
