"""Byte-level BPE (LLaMA 3): a text is cut into words by a regular expression, their bytes are merged pair by pair.

llama.cpp knows such expressions by names (``tokenizer.ggml.pre``), each with its own code. We find the name by what the
tokenizer does, never by what the model is called, and only where llama.cpp's code does the same.

Two rare things are known to be different there: letters and numbers that Unicode 16 added are neither to llama.cpp, and
a long s (ſ) after an apostrophe is a contraction to the tokenizers library alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayling_convert.tokenizer.pieces import Piece, Vocab
from bayling_convert.tokenizer.tokenizer_json import ELSEWHERE, TokenizerJson
from bayling_lite.errors import CheckpointError

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_WORDS = (
    r"|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"  # %s: how digits are grouped
)
LLAMA3 = _CONTRACTIONS + _WORDS % r"\p{N}{1,3}"
QWEN2 = _CONTRACTIONS + _WORDS % r"\p{N}"
_DIGITS = "every digit alone"

_NAMES = {
    # By the cuts in their order, and whether a whole word that is a token is taken without merging.
    ((LLAMA3,), True): "llama-bpe",
    ((LLAMA3,), False): "smaug-bpe",
    ((QWEN2,), False): "qwen2",
    ((GPT2,), False): "gpt-2",
    ((_DIGITS, GPT2), False): "smollm",
}


def byte_level_bpe(said: TokenizerJson) -> Vocab:
    """The vocabulary; added tokens, special ids and the rest of the ids are the caller's to put in.

    Raises:
        CheckpointError: llama.cpp would tokenize differently.
    """
    if said.normalizers:
        kinds = ", ".join(str(step.get("type")) for step in said.normalizers)
        raise CheckpointError(f"Its tokenizer changes a text first ({kinds}), which llama.cpp does not do. {ELSEWHERE}")
    if said.model.get("byte_fallback"):
        raise CheckpointError(f"Its tokenizer is byte-level, yet falls back to bytes. {ELSEWHERE}")
    letters = byte_letters()
    missing = [letter for letter in letters if letter not in said.tokens]
    if missing:
        raise CheckpointError(f"Its tokenizer has no token for the byte 0x{letters.index(missing[0]):02X}. {ELSEWHERE}")
    known = set(letters)
    strange = next((f"{left} {right}" for left, right in said.merges if not known.issuperset(left + right)), None)
    if strange is not None:
        raise CheckpointError(f"Its tokenizer is byte-level, yet merges {strange!r}, which are no bytes. {ELSEWHERE}")
    pieces = {number: text for text, number in said.tokens.items()}
    return Vocab(
        pieces=tuple(Piece(pieces.get(number, "")) for number in range(max(pieces) + 1)),
        bos=None,
        eos=None,
        unk=None,
        pad=None,
        add_space_prefix=False,
        remove_extra_whitespaces=False,
        model="gpt2",
        pre=_pre_name(said.pre_tokenizers, ignore_merges=bool(said.model.get("ignore_merges", False))),
        merges=tuple(f"{left} {right}" for left, right in said.merges),
    )


def byte_letters() -> list[str]:
    """The character that each byte is written as: itself where it can be seen, else one from U+0100 on (GPT-2)."""
    seen = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    unseen = iter(range(0x100, 0x200))
    return [chr(byte if byte in seen else next(unseen)) for byte in range(256)]


def _pre_name(steps: tuple[Mapping[str, Any], ...], *, ignore_merges: bool) -> str:
    cuts = tuple(cut for step in steps for cut in _cut(step))
    name = _NAMES.get((cuts, ignore_merges))
    if name is None:
        how = f"with the regular expression {' and then '.join(cuts) or '(none)'}"
        words = "taking whole words" if ignore_merges else "merging every word"
        raise CheckpointError(f"Its tokenizer cuts a text {how}, {words}: that cannot be converted here. {ELSEWHERE}")
    return name


def _cut(step: Mapping[str, Any]) -> tuple[str, ...]:
    """What a step cuts at; nothing, for one that only writes bytes as letters."""
    kind = step.get("type")
    if kind == "ByteLevel" and not step.get("add_prefix_space", True):
        return (GPT2,) if step.get("use_regex", True) else ()
    if kind == "Digits" and step.get("individual_digits"):
        return (_DIGITS,)
    if kind == "Split":
        pattern = step.get("pattern")
        regex = pattern.get("Regex") if isinstance(pattern, dict) else None
        # The expressions match every character, so that keeping what matches is the same as cutting around it.
        whole = (step.get("behavior"), bool(step.get("invert"))) in (("Isolated", False), ("Removed", True))
        if isinstance(regex, str) and whole:
            return (regex,)
    raise CheckpointError(
        f"Its tokenizer cuts a text with the step {dict(step)}, which llama.cpp does not do. {ELSEWHERE}"
    )
