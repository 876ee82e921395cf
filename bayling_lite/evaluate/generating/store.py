"""The answer store: what a system said to each request, kept at once, so that an interrupted run goes on.

One SQLite file in WAL mode, by default ``answers.sqlite`` in the results folder. An answer is found by its key
(:func:`bayling_lite.evaluate.generating.keys.answer_key`). What :meth:`AnswerStore.keep` has returned from outlives the
process, however it ends. Any number of threads and processes may use one store: who keeps an answer first, decides it
for all of them, so that all of them end with the same result.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from bayling_lite.closing import Closing
from bayling_lite.database import Database, DatabaseKind, as_bytes
from bayling_lite.engine.base import FinishReason

FILE_NAME = "answers.sqlite"
"""Of the store, in the results folder."""

_KIND = DatabaseKind(
    noun="answer store",
    remedy="remove it, and everything is asked again",
    elsewhere="name another folder with --out",
    kept_on="and run the command again: what is finished is kept, and it goes on from there",
    application_id=0x42_61_79_41,  # "BayA"
    migrations=(
        (
            """CREATE TABLE answers (
                key TEXT NOT NULL,
                n_ctx INTEGER NOT NULL,
                text TEXT NOT NULL,
                finish_reason TEXT NOT NULL,
                n_prompt INTEGER NOT NULL,
                n_generated INTEGER NOT NULL,
                created REAL NOT NULL,
                PRIMARY KEY (key, n_ctx)
            ) WITHOUT ROWID""",
        ),
    ),
)
_GET = "SELECT text, finish_reason, n_prompt, n_generated FROM answers WHERE key = ? AND n_ctx IN (0, ?)"
# Bytes become a text as they are: how a lone surrogate, which has no UTF-8, is kept.
_KEEP = "INSERT OR IGNORE INTO answers VALUES (?, ?, CAST(? AS TEXT), ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """One answer. ``n_prompt`` and ``n_generated`` count tokens, as in a completion.

    ``n_ctx`` is 0, or, of an answer that ended because the context was full, the tokens of that context: with another
    context it would have been another one.
    """

    text: str
    finish_reason: FinishReason
    n_prompt: int
    n_generated: int
    n_ctx: int = 0


class AnswerStore(Closing):
    """The store in a file, or (``path`` None) in memory. Close it, or use it in a ``with``. Safe from any thread.

    Every method raises :class:`~bayling_lite.errors.InputError` where the file is damaged, and
    :class:`~bayling_lite.errors.OutputError` where the disk is full or the file cannot be written; what was kept before
    stays.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._database = Database(path, _KIND)

    def get(self, key: str, n_ctx: int) -> StoredAnswer | None:
        """The answer of a key, as it would come with a context of so many tokens."""
        rows = self._run(_GET, [key, n_ctx])
        if not rows:
            return None
        text, finish_reason, n_prompt, n_generated = rows[0]
        return StoredAnswer(text, cast(FinishReason, finish_reason), n_prompt, n_generated)

    def keep(self, key: str, answer: StoredAnswer) -> bool:
        """Keep an answer, safe when this returns; false, and nothing is changed, where the key has one already."""
        values = [key, answer.n_ctx, as_bytes(answer.text), answer.finish_reason, answer.n_prompt, answer.n_generated]
        with self._database.alone():
            self._run(_KEEP, [*values, time.time()])
            return bool(self._run("SELECT changes()")[0][0])

    def count(self) -> int:
        """How many answers it holds."""
        return int(self._run("SELECT COUNT(*) FROM answers")[0][0])

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._database.close()

    def _run(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        return self._database.run(statement, values)
