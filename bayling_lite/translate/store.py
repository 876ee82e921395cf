"""The store: every finished segment, kept at once, so that no work is done twice and none is lost.

One SQLite file in WAL mode (https://www.sqlite.org/wal.html), by default ``translations.sqlite`` in the folder of the
user's data. A segment is found by its key: a fingerprint of what was asked, but for the text around it. What
:meth:`Store.put` has returned from outlives the process, however it ends; a power cut may take the last seconds
(``synchronous=NORMAL``), never the file. Any number of threads and processes may use it at once, also after a fork.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from bayling_lite.closing import Closing
from bayling_lite.database import Database, as_bytes
from bayling_lite.translate.asking.values import Problem, ProblemKind
from bayling_lite.translate.store_file import store_kind

_COLUMNS = "key, source, target, source_language, target_language, model, alternatives, problems, created"
_PUT = f"""INSERT INTO segments ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET source = excluded.source, target = excluded.target,
    source_language = excluded.source_language, target_language = excluded.target_language, model = excluded.model,
    alternatives = excluded.alternatives, problems = excluded.problems, created = excluded.created"""  # noqa: S608
# Bytes become a text as they are: how a lone surrogate, which has no UTF-8, is kept.
_PUT_BYTES = _PUT.replace("?, ?, ?, ?, ?, ?, ?, ?, ?", ", ".join(["CAST(? AS TEXT)"] * 8 + ["?"]))
_GET = f"SELECT {_COLUMNS} FROM segments WHERE key = ?"  # noqa: S608
_PAGE = 1000
FILE_NAME = "translations.sqlite"
"""Of the user's store, in the folder of the user's data."""
_LIKE_SPECIAL = re.compile(r"[\\%_]")


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A translated segment.

    ``key`` is the fingerprint of what was asked. ``source``, ``target`` and ``alternatives`` hold tags for their codes,
    see :func:`bayling_lite.translate.markup.tagged`. Languages are codes, ``source_language`` empty where it was not
    known; ``model`` is its name; ``problems`` are what a person should look at. ``created`` counts seconds since 1970.
    """

    key: str
    source: str
    target: str
    source_language: str
    target_language: str
    model: str
    alternatives: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    created: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which segments are meant: those of whom everything that is not None is true. ``since``, ``before``: seconds."""

    source_language: str | None = None
    target_language: str | None = None
    model: str | None = None
    since: float | None = None
    before: float | None = None
    text: str | None = None

    def where(self) -> tuple[str, list[object]]:
        """The condition in SQL, and its parameters."""
        conditions, values = ["1"], list[object]()
        for condition, value in (
            ("source_language = ?", self.source_language),
            ("target_language = ?", self.target_language),
            ("model = ?", self.model),
            ("created >= ?", self.since),
            ("created < ?", self.before),
        ):
            if value is not None:
                conditions.append(condition)
                values.append(value)
        if self.text is not None:
            conditions.append(r"(source LIKE ? ESCAPE '\' OR target LIKE ? ESCAPE '\')")
            values += [f"%{_LIKE_SPECIAL.sub(lambda found: chr(92) + found[0], self.text)}%"] * 2
        return " AND ".join(conditions), values


EVERYTHING = Selection()


@dataclass(frozen=True, slots=True)
class StoreCount:
    """How many segments there are of a direction and model; ``newest`` in seconds since 1970."""

    source_language: str
    target_language: str
    model: str
    segments: int
    newest: float


class Store(Closing):
    """The store in a file. Open it with :meth:`open`, close it, or use it in a ``with``; safe to use from any thread.

    Every method raises :class:`~bayling_lite.errors.InputError` where the file is damaged, and
    :class:`~bayling_lite.errors.OutputError` where the disk is full or the file cannot be written (any more); what was
    put before stays.
    """

    def __init__(self, path: Path, *, readonly: bool = False) -> None:
        self.path = path
        self._database = Database(path, store_kind(), readonly=readonly)

    @classmethod
    def open(cls, path: str | Path, *, readonly: bool = False) -> Self:
        """Open a store, which is made where there is none.

        Raises:
            InputError: the file is damaged, no store, or of a newer bayling-lite.
            OutputError: it cannot be made or written.
        """
        return cls(Path(path), readonly=readonly)

    def get(self, key: str) -> StoredSegment | None:
        """The segment of a key."""
        rows = self._run(_GET, [key])
        return _segment(rows[0]) if rows else None

    def put(self, segment: StoredSegment) -> None:
        """Keep a segment, in the place of one with the same key. It is safe when this returns."""
        values = _values(segment)
        try:
            self._run(_PUT, values)
        except UnicodeEncodeError:
            self._run(_PUT_BYTES, [as_bytes(value) for value in values])

    def segments(self, selection: Selection = EVERYTHING) -> Iterator[StoredSegment]:
        """Segments in the order in which they were first kept, read in pages: memory stays bounded."""
        condition, values = selection.where()
        query = f"SELECT {_COLUMNS}, id FROM segments WHERE {condition} AND id > ? ORDER BY id LIMIT {_PAGE}"  # noqa: S608
        last = -1
        while rows := self._run(query, [*values, last]):
            yield from map(_segment, rows)
            last = rows[-1][-1]

    def counts(self, selection: Selection = EVERYTHING) -> tuple[StoreCount, ...]:
        """What there is, by direction and model."""
        condition, values = selection.where()
        rows = self._run(
            "SELECT source_language, target_language, model, COUNT(*), MAX(created) FROM segments "  # noqa: S608
            f"WHERE {condition} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
            values,
        )
        return tuple(StoreCount(*row) for row in rows)

    def remove(self, selection: Selection) -> int:
        """Remove segments, and their text from the disk; say how many."""
        condition, values = selection.where()
        with self._database.alone():
            self._run("PRAGMA secure_delete = ON", [])
            self._run(f"DELETE FROM segments WHERE {condition}", values)  # noqa: S608
            removed = int(self._run("SELECT changes()", [])[0][0])
            if removed:
                self._database.shrink()
        return removed

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return self._database.size

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._database.close()

    def _run(self, statement: str, values: list[Any]) -> list[Any]:
        return self._database.run(statement, values)


def _values(segment: StoredSegment) -> list[Any]:
    problems = [(problem.kind, problem.detail, problem.fatal) for problem in segment.problems]
    return [
        segment.key,
        segment.source,
        segment.target,
        segment.source_language,
        segment.target_language,
        segment.model,
        json.dumps(segment.alternatives) if segment.alternatives else "",
        json.dumps(problems) if problems else "",
        segment.created,
    ]


def _segment(row: tuple[Any, ...]) -> StoredSegment:
    key, source, target, source_language, target_language, model, alternatives, problems, created = row[:9]
    return StoredSegment(
        key,
        source,
        target,
        source_language,
        target_language,
        model,
        tuple(json.loads(alternatives)) if alternatives else (),
        tuple(Problem(ProblemKind(kind), detail, fatal) for kind, detail, fatal in json.loads(problems or "[]")),
        created,
    )
