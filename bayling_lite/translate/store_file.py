"""The store's file: opened, made, brought up to date, and its failures in words."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import time
from pathlib import Path
from urllib.parse import quote

from bayling_lite.errors import BaylingError, InputError, OutputError

APPLICATION_ID = 0x42_61_79_4C  # "BayL": tells a store from another program's SQLite file
BUSY_SECONDS = 30.0

# Step n brings a file of version n to n + 1. Steps are only ever added: somebody has a file of every version.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE segments (
            id INTEGER PRIMARY KEY,
            key TEXT NOT NULL UNIQUE,
            source TEXT NOT NULL,
            target TEXT NOT NULL,
            source_language TEXT NOT NULL,
            target_language TEXT NOT NULL,
            model TEXT NOT NULL,
            alternatives TEXT NOT NULL,
            problems TEXT NOT NULL,
            created REAL NOT NULL
        )""",
    ),
)

_REMEDY = "--no-resume translates without it"
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
_FORBIDDEN = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH)


def connect(path: Path, *, readonly: bool = False) -> sqlite3.Connection:
    """Open a store's file, in autocommit; where there is none it is made, readable by its owner alone.

    Raises:
        InputError: the file is damaged, no store, or of a newer bayling-lite.
        OutputError: it cannot be made or written.
    """
    try:
        if not readonly:
            _make(path)
            return _connected(path, "rw")
        if not path.is_file():
            raise InputError(f"There is no store {path}.")
        try:
            return _connected(path, "ro")
        except sqlite3.OperationalError as error:
            # Even reading needs a file beside it, which a medium for reading only has no place for. Then nobody writes.
            if (error.sqlite_errorcode & 0xFF) not in _FORBIDDEN or path.with_name(f"{path.name}-wal").exists():
                raise
            return _connected(path, "ro&immutable=1")
    except sqlite3.Error as error:
        raise explained(error, path) from error
    except OSError as error:
        raise OutputError(f"The store {path} cannot be opened: {error.strerror or error}; {_REMEDY}.") from error


def explained(error: sqlite3.Error, path: Path) -> BaylingError:
    """What a failure of SQLite means for the user, with the remedy."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in _DAMAGED:
        return InputError(
            f"The store {path} is damaged, or no store at all. Move it away and a new one is made, "
            f"or name another; {_REMEDY}."
        )
    if code == sqlite3.SQLITE_FULL:
        return OutputError(
            f"The store {path} cannot grow: the disk is full. Make room and run the command again: "
            "what is finished is kept, and it goes on from there."
        )
    if code in _BUSY:
        return OutputError(
            f"The store {path} has been in use by another program for {BUSY_SECONDS:.0f} seconds. "
            f"Try again when that has ended; {_REMEDY}."
        )
    if code in _FORBIDDEN:
        return OutputError(f"The store {path} cannot be written: see to the permissions of file and folder; {_REMEDY}.")
    return OutputError(f"The store {path} cannot be used: {error}. What is finished is kept; {_REMEDY}.")


def _make(path: Path) -> None:
    """Make folder and file with the permissions they need; SQLite gives the files beside it the same ones."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.is_dir():
        raise IsADirectoryError(0, "it is a folder")
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    status = path.stat()
    if stat.S_IMODE(status.st_mode) & 0o077 and status.st_uid == getattr(os, "geteuid", lambda: status.st_uid)():
        with contextlib.suppress(PermissionError):
            path.chmod(stat.S_IMODE(status.st_mode) & ~0o077)


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    # A name with ? or # in it is a name all the same.
    address = f"file:{quote(str(path.absolute()))}?mode={mode}"
    connection = sqlite3.connect(
        address, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=64
    )
    try:
        connection.text_factory = _text
        connection.execute("BEGIN")  # so that all is read of one moment: another process may just be making the file
        version = _version(connection, path)
        connection.execute("COMMIT")
        if mode == "rw":
            _write_ahead(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA journal_size_limit = 16777216")
            if version < len(MIGRATIONS):
                _bring_up_to_date(connection, path)
        elif version < len(MIGRATIONS):
            raise InputError(f"The store {path} is empty, or of an older bayling-lite: open it for writing once.")
    except BaseException:
        connection.close()
        raise
    return connection


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the file's tables, 0 for one that is empty."""
    application, version = (int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in _IDENTITY)
    if application != APPLICATION_ID and connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()[0]:
        raise InputError(f"{path} is a database of another program, not a store. Name another file; {_REMEDY}.")
    if application == APPLICATION_ID and version > len(MIGRATIONS):
        raise InputError(
            f"The store {path} was written by a newer bayling-lite (version {version} of its tables, this one knows "
            f"{len(MIGRATIONS)}). Update bayling-lite, or name another store; {_REMEDY}."
        )
    return version


_IDENTITY = ("application_id", "user_version")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Turn the log on. When several do this at once, SQLite refuses without waiting, so the waiting is done here."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            # Where a file system cannot share memory, SQLite stays with its other journal, which is as safe.
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if (error.sqlite_errorcode & 0xFF) not in _BUSY or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


def _bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    """Take the steps that are missing, all or none; another process may be doing the same."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in MIGRATIONS[_version(connection, path) :]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
