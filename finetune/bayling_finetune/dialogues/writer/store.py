"""What a writer answered, kept as it comes: SQLite, one row an answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from bayling_finetune.dialogues.writer.client import Reply
from bayling_lite.errors import OutputError

_TABLE = """
CREATE TABLE IF NOT EXISTS replies (
    key TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    refused TEXT NOT NULL
) WITHOUT ROWID
"""


class ReplyStore:
    """Replies by the fingerprint of their question; usable from several threads and processes at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        with self._failures():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=60, check_same_thread=False, isolation_level=None)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=FULL")  # an answer was paid for
            self._database.execute(_TABLE)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise OutputError(
                f"The writer's answers cannot be kept in {self._path}: {error}. Make room or name another output."
            ) from error

    def get(self, key: str) -> Reply | None:
        """The reply to a question, if there is one."""
        with self._failures(), self._lock:
            row = self._database.execute(
                "SELECT text, prompt_tokens, completion_tokens, refused FROM replies WHERE key = ?", (key,)
            ).fetchone()
        return Reply(*row) if row else None

    def put(self, key: str, reply: Reply) -> None:
        """Keep a reply; it is on the disk when this returns."""
        with self._failures(), self._lock:
            self._database.execute(
                "INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?, ?)",
                (key, reply.text, reply.prompt_tokens, reply.completion_tokens, reply.refused),
            )

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()

    def __enter__(self) -> ReplyStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
