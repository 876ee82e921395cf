"""Real drafts: which directions get one, when one is of no use, and the store that keeps them.

A draft is made once by a model and then belongs to the corpus: the store keeps every one at once, so that a stopped run
goes on where it was, and a build that reads it gives the same dialogues without the model. Nothing here makes drafts.
"""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bayling_finetune.dialogues.values import Direction
from bayling_lite.errors import InputError, OutputError
from bayling_lite.languages import detect_language

# Version 1 of the tables. Kept in the file, so that a later version can tell.
_VERSION = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS drafts (
    direction BLOB NOT NULL,
    model TEXT NOT NULL,
    text TEXT NOT NULL,
    problem TEXT NOT NULL,
    PRIMARY KEY (direction, model)
) WITHOUT ROWID
"""
# Another process that writes holds the file for milliseconds.
_PATIENCE = 30.0
# A text of fewer letters is too little to tell German from English by.
_FEWEST_LETTERS = 20
# So many repetitions in a row of a piece that reads as a loop; shorter ones ("ha ha ha") occur in good text.
_LOOP = re.compile(r"(.{4,}?)\1{3,}", re.DOTALL)
_SHORT_LOOP = re.compile(r"(\S{1,3}?)\1{9,}")


class Problem(StrEnum):
    """Why a draft is of no use."""

    NONE = ""
    EMPTY = "empty"
    UNFINISHED = "unfinished"  # still writing where it had to stop
    LOOP = "loop"
    LANGUAGE = "wrong language"
    TOO_LONG = "too long"  # the request did not fit the model's context


@dataclass(frozen=True, slots=True)
class Draft:
    """A model's translation, and what is wrong with it as a draft."""

    text: str
    problem: Problem = Problem.NONE


def judge(direction: Direction, text: str, *, finished: bool = True) -> Draft:
    """A draft with its verdict; ``finished``: the model ended it by itself.

    A source that repeats itself may be translated so. The language is judged between the two of the pair, and only
    where there is enough text to tell.
    """
    text = " ".join(text.split())
    if not text:
        return Draft(text, Problem.EMPTY)
    if _loops(text) and not _loops(direction.source):
        return Draft(text, Problem.LOOP)
    if not finished:
        return Draft(text, Problem.UNFINISHED)
    if sum(character.isalpha() for character in text) >= _least_letters(direction):
        found = detect_language(text, (direction.source_language, direction.target_language))
        if found != direction.target_language:
            return Draft(text, Problem.LANGUAGE)
    return Draft(text)


def _loops(text: str) -> bool:
    return bool(_LOOP.search(text) or _SHORT_LOOP.search(text))


def _least_letters(direction: Direction) -> int:
    # Scripts tell the languages apart at once; letters of one alphabet do so by their frequencies.
    spaced = direction.source_language.spaced and direction.target_language.spaced
    return _FEWEST_LETTERS if spaced else 1


def choose(directions: Iterable[Direction], share: float, seed: int) -> Iterator[Direction]:
    """The directions that are to have a draft: about ``share`` (0 to 1) of them, the same ones for the same seed.

    Whether one is chosen depends on itself alone. A greater share contains the smaller one.
    """
    for direction in directions:
        digest = hashlib.blake2b(f"{seed} {direction.key()}".encode(), digest_size=8).digest()
        if int.from_bytes(digest, "big") < share * 2**64:
            yield direction


class DraftStore:
    """Drafts of one model in an SQLite file, by :meth:`Direction.key`. Any number of processes may read and write it.

    ``model`` is the model's fingerprint: another model's drafts of the same directions may be in the same file. The
    store can be used after a fork and sent to another process: each opens the file for itself.

    Raises:
        InputError: the file is something else.
        OutputError: it cannot be made or written.
    """

    def __init__(self, path: Path, model: str) -> None:
        self.path = path
        self.model = model
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._inherited: list[sqlite3.Connection] = []
        self._open()

    def get(self, direction: Direction) -> str | None:
        """The draft of a direction; None where there is none, or none of use."""
        draft = self.find(direction)
        return draft.text if draft is not None and not draft.problem else None

    def find(self, direction: Direction) -> Draft | None:
        """The draft of a direction with its problem, if the model was asked."""
        row = self._run(
            "SELECT text, problem FROM drafts WHERE direction = ? AND model = ?", *self._key(direction)
        ).fetchone()
        return Draft(row[0], Problem(row[1])) if row else None

    def put(self, direction: Direction, draft: Draft) -> None:
        """Keep a draft, at once. A first one stays: a build must find tomorrow what it finds today."""
        self._run(
            "INSERT OR IGNORE INTO drafts (direction, model, text, problem) VALUES (?, ?, ?, ?)",
            *self._key(direction),
            draft.text,
            draft.problem.value,
        )

    def missing(self, directions: Iterable[Direction]) -> Iterator[Direction]:
        """Those that the model was not asked for yet."""
        return (direction for direction in directions if self.find(direction) is None)

    def counts(self) -> Mapping[Problem, int]:
        """How many drafts there are with each problem; usable ones under :attr:`Problem.NONE`."""
        rows = self._run("SELECT problem, count(*) FROM drafts WHERE model = ? GROUP BY problem", self.model)
        return {Problem(problem): count for problem, count in rows.fetchall()}

    def close(self) -> None:
        """Close the file. Idempotent."""
        if self._connection is not None and self._process == os.getpid():
            self._connection.close()
        self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[type[DraftStore], tuple[Path, str]]:
        return DraftStore, (self.path, self.model)

    def _key(self, direction: Direction) -> tuple[bytes, str]:
        return bytes.fromhex(direction.key()), self.model

    def _run(self, statement: str, *values: Any) -> sqlite3.Cursor:
        try:
            return self._open().execute(statement, values)
        except sqlite3.DatabaseError as error:
            raise OutputError(f"The store of drafts {self.path} cannot be used: {error}.") from error

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._process == os.getpid():
            return self._connection
        if self._connection is not None:
            # A parent's connection must not be used here, nor closed.
            self._inherited.append(self._connection)
        self._connection, self._process = _connect(self.path), os.getpid()
        return self._connection


def _connect(path: Path) -> sqlite3.Connection:
    try:
        # Autocommit: every statement is kept when it returns.
        connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise OutputError(f"The store of drafts {path} cannot be opened: {error}.") from error
    try:
        # In a write-ahead log, NORMAL survives a killed process; a power failure may cost the last drafts.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, _VERSION):
            raise InputError(f"{path} was written by a newer bayling-lite: update, or name another file.")
        if version == 0:
            connection.execute(_TABLES)
            connection.execute(f"PRAGMA user_version = {_VERSION}")
    except sqlite3.OperationalError as error:
        connection.close()
        raise OutputError(f"The store of drafts {path} cannot be used: {error}.") from error
    except sqlite3.DatabaseError as error:
        connection.close()
        raise InputError(f"{path} is no store of drafts: name another file. ({error})") from error
    except InputError:
        connection.close()
        raise
    return connection
