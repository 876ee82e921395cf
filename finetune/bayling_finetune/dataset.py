"""Tokenized dialogues in flat arrays on the disk: they take no memory, however many there are."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from bayling_finetune.dialogues.values import Dialogue
from bayling_finetune.packing import Document
from bayling_finetune.rundir import whole_folder
from bayling_finetune.tokenizer import Encoded, Tokenizer, encode_parts
from bayling_lite.errors import RecipeError
from bayling_lite.prompts import PromptTemplate

_CHUNK = 2_000
_COPIED_AT_ONCE = 1 << 20  # tokens


@dataclass(frozen=True)
class Dataset:
    """Dialogues without their common prefix.

    ``prefix``: (p,) token ids every dialogue begins with. ``ids``: (n,) int32, tokens of all dialogues in a row;
    ``targets``: (n,) bool, what is to be learnt. ``offsets``: (m + 1,) int64, where each dialogue begins. ``weights``:
    (m,) float32, passes an epoch. ``too_long`` and ``unlearnt``: dialogues that were left out, because they have too
    many tokens or nothing to learn.
    """

    prefix: NDArray[np.int32]
    ids: NDArray[np.int32]
    targets: NDArray[np.bool_]
    offsets: NDArray[np.int64]
    weights: NDArray[np.float32]
    too_long: int = 0
    unlearnt: int = 0

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def document(self, number: int) -> Document:
        """One dialogue."""
        part = slice(self.offsets[number], self.offsets[number + 1])
        return Document(self.ids[part], self.targets[part])

    @property
    def longest(self) -> int:
        """Tokens of the longest dialogue, the prefix not counted."""
        return int(np.diff(self.offsets).max())

    @classmethod
    def load(cls, folder: Path) -> Dataset:
        """Open what :func:`tokenize_into` wrote; tokens stay on the disk and are read when they are needed.

        Raises:
            OSError, ValueError, KeyError: it is not there, or damaged.
        """
        left_out = json.loads((folder / "left_out.json").read_text(encoding="utf-8"))
        dataset = cls(
            np.load(folder / "prefix.npy"),
            np.load(folder / "ids.npy", mmap_mode="r"),
            np.load(folder / "targets.npy", mmap_mode="r"),
            np.load(folder / "offsets.npy"),
            np.load(folder / "weights.npy"),
            left_out["too_long"],
            left_out["unlearnt"],
        )
        if not len(dataset.ids) == len(dataset.targets) == dataset.offsets[-1] or len(dataset.weights) != len(dataset):
            raise ValueError(f"{folder} is damaged")
        return dataset

    def epoch(self, number: int, *, seed: int) -> NDArray[np.int64]:
        """The order of one epoch: a shuffle in which a dialogue of weight 2.5 stands two or three times."""
        random = np.random.default_rng((seed, number))
        whole = np.floor(self.weights).astype(np.int64)
        repeats = whole + (random.random(len(self)) < self.weights - whole)
        order = np.repeat(np.arange(len(self), dtype=np.int64), repeats)
        random.shuffle(order)
        return order


def tokenize_into(
    folder: Path, dialogues: Iterable[Dialogue], template: PromptTemplate, tokenizer: Tokenizer, *, max_tokens: int
) -> Dataset:
    """Render, tokenize, cut off the common prefix and write it; ``folder`` appears whole or not at all.

    Dialogues of more than ``max_tokens`` without the prefix are left out, and those without anything to learn. The
    prefix ends before the last token that any first answer is predicted from.

    Raises:
        RecipeError: there is no dialogue, or none that is short enough.
        OSError: it cannot be written.
    """
    with whole_folder(folder) as partial:
        scratch = partial / "spool"  # goes with the folder if this process is killed
        scratch.mkdir()
        with contextlib.closing(_Spool(scratch)) as spool:
            for chunk in _chunks(dialogues):
                rendered = [template.render(dialogue.conversation) for dialogue in chunk]
                for dialogue, encoded in zip(chunk, encode_parts(tokenizer, rendered), strict=True):
                    spool.add(dialogue, encoded)
        spool.finish(partial, max_tokens=max_tokens)
        shutil.rmtree(scratch)
    return Dataset.load(folder)


def tokenize(
    dialogues: Iterable[Dialogue], template: PromptTemplate, tokenizer: Tokenizer, *, max_tokens: int
) -> Dataset:
    """The same in memory, for few dialogues."""
    with tempfile.TemporaryDirectory() as folder:
        stored = tokenize_into(Path(folder) / "data", dialogues, template, tokenizer, max_tokens=max_tokens)
        return Dataset(
            stored.prefix,
            np.array(stored.ids),
            np.array(stored.targets),
            stored.offsets,
            stored.weights,
            stored.too_long,
            stored.unlearnt,
        )


class _Spool:
    """Whole dialogues on the way to a dataset; what prefix they share is known when all are there."""

    def __init__(self, folder: Path) -> None:
        self._paths = folder / "ids", folder / "targets"
        self._files: tuple[IO[bytes], IO[bytes]] = self._paths[0].open("wb"), self._paths[1].open("wb")
        self._lengths, self._weights = array("q"), array("f")
        self._prefix: NDArray[np.int32] | None = None
        self._unlearnt = 0

    def add(self, dialogue: Dialogue, encoded: Encoded) -> None:
        """Take in one."""
        tokens, responses = encoded
        learnt = np.array((*dialogue.learnt, False), dtype=np.bool_)  # response -1 is the last entry: never learnt
        targets = learnt[responses]
        if not targets.any():
            self._unlearnt += 1
            return
        # A document's first token is never a target, so that what it is predicted from stands in the prefix or the
        # document whichever dialogues share the row.
        room = tokens[: max(0, int(targets.argmax()) - 1)]
        self._prefix = room if self._prefix is None else self._prefix[: _common(self._prefix, room)]
        self._files[0].write(tokens.tobytes())
        self._files[1].write(targets.tobytes())
        self._lengths.append(len(tokens))
        self._weights.append(dialogue.weight)

    def close(self) -> None:
        """No more are coming."""
        for file in self._files:
            file.close()

    def finish(self, folder: Path, *, max_tokens: int) -> None:
        """Write the dataset's files of what was taken in, after :meth:`close`."""
        if self._prefix is None:
            raise RecipeError("The data hold no dialogue with an answer to learn.")
        prefix, lengths = self._prefix, np.array(self._lengths, dtype=np.int64)
        kept = lengths - len(prefix) <= max_tokens
        if not kept.any():
            raise RecipeError(f"No dialogue has at most {max_tokens} tokens: raise data.max_tokens in the recipe.")
        offsets = np.concatenate(([0], np.cumsum(lengths[kept] - len(prefix))))
        np.save(folder / "prefix.npy", prefix)
        np.save(folder / "offsets.npy", offsets.astype(np.int64))
        np.save(folder / "weights.npy", np.array(self._weights, dtype=np.float32)[kept])
        shape = (int(offsets[-1]),)
        for name, kind, path in zip(("ids", "targets"), (np.int32, np.bool_), self._paths, strict=True):
            with path.open("rb") as source, (folder / f"{name}.npy").open("wb") as target:
                header = {"descr": np.lib.format.dtype_to_descr(np.dtype(kind)), "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(target, header)
                _copy(source, target, np.dtype(kind), _Cut(lengths, kept, len(prefix)))
        left_out = {"too_long": int((~kept).sum()), "unlearnt": self._unlearnt}
        (folder / "left_out.json").write_text(json.dumps(left_out) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class _Cut:
    """What of the dialogues is kept: of those marked in ``kept`` all that begins at ``start``."""

    lengths: NDArray[np.int64]
    kept: NDArray[np.bool_]
    start: int


def _copy(source: IO[bytes], target: IO[bytes], kind: np.dtype[Any], cut: _Cut) -> None:
    """Copy what is kept, some million tokens at a time."""
    ends = np.cumsum(cut.lengths)
    first, read = 0, 0
    while first < len(ends):
        last = max(first + 1, int(np.searchsorted(ends, read + _COPIED_AT_ONCE, side="right")))
        lengths = cut.lengths[first:last]
        begins = np.repeat(ends[first:last] - lengths, lengths)
        wanted = (np.arange(read, ends[last - 1]) - begins >= cut.start) & np.repeat(cut.kept[first:last], lengths)
        tokens = np.frombuffer(source.read(len(wanted) * kind.itemsize), dtype=kind)
        target.write(tokens[wanted].tobytes())
        first, read = last, int(ends[last - 1])


def _chunks(dialogues: Iterable[Dialogue]) -> Iterator[Sequence[Dialogue]]:
    iterator = iter(dialogues)
    while chunk := list(itertools.islice(iterator, _CHUNK)):
        yield chunk


def _common(first: NDArray[np.int32], second: NDArray[np.int32]) -> int:
    length = min(len(first), len(second))
    different = np.flatnonzero(first[:length] != second[:length])
    return int(different[0]) if len(different) else length
