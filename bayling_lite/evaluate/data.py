"""Test data where the user keeps it: a folder, for example a checkout of a public repository.

Files are found by their names, wherever in the folder they lie. Known layouts: the repositories ictnlp/BayLing
(``data/`` and ``exp/``) and ruixiangcui/AGIEval (``data/v1``).
"""

from __future__ import annotations

import fnmatch
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from bayling_lite.errors import InputError, UsageError
from bayling_lite.reasons import reason

_MOST_FILES = 200_000


class DataFolder:
    """Folders that hold test data. Nothing is read before it is asked for.

    Raises:
        InputError: one of them is not there, or no folder.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self.folders = tuple(folders)
        # Of each folder, its name and those of the folders above it, as far as the one that the user named.
        self._above: dict[Path, frozenset[str]] = {}
        for folder in self.folders:
            if not folder.is_dir():
                raise InputError(f"There is no folder {folder}. --data names the folder that holds the test data.")

    def find(self, pattern: str, *, near: str = "") -> tuple[Path, ...]:
        """The files whose name fits a pattern (``*.hypo``), in order; with ``near``, below a folder of that name.

        Folders count from the one that the user named, itself among them; not those that it happens to lie in.
        """
        names = fnmatch.filter(self._files, pattern) if any(sign in pattern for sign in "*?[") else [pattern]
        paths = (path for name in names for path in self._files.get(name, ()))
        return tuple(sorted(path for path in paths if not near or near in self._above[path.parent]))

    def one(self, name: str, *, preferred: Sequence[str] = ()) -> Path | None:
        """The file of this name; None where there is none.

        Of several with different content, the one that a folder named in ``preferred`` leads to, the first such name
        counting most.

        Raises:
            InputError: several files have the name, and nothing tells which is meant.
        """
        paths = self.find(name)
        for folder in preferred:
            chosen = [path for path in paths if folder in self._above[path.parent]]
            if chosen:
                paths = tuple(chosen)
                break
        if len(paths) > 1 and len({_bytes(path) for path in paths}) > 1:
            raise InputError(
                f"There are several different files {name}: {', '.join(map(str, paths))}. "
                "Name the folder of one of them with --data."
            )
        return paths[0] if paths else None

    @cached_property
    def _files(self) -> dict[str, list[Path]]:
        files: dict[str, list[Path]] = {}
        for count, path in enumerate(self._walk()):
            if count >= _MOST_FILES:
                raise UsageError(
                    f"{' and '.join(map(str, self.folders))} hold more than {_MOST_FILES:,} files. "
                    "Name a folder with --data that holds test data alone."
                )
            files.setdefault(path.name, []).append(path)
        return files

    def _walk(self) -> Iterator[Path]:
        """Every file once, wherever the folders overlap."""
        seen: set[str] = set()
        for top in self.folders:
            # What lies elsewhere and is linked here counts; a link that leads in a circle ends at what was seen.
            for name, folders, names in os.walk(top, followlinks=True):
                place = os.path.realpath(name)
                if place in seen:
                    folders.clear()
                    continue
                seen.add(place)
                folders[:] = sorted(name for name in folders if not name.startswith("."))
                folder = Path(name)
                self._above[folder] = frozenset((top.resolve().name, *folder.relative_to(top).parts))
                yield from (folder / name for name in names if not name.startswith("."))


def read_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 file, without their ends. Only a line feed ends a line; a carriage return before it goes.

    Other characters that some programs break lines at (U+2028, U+0085, a form feed) stay in their line, so that line n
    of one file belongs to line n of another.

    Raises:
        InputError: it cannot be read, or is not UTF-8.
    """
    text = _text(path)
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """The JSON objects of a file of JSON lines; lines without a character to see are passed over.

    Raises:
        InputError: it cannot be read, or a line is no JSON object; the message has its number.
    """
    objects = []
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}, line {number}: this is no JSON ({error}).") from error
        if not isinstance(value, dict):
            raise InputError(f"{path}, line {number}: a JSON object was expected, in braces.")
        objects.append(value)
    return objects


def paired(path: Path, count: int, others: Path | str, expected: int) -> None:
    """See that two files belong together, line by line.

    Raises:
        InputError: they have different numbers of lines; the message has both.
    """
    if count != expected:
        raise InputError(
            f"{path} has {count:,} lines, {others} has {expected:,}: line n of one must belong to line n of the other."
        )


def _text(path: Path) -> str:
    try:
        return _bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = _bytes(path).count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}, line {line}: this is not UTF-8. Convert the file to UTF-8 first.") from error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {reason(error)}.") from error
