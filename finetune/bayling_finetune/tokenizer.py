"""Tokenizers: what turns the parts of a prompt into token ids, the same ids that the model gets when it runs.

Special tokens enter only where the template put them; a text never becomes one, whatever characters it has. Between two
special tokens everything is one text; a response has token borders of its own, for generation starts and ends there.

A vocabulary of the SentencePiece kind may want a space before a text (``add_dummy_prefix``). Only the first text of a
conversation gets one: what comes later continues the prompt, as it does when the model runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bayling_finetune.checkpoint_files import read_json
from bayling_finetune.hub_tokenizer import HubTokenizer
from bayling_finetune.sentencepiece_tokenizer import SentencePieceTokenizer
from bayling_lite.errors import RecipeError
from bayling_lite.prompts import Control, Part, PromptTemplate, Special, Text

Encoded = tuple[NDArray[np.int32], NDArray[np.int16]]


class Tokenizer(Protocol):
    """What training needs of a tokenizer."""

    @property
    def vocab_size(self) -> int:
        """Number of token ids; a model may have more rows."""
        ...

    @property
    def bos(self) -> int | None:
        """The id that begins a conversation; None when the tokenizer puts none there."""
        ...

    @property
    def eos(self) -> int:
        """The id that ends a text."""
        ...

    def special_id(self, token: str) -> int:
        """The id of a special token by its name. Raises RecipeError: there is none."""
        ...

    def encode(self, texts: Sequence[str], *, begins: bool = False) -> list[list[int]]:
        """Plain texts to ids; ``begins``: each is the first of its conversation."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """Ids to text; special tokens stand for none."""
        ...

    def save_into(self, folder: Path, template: PromptTemplate) -> None:
        """Write the files of a checkpoint folder that ``from_pretrained`` and conversion read, and the chat template.

        Weights and configuration are there already.
        """
        ...


def load_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a checkpoint folder, by the file that conversion takes, too.

    Raises:
        RecipeError: there is none, or it cannot be used.
    """
    listed, pieces = folder / "tokenizer.json", folder / "tokenizer.model"
    # Llama 3 checkpoints may have a tokenizer.model, too, of another format.
    if pieces.is_file() and not (listed.is_file() and _is_byte_level(listed)):
        return SentencePieceTokenizer.load(pieces)
    if listed.is_file():
        return HubTokenizer(folder)
    raise RecipeError(f"{folder} has no tokenizer.json and no tokenizer.model, so nothing can be tokenized for it.")


def _is_byte_level(path: Path) -> bool:
    cut = read_json(path).get("pre_tokenizer") or {}
    return any(step.get("type") == "ByteLevel" for step in [cut, *cut.get("pretokenizers", ())])


def encode_parts(tokenizer: Tokenizer, rendered: Sequence[Sequence[Part]]) -> list[Encoded]:
    """Rendered conversations to (ids, responses), both (n,).

    ``responses`` is -1 outside of responses, else the response's number; the token that ends a response belongs to it.

    Raises:
        RecipeError: the tokenizer lacks a special token of the template.
    """
    firsts, others = [], []
    for parts in rendered:
        texts = [part.content for part in parts if isinstance(part, Text)]
        firsts.extend(texts[:1])
        others.extend(texts[1:])
    first, other = iter(tokenizer.encode(firsts, begins=True)), iter(tokenizer.encode(others))
    result = []
    for parts in rendered:
        ids: list[int] = []
        responses: list[int] = []
        number, current, texts_seen = -1, -1, 0
        for part in parts:
            if isinstance(part, Text):
                number += part.response
                current = number if part.response else -1
                piece = next(other if texts_seen else first)
                texts_seen += 1
            else:
                piece = _control_ids(tokenizer, part)
            ids.extend(piece)
            responses.extend([current] * len(piece))
            if not isinstance(part, Text):
                current = -1
        result.append((np.array(ids, dtype=np.int32), np.array(responses, dtype=np.int16)))
    return result


def _control_ids(tokenizer: Tokenizer, part: Special | Control) -> list[int]:
    if isinstance(part, Special):
        return [tokenizer.special_id(part.token)]
    if part in (Control.EOS, Control.TEMPLATE_EOS):
        return [tokenizer.eos]
    return [] if tokenizer.bos is None else [tokenizer.bos]


def stop_ids(tokenizer: Tokenizer, template: PromptTemplate) -> tuple[int, ...]:
    """The ids that end an answer: that of the template's end of turn first, the tokenizer's own EOS among them.

    Raises:
        RecipeError: the tokenizer lacks a special token of the template.
    """
    named = [number for part in template.stop for number in _control_ids(tokenizer, part)]
    return tuple(dict.fromkeys([*named, tokenizer.eos]))
