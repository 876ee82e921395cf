"""Which documents a command is given: files, all that are in a folder, standard input."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bayling_lite.cli.files import STANDARD_INPUT, check_input
from bayling_lite.errors import InputError
from bayling_lite.languages import LANGUAGES, Language
from bayling_lite.translate.formats import Format, format_of
from bayling_lite.translate.job.naming import without_language

_CODES = tuple(language.code for language in LANGUAGES)
# What other programs' files end with, and what these programs can write instead.
_OTHERS = {
    **dict.fromkeys((".doc", ".rtf", ".wps", ".pages"), ".docx"),
    **dict.fromkeys((".xls", ".xlsb", ".ods", ".numbers"), ".xlsx"),
    **dict.fromkeys((".ppt", ".odp", ".key"), ".pptx"),
    **dict.fromkeys((".mobi", ".azw", ".azw3", ".fb2"), ".epub"),
}
_Family = Counter[tuple[Path, tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Input:
    """A document to read. ``path`` is None for standard input; ``format`` None where it is told when it is read.

    ``folder`` is the one it was found in, None for a document that was named itself.
    """

    name: str
    path: Path | None
    format: Format | None
    folder: Path | None = None

    @property
    def size(self) -> int:
        """Bytes, as far as they are known before it is read."""
        try:
            return self.path.stat().st_size if self.path is not None else 0
        except OSError:
            return 0


@dataclass(frozen=True, slots=True)
class Inputs:
    """What was found: documents in order, and what was passed over: a path and why."""

    documents: tuple[Input, ...]
    skipped: tuple[tuple[Path, str], ...] = ()


def find_inputs(
    names: Iterable[str],
    format_: Format | None = None,
    *,
    source: Language | None = None,
    target: Language | None = None,
) -> Inputs:
    """The documents of files, folders and ``-``.

    A folder is gone through to its depths. Hidden files and folders are no documents; files of unknown format and
    translations of earlier runs (notes.zh.md beside notes.md, into the same ``target``; with a ``source``, any other
    language) are passed over.

    Raises:
        InputError: a name leads nowhere, or to what cannot be read.
    """
    documents: list[Input] = []
    skipped: list[tuple[Path, str]] = []
    for name in names:
        if name == "-":
            documents.append(Input(STANDARD_INPUT, None, format_))
        elif not Path(name).is_dir():
            check_input(name)
            documents.append(Input(name, Path(name), format_ or _format(Path(name))))
        else:
            found = list(_walk(Path(name), target))
            family = Counter((path.parent, without_language(path.stem)) for path in found if format_of(path.suffix))
            for path in found:
                known = format_of(path.suffix)
                if known is None:
                    skipped.append((path, "its format is not known"))
                elif _is_translation(path, family, source, target):
                    skipped.append((path, "it is a translation"))
                else:
                    documents.append(Input(str(path), path, known, Path(name)))
    return Inputs(tuple(documents), tuple(skipped))


def _walk(folder: Path, target: Language | None) -> Iterator[Path]:
    """The files in a folder and in those below it, in the order of their names; a link that leads back is not followed.

    Nor is what a folder became in an earlier run: help.zh beside help.

    Raises:
        InputError: a folder cannot be read.
    """
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            status = here.stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(here) as listing:
                entries = sorted((entry for entry in listing if not entry.name.startswith(".")), key=lambda e: e.name)
        except OSError as error:
            raise InputError(f"The folder {here} cannot be read: {error.strerror or error}.") from error
        names = [entry.name for entry in entries if entry.is_dir()]
        copies = (
            {(f"{without_language(name)[0]}.{target.code}", name) for name in names} if target is not None else set()
        )
        made = {copy for copy, name in copies if copy != name}
        waiting += [here / name for name in reversed(names) if name not in made]
        yield from (here / entry.name for entry in entries if _is_regular(entry))


def _format(path: Path) -> Format | None:
    """The format that a file's name tells, if it tells one.

    Raises:
        InputError: it tells one that is not read, though it may look like text.
    """
    other = _OTHERS.get(path.suffix.casefold())
    if other is not None:
        raise InputError(
            f"{path}: files that end with {path.suffix} cannot be read. Save it as {other} in the program that made it."
        )
    return format_of(path.suffix)


def _is_regular(entry: os.DirEntry[str]) -> bool:
    try:
        return stat.S_ISREG(entry.stat().st_mode)
    except OSError:  # a link that leads nowhere
        return False


def _is_translation(path: Path, family: _Family, source: Language | None, target: Language | None) -> bool:
    """Whether a file is what an earlier run made of another: notes.zh.md of notes.md, or of notes.en.md.

    What it was made of may end with something else: a PDF becomes text.
    """
    stem, code = without_language(path.stem)
    if not code or (source is not None and code == source.code):
        return False
    if (path.parent, (stem, "")) in family:
        return True
    others = [code_ for code_ in _CODES if code_ != code and (path.parent, (stem, code_)) in family]
    return bool(others) and (source.code in others if source is not None else code == (target and target.code))
