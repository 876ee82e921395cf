"""The translation memory of a job: the user's own, and the TMX files that were named for it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Self

from bayling_lite.closing import Closing
from bayling_lite.errors import InputError, OutputError
from bayling_lite.languages import Language
from bayling_lite.settings import Settings
from bayling_lite.translate.markup import Marked
from bayling_lite.translate.memory.index import About, MemoryIndex, Similar
from bayling_lite.translate.memory.index_file import index_path, is_index, make_index, tmx_fingerprint
from bayling_lite.translate.memory.likeness import can_compare
from bayling_lite.translate.memory.tmx import Progress


class TranslationMemory(Closing):
    """Translations that people have made, looked up by their source. Safe to use from any thread; close it after use.

    TMX files are indexed once, however often they are named, and wherever they lie. ``own`` is the folder of those that
    :meth:`import_tmx` has taken in, which are always looked at; ``cache`` that of the others' indexes.

    Raises:
        InputError: an index is damaged.
    """

    def __init__(self, own: Path, cache: Path) -> None:
        self._own, self._cache = own, cache
        self._indexes: list[MemoryIndex] = []
        try:
            for path in imported(own):
                self._indexes.append(MemoryIndex(path))
        except BaseException:
            self.close()
            raise

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """The user's memory."""
        return cls(settings.data_dir / "memory", settings.cache_dir / "memory")

    def load_tmx(self, path: Path, progress: Progress | None = None) -> About:
        """Use a TMX file too, before all others. The first time it is read, it is indexed.

        Raises:
            InputError: it cannot be read, is no TMX, or has no unit in two languages.
            OutputError: its index cannot be written.
        """
        fingerprint = tmx_fingerprint(path)
        found = index_path(self._own, fingerprint)
        if not is_index(found):
            found = make_index(path, fingerprint, self._cache, progress)
        return self._use(found).about

    def import_tmx(self, path: Path, progress: Progress | None = None) -> tuple[About, bool]:
        """Take a TMX file in for good; what it says of itself, and whether it is new.

        Raises:
            InputError: it cannot be read, is no TMX, or has no unit in two languages.
            OutputError: its index cannot be written.
        """
        fingerprint = tmx_fingerprint(path)
        found, cached = index_path(self._own, fingerprint), index_path(self._cache, fingerprint)
        is_new = not is_index(found)
        if is_new and is_index(cached):
            with contextlib.suppress(OSError):  # another file system: then it is indexed again
                self._own.mkdir(parents=True, exist_ok=True, mode=0o700)
                cached.replace(found)
        make_index(path, fingerprint, self._own, progress)
        return self._use(found).about, is_new

    @property
    def memories(self) -> tuple[About, ...]:
        """The TMX files that are looked at, in this order."""
        return tuple(index.about for index in self._indexes)

    @property
    def note(self) -> str:
        """What a user should know of how similar texts are found; empty where all is well."""
        if not can_compare():
            return (
                "Only exact matches are taken from the translation memory: to find similar ones, rapidfuzz is needed: "
                "pip install 'bayling-lite[documents]'"
            )
        if not all(index.searchable for index in self._indexes):
            return "Only exact matches are taken from the translation memory: this Python's SQLite has no FTS5."
        return ""

    def exact(
        self, source: Marked, source_language: str | Language | None, target_language: str | Language
    ) -> Marked | None:
        """The translation of a text, where a memory has it word for word, number for number, and with the same codes.

        White space and the way in which accents are encoded do not count. The codes of the result are the source's.
        """
        if source_language is None:
            return None
        for index in self._indexes:
            found = index.exact(source, str(source_language), str(target_language))
            if found is not None:
                return found
        return None

    def similar(
        self,
        source: Marked,
        source_language: str | Language | None,
        target_language: str | Language,
        least: float = 0.7,
        most: int = 2,
    ) -> tuple[tuple[str, str, float], ...]:
        """(source, target, score) of texts like another one, without codes, the most alike first.

        The score is the part of the tokens that need no editing, 0 to 1: words, signs, and the characters of scripts
        without spaces. Empty where texts cannot be compared, see :attr:`note`.
        """
        if source_language is None or not can_compare():
            return ()
        best: dict[tuple[str, str], Similar] = {}
        for index in self._indexes:
            for found in index.similar(source.bare, str(source_language), str(target_language), least):
                best.setdefault((found.source, found.target), found)
        ranked = sorted(best.values(), key=lambda found: -found.score)[:most]
        return tuple((found.source, found.target, found.score) for found in ranked)

    def search(self, text: str, most: int = 20) -> tuple[tuple[tuple[str, str], ...], ...]:
        """Units that hold a text: (language, text) of each of their texts, the one that holds it first."""
        found: list[tuple[tuple[str, str], ...]] = []
        for index in self._indexes:
            found += [unit for _, unit in index.search(text, most - len(found))]
            if len(found) >= most:
                break
        return tuple(found)

    def close(self) -> None:
        """Close the files. Idempotent."""
        for index in self._indexes:
            index.close()
        self._indexes.clear()

    def _use(self, path: Path) -> MemoryIndex:
        index = next((index for index in self._indexes if index.path == path), None)
        if index is None:
            index = MemoryIndex(path)
        else:
            self._indexes.remove(index)
        self._indexes.insert(0, index)
        return index


def imported(folder: Path) -> list[Path]:
    """The indexes in a folder, the latest first.

    Raises:
        InputError: the folder cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            found = [
                (entry.stat().st_mtime_ns, Path(entry.path)) for entry in entries if entry.name.endswith(".sqlite")
            ]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"The translation memory {folder} cannot be read: {error.strerror or error}.") from error
    return [path for _, path in sorted(found, reverse=True)]


def forget(folder: Path) -> int:
    """Remove every index in a folder, and what killed processes left there; the bytes that this frees.

    Raises:
        OutputError: a file cannot be removed.
    """
    freed = 0
    for path in [*folder.glob("*.sqlite"), *folder.glob("*.part")]:
        try:
            freed += path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise OutputError(f"{path} cannot be removed: {error.strerror or error}.") from error
    return freed
