"""A ``tokenizer.json``, as Hugging Face's fast tokenizers have it: byte-level BPE (LLaMA 3) or SentencePiece's BPE."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import tokenizers

from bayling_finetune.checkpoint_files import copy_tokenizer, read_json
from bayling_finetune.text_pieces import apart, continued, no_special
from bayling_lite.errors import RecipeError
from bayling_lite.prompts import PromptTemplate

_BYTE = re.compile("<0x[0-9A-F]{2}>")
_TAG = re.compile(r"<.+>|\[.+\]", re.DOTALL)


class HubTokenizer:
    """The tokenizer of a checkpoint folder.

    Raises:
        RecipeError: ``tokenizer.json`` cannot be read, or nothing says which token ends a text.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        path = folder / "tokenizer.json"
        try:
            self._backend = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing narrower
            raise RecipeError(f"{path} cannot be used: {error}") from error
        self._backend.no_truncation()
        self._backend.no_padding()
        # By default the names of special tokens in a text become these tokens.
        self._backend.encode_special_tokens = True
        self._steering = frozenset(self._steering_ids())
        plain = self._backend.encode("a", add_special_tokens=False)
        self._prefixes = bool(plain.tokens) and plain.tokens[0].startswith("▁")
        framed = self._backend.encode("a").ids
        at = framed.index(plain.ids[0]) if plain.ids and plain.ids[0] in framed else 0
        before, after = framed[:at], framed[at + len(plain.ids) :]
        names = read_json(folder / "special_tokens_map.json") | read_json(folder / "tokenizer_config.json")
        eos = next(iter(after), self._named(names, "eos"))
        if eos is None:
            raise RecipeError(f"Nothing in {folder} says which token ends a text: name it in tokenizer_config.json.")
        self._eos = eos
        bos, adds = next(iter(before), self._named(names, "bos")), names.get("add_bos_token")
        usual = bool(before) or (self._prefixes and self._backend.post_processor is None)
        self._bos = bos if (adds if isinstance(adds, bool) else usual) else None

    def _steering_ids(self) -> Iterator[int]:
        """Ids that no text may become by its characters: special tokens, tags that were added, single bytes."""
        for number, token in self._backend.get_added_tokens_decoder().items():
            if token.special or _TAG.fullmatch(token.content.strip(" ▁")):
                yield number
        for name, number in self._backend.get_vocab(with_added_tokens=False).items():
            if _BYTE.fullmatch(name):
                yield number

    def _named(self, names: dict[str, Any], key: str) -> int | None:
        """The id that the configuration of tokenizer or model gives for BOS or EOS."""
        name = names.get(f"{key}_token")
        name = name.get("content") if isinstance(name, dict) else name
        number = self._backend.token_to_id(name) if isinstance(name, str) else None
        if number is None:
            said = [read_json(self._folder / file) for file in ("generation_config.json", "config.json")]
            listed = (config.get(f"{key}_token_id") for config in said)
            ids = itertools.chain.from_iterable(ids if isinstance(ids, list) else [ids] for ids in listed)
            number = next((id_ for id_ in ids if type(id_) is int and self._backend.id_to_token(id_)), None)
        return number

    @property
    def vocab_size(self) -> int:
        """Number of token ids, added tokens included."""
        return int(self._backend.get_vocab_size(with_added_tokens=True))

    @property
    def bos(self) -> int | None:
        """The id that begins a conversation; None when the tokenizer puts none there."""
        return self._bos

    @property
    def eos(self) -> int:
        """The id that ends a text."""
        return self._eos

    def special_id(self, token: str) -> int:
        """The id of a special token by its name.

        Raises:
            RecipeError: there is none.
        """
        for number, added in self._backend.get_added_tokens_decoder().items():
            if added.content == token and added.special:
                return int(number)
        raise no_special(token)

    def encode(self, texts: Sequence[str], *, begins: bool = False) -> list[list[int]]:
        """Plain texts to ids; ``begins``: each is the first of its conversation, and gets the space prefix, if any."""
        encoded = self._encode(texts) if begins or not self._prefixes else continued(self._encode, texts)
        for number, (text, ids) in enumerate(zip(texts, encoded, strict=True)):
            if not self._steering.isdisjoint(ids) and (name := self._smuggled(text, ids)):
                # Merging went along the characters of a token's name and arrived at the token itself.
                first, *rest = apart(text, name)
                encoded[number] = [
                    *self.encode([first], begins=begins)[0],
                    *itertools.chain.from_iterable(self.encode(rest)),
                ]
        return encoded

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        return [found.ids for found in self._backend.encode_batch(list(texts), add_special_tokens=False)]

    def _smuggled(self, text: str, ids: Sequence[int]) -> str | None:
        for number in dict.fromkeys(ids):
            name = self._backend.id_to_token(number) or ""
            if number in self._steering and len(name) > 1 and name in text:
                return name
        return None

    def decode(self, ids: Sequence[int]) -> str:
        """Ids to the text they are within a conversation; special tokens stand for none."""
        if not self._prefixes:
            return str(self._backend.decode(list(ids)))
        # The first token of all loses the space that a prefix would have put there.
        before = self._backend.encode("\n", add_special_tokens=False).ids
        return str(self._backend.decode([*before, *ids])).removeprefix("\n")

    def save_into(self, folder: Path, template: PromptTemplate) -> None:
        """Copy the files it was read from, and write the chat template."""
        copy_tokenizer(self._folder, folder, chat_template=template.jinja)
