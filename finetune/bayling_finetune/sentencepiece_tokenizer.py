"""SentencePiece BPE with byte fallback: one trained on the recipe's own text, or that of a LLaMA 1 or 2.

Ours differs from LLaMA's in one thing: no space is put before a text (``add_dummy_prefix`` off), so that tokens depend
on the text alone.
"""

from __future__ import annotations

import io
import os
import random
import re
from collections.abc import Sequence
from pathlib import Path

import sentencepiece

from bayling_finetune.checkpoint_files import copy_tokenizer
from bayling_finetune.config import TokenizerConfig
from bayling_finetune.text_pieces import continued, no_special
from bayling_lite.errors import RecipeError
from bayling_lite.prompts import PromptTemplate

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
        raise RecipeError(_remedy(str(error), config)) from error
    return model.getvalue()


def _remedy(said: str, config: TokenizerConfig) -> str:
    """What to change in the recipe, where SentencePiece's own sentence tells it in words of its own options."""
    size = f"tokenizer.vocab_size is {config.vocab_size:,}"
    if most := re.search(r"value <= (\d+)", said):
        return f"{size}, but so little text gives {int(most[1]):,} tokens at most: lower it to that, or add text."
    if least := re.search(r"smaller than required_chars\. \d+ vs (\d+)", said):
        return (
            f"{size}, but the text has so many different characters that {int(least[1]):,} tokens are needed: raise it "
            "to that or more, or lower tokenizer.character_coverage."
        )
    return f"The tokenizer cannot be trained: {said}"


class SentencePieceTokenizer:
    """A ``tokenizer.model``; ``folder`` is the checkpoint it belongs to, if it is a base's.

    Raises:
        RecipeError: it is none, or has no EOS.
    """

    def __init__(self, model: bytes, folder: Path | None = None) -> None:
        self.model = model
        self._folder = folder
        try:
            self._processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        except RuntimeError as error:
            raise RecipeError("The tokenizer.model is damaged, or not SentencePiece's.") from error
        if self._processor.eos_id() < 0:
            raise RecipeError("The tokenizer.model has no token that ends a text.")
        self._prefixes = self._processor.encode("a", out_type=str)[0].startswith("▁")

    @classmethod
    def load(cls, path: Path) -> SentencePieceTokenizer:
        """Read the ``tokenizer.model`` of a checkpoint folder.

        Raises:
            RecipeError: it is damaged.
        """
        return cls(path.read_bytes(), path.parent)

    @property
    def vocab_size(self) -> int:
        """Number of token ids."""
        return int(self._processor.get_piece_size())

    @property
    def bos(self) -> int | None:
        """The id of ``<s>``."""
        number = int(self._processor.bos_id())
        return number if number >= 0 else None

    @property
    def eos(self) -> int:
        """The id of ``</s>``."""
        return int(self._processor.eos_id())

    def special_id(self, token: str) -> int:
        """The id of a special token by its name.

        Raises:
            RecipeError: there is none.
        """
        number = int(self._processor.piece_to_id(token))
        if not self._processor.is_control(number) or self._processor.id_to_piece(number) != token:
            raise no_special(token)
        return number

    def encode(self, texts: Sequence[str], *, begins: bool = False) -> list[list[int]]:
        """Plain texts to ids; ``begins``: each is the first of its conversation, and gets the space prefix, if any."""
        if begins or not self._prefixes:
            return self._encode(texts)
        return continued(self._encode, texts)

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        encoded: list[list[int]] = self._processor.encode(list(texts), num_threads=os.cpu_count() or 1)
        return encoded

    def decode(self, ids: Sequence[int]) -> str:
        """Ids to the text they are within a conversation; special tokens stand for none."""
        if not self._prefixes:
            return str(self._processor.decode(list(ids)))
        # The first token of all loses the space that a prefix would have put there.
        return str(self._processor.decode([*self._processor.encode("\n"), *ids])).removeprefix("\n")

    def save_into(self, folder: Path, template: PromptTemplate) -> None:
        """Write the tokenizer's files and the chat template: a base's own, or, of a new one, what transformers reads.

        ``folder`` has the model's configuration, and no tokenizer.
        """
        if self._folder is not None:
            copy_tokenizer(self._folder, folder, chat_template=template.jinja)
            return
        from tokenizers import AddedToken
        from transformers import LlamaTokenizer

        (folder / "tokenizer.model").write_bytes(self.model)
        special = [AddedToken(token, special=True, normalized=False) for token in ("<unk>", "<s>", "</s>")]
        # LlamaTokenizer would read a tokenizer.json that lies in the folder rather than this tokenizer.
        fast = LlamaTokenizer.from_pretrained(
            folder,
            unk_token=special[UNK],
            bos_token=special[BOS],
            eos_token=special[EOS],
            add_prefix_space=self._prefixes,
        )
        fast.chat_template = template.jinja
        fast.save_pretrained(folder)
