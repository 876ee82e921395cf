"""A SentencePiece BPE tokenizer with byte fallback, in the manner of LLaMA's, trained on the recipe's own text.

Differences to LLaMA's: no space is put before a text (``add_dummy_prefix`` off), so that tokens depend on the text
alone and a conversation can be tokenized part by part.
"""

from __future__ import annotations

import io
import os
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import sentencepiece
from numpy.typing import NDArray

from bayling_finetune.config import TokenizerConfig
from bayling_lite.errors import RecipeError
from bayling_lite.prompts import Control, Part, Special, Text

UNK, BOS, EOS = 0, 1, 2


def train_tokenizer(lines: Sequence[str], config: TokenizerConfig, *, seed: int) -> bytes:
    """Train on (a sample of) lines; returns the serialized ``tokenizer.model``.

    Raises:
        RecipeError: the text is too small for the vocabulary.
    """
    sample = lines if len(lines) <= config.lines else random.Random(seed).sample(lines, config.lines)  # noqa: S311
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sample),
            model_writer=model,
            model_type="bpe",
            vocab_size=config.vocab_size,
            character_coverage=config.character_coverage,
            byte_fallback=True,
            normalization_rule_name="identity",
            add_dummy_prefix=False,
            remove_extra_whitespaces=False,
            split_digits=True,
            unk_id=UNK,
            bos_id=BOS,
            eos_id=EOS,
            pad_id=-1,
            num_threads=os.cpu_count() or 1,
            minloglevel=2,
        )
    except RuntimeError as error:
        raise RecipeError(f"The tokenizer cannot be trained: {error}") from error
    return model.getvalue()


class Tokenizer:
    """Turns prompt parts into token ids."""

    def __init__(self, model: bytes) -> None:
        self.model = model
        self._processor = sentencepiece.SentencePieceProcessor(model_proto=model)

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """Read a ``tokenizer.model``."""
        return cls(path.read_bytes())

    @property
    def vocab_size(self) -> int:
        """Number of token ids."""
        return int(self._processor.get_piece_size())

    def encode(self, texts: Iterable[str]) -> list[list[int]]:
        """Plain texts to token ids; special tokens are not recognised in them."""
        encoded: list[list[int]] = self._processor.encode(list(texts), num_threads=os.cpu_count() or 1)
        return encoded

    def decode(self, ids: Sequence[int]) -> str:
        """Token ids to text."""
        text: str = self._processor.decode(list(ids))
        return text

    def encode_parts(self, rendered: Sequence[Sequence[Part]]) -> list[tuple[NDArray[np.int32], NDArray[np.int8]]]:
        """Rendered conversations to (ids, responses), both (n,).

        ``responses`` is -1 outside of responses, else the response's number; the EOS that ends a response belongs to
        it.
        """
        texts = [part.content for parts in rendered for part in parts if isinstance(part, Text)]
        encoded = iter(self.encode(texts))
        result = []
        for parts in rendered:
            ids: list[int] = []
            responses: list[int] = []
            number, current = -1, -1
            for part in parts:
                if isinstance(part, Text):
                    number += part.response
                    current = number if part.response else -1
                    piece = next(encoded)
                elif isinstance(part, Special):
                    raise RecipeError(f"The tokenizer has no special token {part.token!r}.")
                else:
                    piece = [BOS if part is Control.BOS else EOS]
                ids.extend(piece)
                responses.extend([current] * len(piece))
                if not isinstance(part, Text):
                    current = -1
            result.append((np.array(ids, dtype=np.int32), np.array(responses, dtype=np.int8)))
        return result
