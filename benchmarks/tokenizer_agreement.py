"""Ids of 10,000 varied strings: llama.cpp's, from the vocabulary a conversion writes, against the checkpoint's own.

::

    python -m benchmarks.tokenizer_agreement [--llama2 tokenizer.model] [--strings N] [CHECKPOINT ...]

Tokenizers are trained on the spot: SentencePiece as our recipes do it, and byte-level BPE with LLaMA 3's pre-tokenizer
and its 256 special tokens, whose merges reach over the borders of words, so that every wrong cut shows. To them come
LLaMA 2's own, where its file is given (also by the environment, ``BAYLING_LLAMA2_TOKENIZER``), and any checkpoints.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sentencepiece

from bayling_convert.reading.files import Folder
from bayling_convert.tokenizer.pieces import Vocab
from bayling_convert.tokenizer.vocab import read_vocab
from tests.convert.byte_level_tokenizers import SIZE, llama3_like, reference, with_merge, write_tokenizer
from tests.convert.native_tokenizer import native_vocabulary
from tests.convert.sentencepiece_as_json import PREPEND, saved_as_json
from tests.convert.small_checkpoints import train_tokenizer
from tests.convert.varied_strings import KNOWN_DIFFERENCES, varied_strings


@dataclass(frozen=True, slots=True)
class Case:
    """A checkpoint's tokenizer files: what to call them, where they lie, and the rows of the model's embedding."""

    name: str
    folder: Path
    vocab_size: int

    def read(self) -> Vocab:
        """What the conversion makes of them."""
        return read_vocab(Folder(self.folder), self.vocab_size, _json(self.folder / "tokenizer_config.json"))

    def encode(self) -> Callable[[str], list[int]]:
        """The checkpoint's own tokenizer."""
        if (self.folder / "tokenizer.model").exists():
            encode: Callable[[str], list[int]] = sentencepiece.SentencePieceProcessor(
                model_file=str(self.folder / "tokenizer.model")
            ).encode
            return encode
        tokenizer = reference(self.folder)
        return lambda text: list(tokenizer.encode(text, add_special_tokens=False).ids)


def _json(path: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return said


def _sentencepiece(folder: Path, name: str, model: bytes, vocab_size: int) -> Iterator[Case]:
    """The model as it is, and as ``tokenizer.json``."""
    whole = folder / name
    whole.mkdir()
    (whole / "tokenizer.model").write_bytes(model)
    yield Case(f"{name}, SentencePiece", whole, vocab_size)
    said = saved_as_json(model)
    prefixed = Case(name, whole, vocab_size).read().add_space_prefix
    said["normalizer"] = PREPEND if prefixed else PREPEND["normalizers"][1]
    write_tokenizer(folder / f"{name}.json", said, {"bos_token": "<s>", "eos_token": "</s>"})
    yield Case(f"{name}, SentencePiece saved as tokenizer.json", folder / f"{name}.json", vocab_size)


def _cases(folder: Path, llama2: Path | None, checkpoints: list[Path]) -> Iterator[Case]:
    yield from _sentencepiece(folder, "ours", train_tokenizer(), 600)
    yield from _sentencepiece(folder, "ours with a space prefix", train_tokenizer(prefix=True), 600)
    if llama2 is not None:
        yield from _sentencepiece(folder, "LLaMA 2", llama2.read_bytes(), 32000)
    write_tokenizer(folder / "llama3", llama3_like())
    yield Case("byte-level BPE of LLaMA 3's kind", folder / "llama3", SIZE)
    for checkpoint in checkpoints:
        yield Case(checkpoint.resolve().name, checkpoint, int(_json(checkpoint / "config.json")["vocab_size"]))


def _differing(case: Case, texts: list[str]) -> list[str]:
    encode = case.encode()
    with native_vocabulary(case.read()) as llama:
        return [text for text in texts if llama.tokenize(text) != encode(text)]


def main() -> int:
    """Print a line for each tokenizer, then what is known to differ; 1 if anything else does."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoints", type=Path, nargs="*", metavar="CHECKPOINT")
    parser.add_argument("--llama2", type=Path, default=os.environ.get("BAYLING_LLAMA2_TOKENIZER"))
    parser.add_argument("--strings", type=int, default=10_000)
    chosen = parser.parse_args()
    texts = varied_strings(chosen.strings)
    failed = False
    sys.stdout.write("| tokenizer | tokens | strings | identical |\n|---|---|---|---|\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for case in _cases(folder, chosen.llama2, chosen.checkpoints):
            wrong = _differing(case, texts)
            failed |= bool(wrong)
            sys.stdout.write(f"| {case.name} | {case.vocab_size:,} | {len(texts):,} | {len(texts) - len(wrong):,} |\n")
            for text in wrong[:5]:
                sys.stderr.write(f"{case.name}: {text!a}\n")
        for what, (left, right, text) in KNOWN_DIFFERENCES.items():
            write_tokenizer(folder / what, with_merge(left, right))
            same = not _differing(Case(what, folder / what, SIZE + 8), [text])
            sys.stdout.write(
                f"\nKnown to differ in llama.cpp, {what}: {text!a} {'is the same now' if same else 'differs'}\n"
            )
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
