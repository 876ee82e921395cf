"""A SQLite file that is used from any thread, by any number of processes, also after a fork."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bayling_lite.database.opening import DatabaseKind, connect, connect_in_memory, explained
from bayling_lite.errors import BaylingError, OutputError, UsageError
from bayling_lite.localization import _


def as_bytes(value: Any) -> Any:
    """A text as ``CAST(? AS TEXT)`` takes it, also with lone surrogates, which have no UTF-8; others unchanged."""
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value


class Database:
    """A file of a kind. Safe to use from any thread; :meth:`close` it.

    ``path`` None is a database in memory, which is gone when it is closed.

    Raises:
        InputError: the file is damaged, none of this kind, or of a newer bayling-lite.
        OutputError: it cannot be made or written.
    """

    def __init__(self, path: Path | None, kind: DatabaseKind, *, readonly: bool = False) -> None:
        self.path = path
        self.kind = kind
        self._readonly = readonly
        self._closed = False
        self._lock = threading.RLock()
        self.connection: sqlite3.Connection | None = self._open()
        _open_databases.add(self)

    def run(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """Run one statement, committed when this returns outside of a :meth:`transaction`; its rows.

        Raises:
            InputError: the file is damaged.
            OutputError: the disk is full, or the file cannot be written (any more); what was done before stays.
            UsageError: it was closed.
        """
        with self._lock:
            if self._closed:
                raise UsageError(_("The {noun} was closed.", noun=_(self.kind.noun)))
            try:
                if self.connection is None:
                    self.connection = self._open()
                return self.connection.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise explained(error, self.path, self.kind) from error

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """What is run inside happens as a whole, or not at all; no other thread gets in between."""
        with self._between("BEGIN IMMEDIATE"):
            yield

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """What is read inside is of one moment, whatever other processes write; no other thread gets in between."""
        with self._between("BEGIN"):
            yield

    @contextlib.contextmanager
    def _between(self, begin: str) -> Iterator[None]:
        with self._lock:
            self.run(begin)
            try:
                yield
                self.run("COMMIT")
            except BaseException:
                # A full disk has rolled it back already.
                with contextlib.suppress(BaylingError):
                    self.run("ROLLBACK")
                raise

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """No other thread gets in between what is run inside."""
        with self._lock:
            yield

    def shrink(self) -> None:
        """Give back what removed rows took, in the file and in its log, so that nothing of them is left in either."""
        with self._lock:
            # A smaller file needs room for a copy of itself. Without it, what is free in it is filled again.
            with contextlib.suppress(OutputError):
                self.run("VACUUM")
            self.run("PRAGMA wal_checkpoint(TRUNCATE)")

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        sizes = 0
        if self.path is not None:
            for end in ("", "-wal"):
                with contextlib.suppress(OSError):
                    sizes += self.path.with_name(self.path.name + end).stat().st_size
        return sizes

    def close(self) -> None:
        """Close the file. Idempotent."""
        with self._lock:
            self._closed = True
            self._let_go()
            _open_databases.discard(self)

    def __del__(self) -> None:
        if getattr(self, "connection", None) is not None:
            self._let_go()

    def _open(self) -> sqlite3.Connection:
        if self.path is None:
            return connect_in_memory(self.kind)
        return connect(self.path, self.kind, readonly=self._readonly)

    def _let_go(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            # Closing may write the log into the file; where that cannot be, the log stays, and the next one does it.
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    # SQLite keeps its locks per process and knows nothing of forks: a connection that a child inherits, even one that
    # it never uses, makes it believe that it holds locks that only its parent holds. So nothing is open at a fork.

    def _before_fork(self) -> None:
        self._lock.acquire()
        if self.path is not None:
            self._let_go()

    def _after_fork_in_parent(self) -> None:
        self._lock.release()

    def _after_fork_in_child(self) -> None:
        self._lock = threading.RLock()


_open_databases: weakref.WeakSet[Database] = weakref.WeakSet()
_forking: list[Database] = []
_one_fork_at_a_time = threading.Lock()


def _before_fork() -> None:
    _one_fork_at_a_time.acquire()
    _forking[:] = list(_open_databases)
    for database in _forking:
        database._before_fork()


def _after_fork_in_parent() -> None:
    while _forking:
        _forking.pop()._after_fork_in_parent()
    _one_fork_at_a_time.release()


def _after_fork_in_child() -> None:
    while _forking:
        _forking.pop()._after_fork_in_child()
    _one_fork_at_a_time.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
