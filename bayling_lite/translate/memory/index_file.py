"""Making the index of a TMX file: a SQLite file that is written once, whole or not at all, and then only read.

Its name is the fingerprint of the TMX file, so the same memory is found again wherever it lies.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import filelock

from bayling_lite.errors import InputError, OutputError, UsageError
from bayling_lite.languages import find_language
from bayling_lite.translate.memory.likeness import normalized, stored, stored_skeleton, terms, tokens, without_codes
from bayling_lite.translate.memory.tmx import Progress, read_tmx
from bayling_lite.translate.memory.units import MOST_VARIANTS, Unit

VERSION = 1
_TABLES = (
    "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    # id: the unit times MOST_VARIANTS, and the number of the text in it. rank: 0 for the variety that is usually meant.
    """CREATE TABLE texts (
        id INTEGER PRIMARY KEY, language TEXT NOT NULL, rank INTEGER NOT NULL, key INTEGER NOT NULL,
        length INTEGER NOT NULL, text TEXT NOT NULL
    )""",
)
# Only where a term stands is kept: no text, no places in it.
_WORDS = "CREATE VIRTUAL TABLE words USING fts5(terms, content='', detail=none, tokenize='ascii')"
_HASHED = 1 << 20
_TRADITIONAL = ("hant", "tw", "hk", "mo")


def tmx_fingerprint(path: Path, progress: Progress | None = None) -> str:
    """Size and SHA-256 of a file as a name.

    Raises:
        InputError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            while block := file.read(_HASHED):
                digest.update(block)
                if progress is not None:
                    progress(file.tell(), size)
    except IsADirectoryError as error:
        raise InputError(f"{path} is a folder. Name the TMX files in it.") from error
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path}.") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    return f"{size}-{digest.hexdigest()}"


def index_path(folder: Path, fingerprint: str) -> Path:
    """Where the index of a memory is, or would be."""
    return folder / f"{fingerprint}.sqlite"


def make_index(tmx: Path, fingerprint: str, folder: Path, progress: Progress | None = None) -> Path:
    """Make the index of a memory, unless it is there; of two that want the same one at once, the second waits.

    Raises:
        InputError: the TMX file cannot be read, or has no unit in two languages.
        OutputError: the index cannot be written.
    """
    path = index_path(folder, fingerprint)
    if is_index(path):
        return path
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with filelock.FileLock(folder / ".lock", mode=0o600):
            if not is_index(path):
                _make(tmx, path, progress)
        return path
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
        reason = "the disk is full. Make room and try again" if full else f"{error}"
        raise OutputError(f"{tmx} cannot be indexed in {folder}: {reason}.") from error
    except OSError as error:
        raise OutputError(f"{tmx} cannot be indexed in {folder}: {error.strerror or error}.") from error


def is_index(path: Path) -> bool:
    """Whether there is an index that this version can read."""
    if not path.is_file():
        return False
    try:
        with contextlib.closing(open_index(path)) as connection:
            version = connection.execute("SELECT value FROM about WHERE name = 'version'").fetchone()
    except sqlite3.Error:
        return False
    return bool(version) and version[0] == str(VERSION)


def open_index(path: Path) -> sqlite3.Connection:
    """Open an index. It never changes, so nothing needs locks."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False, isolation_level=None
    )
    connection.text_factory = lambda data: data.decode("utf-8", "surrogatepass")
    return connection


def base_language(tag: str) -> tuple[str, int]:
    """The language of a tag, and how far the variety is from what is usually meant: (``zh``, 2) for ``zh-TW``."""
    language, *rest = tag.strip().casefold().replace("_", "-").split("-")
    with contextlib.suppress(UsageError):
        language = find_language(language).code
    if not rest:
        return language, 0
    return language, 2 if language == "zh" and any(part in _TRADITIONAL for part in rest) else 1


def text_key(language: str, skeleton: str) -> int:
    """The number that a text is looked up by."""
    digest = hashlib.blake2b(f"{language}\n{normalized(skeleton)}".encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(digest.digest(), "little", signed=True)


def _make(tmx: Path, path: Path, progress: Progress | None) -> None:
    # What a process that was killed left under this name is overwritten; the lock says that nobody is writing it.
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        with contextlib.closing(sqlite3.connect(part, isolation_level=None)) as connection:
            _fill(connection, tmx, progress)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def _fill(connection: sqlite3.Connection, tmx: Path, progress: Progress | None) -> None:
    # A file that nobody sees before it is whole needs no journal.
    for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -32768"):
        connection.execute(f"PRAGMA {setting}")
    for table in _TABLES:
        connection.execute(table)
    searchable = _has_full_text(connection)
    connection.execute("BEGIN")
    units, languages = 0, dict[str, int]()
    for unit in read_tmx(tmx, progress):
        for number, language, rank, text in _rows(unit):
            languages[language] = languages.get(language, 0) + 1
            identifier, words = units * MOST_VARIANTS + number, tokens(without_codes(text))
            key = text_key(language, stored_skeleton(text)[0])
            connection.execute(
                "INSERT INTO texts VALUES (?, ?, ?, ?, ?, ?)", (identifier, language, rank, key, len(words), text)
            )
            if searchable:
                connection.execute(
                    "INSERT INTO words (rowid, terms) VALUES (?, ?)", (identifier, " ".join(terms(words, language)))
                )
        units += 1
    if not units:
        raise InputError(f"{tmx} has no unit with texts in two languages: there is nothing to reuse.")
    connection.execute("CREATE INDEX texts_by_key ON texts (key)")
    about = {
        "version": str(VERSION),
        "name": tmx.name,
        "units": str(units),
        "languages": " ".join(sorted(languages)),
        "searchable": str(int(searchable)),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    for name, value in about.items():
        connection.execute("INSERT INTO about VALUES (?, ?)", (name, value.encode("utf-8", "replace").decode()))
    connection.execute("COMMIT")


def _rows(unit: Unit) -> Iterator[tuple[int, str, int, str]]:
    """Number, language, rank and stored text of each text of a unit that is not empty."""
    for number, variant in enumerate(unit.variants):
        text = stored(variant.text).strip()
        if text:
            yield number, *base_language(variant.language), text


def _has_full_text(connection: sqlite3.Connection) -> bool:
    """Make the table of words, where SQLite was built with FTS5."""
    try:
        connection.execute(_WORDS)
    except sqlite3.OperationalError:
        return False
    return True
