"""A part of several files of dialogues as one: what a model is trained on.

Which dialogues are taken is decided by a hash of the seed and the dialogue itself, so that it depends neither on the
order of files nor of lines, and twice as much of a file contains all of the half.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bayling_finetune.dialogues.importing import Format, Imported, import_file
from bayling_finetune.dialogues.validity import trouble
from bayling_finetune.dialogues.values import Dialogue

_LONGEST_TURN = 200_000  # characters: more is no turn but a file


@dataclass(frozen=True, slots=True)
class Part:
    """A file, and how much of it: ``amount`` up to 1.0 is a share; a whole number above 1 counts dialogues."""

    path: Path
    amount: float = 1.0
    form: Format | None = None
    max_characters: int = 0
    origin: str = ""


@dataclass(slots=True)
class Mixed:
    """What a mix holds: dialogues by file and by kind; ``twice``: left out because they were there already."""

    by_file: Counter[str] = field(default_factory=Counter)
    by_kind: Counter[str] = field(default_factory=Counter)
    twice: int = 0
    imported: dict[str, Imported] = field(default_factory=dict)


def mix(
    parts: Sequence[Part], *, seed: int, counts: Mixed, watch: Callable[[int], None] = lambda _: None
) -> Iterator[Dialogue]:
    """The dialogues of all parts, file by file, none twice. ``watch`` gets the number of dialogues written so far.

    Memory: a number for each dialogue, some 60 bytes.

    Raises:
        InputError: a file cannot be read.
    """
    seen: set[int] = set()
    for part in parts:
        limit = _limit(part, seed)
        imported = counts.imported.setdefault(str(part.path), Imported())
        for dialogue in _read(part, imported):
            key = dialogue.key()
            if _position(key, seed) > limit:
                continue
            if problem := trouble(dialogue, max_characters=_LONGEST_TURN):
                imported.left_out[problem.value] += 1
                continue
            short = int(key[:16], 16)
            if short in seen:
                counts.twice += 1
                continue
            seen.add(short)
            counts.by_file[str(part.path)] += 1
            counts.by_kind[dialogue.kind.value] += 1
            watch(len(seen))
            yield dialogue


def _read(part: Part, counts: Imported) -> Iterator[Dialogue]:
    return import_file(part.path, counts, form=part.form, max_characters=part.max_characters, origin=part.origin)


def _position(key: str, seed: int) -> float:
    """From 0 to below 1."""
    digest = hashlib.blake2b(f"{seed}:{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _limit(part: Part, seed: int) -> float:
    """The position up to which dialogues are taken; for a number of them it takes a pass over the file."""
    if part.amount <= 1:
        return part.amount
    different = {_position(dialogue.key(), seed) for dialogue in _read(part, Imported())}
    positions = np.sort(np.fromiter(different, dtype=np.float64))
    number = math.floor(part.amount)
    return 1.0 if number >= len(positions) else float(positions[number - 1])
