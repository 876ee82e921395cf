"""Opening a SQLite file: made private, brought up to date, and its failures in words."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bayling_lite.errors import BaylingError, InputError, OutputError
from bayling_lite.localization import _
from bayling_lite.reasons import reason

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
_FORBIDDEN = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH)
_IDENTITY = ("application_id", "user_version")


@dataclass(frozen=True, slots=True)
class DatabaseKind:
    """What a file is for.

    ``noun`` and ``remedy`` stand in messages: "The store ... is damaged; --no-resume translates without it".
    ``elsewhere`` says how another file is used, ``kept_on`` is what a message about a full disk ends with.
    ``application_id`` tells the file from another program's. Step n of ``migrations`` brings a file of version n to
    n + 1; steps are only ever added, for somebody has a file of every version. ``busy_seconds`` is how long another
    process is waited for. With ``secure_delete`` what is removed or overwritten is gone from the file as well.
    """

    noun: str
    remedy: str
    elsewhere: str
    kept_on: str
    application_id: int
    migrations: tuple[tuple[str, ...], ...]
    busy_seconds: float = 30.0
    secure_delete: bool = False


def connect(path: Path, kind: DatabaseKind, *, readonly: bool = False) -> sqlite3.Connection:
    """Open a file, in autocommit; where there is none it is made, readable by its owner alone.

    Raises:
        InputError: the file is damaged, none of this kind, or of a newer bayling-lite.
        OutputError: it cannot be made or written.
    """
    try:
        if not readonly:
            _make(path)
            return _connected(path, kind, "rw")
        if not path.is_file():
            raise InputError(_("There is no {noun} {path}.", noun=_(kind.noun), path=path))
        try:
            return _connected(path, kind, "ro")
        except sqlite3.OperationalError as error:
            # Even reading needs a file beside it, which a medium for reading only has no place for. Then nobody writes.
            if (error.sqlite_errorcode & 0xFF) not in _FORBIDDEN or path.with_name(f"{path.name}-wal").exists():
                raise
            return _connected(path, kind, "ro&immutable=1")
    except sqlite3.Error as error:
        raise explained(error, path, kind) from error
    except OSError as error:
        message = _(
            "The {noun} {path} cannot be opened: {reason}; {remedy}.", **_words(path, kind), reason=reason(error)
        )
        raise OutputError(message) from error


def explained(error: sqlite3.Error, path: Path | None, kind: DatabaseKind) -> BaylingError:
    """What a failure of SQLite means for the user, with the remedy."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    words = _words(path, kind)
    if code in _DAMAGED:
        return InputError(
            _(
                "The {noun} {path} is damaged, or no {noun} at all. Move it away and a new one is made, "
                "or {elsewhere}; {remedy}.",
                **words,
            )
        )
    if code == sqlite3.SQLITE_FULL:
        return OutputError(_("The {noun} {path} cannot grow: the disk is full. Make room {kept_on}.", **words))
    if code in _BUSY:
        return OutputError(
            _(
                "The {noun} {path} has been in use by another program for {seconds} seconds. "
                "Try again when that has ended; {remedy}.",
                seconds=f"{kind.busy_seconds:.0f}",
                **words,
            )
        )
    if code in _FORBIDDEN:
        return OutputError(
            _("The {noun} {path} cannot be written: see to the permissions of file and folder; {remedy}.", **words)
        )
    return OutputError(
        _("The {noun} {path} cannot be used: {error}. What is finished is kept; {remedy}.", error=error, **words)
    )


def _words(path: Path | None, kind: DatabaseKind) -> dict[str, object]:
    texts = {"noun": kind.noun, "remedy": kind.remedy, "elsewhere": kind.elsewhere, "kept_on": kind.kept_on}
    return {"path": path, **{name: _(text) for name, text in texts.items()}}


def _make(path: Path) -> None:
    """Make folder and file with the permissions they need; SQLite gives the files beside it the same ones."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.is_dir():
        raise IsADirectoryError(0, _("it is a folder"))
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    status = path.stat()
    if stat.S_IMODE(status.st_mode) & 0o077 and status.st_uid == getattr(os, "geteuid", lambda: status.st_uid)():
        with contextlib.suppress(PermissionError):
            path.chmod(stat.S_IMODE(status.st_mode) & ~0o077)


def _connected(path: Path, kind: DatabaseKind, mode: str) -> sqlite3.Connection:
    # A name with ? or # in it is a name all the same.
    address = f"file:{quote(str(path.absolute()))}?mode={mode}"
    return _prepared(_plain_connection(address, kind), path, kind, writable=mode == "rw")


def connect_in_memory(kind: DatabaseKind) -> sqlite3.Connection:
    """An empty database that is gone when it is closed."""
    return _prepared(_plain_connection(":memory:", kind), None, kind, writable=True)


def _plain_connection(address: str, kind: DatabaseKind) -> sqlite3.Connection:
    return sqlite3.connect(
        address,
        uri=True,
        timeout=kind.busy_seconds,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=64,
    )


def _prepared(
    connection: sqlite3.Connection, path: Path | None, kind: DatabaseKind, *, writable: bool
) -> sqlite3.Connection:
    """The connection with our settings, to tables of this version; it is closed when that fails."""
    try:
        connection.text_factory = _text
        connection.execute("BEGIN")  # so that all is read of one moment: another process may just be making the file
        version = _version(connection, path, kind)
        connection.execute("COMMIT")
        if writable:
            _write_ahead(connection, kind)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA journal_size_limit = 16777216")
            if kind.secure_delete:
                connection.execute("PRAGMA secure_delete = ON")
            if version < len(kind.migrations):
                _bring_up_to_date(connection, path, kind)
        elif version < len(kind.migrations):
            raise InputError(
                _(
                    "The {noun} {path} is empty, or of an older bayling-lite: open it for writing once.",
                    **_words(path, kind),
                )
            )
    except BaseException:
        connection.close()
        raise
    return connection


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        # None that we wrote; the rest of it can still be read.
        return data.decode("utf-8", "replace")


def _version(connection: sqlite3.Connection, path: Path | None, kind: DatabaseKind) -> int:
    """The version of the file's tables, 0 for one that is empty."""
    application, version = (int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in _IDENTITY)
    known = len(kind.migrations)
    if application != kind.application_id and connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()[0]:
        raise InputError(
            _(
                "{path} is a database of another program, not a {noun}. Move it away, or {elsewhere}; {remedy}.",
                **_words(path, kind),
            )
        )
    if application == kind.application_id and version > known:
        raise InputError(
            _(
                "The {noun} {path} was written by a newer bayling-lite (version {version} of its tables, this one "
                "knows {known}). Update bayling-lite, or {elsewhere}; {remedy}.",
                version=version,
                known=known,
                **_words(path, kind),
            )
        )
    return version


def _write_ahead(connection: sqlite3.Connection, kind: DatabaseKind) -> None:
    """Turn the log on. When several do this at once, SQLite refuses without waiting, so the waiting is done here."""
    end = time.monotonic() + kind.busy_seconds
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


def _bring_up_to_date(connection: sqlite3.Connection, path: Path | None, kind: DatabaseKind) -> None:
    """Take the steps that are missing, all or none; another process may be doing the same."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in kind.migrations[_version(connection, path, kind) :]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {kind.application_id}")
        connection.execute(f"PRAGMA user_version = {len(kind.migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
