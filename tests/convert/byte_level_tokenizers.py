"""Byte-level BPE tokenizers, trained on the spot, of the kind that LLaMA 3 has."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from bayling_convert.tokenizer.byte_level_bpe import byte_letters
from tests.convert.small_checkpoints import corpus
from tests.convert.varied_strings import varied_strings

LLAMA3_REGEX = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
NAMED = (
    *("begin_of_text", "end_of_text", "reserved_special_token_0", "reserved_special_token_1"),
    *("reserved_special_token_2", "reserved_special_token_3", "start_header_id", "end_header_id"),
    *("reserved_special_token_4", "eot_id"),
)
SPECIALS = tuple(f"<|{name}|>" for name in NAMED) + tuple(f"<|reserved_special_token_{n}|>" for n in range(5, 251))
"""The 256 that LLaMA 3 has, in its order."""

SIZE = 2000 + len(SPECIALS)
PLAIN = {"special": False, "normalized": False, "lstrip": False, "rstrip": False, "single_word": False}
GPT2_STEP = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
DIGITS = {"type": "Digits", "individual_digits": True}


@functools.cache
def _trained(vocab_size: int) -> str:
    """Trained on texts as a whole: its merges reach over the borders of words, so that every wrong cut shows."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    texts = [text for text in varied_strings(1500) if not any(name in text for name in ("<|", "</s>", "[PAD"))]
    tokenizer.train_from_iterator([*texts, *corpus()], trainer)
    return str(tokenizer.to_str())


def llama3_like(vocab_size: int = 2000, **model: Any) -> dict[str, Any]:
    """What ``tokenizer.json`` holds; ``model`` changes options of the BPE. Ids from ``vocab_size`` on are special."""
    tokenizer = Tokenizer.from_str(_trained(vocab_size))
    split = pre_tokenizers.Split(Regex(LLAMA3_REGEX), behavior="isolated", invert=False)
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in SPECIALS])
    begin = tokenizer.token_to_id("<|begin_of_text|>")
    template = processors.TemplateProcessing(
        single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", begin)]
    )
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template])
    said: dict[str, Any] = json.loads(tokenizer.to_str())
    said["model"] |= {"ignore_merges": True, **model}
    return said


def cuts(*steps: dict[str, Any]) -> dict[str, Any]:
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    return {"type": "Sequence", "pretokenizers": [*steps, byte_level]}


def split(regex: str, **options: Any) -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": False, **options}


def with_merge(left: str, right: str) -> dict[str, Any]:
    """A tokenizer that joins two characters, where they stand in one word."""
    said = llama3_like()
    tokens, merges = said["model"]["vocab"], []
    for text in (left, right, left + right):
        letters = _letters(text)
        for end in range(2, len(letters) + 1):
            made = letters[:end]
            if made not in tokens:
                tokens[made] = max(*tokens.values(), SIZE - 1) + 1
            merges.append([made[:-1], made[-1]])
    # The pair itself is made of the two characters, before anything else.
    merges = [pair for pair in merges if "".join(pair) != _letters(left + right)]
    merges.append([_letters(left), _letters(right)])
    said["model"]["merges"] = [list(pair) for pair in dict.fromkeys(map(tuple, merges))]
    return said


def _letters(text: str) -> str:
    letters = byte_letters()
    return "".join(letters[byte] for byte in text.encode())


def write_tokenizer(folder: Path, said: dict[str, Any], config: dict[str, Any] | None = None) -> None:
    """Put ``tokenizer.json`` and ``tokenizer_config.json`` into a folder."""
    folder.mkdir(exist_ok=True)
    (folder / "tokenizer.json").write_text(json.dumps(said), encoding="utf-8")
    names = {"bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>"} if config is None else config
    (folder / "tokenizer_config.json").write_text(json.dumps(names), encoding="utf-8")


def reference(folder: Path) -> Tokenizer:
    """The checkpoint's own tokenizer, as text from users is given to it: no name in it is a special token."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.encode_special_tokens = True
    return tokenizer
