"""What one process does with one chunk of pairs: the lines of its dialogues, and what there is to count."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from bayling_finetune.dialogues.builder import attempts
from bayling_finetune.dialogues.hashes import Hashes, SeenHashes, as_hashes
from bayling_finetune.dialogues.statistics import Statistics
from bayling_finetune.dialogues.tools import Tools
from bayling_finetune.dialogues.validity import Trouble, trouble
from bayling_finetune.dialogues.values import Dialogue, Direction, Kind
from bayling_lite.errors import InputError, UsageError

Count = Callable[[Dialogue], int]
"""The tokens of a dialogue."""


@dataclass(frozen=True, slots=True)
class Line:
    """A dialogue as it is written, and what its report is told beside."""

    data: bytes
    language: str = ""
    tokens: int = 0


@dataclass(slots=True)
class Made:
    """What came of a chunk: lines in order, their fingerprints, counts; ``n_pairs`` were looked at."""

    n_pairs: int
    lines: list[Line]
    hashes: Hashes
    statistics: Statistics

    def without_repeats(self, seen: SeenHashes) -> bytes:
        """The lines whose dialogues are not among those seen; they are from now on."""
        new = seen.add(self.hashes)
        if not new.all():
            for place in np.flatnonzero(~new):
                line = self.lines[place]
                dialogue = Dialogue.of(json.loads(line.data))
                self.statistics.remove(dialogue, language=line.language, tokens=line.tokens)
                self.statistics.tables["troubles"][Trouble.DUPLICATE] += 1
        return b"".join(line.data for line, fresh in zip(self.lines, new, strict=True) if fresh)


@dataclass(frozen=True, slots=True)
class _Listening(Tools):
    """Tools that remember which language was asked for last."""

    heard: list[str] = field(default_factory=list)

    def instruction_language(self, direction: Direction, random: Random) -> str:
        code = Tools.instruction_language(self, direction, random)
        self.heard.append(code)
        return code


@dataclass(frozen=True, slots=True)
class MakeChunk:
    """Makes the dialogues of a chunk of pairs; the same ones in whichever process.

    ``one_way``: only from the first language of a pair to the second. ``max_characters``: of a turn.
    """

    kinds: Mapping[Kind, float]
    tools: Tools
    seed: int
    one_way: bool
    max_characters: int
    tokenizer: Path | None = None

    def __call__(self, pairs: Sequence[Direction]) -> Made:
        """The dialogues of both directions of each pair."""
        tools = _Listening(*(getattr(self.tools, name) for name in Tools.__slots__))
        lines = _Lines(self.max_characters, token_counter(self.tokenizer))
        for pair in pairs:
            for direction in (pair,) if self.one_way else (pair, pair.reversed()):
                for kind, dialogue in self._attempts(direction, tools):
                    lines.tried(kind)
                    if dialogue is not None:
                        lines.add(dialogue, tools.heard[-1] if tools.heard else "")
        return lines.made(len(pairs))

    def _attempts(self, direction: Direction, tools: _Listening) -> Iterator[tuple[Kind, Dialogue | None]]:
        for attempt in attempts(direction, self.kinds, tools, self.seed):
            yield attempt
            tools.heard.clear()


class _Lines:
    """Gathers what is valid."""

    def __init__(self, max_characters: int, count: Count | None) -> None:
        self._max_characters = max_characters
        self._count = count
        self._lines: list[Line] = []
        self._hashes: list[int] = []
        self._statistics = Statistics()

    def tried(self, kind: Kind) -> None:
        self._statistics.tables["asked"][kind.value] += 1

    def add(self, dialogue: Dialogue, language: str) -> None:
        wrong = trouble(dialogue, max_characters=self._max_characters)
        if wrong is not None:
            self._statistics.tables["troubles"][wrong.value] += 1
            return
        line = dialogue.to_dict()
        tokens = self._count(dialogue) if self._count else 0
        self._statistics.add(dialogue, line, language=language, tokens=tokens)
        self._hashes.append(line_hash(line))
        self._lines.append(Line(json.dumps(line, ensure_ascii=False).encode() + b"\n", language, tokens))

    def made(self, n_pairs: int) -> Made:
        return Made(n_pairs, self._lines, as_hashes(self._hashes), self._statistics)


def given(dialogues: Sequence[Dialogue], *, max_characters: int, tokenizer: Path | None = None) -> Made:
    """A chunk of dialogues that were made elsewhere; of an instruction's language nothing is known."""
    lines = _Lines(max_characters, token_counter(tokenizer))
    for dialogue in dialogues:
        lines.tried(dialogue.kind)
        lines.add(dialogue, "")
    return lines.made(0)


def line_hash(line: Mapping[str, Any]) -> int:
    """64 bits of a line's id."""
    return int(str(line["id"])[:16], 16)


def hashes_of(lines: Iterator[bytes]) -> Iterator[Hashes]:
    """The fingerprints of lines that were written before, some thousands at a time."""
    batch: list[int] = []
    for line in lines:
        # Every line of ours begins with its id.
        batch.append(int(line[len(b'{"id": "') :][:16], 16))
        if len(batch) == 1 << 16:
            yield as_hashes(batch)
            batch = []
    yield as_hashes(batch)


_counters: dict[Path, Count] = {}


def token_counter(path: Path | None) -> Count | None:
    """Counts the tokens of all turns together by a SentencePiece model, or by a folder that holds ``tokenizer.model``.

    Raises:
        InputError: the file is missing, or no SentencePiece model.
        UsageError: there is only another kind of tokenizer.
    """
    if path is None:
        return None
    if path not in _counters:
        _counters[path] = _read_tokenizer(path)
    return _counters[path]


def _read_tokenizer(path: Path) -> Count:
    from sentencepiece import SentencePieceProcessor

    file = path / "tokenizer.model" if path.is_dir() else path
    if file.suffix == ".json" or (path.is_dir() and not file.exists()):
        raise UsageError(f"Tokens are counted with a SentencePiece model (tokenizer.model), which {path} is not.")
    try:
        processor = SentencePieceProcessor(model_proto=file.read_bytes())
    except (OSError, RuntimeError) as error:
        raise InputError(f"The tokenizer {file} cannot be read: {error}.") from error
    return lambda dialogue: sum(map(len, processor.encode([message.content for message in dialogue.conversation])))
