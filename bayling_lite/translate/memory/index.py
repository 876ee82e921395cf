"""Looking texts up in the index of one TMX file."""

from __future__ import annotations

import functools
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayling_lite.errors import InputError
from bayling_lite.translate.markup import Marked
from bayling_lite.translate.memory.index_file import open_index, text_key
from bayling_lite.translate.memory.likeness import (
    likeness,
    marked_skeleton,
    normalized,
    restored,
    stored_skeleton,
    tokens,
    unwrapped,
    wanted_terms,
    without_codes,
)
from bayling_lite.translate.memory.units import MOST_VARIANTS

# So many texts are compared with one: a common word stands in more of them than there is time for.
_MOST_CANDIDATES = 500
_MOST_SAME = 50
_MOST_TOKENS = 1000  # the time that comparing takes grows with the square
_TARGETS = f"""SELECT text FROM texts WHERE id / {MOST_VARIANTS} = :unit
    AND id BETWEEN :unit * {MOST_VARIANTS} AND :unit * {MOST_VARIANTS} + {MOST_VARIANTS - 1} AND language = :language
    ORDER BY rank, id"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Similar:
    """A text of a memory that is like another, and its translation, both without codes; ``score`` from 0 to 1."""

    source: str
    target: str
    score: float


@dataclass(frozen=True, slots=True)
class About:
    """What an index says of its TMX file: its ``name``, units, languages, when it was indexed, bytes on the disk."""

    path: Path
    name: str
    units: int
    languages: tuple[str, ...]
    created: str
    size: int


class MemoryIndex:
    """An index, opened. Safe to use from any thread.

    Raises:
        InputError: the file is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            self._connection = open_index(path)
        except sqlite3.Error as error:
            raise InputError(_damaged(path)) from error
        try:
            self._about: dict[str, str] = dict(self._rows("SELECT name, value FROM about"))
            if self._about["searchable"] == "1":
                self._rows("CREATE VIRTUAL TABLE temp.frequencies USING fts5vocab(main, words, row)")
        except BaseException as error:
            self._connection.close()
            if isinstance(error, KeyError):
                raise InputError(_damaged(path)) from error
            raise
        self._texts_with = functools.lru_cache(maxsize=65536)(self._count_texts_with)

    @property
    def searchable(self) -> bool:
        """Whether similar texts can be found in it: SQLite had FTS5 when it was made."""
        return self._about["searchable"] == "1"

    @property
    def about(self) -> About:
        """What it is the index of."""
        return About(
            self.path,
            self._about["name"],
            int(self._about["units"]),
            tuple(self._about["languages"].split()),
            self._about["created"],
            self.path.stat().st_size,
        )

    def exact(self, source: Marked, source_language: str, target_language: str) -> Marked | None:
        """The translation of the same text with the same codes; of several, the last in the file."""
        skeleton, characters = marked_skeleton(source)
        wanted = normalized(skeleton)
        rows = self._rows(
            f"SELECT id, text FROM texts WHERE key = ? AND language = ? ORDER BY id DESC LIMIT {_MOST_SAME}",  # noqa: S608
            (text_key(source_language, skeleton), source_language),
        )
        for identifier, text in rows:
            there, numbers = stored_skeleton(text)
            if normalized(there) != wanted:
                continue
            for target in self._targets(identifier, target_language):
                # A memory breaks lines where it likes; a document where they mean something.
                target = target if "\n" in source.text else unwrapped(target)
                found = restored(target, numbers, characters, source)
                if found is not None:
                    return found
        return None

    def similar(self, source: str, source_language: str, target_language: str, least: float) -> list[Similar]:
        """Texts at least so alike, the most alike first, and the latest first of those that are equally so."""
        words = tokens(normalized(source))
        if len(words) > _MOST_TOKENS:
            return []
        found = []
        for identifier, text in self._candidates(words, source_language, least):
            bare = without_codes(text)
            score = likeness(words, tokens(bare), least)
            if score:
                found.append((score, identifier, bare))
        found.sort(reverse=True)
        return list(self._translated(found, target_language))

    def search(self, text: str, most: int) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
        """Texts that hold another, by going through all: (language, text) of the unit, the one that holds it first."""
        pattern = "%" + "".join(f"\\{character}" if character in "\\%_" else character for character in text) + "%"
        rows = self._rows(
            r"SELECT id, language, text FROM texts WHERE text LIKE ? ESCAPE '\' ORDER BY id LIMIT ?", (pattern, most)
        )
        for identifier, language, found in rows:
            unit = identifier // MOST_VARIANTS
            others = self._rows(
                "SELECT language, text FROM texts WHERE id BETWEEN ? AND ? AND id != ? ORDER BY id",
                (unit * MOST_VARIANTS, unit * MOST_VARIANTS + MOST_VARIANTS - 1, identifier),
            )
            yield language, tuple((name, without_codes(there)) for name, there in [(language, found), *others])

    def close(self) -> None:
        """Close the file. Idempotent."""
        with self._lock:
            self._connection.close()

    def _translated(self, found: list[tuple[float, int, str]], language: str) -> Iterator[Similar]:
        for score, identifier, text in found:
            target = next(self._targets(identifier, language), None)
            if target is not None:
                yield Similar(text, without_codes(target), score)

    def _targets(self, identifier: int, language: str) -> Iterator[str]:
        values = {"unit": identifier // MOST_VARIANTS, "language": language}
        yield from (row[0] for row in self._rows(_TARGETS, values))

    def _candidates(self, words: list[str], language: str, least: float) -> list[tuple[int, str]]:
        """Texts that share one of a text's rarest terms and are about as long.

        Every text that is alike enough has one of so many, whichever they are, so the rarest will do (prefix filtering:
        Chaudhuri, Ganti and Kaushik, A Primitive Operator for Similarity Joins, ICDE 2006).
        """
        if not self.searchable or not words:
            return []
        terms, needed = wanted_terms(words, language, least)
        rarest = sorted(terms, key=self._texts_with)
        candidates: dict[int, str] = {}
        for term in rarest[:needed]:
            rows = self._rows(
                "SELECT texts.id, text FROM words JOIN texts ON texts.id = words.rowid "
                "WHERE words MATCH ? AND length BETWEEN ? AND ? AND language = ? LIMIT ?",
                (f'"{term}"', int(len(words) * least), int(len(words) / least) + 1, language, _MOST_CANDIDATES),
            )
            candidates.update(rows)
            if len(candidates) >= _MOST_CANDIDATES:
                break
        return list(candidates.items())

    def _count_texts_with(self, term: str) -> int:
        rows = self._rows("SELECT doc FROM frequencies WHERE term = ?", (term,))
        return int(rows[0][0]) if rows else 0

    def _rows(self, query: str, values: tuple[object, ...] | dict[str, object] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._connection.execute(query, values).fetchall()
            except sqlite3.DatabaseError as error:
                raise InputError(_damaged(self.path)) from error


def _damaged(path: Path) -> str:
    return f"The index {path} of a translation memory is damaged. Remove it, and import the TMX file again."
