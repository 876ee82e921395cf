"""Tokenized dialogues for the benchmarks of fine-tuning: from a TSV file of translations, or from generated text.

Run as a process of its own, so that neither the tokenizer nor the text counts in anybody's memory::

    python -m benchmarks.finetuning_data --output FOLDER [--data PAIRS.tsv] [--pairs 40000] [--vocab-size 8000]
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bayling_finetune.config import TokenizerConfig
from bayling_finetune.packing import Document
from bayling_finetune.sentencepiece_tokenizer import SentencePieceTokenizer, train_tokenizer
from bayling_finetune.tokenizer import encode_parts
from bayling_lite.languages import find_language
from bayling_lite.messages import Conversation
from bayling_lite.prompts import BAYLING, translation_instruction, user_turn
from benchmarks.sentences import sentences


@dataclass(frozen=True)
class Dialogues:
    """``prefix``: (p,) what all begin with. ``ids``, ``targets``: (n,) the rest of each; ``offsets``: (m + 1,)."""

    prefix: NDArray[np.int32]
    ids: NDArray[np.int32]
    targets: NDArray[np.bool_]
    offsets: NDArray[np.int64]

    @classmethod
    def load(cls, folder: Path) -> Dialogues:
        """Read what :func:`main` wrote."""
        with np.load(folder / "dialogues.npz") as arrays:
            return cls(**arrays)

    def documents(self) -> list[Document]:
        """All of them, in order."""
        return [
            Document(self.ids[begin:end], self.targets[begin:end])
            for begin, end in zip(self.offsets[:-1], self.offsets[1:], strict=True)
        ]


def conversations(pairs: list[tuple[str, str]], target: str, seed: int, characters: int) -> Iterator[Conversation]:
    """One to four translations each, or as many as have so many characters."""
    chance, language, rest = random.Random(seed), find_language(target), iter(pairs)
    for source, translation in rest:
        conversation = user_turn(translation_instruction(source, language)).assistant(translation)
        more, size = chance.choice((0, 0, 0, 1, 1, 3)), len(source + translation)
        while (size < characters if characters else more > 0) and (pair := next(rest, None)) is not None:
            conversation = conversation.user(translation_instruction(pair[0], language)).assistant(pair[1])
            more, size = more - 1, size + len(pair[0] + pair[1])
        yield conversation


def read_pairs(path: Path | None, count: int) -> list[tuple[str, str]]:
    """``count`` pairs of a TSV file; without a file, generated English and the same words backwards."""
    if path is None:
        return [(sentence, " ".join(reversed(sentence.split()))) for sentence in sentences(count)]
    lines = path.read_text(encoding="utf-8").splitlines()
    random.Random(1).shuffle(lines)
    return [(fields[0], fields[1]) for line in lines[:count] if len(fields := line.split("\t")) >= 2]


def main() -> None:
    """Make them and write ``dialogues.npz``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--target", default="zh")
    parser.add_argument("--pairs", type=int, default=40_000)
    parser.add_argument("--vocab-size", type=int, default=8000)
    parser.add_argument("--length", type=int, default=0, help="tokens a dialogue, about; 0: a few turns")
    parser.add_argument("--max-tokens", type=int, default=2048)
    arguments = parser.parse_args()
    pairs = read_pairs(arguments.data, arguments.pairs)
    text = [side for pair in pairs for side in pair]
    tokenizer = SentencePieceTokenizer(train_tokenizer(text, TokenizerConfig(vocab_size=arguments.vocab_size), seed=1))
    sample = [
        len(ids) / max(1, len(line)) for line, ids in zip(text[:1000], tokenizer.encode(text[:1000]), strict=True)
    ]
    characters = int(0.42 * arguments.length / (sum(sample) / len(sample)))  # instructions take the rest
    made = conversations(pairs, arguments.target, 1, characters)
    rendered = [BAYLING.render(conversation) for conversation in made]
    encoded = [part for part in encode_parts(tokenizer, rendered) if len(part[0]) <= arguments.max_tokens]
    whole = [ids for ids, _ in encoded]
    common = np.minimum.reduce([_common(whole[0], ids) for ids in whole])
    lengths = [len(ids) - int(common) for ids in whole]
    arguments.output.mkdir(parents=True, exist_ok=True)
    np.savez(
        arguments.output / "dialogues.npz",
        prefix=whole[0][:common],
        ids=np.concatenate([ids[common:] for ids in whole]),
        targets=np.concatenate([responses[common:] >= 0 for _, responses in encoded]),
        offsets=np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
    )


def _common(first: NDArray[np.int32], second: NDArray[np.int32]) -> int:
    length = min(len(first), len(second))
    different = np.flatnonzero(first[:length] != second[:length])
    return int(different[0]) if len(different) else length


if __name__ == "__main__":
    main()
